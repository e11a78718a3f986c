"""The closing lines of a run: what was excluded, what is late, what was not understood."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from dagster_project.closing import diagnosed, newest_weeks, print_closing
from dagster_project.running import Outcome
from dagster_project.settings import Home
from tests.unit.report_marts import (
    FINDINGS,
    breach,
    decay_summary,
    diagnosis,
    failed_check,
    freshness,
    reason,
    send,
    stream_trend,
    trust,
    week_of,
    write_marts,
    year_of_marts,
)


def said(
    folder: Path, rows: dict[str, list[dict[str, Any]]], width: int = 120
) -> list[str]:
    home = Home(folder)
    write_marts(home.marts, rows)
    screen = io.StringIO()
    print_closing(Outcome(home=home), Console(file=screen, width=width))
    return screen.getvalue().splitlines()


def excluded(number: int, reason: str, **more: Any) -> dict[str, Any]:
    return send(number, is_excluded=True, exclusion_reason=reason, **more)


def table(lines: list[str]) -> list[str]:
    """The rows of the table of sends, each folded cell on the line it began."""
    start = next(place for place, line in enumerate(lines) if "expected %" in line)
    return [" ".join(line.split()) for line in lines[start + 2 :]]


def review(
    excess: tuple[int, int, int] | None = (2, -13, 8),
    *,
    delivered: int = 1761,
    week: date = date(2026, 10, 26),
    **more: Any,
) -> dict[str, Any]:
    """One row of weekly_review: the newest week of an account."""
    return week_of(
        week, excess, delivered=delivered, **({"is_newest_week": True} | more)
    )


def test_only_sends_that_stand_out_are_told_with_the_reason_and_the_advice(
    tmp_path: Path,
) -> None:
    usual = {"expected": 0.3, "earlier": 26, "status": "none"}
    rows = {
        "campaign_unsubscribe_rates": [
            send(1, 29, 9800, **usual),
            # 64 - 4,159 x 0.31 / 100 = 51; 64 / 4,159 = 1.539 %
            send(2, 64, 4159, expected=0.31, earlier=26, status="strong"),
            send(3, 90, 9800, **usual),
            # 35 - 9,800 x 0.3 / 100 = 6: told because a finding is confirmed
            send(4, 35, 9800, **usual),
            send(5, 36, 9800, **usual),
        ],
        "campaign_diagnoses": [
            diagnosis(1, "complaints_above_limit", 51, 2),
            diagnosis(2, "content_of_one_send", 51, 2),
            diagnosis(3, "content_of_one_send", 6, 4),
            diagnosis(4, "content_of_one_send", 7, 5, confidence="probable"),
        ],
    }
    lines = said(tmp_path, rows, width=200)
    assert "Sends that cost most people beyond expectation:" in lines
    assert table(lines)[:3] == [
        "Newsletter 3 2026-01-27 90 / 9,800 0.918 0.300 +61 (51 to 71) investigate",
        "Newsletter 2 2026-01-20 64 / 4,159 1.539 0.310 +51 (41 to 61) critical",
        "Newsletter 4 2026-02-03 35 / 9,800 0.357 0.300 +6 (-4 to 16) acceptable",
    ]
    assert (
        "Newsletter 2: too many reported it as spam (confirmed). Stop mailing the"
        " segment that complained." in lines
    )
    assert (
        "Newsletter 4: this one send put people off (confirmed). Read it as its readers"
        " did." in lines
    )
    assert not any("Newsletter 1" in line or "Newsletter 5" in line for line in lines)


def test_what_is_only_observed_stands_in_brackets(tmp_path: Path) -> None:
    row = send(1, 5, 300, status="watch", confirmed_band="not_proven")
    lines = said(tmp_path, {"campaign_unsubscribe_rates": [row]}, width=200)
    assert table(lines)[0].endswith("unknown unknown not proven (critical)")


def test_a_rising_stream_is_told_with_its_start_and_its_pace(tmp_path: Path) -> None:
    since = datetime(2026, 8, 5)
    rows = {
        "stream_trends": [
            stream_trend("step", effect_pct=140.2, shape_started_at=since),
            stream_trend(
                "climb", stream="offers", effect_pct=10.0, shape_started_at=since
            ),
            stream_trend("stable", stream="quiet"),
        ],
        "campaign_diagnoses": [
            diagnosis(1, "fatigue", 60, None, stream_id="generic/main/offers")
        ],
    }
    label, advice = FINDINGS["fatigue"]
    assert [line for line in said(tmp_path, rows) if "Rising" in line] == [
        "Rising: offers (generic/main) since 2026-08-05, +10 % from one send to the"
        f" next, 60 people beyond its past. {label} (confirmed)."
        f" {advice.partition('. ')[0].rstrip('.')}.",
        "Rising: newsletter (generic/main) since 2026-08-05, +140 %.",
    ]


def test_when_nothing_stands_out_one_line_says_so(tmp_path: Path) -> None:
    rows = {"campaign_unsubscribe_rates": [send(1, status="none")]}
    assert "Nothing stands out: no send, no stream." in said(tmp_path, rows)


def test_programs_get_the_findings_too(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_marts(home.marts, year_of_marts())
    found = diagnosed(Outcome(home=home))
    assert [row["rank"] for row in found] == list(range(1, 9))
    assert found[0]["recommended_action"] == "Stop mailing the segment that complained."
    assert diagnosed(Outcome(home=home, failure="It broke.")) == []


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


def test_mail_after_an_opt_out_is_told_before_anything_else(tmp_path: Path) -> None:
    rows = {
        "opt_out_latency": [
            breach(1, "48_hours", 3),
            breach(2, "48_hours", 4, 60.0),
            breach(3, "10_business_days", 1, 420.0),
        ]
    }
    # 420 / 24 = 17.5 days; 130 / 24 = 5.4 days of the longer one
    assert said(tmp_path, rows, width=200)[1:3] == [
        "Not honoured: 1 mail arrived more than 10 business days after an opt-out, the"
        " latest 17.5 days after it (Newsletter 3).",
        "Not honoured: 7 mails arrived more than 48 hours after an opt-out, the latest"
        " 5.4 days after it (Newsletter 1).",
    ]


def test_a_list_is_said_to_lose_too_many_only_where_it_is_proven(
    tmp_path: Path,
) -> None:
    rows = {
        "list_decay_summary": [
            decay_summary(31.0, reference_position="within"),
            decay_summary(34.5, mail_list="Offers", reference_position="above"),
        ]
    }
    told = [line for line in said(tmp_path, rows) if "Losing too many" in line]
    assert told == [
        "Losing too many: Offers (generic/main) loses 34.5 % a year (32 to 36), more"
        " than the 30 % commonly expected."
    ]


def test_who_answered_is_not_silent_because_few_gave_that_reason(
    tmp_path: Path,
) -> None:
    totals = {"opt_out_count": 30, "answered_count": 14}
    # Another list, where 3 of 5 answered.
    club = {"mail_list": "Club", "opt_out_count": 5, "answered_count": 3}
    rows = [
        reason("too_frequent", 10, **totals),
        reason("suppressed", 4, is_answered=None, **totals),
        reason("not_asked", 16, **totals),
        reason("suppressed", 3, is_answered=None, **club),
        reason("not_asked", 2, **club),
    ]
    told = " ".join(said(tmp_path, {"opt_out_reasons": rows}, width=200))
    assert "too many emails 10; of 17 who said why, 18 did not." in told


def test_a_list_says_what_it_loses_in_a_year_or_in_the_few_months_there_are(
    tmp_path: Path,
) -> None:
    year = decay_summary(20.0)
    young = decay_summary(None, account="new", month_count=2)
    gone = (
        "12,000 are left: 2 unsubscribed, 2 bounced hard, 2 complained, 4 were removed,"
        " 1 went otherwise."
    )
    told = said(tmp_path, {"list_decay_summary": [year, young]}, width=200)
    assert f"The list generic/new lost 11 people in 2 months, {gone}" in told
    assert (
        "The list generic/main loses 20.0 % a year (18 to 22), as 12 months show,"
        f" {gone}" in told
    )


def test_the_newest_week_is_told_first_and_what_it_advises_only_there(
    tmp_path: Path,
) -> None:
    found = {
        "finding_1": "People get too much mail (newsletter, 83 people in all)",
        "finding_2": "A spike (Newsletter 2, 9 people, probable)",
        "finding_1_diagnosis_key": "1/fatigue",
        "recommended_action": "Send less. Offer a preference centre.",
        "finding_count": 2,
    }
    rows = {
        "weekly_review": [
            review((22, 8, 35), is_provisional=True, **found),
            review((40, 30, 50), week=date(2026, 10, 19), is_newest_week=False),
        ],
        "stream_trends": [
            stream_trend(
                "step", effect_pct=140.2, shape_started_at=datetime(2026, 8, 5)
            )
        ],
        "campaign_diagnoses": [diagnosis(1, "fatigue", 83, None)],
        "opt_out_latency": [breach(1, "48_hours", 3)],
    }
    lines = said(tmp_path, rows, width=200)
    assert [line for line in lines[1:] if line.startswith(("Not", "Week", "Ris"))] == [
        "Not honoured: 3 mails arrived more than 48 hours after an opt-out, the latest"
        " 5.4 days after it (Newsletter 1).",
        "Week of 2026-10-26, generic/main: 22 people beyond expectation (8 to 35) of"
        " 1,761 delivered so far. People get too much mail (newsletter, 83 people in"
        " all). A spike (Newsletter 2, 9 people, probable). Do: send less.",
        "Rising: newsletter (generic/main) since 2026-08-05, +140 %, 83 people beyond"
        " its past.",
    ]


def test_three_accounts_with_news_are_told_the_costliest_first_and_the_calm_in_a_line(
    tmp_path: Path,
) -> None:
    gap = {"finding_1": "A pause (Hello, 3 people)", "finding_count": 5}
    rows = [
        review((-4, -17, 2), account="fewer", **gap),
        review(None, account="young", **gap),
        review((30, 12, 41), account="costly", recommended_action=None),
        review((-9, -17, -2), account="better", **gap),
        review((1, -3, 4), account="calm"),
        review(None, account="quiet", week=date(2026, 9, 7)),
    ]
    lines = said(tmp_path, {"weekly_review": rows}, width=200)
    assert lines[1:6] == [
        "Week of 2026-10-26, generic/costly: 30 people beyond expectation (12 to 41) of"
        " 1,761 delivered.",
        "Week of 2026-10-26, generic/fewer: 4 people fewer than expected (17 fewer to 2"
        " more) of 1,761 delivered. A pause (Hello, 3 people). 4 more findings.",
        "Week of 2026-10-26, generic/better: 9 people fewer than expected (2 to 17) of"
        " 1,761 delivered. A pause (Hello, 3 people). 4 more findings.",
        "... and 1 more account, see the report.",
        "Nothing out of the ordinary in the newest week of generic/calm (2026-10-26),"
        " generic/quiet (2026-09-07).",
    ]


def test_open_changes_and_then_the_newest_verdicts_are_told(tmp_path: Path) -> None:
    rows = [
        review(open_interventions="Segments (Offers) open until 2026-11-03"),
        *(
            review(
                week=date(2026, month, 4),
                is_newest_week=False,
                open_interventions="Segments (Offers)",
                decided_interventions=f"Change {month} worked: 35 % fewer opt-outs",
            )
            for month in (5, 3, 4, 2)
        ),
    ]
    lines = said(tmp_path, {"weekly_review": rows})
    place = lines.index("Changed: Segments (Offers) open until 2026-11-03.")
    assert lines[place + 1 : place + 5] == [
        "Changed: Change 5 worked: 35 % fewer opt-outs.",
        "Changed: Change 4 worked: 35 % fewer opt-outs.",
        "Changed: Change 3 worked: 35 % fewer opt-outs.",
        "... and 1 more line of changes, see the report.",
    ]


def test_programs_get_the_newest_week_of_each_account(tmp_path: Path) -> None:
    home = Home(tmp_path)
    older = review((9, 1, 12), week=date(2026, 10, 19), is_newest_week=False)
    write_marts(home.marts, {"weekly_review": [older, review(revenue=Decimal("8.5"))]})
    (week,) = newest_weeks(Outcome(home=home))
    assert week["week"] == date(2026, 10, 26)
    assert (week["revenue"], week["is_news"]) == (8.5, False)
    assert newest_weeks(Outcome(home=home, advice="Put files here.")) == []


def test_a_name_that_no_export_tells_of_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_marts(home.marts, {})
    screen = io.StringIO()
    names = ["the stream Nwes (change 2)", "the campaign 4711 (change 3)"]
    outcome = Outcome(home=home, unknown_names=names)
    print_closing(outcome, Console(file=screen, width=200))
    (line,) = [
        line for line in screen.getvalue().splitlines() if "changes.yaml" in line
    ]
    assert "no export tells of the stream Nwes (change 2), the campaign 4711" in line
    assert outcome.summary()["unknown_names"] == names
