"""The closing lines of a run: what was excluded, what is late, what was not understood."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from dagster_project.closing import print_closing
from dagster_project.running import Outcome
from dagster_project.settings import Home
from tests.unit.report_marts import (
    failed_check,
    freshness,
    send,
    trust,
    write_marts,
    year_of_marts,
)


def said(folder: Path, rows: dict[str, list[dict[str, Any]]]) -> list[str]:
    home = Home(folder)
    write_marts(home.marts, rows)
    screen = io.StringIO()
    print_closing(Outcome(home=home), Console(file=screen, width=120))
    return screen.getvalue().splitlines()


def excluded(number: int, reason: str, **more: Any) -> dict[str, Any]:
    return send(number, is_excluded=True, exclusion_reason=reason, **more)


def test_excluded_sends_are_grouped_by_check_with_its_advice(tmp_path: Path) -> None:
    lines = said(tmp_path, year_of_marts())
    assert (
        "Excluded in the open: 1 send, more messages arrived than were sent."
        " Check which column holds the recipients. (Newsletter 30)" in lines
    )
    assert (
        "Excluded in the open: 1 send, no export says how many messages arrived."
        " Export a report that has delivered messages. (Newsletter 31)" in lines
    )


def test_a_send_that_fails_two_checks_is_told_once_and_names_end_after_three(
    tmp_path: Path,
) -> None:
    checks = ("delivered_not_above_sent", "bounces_not_above_sent")
    rows = [
        excluded(number, ", ".join(checks), delivered=9000 - number)
        for number in range(1, 6)
    ]
    audit = [
        failed_check(row["campaign_key"], check, 2, 1)
        for row in rows
        for check in checks
    ]
    lines = said(
        tmp_path, {"campaign_unsubscribe_rates": rows, "denominator_audit": audit}
    )
    assert [line for line in lines if line.startswith("Excluded")] == [
        "Excluded in the open: 5 sends, more messages arrived than were sent. Check"
        " which column holds the recipients. (Newsletter 1, Newsletter 2, Newsletter 3,"
        " ...)"
    ]


def test_a_rate_that_is_missing_without_exclusion_is_told_too(tmp_path: Path) -> None:
    lines = said(tmp_path, {"campaign_unsubscribe_rates": [send(1, 0, 0), send(2)]})
    assert (
        "Without a rate: 1 send, nothing was delivered or no export says how many left."
        in lines
    )


def test_a_late_export_says_since_when_and_how_often_it_comes(tmp_path: Path) -> None:
    rows = [
        freshness("events", 12, 7.0, 9.0, is_late=True, source="shop", account="a"),
        freshness("campaign_stats", 5, 1.0, 2.0, is_late=True),
        freshness("contacts", 3, 7.0, 9.0, is_late=False),
        freshness("validations", 300, None, None, is_late=None),
    ]
    lines = said(tmp_path, {"source_freshness": rows})
    assert [line for line in lines if line.startswith("Late")] == [
        "Late: generic/main campaign stats, last file 5 days ago, usually every day.",
        "Late: shop/a events, last file 12 days ago, usually every 7 days.",
    ]


def test_many_late_exports_end_in_a_count(tmp_path: Path) -> None:
    rows = [
        freshness("events", 9, 1.0, 2.0, is_late=True, account=f"shop{number}")
        for number in range(11)
    ]
    lines = said(tmp_path, {"source_freshness": rows})
    assert len([line for line in lines if line.startswith("Late")]) == 8
    assert "... and 3 more late exports, see the report." in lines


def test_words_no_mapping_knows_are_counted_and_placed(tmp_path: Path) -> None:
    rows = [
        trust(unmapped_record_count=2),
        trust(account="crm", unmapped_record_count=1210),
        trust(account="quiet", unmapped_record_count=None),
    ]
    assert (
        "Not understood: 1,212 records with words no mapping knows (generic/crm 1,210,"
        " generic/main 2); add the words to the mapping."
        in said(tmp_path, {"source_trust": rows})
    )


def test_nothing_to_say_is_not_said(tmp_path: Path) -> None:
    lines = said(
        tmp_path,
        {
            "campaign_unsubscribe_rates": [send(1)],
            "source_trust": [trust()],
            "source_freshness": [freshness("events", 1, 1.0, 2.0, is_late=False)],
        },
    )
    assert not any(
        line.startswith(("Excluded", "Late", "Not understood", "Without"))
        for line in lines
    )


def test_a_name_that_looks_like_markup_is_printed_as_it_is(tmp_path: Path) -> None:
    row = excluded(1, "delivered_not_above_sent", campaign_name="[red]Sale[/]")
    audit = [failed_check(row["campaign_key"], "delivered_not_above_sent", 2, 1)]
    lines = said(
        tmp_path, {"campaign_unsubscribe_rates": [row], "denominator_audit": audit}
    )
    assert any("([red]Sale[/])" in line for line in lines)
