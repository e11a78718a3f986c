"""The cases of docs/why-not-just-count.md through the whole pipeline.

Each test derives its numbers in a comment, asserts them on the published marts, and
compares them with its row of the page, so that the page cannot say anything else.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import PROJECT_ROOT, SOURCES
from tests.integration import exports
from tests.integration.pipeline import Deployment

pytestmark = pytest.mark.slow

PAGE = PROJECT_ROOT / "docs" / "why-not-just-count.md"
MAPPING = Path(__file__).with_name("metric_events")

FIRST_RUN, SECOND_RUN = "2026-03-20T00:00:00Z", "2026-03-30T00:00:00Z"
"""The late opt-out is of 3 March; its file comes after the first run, so in between."""

SENDS = "select * from main.campaign_unsubscribe_rates where"
CONSERVATION = "select * from main.opt_out_conservation where"

Row = dict[str, Any]


def _page() -> dict[str, str]:
    """What the page says here, by the test that proves it."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    return {row[5].strip("`"): row[4] for row in rows[2:]}


@pytest.fixture
def told(request: pytest.FixtureRequest) -> str:
    """The page's answer in the row of this test."""
    return _page()[request.node.originalname]


@dataclass(frozen=True)
class HeadToHead:
    """The deployment after both runs, and what the first had published."""

    deployment: Deployment
    late_before: Row

    def one(self, sql: str) -> Row:
        (row,) = self.deployment.query(sql)
        return row


def _totals() -> str:
    return (
        "campaign_id,sent_at,sent,delivered,unsubscribes\n"
        "bad list,2026-03-02T09:00:00Z,1000,100,4\n"
        "unknown,2026-03-03T09:00:00Z,,,7\n"
        "at the edge,2026-03-04T09:00:00Z,10000,9800,20\n"
    )


def _metrics() -> str:
    """1,000 people received one campaign and 5 left, each told in another way."""
    lines = ["Event Id,Metric,Time,Email,Campaign,Message"]
    for person in range(1000):
        lines.append(
            f"received-{person},Received Email,2026-03-02T09:00:00Z,"
            f"person{person}@example.com,five,m{person}"
        )
    left = [
        ("Unsubscribed", "person1", "five", "m1"),
        ("Unsubscribed", "person2", "", "m2"),
        # Nobody mailed this person, so nothing says which mail made them leave.
        ("Unsubscribed", "stranger", "", ""),
        ("Unsubscribed from Email Marketing", "person3", "five", "m3"),
        ("Unsubscribed from Email Marketing", "person4", "five", "m4"),
    ]
    for number, (metric, person, campaign, message) in enumerate(left):
        lines.append(
            f"left-{number},{metric},2026-03-03T09:00:00Z,"
            f"{person}@example.com,{campaign},{message}"
        )
    return "\n".join(lines) + "\n"


def _documented(*rows: str) -> str:
    return "\n".join(["event_id,event_type,occurred_at,email,campaign_id", *rows, ""])


def _on_time() -> str:
    delivered = [
        f"d{person},delivered,2026-03-02T09:00:00Z,person{person}@example.com,late"
        for person in range(100)
    ]
    return _documented(
        *delivered,
        "u1,unsubscribed,2026-03-02T12:00:00Z,person1@example.com,late",
        "u2,unsubscribed,2026-03-02T13:00:00Z,person2@example.com,late",
    )


def _ten_days_late() -> str:
    return _documented("u3,unsubscribed,2026-03-03T12:00:00Z,person3@example.com,late")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> HeadToHead:
    """Every case in an account of its own, and a second run for what came late."""
    root = tmp_path_factory.mktemp("head_to_head")
    deployment, mappings = Deployment(root), root / "sources"
    shutil.copytree(SOURCES, mappings)
    shutil.copytree(MAPPING, mappings / MAPPING.name)

    more_mappings = (
        "from pathlib import Path; import dagster_project.settings as settings;"
        f"settings.SOURCES = Path({str(mappings)!r})"
    )

    def run(now: str) -> None:
        done = deployment.call_changed(more_mappings, "run", "--json", "--now", now)
        assert done.returncode == 0, done.stdout + done.stderr

    inbox, write = deployment.inbox, exports.write
    write(inbox / "amazon_ses/readers/events.ndjson", exports.event_lines())
    write(inbox / "amazon_ses/readers/left.ndjson", exports.opt_outs_beside_the_rate())
    write(inbox / "generic/totals/totals.csv", _totals())
    write(inbox / "metric_events/shop/events.csv", _metrics())
    write(inbox / "generic/late/march.csv", _on_time())
    run(FIRST_RUN)
    (before,) = deployment.query(f"{SENDS} account = 'late'")
    write(inbox / "generic/late/afterwards.csv", _ten_days_late())
    run(SECOND_RUN)
    return HeadToHead(deployment, before)


def _rate(row: Row) -> str:
    counts = f"{row['unsubscribe_count']:,} / {row['delivered_count']:,}"
    return f"{counts} = {row['unsubscribe_rate_pct']:.4f} %"


def test_repeats_and_strangers_stay_out_of_the_rate_and_in_sight(
    both: HeadToHead, told: str
) -> None:
    send = both.one(f"{SENDS} source = 'amazon_ses'")
    assert send["sent_count"] == 10_000
    assert send["delivered_count"] == 9_800  # 10,000 - 80 hard - 120 soft
    assert send["unsubscribe_count"] == 20
    assert send["unsubscribe_rate_pct"] == 20 / 9_800 * 100
    assert send["observed_band"] == "acceptable"
    account = both.one(f"{CONSERVATION} source = 'amazon_ses'")
    assert account["attributed_count"] == 20
    assert account["repeat_count"] == 5
    assert account["unattributed_count"] == 7  # 3 no recipients, 4 from no mail
    assert account["raw_count"] == 32  # 20 + 5 + 7
    assert account["people_count"] == 27  # 20 + 3 + 4
    assert account["is_conserved"]
    assert told == (
        f"{_rate(send)}, {send['observed_band']};"
        f" beside it {account['repeat_count']} repeats and"
        f" {account['unattributed_count']} unattributed:"
        f" {account['raw_count']} records, {account['people_count']} people"
    )


def test_a_bad_list_is_judged_by_what_arrived(both: HeadToHead, told: str) -> None:
    send = both.one(f"{SENDS} campaign_id = 'bad list'")
    assert send["unsubscribe_rate_pct"] == 4.0  # 4 / 100, not 4 / 1,000
    assert send["observed_band"] == "critical"  # above 1 %
    assert told == f"{_rate(send)}, {send['observed_band']}"


def test_an_unknown_denominator_is_no_rate_and_told(
    both: HeadToHead, told: str
) -> None:
    send = both.one(f"{SENDS} campaign_id = 'unknown'")
    assert send["unsubscribe_count"] == 7
    assert send["sent_count"] is None
    assert send["delivered_count"] is None
    assert send["unsubscribe_rate_pct"] is None
    assert send["observed_band"] is None
    audit = both.one(
        "select * from main.denominator_audit where campaign_id = 'unknown'"
        " and check_name = 'delivered_count_is_known'"
    )
    assert audit["verdict"] == "unknown"
    assert audit["is_excluded"]
    assert audit["explanation"] and audit["advice"]
    assert told == (
        f"{send['unsubscribe_count']} left, no rate;"
        f" {audit['check_name']} is {audit['verdict']}, excluded"
    )


def test_a_rate_just_above_a_limit_is_on_its_side_of_it(
    both: HeadToHead, told: str
) -> None:
    send = both.one(f"{SENDS} campaign_id = 'at the edge'")
    assert send["unsubscribe_rate_pct"] == 20 / 9_800 * 100  # 0.2041, prints as 0.2
    assert send["observed_band"] == "acceptable"
    assert told == f"{_rate(send)}, {send['observed_band']}"


def test_five_ways_to_tell_an_opt_out_are_five_opt_outs(
    both: HeadToHead, told: str
) -> None:
    send = both.one(f"{SENDS} source = 'metric_events'")
    account = both.one(f"{CONSERVATION} source = 'metric_events'")
    assert account["raw_count"] == account["people_count"] == 5
    # 1 by campaign id, 1 by its message, 2 under the other name; the bare one is left.
    assert send["unsubscribe_count"] == account["attributed_count"] == 4
    assert account["unattributed_count"] == 1
    assert told == (
        f"{account['people_count']} left: {_rate(send)}, {send['observed_band']};"
        f" {account['unattributed_count']} unattributed"
    )


def test_a_late_opt_out_counts_and_the_change_is_told(
    both: HeadToHead, told: str
) -> None:
    before, after = both.late_before, both.one(f"{SENDS} account = 'late'")
    assert (before["unsubscribe_count"], before["unsubscribe_rate_pct"]) == (2, 2.0)
    assert (after["unsubscribe_count"], after["unsubscribe_rate_pct"]) == (3, 3.0)
    change = both.one("select * from main.rate_revisions where account = 'late'")
    assert change["measure"] == "unsubscribe_count"
    assert change["change_kind"] == "late_events"
    assert (change["old_value"], change["new_value"]) == (2, 3)
    assert (change["old_rate_pct"], change["new_rate_pct"]) == (2.0, 3.0)
    assert change["file_name"].endswith("afterwards.csv")
    assert told == (
        f"{_rate(before)}, then {_rate(after)}; the change is in rate_revisions"
    )


def test_without_any_export_nothing_is_published(tmp_path: Path, told: str) -> None:
    deployment = Deployment(tmp_path)
    deployment.inbox.mkdir()
    done = deployment.call("run", "--now", FIRST_RUN)
    assert done.returncode == 2
    assert not (deployment.home / "published" / "marts.duckdb").exists()
    assert told == f"exit {done.returncode}, nothing published"


def test_an_empty_file_alone_publishes_no_zero(tmp_path: Path, told: str) -> None:
    deployment = Deployment(tmp_path)
    exports.write(deployment.inbox / "generic/shop/events.csv", "")
    summary = deployment.run(expected=2, now=FIRST_RUN)
    (entry,) = summary["files"]
    assert "none of them is loaded" in summary["advice"]
    assert not (deployment.home / "published" / "marts.duckdb").exists()
    assert told == (
        f"exit 2, nothing published; the file is {entry['state']}:"
        f" {entry['refusal_reason']}"
    )


def test_every_row_of_the_page_is_proved_here() -> None:
    proofs = {
        name
        for name in globals()
        if name.startswith("test_")
        and name != test_every_row_of_the_page_is_proved_here.__name__
    }
    assert _page().keys() == proofs
