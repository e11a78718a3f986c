"""The chapters about lists and people: what they say of known marts, and of none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.report import words
from dagster_project.report.chapters import decay, head
from dagster_project.report.rows.lists import DecaySummary
from tests.unit.report_marts import (
    HOSTILE,
    breach,
    cohort_age,
    complaint_rate,
    decay_summary,
    frequency,
    frequency_effect,
    people_of_marts,
    question,
    reason,
    segment,
    signup_source,
)
from tests.unit.report_page import Seen, html_of, seen

CHAPTERS = (
    "Were opt-outs honoured?",
    "Can I trust this?",
    "Why people left",
    "After the opt-out",
    "What the list is losing",
    "Who stays",
    "Where people come from",
    "How often is too often",
    "Who still reads",
    "Addresses and verdicts",
    "Complaints by mailbox provider",
    "Where the numbers come from",
)


def chapter(page: Seen, title: str) -> str:
    """The text of one chapter."""
    text = page.text.replace(words.SPACE, " ")
    following = CHAPTERS[CHAPTERS.index(title) + 1]
    return text[text.rindex(title) : text.rindex(following)]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return seen(tmp_path_factory.mktemp("people"), people_of_marts())


@pytest.fixture(scope="module")
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return seen(tmp_path_factory.mktemp("nobody"), {})


@pytest.mark.parametrize(
    ("title", "said"),
    [
        pytest.param(title, said, id=title)
        for title, said in {
            "Were opt-outs honoured?": "Unknown: no account's files name",
            "Why people left": "Unknown: no export tells of single opt-outs",
            "After the opt-out": "Unknown: no export names who opted out",
            "What the list is losing": "Unknown: no contact list has arrived.",
            "Who stays": "Unknown: no list tells when people joined.",
            "Where people come from": "Unknown: no contact export tells where",
            "How often is too often": "Unknown: no account tells both who is",
            "Who still reads": "Unknown: no account tells both who is",
            "Addresses and verdicts": "Unknown: nobody on a list has a verdict",
            "Complaints by mailbox provider": "Unknown: no export tells complaints",
        }.items()
    ],
)
def test_a_chapter_without_rows_says_what_is_missing(
    nobody: Seen, title: str, said: str
) -> None:
    assert said in chapter(nobody, title)


def as_summary(row: dict[str, Any]) -> DecaySummary:
    return DecaySummary(
        **{name: row.get(name) for name in DecaySummary.__dataclass_fields__}
    )


class TestYearlyLoss:
    @pytest.mark.parametrize(
        ("more", "said"),
        [
            pytest.param({}, "the twelve whole months Jan 2026 to Dec 2026", id="year"),
            pytest.param({"month_count": 3}, "three whole months", id="fewer_months"),
            pytest.param(
                {"is_attrition_lower_bound": True}, "at least this much", id="at_least"
            ),
        ],
    )
    def test_it_says_what_it_is_made_from(
        self, more: dict[str, Any], said: str
    ) -> None:
        assert said in decay.loss_basis(as_summary(decay_summary(20.0, **more)))

    @pytest.mark.parametrize(
        ("position", "said"),
        [
            pytest.param("above", ", more than the 30 % commonly expected", id="above"),
            pytest.param("below", ", less than the 30 % commonly expected", id="below"),
            pytest.param("within", " (rule of thumb: up to 30 %)", id="open"),
        ],
    )
    def test_more_than_usual_is_said_only_where_it_is_proven(
        self, position: str, said: str
    ) -> None:
        row = as_summary(decay_summary(31.0, reference_position=position))
        assert head.yardstick(row).replace(words.SPACE, " ") == said


class TestHonoured:
    def test_the_law_comes_before_the_rule_of_providers(self, people: Seen) -> None:
        text = chapter(people, "Were opt-outs honoured?")
        assert (
            "No: 2 mails arrived later than 10 business days, and 7 mails arrived"
            " later than 48 hours after the opt-out." in text
        )
        assert text.index(HOSTILE) < text.index("Newsletter 40")
        # 420 hours = 17.5 days; 420 // 34 = 12
        assert "17.5 days (12 business days)" in text

    def test_a_late_mail_within_the_law_is_not_called_unlawful(
        self, tmp_path: Path
    ) -> None:
        rows = {"opt_out_latency": [breach(1, "48_hours", 1)]}
        text = chapter(seen(tmp_path, rows), "Were opt-outs honoured?")
        assert "No: 1 mail arrived later than 48 hours after the opt-out." in text
        assert "may break the law" not in text

    def test_nothing_found_is_a_yes_only_where_somebody_could_know(
        self, tmp_path: Path
    ) -> None:
        rows = {"coverage": [question("mail_after_opt_out")]}
        text = chapter(seen(tmp_path, rows), "Were opt-outs honoured?")
        assert "Yes: no mail arrived more than 48 hours after" in text


class TestWhoStays:
    def test_survival_and_causes_are_told_at_a_year(self, people: Seen) -> None:
        text = chapter(people, "Who stays")
        # 100 - 1.2 x 12 = 85.6; of the 14.4 gone two thirds unsubscribed
        assert "86 are still there after 12 months (83–89 %)" in text
        assert "Of 100: 9.6 unsubscribed, 4.8 bounced hard." in text

    def test_nobody_seen_from_joining_on_is_unknown_and_not_drawn(
        self, tmp_path: Path
    ) -> None:
        rows = {"cohort_retention": [cohort_age(age, None) for age in (1, 2, 3)]}
        shown = seen(tmp_path, rows)
        assert "How long people stay is unknown" in chapter(shown, "Who stays")
        assert shown.figures == {}

    def test_a_curve_ends_where_few_are_followed(self, people: Seen) -> None:
        traces = people.figures["retention-1-source"]["data"]
        # 400 people, 20 fewer followed each month: 20 are left at 19 months, 18 exist
        assert traces[0]["x"] == list(range(19))
        assert traces[0]["y"][:3] == [100.0, pytest.approx(98.8), pytest.approx(97.6)]
        assert "Old form" not in {trace["name"] for trace in traces}


class TestWhereTheyComeFrom:
    def test_a_source_that_is_proven_worse_is_named(self, people: Seen) -> None:
        text = chapter(people, "Where people come from")
        assert f"People from “{HOSTILE}” leave 2.41× as often" in text
        assert "looks like a bulk import" in text
        assert "Small groups together" in text

    def test_a_source_that_luck_may_make_worse_is_not(self, tmp_path: Path) -> None:
        rows = {"signup_sources": [signup_source("Form", 90, 9, (2.0, 0.9, 4.4))]}
        text = chapter(seen(tmp_path, rows), "Where people come from")
        assert "No source is proven to lose more" in text


class TestHowOften:
    def test_strata_are_summed_before_they_are_divided(self, people: Seen) -> None:
        # (120 + 90) / (52,000 + 20,000) = 0.29167 %
        assert "0.292 %" in chapter(people, "How often is too often")

    @pytest.mark.parametrize(
        ("verdict", "said"),
        [
            pytest.param("more_leave", "Too often: of people alike", id="more"),
            pytest.param("not_proven", "No difference is proven:", id="luck"),
            pytest.param("insufficient_data", "Too few people left", id="few"),
        ],
    )
    def test_the_verdict_is_the_marts(
        self, tmp_path: Path, verdict: str, said: str
    ) -> None:
        rows = {
            "send_frequency": [frequency("1", 900, 800, 4)],
            "send_frequency_effect": [frequency_effect(verdict)],
        }
        text = chapter(seen(tmp_path, rows), "How often is too often")
        assert said in text
        assert "1.47× as many leave" in text
        assert "Per mail it looks the other way round (0.23× as many)" in text

    def test_more_opt_outs_than_mail_is_no_rate(self, tmp_path: Path) -> None:
        rows = {"send_frequency": [frequency("0", 900, 2, 5)]}
        text = chapter(seen(tmp_path, rows), "How often is too often")
        assert "unknown hardly any mail in these weeks" in text


class TestWhoReads:
    def test_silence_and_too_much_mail_are_told(self, people: Seen) -> None:
        text = chapter(people, "Who still reads")
        # 2,500 of 4,000 + 2,500, small groups aside; 4.2 mails where 0.5 suit
        assert "Of 6,500 people who got enough mail to tell, 38.5 % gave" in text
        assert "2,500 people get more mail than suits" in text

    def test_a_month_that_is_not_over_does_not_stand_for_the_newest(
        self, tmp_path: Path
    ) -> None:
        rows = {
            "engagement_segments": [
                segment("active", 100, 4.0),
                segment(
                    "active", 70, 0.5, month=date(2027, 1, 1), is_complete_month=False
                ),
            ]
        }
        assert "Dec 2026" in chapter(seen(tmp_path, rows), "Who still reads")


class TestComplaints:
    def test_a_provider_that_tells_nobody_has_no_rate(self, people: Seen) -> None:
        text = chapter(people, "Complaints by mailbox provider")
        assert "silent 12,000 0 0 unknown tells no sender who complained" in text

    @pytest.mark.parametrize(
        ("complaints", "said"),
        [
            pytest.param(5, "within 0.1 %", id="few"),
            pytest.param(15, "above 0.1 %, not confirmed", id="seen"),
            pytest.param(25, "above 0.1 %, confirmed", id="proven"),
            pytest.param(31, "above 0.3 %", id="refused"),
        ],
    )
    def test_a_rate_is_told_beside_the_limits(
        self, tmp_path: Path, complaints: int, said: str
    ) -> None:
        rows = {"complaint_rates": [complaint_rate("(all)", 10_000, complaints)]}
        assert said in chapter(seen(tmp_path, rows), "Complaints by mailbox provider")


class TestWhyTheyLeft:
    def test_a_reason_is_divided_by_those_who_could_name_it(
        self, tmp_path: Path
    ) -> None:
        whole = {"answered_count": 50, "asked_count": 60}
        rows = {
            "opt_out_reasons": [
                reason("too_frequent", 30, offered_answered_count=50, **whole),
                reason("not_relevant", 20, offered_answered_count=25, **whole),
                # 10 of another list, where nobody called it irrelevant: 25 + 10
                reason(
                    "too_frequent",
                    10,
                    mail_list="Offers",
                    answered_count=10,
                    offered_answered_count=10,
                ),
            ]
        }
        text = chapter(seen(tmp_path, rows), "Why people left")
        assert "Too many emails 66.7 %" in text  # 40 / 60
        assert "Not relevant 57.1 %" in text  # 20 / 35

    def test_reasons_that_few_gave_have_no_share_and_are_never_the_main_one(
        self, tmp_path: Path
    ) -> None:
        rows = {
            "opt_out_reasons": [
                reason("suppressed", 30, answered_count=40, is_answered=None),
                reason("not_relevant", 20, answered_count=40),
            ]
        }
        shown = seen(tmp_path, rows)
        assert "The reason given most is “Not relevant”" in shown.text
        assert "suppressed unknown 30" in chapter(shown, "Why people left")


def test_no_table_is_empty(tmp_path: Path) -> None:
    html = html_of(tmp_path, people_of_marts())
    bodies = html.split("<tbody>")[1:]
    assert all("<tr" in body.split("</tbody>")[0] for body in bodies)
