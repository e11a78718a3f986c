"""The main job on real exports, from the files to what BI opens."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from tests.integration import exports
from tests.integration.pipeline import ABOUT_FILES, Deployment

pytestmark = pytest.mark.slow

_PERSON = re.compile(rb"(reader|contact|person)\d+@example", re.IGNORECASE)
"""Everybody whose address the exports of this module hold."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One home, run once on good files and on files that must be refused."""
    root = tmp_path_factory.mktemp("main_job")
    inbox = root / "inbox"
    write = exports.write
    write(inbox / "mailchimp/news/campaigns.csv", exports.campaign_table())
    write(inbox / "amazon_ses/shop/events.ndjson", exports.event_lines())
    write(
        inbox / "generic/club/january.csv",
        exports.contact_table("2026-01-31T23:00:00Z"),
    )
    write(
        inbox / "generic/club/february.csv",
        exports.contact_table("2026-02-28T23:00:00Z", gone=3),
    )
    write(
        inbox / "generic/shop/broken_line.ndjson",
        exports.small_events("small", broken_line=True),
    )
    write(
        inbox / "generic/shop/cut.ndjson.gz",
        exports.small_events("cut"),
        gzipped=True,
        keep=0.7,
    )
    write(inbox / "mailchimp/news/headless.csv", "Title,Subject\nSpring,Hello\n")
    write(inbox / "generic/shop/empty.csv", "")
    return Deployment(root)


@pytest.fixture(scope="module")
def first(deployment: Deployment) -> dict[str, Any]:
    # 4: published, but files were refused in this run.
    return deployment.run(expected=4)


@pytest.mark.parametrize("source", ["mailchimp", "amazon_ses"])
def test_the_briefs_example_is_acceptable_through_totals_and_through_events(
    deployment: Deployment, first: dict[str, Any], source: str
) -> None:
    (row,) = deployment.query(
        "select * from main.campaign_unsubscribe_rates"
        f" where source = '{source}' and campaign_id = 'spring'"
    )
    assert row["sent_count"] == 10_000
    assert row["delivered_count"] == 9_800  # 10,000 - 80 hard - 120 soft
    assert row["hard_bounce_count"] == 80
    assert row["soft_bounce_count"] == 120
    assert row["unsubscribe_count"] == 20
    assert row["unsubscribe_rate_pct"] == 20 / 9_800 * 100  # 0.2041, unrounded
    # Rounded to two digits it reads 0.20, and is still not below 0.2.
    assert row["observed_band"] == "acceptable"
    assert row["is_complaint_red_flag"] is False
    basis = {"mailchimp": "reported", "amazon_ses": "events"}[source]
    assert row["delivered_count_basis"] == basis


def test_both_ways_give_the_same_interval(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    rows = deployment.query(
        "select distinct unsubscribe_rate_pct, unsubscribe_rate_low_pct,"
        " unsubscribe_rate_high_pct, observed_band, maturity"
        " from main.campaign_unsubscribe_rates where campaign_id = 'spring'"
    )
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("generic/shop/cut.ndjson.gz", "broken_container"),
        ("mailchimp/news/headless.csv", "missing_column"),
        ("generic/shop/empty.csv", "empty"),
    ],
    ids=["cut gzip", "missing header", "empty file"],
)
def test_a_bad_file_is_refused_with_its_reason(
    deployment: Deployment, first: dict[str, Any], name: str, reason: str
) -> None:
    listed = {entry["file_name"]: entry for entry in first["files"]}
    assert listed[name]["state"] == "refused"
    assert listed[name]["refusal_reason"] == reason
    done = deployment.call("files")
    assert done.returncode == 0
    assert name in done.stdout


