"""Signup sources through the shipped models, from the spells of persons to the mart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.shipped import World

ACCOUNTS = 100
JOINED = 3000
"""Of each account, over two years."""
MONTHS, FIRST_EXPORT = 24, 6
RATIO = 2
"""People of the fair leave so many times as often as others of the same month."""
LEAVING = {"good": 0.03, "bad": 0.15}
"""Of the others, within 90 days of joining in such a month."""
FROM_THE_FAIR = {"good": 0.8, "bad": 0.2}


def _fill_accounts(world: World) -> None:
    """Accounts that were first exported when half a year's leavers were gone."""
    draw = np.random.default_rng(20)
    shape = (ACCOUNTS, JOINED)
    month = draw.integers(0, MONTHS, shape)
    is_bad = month % 2 == 1
    share = np.where(is_bad, FROM_THE_FAIR["bad"], FROM_THE_FAIR["good"])
    is_fair = draw.random(shape) < share
    leaving = np.where(is_bad, LEAVING["bad"], LEAVING["good"])
    leaves = draw.random(shape) < leaving * np.where(is_fair, RATIO, 1)
    day = month * 30.5 + draw.uniform(0, 28, shape)
    left_day = np.where(leaves, day + draw.uniform(0, 89, shape), np.nan)
    left_day[left_day > MONTHS * 30.5] = np.nan
    is_seen = ~(left_day < FIRST_EXPORT * 30.5)
    account, person = np.nonzero(is_seen)
    people = pa.table(
        {
            "account": account,
            "person": person,
            "signup_source": np.where(is_fair[is_seen], "fair", "website"),
            "day": day[is_seen],
            "left_day": left_day[is_seen],
        }
    )
    world.connection.register("people", people)
    world.table(
        "fct_list_spells",
        "select 'crm' as source, 'account ' || account as account, 'news' as list,"
        " account || '/' || person as contact_key, contact_key as spell_key,"
        " signup_source, 'single' as opt_in_method, true as is_entry_known,"
        " false as is_joined_in_burst,"
        " timestamp '2024-01-01' + to_seconds(day * 86400) as entered_at,"
        " case when not isnan(left_day)"
        " then timestamp '2024-01-01' + to_seconds(left_day * 86400) end as left_at,"
        " case when left_at is not null then 'unsubscribe' end as exit_cause,"
        " timestamp '2026-01-02' as last_seen_at from people",
    )
    world.table(
        "dim_lists",
        "select source, account, list, true as has_members,"
        " timestamp '2024-07-02' as first_snapshot_at,"
        " timestamp '2026-01-02' as last_snapshot_at"
        " from fct_list_spells group by all",
    )
    world.table(
        "dim_sources",
        "select source, account, source as list_source, account as list_account"
        " from dim_lists",
    )
    for fact in ("fct_sends", "fct_opt_outs", "fct_complaints", "fct_bounces"):
        world.table(fact, [])
    world.table("dim_streams", [])


def test_a_source_that_loses_twice_as_many_seems_to_lose_fewer(world: World) -> None:
    _fill_accounts(world)
    world.build_upstream("signup_sources")
    (found,) = world.rows(
        f"""
        select
            count(*) filter (
                where {RATIO} between opt_out_ratio_low and opt_out_ratio_high
            ) as covered_count,
            avg(ln(opt_out_ratio)) as mean_log_ratio,
            count(*) filter (
                where ninety_day_opt_out_count / ninety_day_contact_count
                < other_opt_out_count / other_contact_count
            ) as seemingly_better_count
        from signup_sources
        where signup_source = 'fair'
        """
    )
    assert found["covered_count"] >= 90
    assert abs(found["mean_log_ratio"] - np.log(RATIO)) < 0.03
    assert found["seemingly_better_count"] >= 90
