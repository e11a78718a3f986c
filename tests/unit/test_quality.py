"""The gate's suites on facts small enough to read: sound, and with one fault each."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project import quality
from dagster_project.settings import EXPECTATIONS, Home

SOUND = """
create schema facts;
create schema staging;
create table facts.dim_runs as select 'build-1' as build_id;
create table facts.dim_sources as select 'generic' as source, 'shop' as account
union all select 'generic' as source, 'silent' as account;

-- Fifteen loads of two campaigns each: 30 campaigns and 14 loads before the newest.
create table facts.fct_campaigns as
select
    'generic' as source, 'shop' as account,
    printf('%010d', load_number) as first_load,
    printf('c%d-%d', load_number, place) as campaign_id,
    campaign_id as campaign_key, false as is_excluded, 'reported' as delivered_count_basis,
    1000 as sent_count, 980 as delivered_count, 3 as unsubscribe_count
from range(1, 16) as loads(load_number), range(2) as places(place);

-- Fifteen files of one export, and one full list.
create table facts.fct_loads as
select
    'generic' as source, 'shop' as account, 'totals' as exports,
    printf('%010d', load_number) as load, 'loaded' as state,
    printf('week-%d.csv', load_number) as file_name, 500 as record_count,
    500 as loaded_count, 0 as duplicate_count, 0 as rejected_count,
    0 as skipped_count, 0 as unmapped_count, false as is_confirmed, false as is_missing
from range(1, 16) as loads(load_number);
create table facts.dim_source_exports as
select 'generic' as source, 'totals' as export, 'campaign_stats' as landing_table;
create table facts.fct_list_snapshots as
select 'generic' as source, 'shop' as account, 'Club' as list,
    date '2026-02-01' as exported_date, false as is_sudden_fall,
    3 as unexplained_absent_count, 900 as previous_contact_count,
    'club.csv' as file_names;

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
select 'generic' as source, 'shop' as account, 'c15-0' as campaign_key,
    true as is_attributed, true as is_by_recipient
