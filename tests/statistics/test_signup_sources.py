"""Signup sources through the shipped models, from the spells of persons to the mart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.shipped import Shipped, World

ACCOUNTS = 100
JOINED = 3000
"""Of each account, over two years."""
MONTHS, FIRST_EXPORT, LAST_EXPORT = 24, "2024-07-01", "2026-01-01"
RATIO = 2
"""People of the fair leave so many times as often as others of the same month."""
LEAVING = {"good": 0.03, "bad": 0.15}
"""Of the others, within 90 days of joining in such a month."""
FROM_THE_FAIR = {"good": 0.8, "bad": 0.2}


@pytest.fixture(scope="module")
def sources(shipped: Shipped) -> World:
    """Accounts that were first exported when half a year's leavers were gone."""
    world = shipped.open()
    world.seeds()
    world.table("dim_runs", "select 'build' as build_id")
    draw = np.random.default_rng(20)
    shape = (ACCOUNTS, JOINED)
    month = draw.integers(0, MONTHS, shape)
    is_bad = month % 2 == 1
    share = np.where(is_bad, FROM_THE_FAIR["bad"], FROM_THE_FAIR["good"])
    is_fair = draw.random(shape) < share
    leaving = np.where(is_bad, LEAVING["bad"], LEAVING["good"])
    leaves = draw.random(shape) < leaving * np.where(is_fair, RATIO, 1)
    people = pa.table(
        {
            "account": np.repeat(np.arange(ACCOUNTS), JOINED),
            "person": np.arange(ACCOUNTS * JOINED),
            "signup_source": np.where(is_fair, "fair", "website").ravel(),
            "month": month.ravel(),
            "day": draw.uniform(0, 28, shape).ravel(),
            "stay": np.where(leaves, draw.uniform(0, 90, shape), np.nan).ravel(),
        }
    )
    world.connection.register("people", people)
    world.table(
        "fct_list_spells",
        f"""
        select
            'crm' as source,
            'account ' || account as account,
            'news' as list,
            cast(person as varchar) as contact_key,
            contact_key as spell_key,
            signup_source,
            'single' as opt_in_method,
            true as is_entry_known,
            false as is_joined_in_burst,
            timestamp '2024-01-01' + to_months(cast(month as integer))
            + to_seconds(day * 86400) as entered_at,
            case
                when not isnan(stay) and entered_at + to_seconds(stay * 86400)
                < timestamp '{LAST_EXPORT}' then entered_at + to_seconds(stay * 86400)
            end as left_at,
            case when left_at is not null then 'unsubscribe' end as exit_cause,
            timestamp '{LAST_EXPORT}' as last_seen_at
        from people
        where coalesce(left_at >= timestamp '{FIRST_EXPORT}', true)
        """,
    )
    world.table(
        "dim_lists",
        "select source, account, list, true as has_members,"
        f" timestamp '{FIRST_EXPORT}' as first_snapshot_at,"
        f" timestamp '{LAST_EXPORT}' as last_snapshot_at"
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
    world.build_upstream("signup_sources")
    return world


def test_a_source_that_loses_twice_as_many_seems_to_lose_fewer(
    sources: World,
) -> None:
    (found,) = sources.rows(
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
    # The nominal 95 in 100, less what luck takes.
    assert found["covered_count"] >= 90
    assert abs(found["mean_log_ratio"] - np.log(RATIO)) < 0.03
    assert found["seemingly_better_count"] >= 90


def test_who_left_before_anybody_looked_does_not_make_the_others_loyal(
    sources: World,
) -> None:
    (found,) = sources.rows(
        """
        select 100 * sum(ninety_day_opt_out_count) / sum(ninety_day_contact_count)
            as rate_pct
        from signup_sources
        where signup_source = 'website'
        """
    )
    # Of those who joined from July 2024 on, 90 days before 2026: 8 good months and 7 bad
    # ones, (8 x 0.2 x 3 + 7 x 0.8 x 15) / (8 x 0.2 + 7 x 0.8) = 12.3 %.
    assert abs(found["rate_pct"] - 12.3) < 0.3
