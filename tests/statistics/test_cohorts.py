"""Cohorts through the shipped models, from the spells of persons to the mart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.shipped import World
from tests.statistics.reference import REMISSIONS

LISTS = 100
JOINED = 1000
"""Of each list, over two years."""
MONTH = 365.25 / 12
FIRST_EXPORT, LAST_EXPORT = 12 * MONTH, 24 * MONTH
CAUSES = ("unsubscribe", "hard_bounce", "deleted")
NEWCOMER_MONTHS, NEWCOMER_RATIO = 2, 3
"""Newcomers leave so many times as often, which whoever is seen later hides."""


def test_published_curve_with_its_interval(world: World) -> None:
    # Who was in remission when the study ended joined so long before its end.
    world.table(
        "fct_list_spells",
        "select 'esp' as source, 'main' as account, 'news' as list,"
        " cast(person as varchar) as spell_key, cast(person as varchar) as contact_key,"
        " true as is_entry_known, entered_at, left_at,"
        " case when left_at is not null then 'unsubscribe' end as exit_cause from ("
        + " union all ".join(
            f"select {person} as person, timestamp '2015-06-15 09:00' as entered_at,"
            f" timestamp '2015-06-15 09:00' + to_months({age}) as left_at"
            if is_event
            else f"select {person}, timestamp '2020-01-01' - to_months({age}), null"
            for person, (age, is_event) in enumerate(REMISSIONS)
        )
        + ")",
    )
    world.table(
        "dim_lists",
        "select 'esp' as source, 'main' as account, 'news' as list, true as has_members,"
        " timestamp '2010-01-01' as first_snapshot_at,"
        " timestamp '2020-01-01' as last_snapshot_at",
    )
    world.build_upstream("cohort_retention")
    rows = world.rows(
        "from cohort_retention where list = 'news' and is_all_months and exit_count > 0"
        " and signup_source = '(all)' and opt_in_method = '(all)' order by age_months"
    )
    found = [
        (
            row["age_months"],
            row["at_risk_count"],
            row["exit_count"],
            *(
                round(row[f"survival{end}_pct"] / 100, 4)
                for end in ("", "_low", "_high")
            ),
        )
        for row in rows
    ]
    # As Stata prints it (sts list, log-minus-log).
    assert found == [
        (6, 21, 3, 0.8571, 0.6197, 0.9516),
        (7, 17, 1, 0.8067, 0.5631, 0.9228),
        (10, 15, 1, 0.7529, 0.5032, 0.8894),
        (13, 12, 1, 0.6902, 0.4316, 0.8491),
        (16, 11, 1, 0.6275, 0.3675, 0.8049),
        (22, 7, 1, 0.5378, 0.2678, 0.7468),
        (23, 6, 1, 0.4482, 0.1881, 0.6801),
    ]


def _fill_lists(world: World, hazards: np.ndarray) -> None:
    """Lists whose first export holds who is left, and later ones every exit."""
    draw = np.random.default_rng(42)
    shape = (LISTS, JOINED)
    total = hazards.sum(axis=1)[:, None]
    entered = draw.uniform(0, LAST_EXPORT, shape)
    # The age at which so much hazard has been met, newcomers' part first.
    met = draw.exponential(1, shape) / total
    early = NEWCOMER_MONTHS * NEWCOMER_RATIO
    age = np.where(met < early, met / NEWCOMER_RATIO, met - early + NEWCOMER_MONTHS)
    left = entered + age * MONTH
    picked = (
        draw.uniform(0, 1, shape)[..., None]
        > np.cumsum(hazards / total, axis=1)[:, None, :]
    )
    cause = np.array(CAUSES)[np.minimum(picked.sum(axis=2), len(CAUSES) - 1)]
    number = np.broadcast_to(np.arange(LISTS)[:, None], shape)
    seen = left >= FIRST_EXPORT
    spells = pa.table(
        {
            "account": number[seen].astype(str),
            "entered": entered[seen],
            "departed": left[seen],
            "cause": cause[seen],
        }
    )
    world.connection.register("spells", spells)
    moment = "timestamp '2022-01-01' + to_microseconds(cast({} * 86400e6 as bigint))"
    world.table(
        "fct_list_spells",
        f"""
        select
            cast(row_number() over () as varchar) as spell_key,
            cast(row_number() over () as varchar) as contact_key,
            'esp' as source, account, 'news' as list, true as is_entry_known,
            {moment.format("entered")} as entered_at,
            case when departed < {LAST_EXPORT} then {moment.format("departed")} end
                as left_at,
            case when departed < {LAST_EXPORT} then cause end as exit_cause
        from spells
        """,
    )
    world.table(
        "dim_lists",
        f"""
        select
            'esp' as source, cast(account as varchar) as account, 'news' as list,
            true as has_members, {moment.format(FIRST_EXPORT)} as first_snapshot_at,
            {moment.format(LAST_EXPORT)} as last_snapshot_at
        from (select unnest(range({LISTS})) as account)
        """,
    )


def _year_old(world: World) -> list[dict[str, float]]:
    return world.rows(
        "from cohort_retention where list = 'news' and is_all_months"
        " and signup_source = '(all)' and opt_in_method = '(all)' and age_months = 12"
        " order by cast(account as integer)"
    )


def test_planted_hazards_are_found_though_many_were_there_before(
    world: World,
) -> None:
    # Of each list and cause, a month, once a contact is no newcomer.
    hazards = np.random.default_rng(41).uniform(0.002, 0.015, (LISTS, len(CAUSES)))
    _fill_lists(world, hazards)
    world.build_upstream("cohort_retention")
    rows = _year_old(world)
    total = hazards.sum(axis=1)
    months = NEWCOMER_MONTHS * NEWCOMER_RATIO + 12 - NEWCOMER_MONTHS
    left = 100 * np.exp(-total * months)
    low, high = (
        np.array([row[f"survival_{end}_pct"] for row in rows])
        for end in ("low", "high")
    )
    covered = int(((low <= left) & (left <= high)).sum())
    assert 90 <= covered < LISTS, covered
    # Every cause has the same share of the hazard at any age, and so of the losses.
    for number, cause in enumerate(CAUSES):
        planted = (100 - left) * hazards[:, number] / total
        error = [row[f"cumulative_{cause}_pct"] for row in rows] - planted
        assert abs(error.mean()) < 3 * error.std() / LISTS**0.5, cause
        assert error.std() < 3, cause
    # As if the first export had shown everybody who ever joined.
    world.connection.execute(
        "update loss_visibility set followed_since_at = first_entered_at"
    )
    world.build(
        *("membership_ages", "cohort_members", "risk_sets", "survival_curves"),
    )
    naive = world.rows(
        "select 100 * avg(survival) as naive from survival_curves"
        " inner join (select distinct cohort_key from cohort_members where"
        " list = 'news' and is_all_months and signup_source = '(all)'"
        " and opt_in_method = '(all)') using (cohort_key) where age = 12"
    )
    assert naive[0]["naive"] > left.mean() + 5


def test_ends_of_a_curve_have_an_interval_and_a_torn_curve_has_no_value(
    world: World,
) -> None:
    world.table(
        "cohort_members",
        """
        select
            shape as cohort_key, 'esp' as source, 'main' as account, 'news' as list,
            null as signup_month, shape as signup_source, '(all)' as opt_in_method,
            true as is_all_months, entry_age, exit_age, exit_cause,
            cast(people as bigint) as member_count
        from (
            values
            ('loyal', 0, 1, null, 4), ('loyal', null, null, null, 3),
            ('gone', 0, 1, 'sunset', 4),
            ('late', 1, 2, 'sunset', 1), ('late', 1, 2, null, 3),
            ('torn', 0, 1, 'sunset', 1), ('torn', 1, 2, 'sunset', 1),
            ('torn', 1, 2, null, 3)
        ) as members (shape, entry_age, exit_age, exit_cause, people)
        """,
    )
    world.build_upstream("cohort_retention")
    found = {
        (row["signup_source"], row["age_months"]): row
        for row in world.rows("from cohort_retention")
    }
    assert set(found) == {
        ("loyal", 1),
        ("gone", 1),
        ("late", 2),
        ("torn", 1),
        ("torn", 2),
    }
    loyal, gone = found["loyal", 1], found["gone", 1]
    # Wilson of 4 of 4 and of 0 of 4: 4 / (4 + 1.96^2) = 51.01 %.
    assert loyal["survival_low_pct"] == pytest.approx(51.0109, abs=1e-4)
    assert (loyal["survival_pct"], loyal["survival_high_pct"]) == (100, 100)
    assert (loyal["cohort_contact_count"], loyal["undated_contact_count"]) == (4, 3)
    assert (gone["survival_pct"], gone["survival_low_pct"]) == (0, 0)
    assert gone["survival_high_pct"] == pytest.approx(48.9891, abs=1e-4)
    assert gone["cumulative_sunset_pct"] == 100
    for row in (found["late", 2], found["torn", 1], found["torn", 2]):
        assert not row["is_observed_from_start"]
        assert {
            row[name] for name in row if name.startswith(("survival_", "cumulative_"))
        } == {None}
    assert found["late", 2]["exit_rate_pct"] == 25