from range(8);
"""

NEWEST = "first_load = '0000000015'"

YOUNG = (
    "delete from facts.fct_campaigns where first_load < '0000000010'",
    "delete from facts.fct_loads where load < '0000000010'",
)
"""Six loads are a past, and too short a one to stop the marts."""

EXCLUDE_NEWEST = f"update facts.fct_campaigns set is_excluded = true where {NEWEST}"
HALVE_NEWEST = f"update facts.fct_campaigns set delivered_count = 500 where {NEWEST}"
TWENTYFOLD_NEWEST = (
    "insert into facts.fct_campaigns select c.* replace"
    " (c.campaign_id || n as campaign_id) from facts.fct_campaigns as c,"
    f" range(20) as t(n) where {NEWEST}"
)
NEWEST_FILE = "where load = '0000000015'"
GROW_NEWEST = (
    f"update facts.fct_loads set record_count = 5001, loaded_count = 5001 {NEWEST_FILE}"
)
CUT_NEWEST = (
    f"update facts.fct_loads set record_count = 49, loaded_count = 49 {NEWEST_FILE}"
)
EMPTY_NEWEST = (
    f"update facts.fct_loads set record_count = 0, loaded_count = 0 {NEWEST_FILE}"
)

FAULTS: dict[str, tuple[str, ...]] = {
    "delivered_above_sent_count": (
        "update facts.fct_campaigns set delivered_count = 1001"
        " where campaign_id = 'c3-0'",
    ),
    "left_above_delivered_count": (
        "update facts.fct_campaigns set unsubscribe_count = 981"
        " where campaign_id = 'c3-0'",
    ),
    "below_zero_count": (
        "update facts.fct_campaigns set unsubscribe_count = -1"
        " where campaign_id = 'c3-0'",
    ),
    "basis_without_count": (
        "update facts.fct_campaigns set delivered_count = null"
        " where campaign_id = 'c3-0'",
    ),
    "excluded_beyond_own_range_pct": (EXCLUDE_NEWEST,),
    "delivered_below_own_range_pct": (HALVE_NEWEST,),
    "campaigns_against_own_most": (TWENTYFOLD_NEWEST,),
    "lost_count": ("delete from facts.fct_opt_out_records where record_key = 'r0'",),
    "doubled_count": (
        "update facts.fct_opt_out_records set record_key = 'r1'"
        " where record_key = 'r0'",
    ),
    "unclassed_count": (
        "update facts.fct_opt_out_records set record_class = null"
        " where record_key = 'r0'",
    ),
    "attributed_to_nothing_count": (
        "update facts.fct_opt_outs set campaign_key = null",
    ),
    "unexplained_record_count": (
        f"update facts.fct_loads set loaded_count = 499 {NEWEST_FILE}",
    ),
    "records_against_own_most": (GROW_NEWEST,),
    "own_least_against_records": (CUT_NEWEST,),
    "unmapped_beyond_own_range_pct": (
        f"update facts.fct_loads set unmapped_count = 30 {NEWEST_FILE}",
    ),
    "sudden_fall_count": (
        "update facts.fct_list_snapshots set is_sudden_fall = true,"
        " unexplained_absent_count = 700",
    ),
}
"""Column of a critical expectation -> what makes it fail, and nothing else critical."""

WARNINGS: dict[str, tuple[str, ...]] = {
    "excluded_beyond_short_range_pct": (*YOUNG, EXCLUDE_NEWEST),
    "delivered_below_short_range_pct": (*YOUNG, HALVE_NEWEST),
    "campaigns_against_short_most": (*YOUNG, TWENTYFOLD_NEWEST),
    "excluded_share_pct": (
        "update facts.fct_campaigns set is_excluded = true"
        " where first_load < '0000000015'",
    ),
    "unknown_share_pct": (
        "update facts.fct_campaigns set delivered_count = null, is_excluded = true,"
        " delivered_count_basis = 'unavailable' where first_load < '0000000015'",
    ),
    "unattributed_share_pct": (
        "update facts.fct_opt_outs set is_attributed = false, campaign_key = null",
    ),
    "records_against_short_most": (*YOUNG, GROW_NEWEST),
    "short_least_against_records": (*YOUNG, CUT_NEWEST),
    "unmapped_share_pct": (
        "update facts.fct_loads set unmapped_count = 6 where load < '0000000015'",
    ),
    "missing_file_count": (
        "update facts.fct_loads set is_missing = true, state = 'refused'"
        " where load = '0000000003'",
    ),
    "rejected_share_pct": (
        "update facts.fct_loads set rejected_count = 6, loaded_count = 494",
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
    return [
        quality.judge(home, suite)
        for suite in quality.load_suites(quality.EXPECTATIONS)
    ]


def _columns(outcomes: list[quality.Outcome], severity: str) -> set[str | None]:
    return {
        finding.column
        for outcome in outcomes
        for finding in outcome.findings
        if finding.severity == severity
    }


def _finding(outcomes: list[quality.Outcome]) -> quality.Finding:
    (finding,) = [found for outcome in outcomes for found in outcome.findings]
    return finding


def _verdict(home: Home, build_id: str) -> bool | None:
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        return quality.verdict(warehouse, build_id)


def test_sound_facts_pass(home: Home) -> None:
    outcomes = _judge(home)
    assert [outcome.findings for outcome in outcomes] == [[], [], [], []]
    assert _verdict(home, "build-1") is True


@pytest.mark.parametrize("column", FAULTS)
def test_a_fault_of_the_whole_stops(home: Home, column: str) -> None:
    outcomes = _judge(home, *FAULTS[column])
    assert _columns(outcomes, "critical") == {column}
    assert not all(outcome.is_passed for outcome in outcomes)
    assert _verdict(home, "build-1") is False


@pytest.mark.parametrize("column", WARNINGS)
def test_a_warning_is_told_and_lets_the_marts_pass(home: Home, column: str) -> None:
    outcomes = _judge(home, *WARNINGS[column])
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


def test_a_file_with_a_header_and_no_record_stops_where_there_always_were_some(
    home: Home,
) -> None:
    outcomes = _judge(home, EMPTY_NEWEST)
    assert _columns(outcomes, "critical") == {"own_least_against_records"}


def test_a_quiet_week_of_events_is_a_warning(home: Home) -> None:
    events = "update facts.dim_source_exports set landing_table = 'message_events'"
    outcomes = _judge(home, CUT_NEWEST, events)
    assert _columns(outcomes, "critical") == set()
    assert _columns(outcomes, "warning") == {"short_least_against_records"}


def test_with_few_campaigns_nothing_about_their_files_stops(home: Home) -> None:
    few = "delete from facts.fct_campaigns where campaign_id like '%-1'"
    outcomes = _judge(home, GROW_NEWEST, few)
    assert _columns(outcomes, "critical") == set()
    assert _columns(outcomes, "warning") == {"records_against_short_most"}


def test_what_the_owner_confirmed_is_no_fault(home: Home) -> None:
    confirmed = f"update facts.fct_loads set is_confirmed = true {NEWEST_FILE}"
    outcomes = _judge(home, HALVE_NEWEST, CUT_NEWEST, confirmed)
    assert _columns(outcomes, "critical") == set()


def test_the_frames_stay_small_whatever_the_volume(home: Home) -> None:
    few = [outcome.row_count for outcome in _judge(home)]
    home.warehouse.unlink()
    many = _judge(
        home,
        "insert into facts.fct_campaigns select c.* replace"
        " (c.campaign_id || '-' || n as campaign_id)"
        " from facts.fct_campaigns as c, range(1000) as t(n)",
    )
    assert [outcome.row_count for outcome in many] == few == [2, 2, 2, 2]


def test_a_finding_names_account_number_limit_campaign_and_what_to_do(
    home: Home,
) -> None:
    finding = _finding(_judge(home, *FAULTS["delivered_above_sent_count"]))
    assert finding.keys == ["generic/shop"]
    assert finding.names == ["c3-0"]
    assert str(finding) == (
        "Delivered above sent count, expected at most 0: generic/shop (1). Look at"
        " c3-0. Nothing is delivered that was not sent. The exclusion of such"
        " campaigns is broken; see denominator_audit."
    )


def test_a_finding_names_twenty_campaigns_at_most(home: Home) -> None:
    finding = _finding(
        _judge(home, "update facts.fct_campaigns set unsubscribe_count = 981")
    )
    assert len(finding.names) == 20


def test_a_sudden_fall_says_which_export_and_how_to_declare_it(home: Home) -> None:
    told = str(_finding(_judge(home, *FAULTS["sudden_fall_count"])))
    assert "Club on 2026-02-01 (700 of 900 missing, file club.csv)" in told
    assert "snapshots:" in told


def _suite(**changes: object) -> quality.Suite:
    limit = {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "account"},
        "severity": "warning",
        "because": "It is a test.",
        "advice": "Nothing.",
    }
    given: dict[str, object] = {
        "name": "strange",
        "guards": "fct_campaigns",
        "description": "Strange.",
        "frame": "select 'shop' as account",
        "keys": ["account"],
        "expectations": [limit | changes.pop("limit", {})],  # type: ignore[operator]
    }
    return quality.Suite(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "suite",
    [
        _suite(limit={"kwargs": {"column": "no_such_column"}}),
        _suite(limit={"type": "expect_the_unheard_of", "kwargs": {}}),
        _suite(frame="select no_such_column from facts.fct_campaigns"),
        _suite(frame="select 'shop' as account where false"),
    ],
    ids=[
        "its column is missing",
        "its type is unknown",
        "its frame cannot be read",
        "its frame is empty",
    ],
)
def test_a_suite_that_cannot_judge_counts_as_failed(
    home: Home, suite: quality.Suite
) -> None:
    _judge(home)
    outcome = quality.judge(home, suite)
    assert not outcome.is_passed
    assert [finding.is_crash for finding in outcome.findings] == [True]


@pytest.mark.parametrize(
    "text",
    ["", "[", "guards: fct_campaigns", "\x00"],
    ids=["empty", "no YAML", "half of it missing", "binary"],
)
def test_a_broken_suite_file_counts_as_failed(
    home: Home, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites = tmp_path / "suites"
    shutil.copytree(EXPECTATIONS, suites)
    (suites / "opt_out_conservation.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(quality, "EXPECTATIONS", suites)
    outcomes = _judge(home)
    (broken,) = [outcome for outcome in outcomes if not outcome.is_passed]
    assert "opt_out_conservation.yaml cannot be read" in str(broken.findings[0])
    assert _verdict(home, "build-1") is False


def test_without_suites_there_is_no_verdict(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _judge(home)
    monkeypatch.setattr(quality, "EXPECTATIONS", tmp_path)
    assert _verdict(home, "build-1") is None


def test_a_build_that_was_not_judged_has_no_verdict(home: Home) -> None:
    _judge(home)
    assert _verdict(home, "build-2") is None


def test_a_new_build_of_the_facts_starts_without_a_verdict(home: Home) -> None:
    _judge(home)
    quality.forget_verdicts(home)
    assert _verdict(home, "build-1") is None
