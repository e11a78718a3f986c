"""The gate's suites on facts small enough to read: sound, and with one fault each."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project import quality
from dagster_project.settings import EXPECTATIONS, Home

SOUND = """
create schema facts;
create schema staging;
create table facts.dim_runs as select 'build-1' as build_id;

-- Fifteen loads of two campaigns each: 30 campaigns and 14 loads before the newest.
create table facts.fct_campaigns as
select
    'generic' as source, 'shop' as account,
    printf('%010d', load_number) as first_load,
    printf('c%d-%d', load_number, place) as campaign_id,
    false as is_excluded, 'reported' as delivered_count_basis,
    1000 as sent_count, 980 as delivered_count, 3 as unsubscribe_count
from range(1, 16) as loads(load_number), range(2) as places(place);

create table staging.stg_message_events as
select 'generic' as source, 'shop' as account, 'unsubscribed' as event_type,
    'e' || number as event_key
from range(6) as numbers(number);
create table staging.stg_contact_snapshots as
select 'generic' as source, 'shop' as account, 'Club' as list,
    'k' || number as contact_key, 'unsubscribed' as status,
    timestamp '2026-02-01' as status_changed_at
from range(2) as numbers(number);
create table staging.stg_rejected_records as
select 'generic' as source, 'shop' as account, 'unsubscribed' as event_type;

-- 6 events + 2 snapshot rows + 1 rejected record = 9 records.
create table facts.fct_opt_out_records as
select 'generic' as source, 'shop' as account, 'r' || number as record_key,
    case when number = 8 then 'rejected' else 'attributed' end as record_class
from range(9) as numbers(number);
create table facts.fct_opt_outs as
select 'generic' as source, 'shop' as account, 'c1-0' as campaign_key,
    true as is_attributed, true as is_by_recipient
from range(8);
"""

NEWEST = "first_load = '0000000015'"

FAULTS = {
    "delivered_above_sent_count": (
        "update facts.fct_campaigns set delivered_count = 1001"
        " where campaign_id = 'c3-0'"
    ),
    "left_above_delivered_count": (
        "update facts.fct_campaigns set unsubscribe_count = 981"
        " where campaign_id = 'c3-0'"
    ),
    "below_zero_count": (
        "update facts.fct_campaigns set unsubscribe_count = -1"
        " where campaign_id = 'c3-0'"
    ),
    "basis_without_count": (
        "update facts.fct_campaigns set delivered_count = null"
        " where campaign_id = 'c3-0'"
    ),
    "excluded_beyond_own_range_pct": (
        f"update facts.fct_campaigns set is_excluded = true where {NEWEST}"
    ),
    "delivered_below_own_range_pct": (
        f"update facts.fct_campaigns set delivered_count = 500 where {NEWEST}"
    ),
    "campaigns_against_own_most": (
        "insert into facts.fct_campaigns select c.* replace"
        " (c.campaign_id || n as campaign_id) from facts.fct_campaigns as c,"
        f" range(20) as t(n) where {NEWEST}"
    ),
    "lost_count": "delete from facts.fct_opt_out_records where record_key = 'r0'",
    "doubled_count": (
        "update facts.fct_opt_out_records set record_key = 'r1' where record_key = 'r0'"
    ),
    "unclassed_count": (
        "update facts.fct_opt_out_records set record_class = null"
        " where record_key = 'r0'"
    ),
    "attributed_to_nothing_count": "update facts.fct_opt_outs set campaign_key = null",
}
"""Column of a critical expectation -> what makes it fail, and nothing else critical."""

WARNINGS = {
    "excluded_share_pct": (
        "update facts.fct_campaigns set is_excluded = true"
        " where first_load < '0000000015'"
    ),
    "unknown_share_pct": (
        "update facts.fct_campaigns set delivered_count = null,"
        " delivered_count_basis = 'unavailable' where first_load < '0000000015'"
    ),
    "unattributed_share_pct": (
        "update facts.fct_opt_outs set is_attributed = false, campaign_key = null"
    ),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.make()
    return home


def _judge(home: Home, *faults: str) -> list[quality.Outcome]:
    with duckdb.connect(str(home.warehouse)) as warehouse:
        warehouse.execute(SOUND)
        for fault in faults:
            warehouse.execute(fault)
    return [quality.judge(home, suite) for suite in quality.load_suites(EXPECTATIONS)]


def _columns(outcomes: list[quality.Outcome], severity: str) -> set[str]:
    return {
        finding.limit.kwargs["column"]
        for outcome in outcomes
        for finding in outcome.findings
        if finding.limit.severity == severity
    }


def _verdict(home: Home, build_id: str) -> bool | None:
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        return quality.verdict(warehouse, build_id)


def test_sound_facts_pass(home: Home) -> None:
    outcomes = _judge(home)
    assert [outcome.findings for outcome in outcomes] == [[], []]
    assert _verdict(home, "build-1") is True


@pytest.mark.parametrize("column", FAULTS)
def test_a_fault_of_the_whole_stops(home: Home, column: str) -> None:
    outcomes = _judge(home, FAULTS[column])
    assert _columns(outcomes, "critical") == {column}
    assert not all(outcome.is_passed for outcome in outcomes)
    assert _verdict(home, "build-1") is False


@pytest.mark.parametrize("column", WARNINGS)
def test_a_warning_is_told_and_lets_the_marts_pass(home: Home, column: str) -> None:
    outcomes = _judge(home, WARNINGS[column])
    assert column in _columns(outcomes, "warning")
    assert _columns(outcomes, "critical") == set()
    assert _verdict(home, "build-1") is True


def test_every_expectation_has_a_fault_that_fails_it() -> None:
    judged = {
        limit.kwargs["column"]
        for suite in quality.load_suites(EXPECTATIONS)
        for limit in suite.expectations
    }
    assert judged == FAULTS.keys() | WARNINGS.keys()


def test_a_failing_row_is_named_by_its_keys(home: Home) -> None:
    _, conservation = sorted(
        _judge(home, FAULTS["lost_count"]), key=lambda outcome: len(outcome.findings)
    )
    assert [finding.keys for finding in conservation.findings] == [["generic/shop"]]
    assert str(conservation.findings[0]).startswith("generic/shop: lost_count")


def test_an_expectation_that_crashes_counts_as_failed(home: Home) -> None:
    _judge(home)
    limit = quality.Limit(
        type="expect_column_values_to_not_be_null",
        kwargs={"column": "no_such_column"},
        severity="warning",
        because="It crashes.",
    )
    suite = quality.Suite(
        name="crashing",
        guards="fct_campaigns",
        description="Crashes.",
        frame="select 'shop' as account",
        keys=["account"],
        expectations=[limit],
    )
    outcome = quality.judge(home, suite)
    assert not outcome.is_passed
    assert outcome.findings[0].crashed


def test_a_build_that_was_not_judged_has_no_verdict(home: Home) -> None:
    _judge(home)
    assert _verdict(home, "build-2") is None