def test_a_broken_line_is_rejected_and_the_rest_of_its_file_loads(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    (entry,) = [e for e in first["files"] if "broken_line" in e["file_name"]]
    # 10 sent + 9 delivered + 1 bounced + 1 opt-out = 21 good lines and the cut one.
    assert entry["state"] == "loaded"
    assert (entry["record_count"], entry["loaded_count"]) == (22, 21)
    assert entry["rejected_count"] == 1
    told = deployment.call("rejects", "broken_line")
    assert "8" in told.stdout  # the line
    assert "bad_json" in told.stdout


def test_every_record_of_every_loaded_file_has_one_fate(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    for entry in first["files"]:
        if entry["state"] == "loaded":
            fates = ("loaded", "duplicate", "rejected", "skipped")
            assert entry["record_count"] == sum(entry[f"{f}_count"] for f in fates)


def test_the_list_that_lost_three_of_a_hundred_says_so(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    (row,) = deployment.query(
        "select * from main.list_decay_monthly where list = 'Club'"
        " and month = date '2026-02-01'"
    )
    assert row["contacts_at_start"] == 100
    assert row["lost_unsubscribe_count"] == 3
    assert row["contacts_at_end"] == 97
    assert row["monthly_attrition_pct"] == pytest.approx(3.0)
    # 100 x (1 - 0.97^12) = 30.62
    assert row["annualised_attrition_pct"] == pytest.approx(30.6158, abs=1e-3)


def test_reasons_of_few_people_are_counted_and_not_named(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    (row,) = deployment.query(
        "select * from main.opt_out_reasons where list = 'Club'"
        " and period_kind = 'month'"
    )
    assert row["reason"] == "suppressed"
    assert row["reason_count"] == 3
    assert row["answered_count"] == 3
    assert row["share_of_all_pct"] == 100
    assert row["share_of_answered_pct"] is None


def test_no_opt_out_is_lost(deployment: Deployment, first: dict[str, Any]) -> None:
    rows = deployment.query("from main.opt_out_conservation")
    by_account = {(row["source"], row["account"]): row for row in rows}
    assert by_account["amazon_ses", "shop"]["attributed_count"] == 20
    assert by_account["generic", "shop"]["attributed_count"] == 1
    # The club's three are known from contact lists only: no send to hold them against.
    assert by_account["generic", "club"]["unattributed_count"] == 3
    parts = ("attributed", "repeat", "not_by_recipient", "unattributed", "rejected")
    for row in rows:
        assert row["raw_count"] == sum(row[f"{part}_count"] for part in parts)


def test_every_table_tells_its_build_and_parquet_says_the_same(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    names = set(deployment.marts())
    published = deployment.home / "published"
    assert {path.stem for path in published.glob("*.parquet")} == names - {"builds"}
    builds = {
        row["build_id"]
        for name in names
        for row in deployment.query(f'select distinct build_id from main."{name}"')
    }
    assert len(builds) == 1
    for name in names - {"builds"}:
        (row,) = deployment.query(
            f'select (select count(*) from main."{name}") as inside,'
            f" (select count(*) from '{published / name}.parquet') as outside"
        )
        assert row["inside"] == row["outside"]


def test_the_report_is_drawn(deployment: Deployment, first: dict[str, Any]) -> None:
    page = (deployment.home / "report" / "index.html").read_text(encoding="utf-8")
    assert "Spring offers" in page


def test_no_address_leaves_the_archive(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    for path in deployment.home.rglob("*"):
        if path.is_file() and "archive" not in path.parts:
            assert not _PERSON.search(path.read_bytes()), path


def test_the_same_files_again_change_no_mart_row(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    before = deployment.marts(leave_out=ABOUT_FILES)
    inbox = deployment.inbox
    shutil.copy(
        inbox / "mailchimp/news/campaigns.csv", inbox / "mailchimp/news/again.csv"
    )
    exports.write(
        inbox / "amazon_ses/shop/events_again.ndjson.gz",
        exports.event_lines(),
        gzipped=True,
    )
    again = deployment.run(expected=0)
    assert {entry["state"] for entry in again["files"]} == {"duplicate"}
    assert deployment.marts(leave_out=ABOUT_FILES) == before


def test_a_rebuild_from_the_archive_gives_equal_marts(
    deployment: Deployment, first: dict[str, Any]
) -> None:
    before = deployment.marts()
    shutil.rmtree(deployment.home / "landing")
    (deployment.home / "warehouse.duckdb").unlink()
    done = deployment.call("rebuild", "--json")
    # 4: the files that were refused are refused again.
    assert done.returncode == 4, done.stderr
    assert deployment.marts() == before


@pytest.mark.parametrize(
    "name", ["no_such_mart", "opt_out_reasons", "marts.opt_out_reasons"]
)
def test_the_query_command_reads_marts_by_either_name(
    deployment: Deployment, first: dict[str, Any], name: str
) -> None:
    done = deployment.call("query", f"select count(*) as rows from {name}")
    assert ("rows" in done.stdout) == (name != "no_such_mart")
    assert done.returncode == (2 if name == "no_such_mart" else 0)
    assert "Traceback" not in done.stderr
