"""The chapters about weeks, changes and content: what they say of known marts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.report import words
from dagster_project.report.chapters import changes, week
from dagster_project.report.rows.changes import Intervention, RePermission, Week
from tests.unit.report_marts import (
    HOSTILE,
    content_month,
    context,
    diagnosis,
    intervention,
    levers_of_marts,
    promotional_run,
    re_permission,
    send,
    week_of,
)
from tests.unit.report_page import Seen, seen

CHAPTERS = (
    "What happened, and what to do",
    "Did it help?",
    "Were opt-outs honoured?",
    "What was unusual",
    "Content and audience",
    "Why people left",
)

MONDAY = date(2026, 12, 21)


def as_row(kind: Any, row: dict[str, Any]) -> Any:
    return kind(**{name: row.get(name) for name in kind.__dataclass_fields__})


def plain(text: str) -> str:
    return text.replace(words.SPACE, " ")


def chapter(page: Seen, title: str) -> str:
    """The text of one chapter."""
    text = plain(page.text)
    following = CHAPTERS[CHAPTERS.index(title) + 1]
    return text[text.rindex(title) : text.rindex(following)]


def head(page: Seen) -> str:
    text = plain(page.text)
    return text[: text.index("Data up to")]


@pytest.fixture(scope="module")
def levers(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    rows = levers_of_marts()
    rows["campaign_unsubscribe_rates"] = [
        send(40, 60, expected=0.2, earlier=26, status="strong", campaign_name=HOSTILE),
        *(send(number, stream="offers") for number in range(41, 50)),
    ]
    rows["campaign_diagnoses"] = [diagnosis(1, "content_of_one_send", 40)]
    return seen(tmp_path_factory.mktemp("levers"), rows)


class TestThisWeek:
    def test_it_stands_before_everything_else(self, levers: Seen) -> None:
        text = head(levers)
        assert text.index("This week") < text.index("cost the most people beyond")
        assert (
            "31 people more than expected left so far (12 to 52), of 4,000 mails"
            " delivered in two sends. Revenue 1,240, 25 for each person who left."
            in text
        )
        assert "What to do: Stop mailing the segment that complained." in text
        assert "Preference centre (newsletter) worked." in text
        assert "Frequency (offers): open until 3 Feb 2027." in text

    def test_an_account_without_news_is_folded_and_an_old_one_is_no_news(
        self, levers: Seen
    ) -> None:
        text = head(levers)
        assert text.index("1 account without news") < text.index("3 people left, of")
        assert "silent" not in text  # its newest week is half a year old

    def test_where_nothing_happened_every_week_is_shown_calmly(
        self, tmp_path: Path
    ) -> None:
        rows = {
            "campaign_unsubscribe_rates": [send(1)],
            "weekly_review": [week_of(MONDAY)],
        }
        text = head(seen(tmp_path, rows))
        assert "About as many left as expected (12, of 4,000 mails" in text
        assert "without news" not in text

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            pytest.param(
                week_of(MONDAY, (-20, -31, -8)),
                "20 people fewer than expected left (8 to 31), of",
                id="fewer",
            ),
            pytest.param(
                week_of(MONDAY, None, left=1), "1 person left, of", id="no_past"
            ),
            pytest.param(
                week_of(MONDAY, None, left=None),
                "How many left is unknown",
                id="no_rate",
            ),
            pytest.param(
                week_of(MONDAY, send_count=0), "Nothing was sent.", id="no_mail"
            ),
        ],
    )
    def test_every_kind_of_week_is_said(self, row: dict[str, Any], said: str) -> None:
        assert week.cost_sentence(as_row(Week, row)).startswith(said)


class TestDidItHelp:
    def test_the_first_screen_names_the_changes_that_are_decided(
        self, levers: Seen
    ) -> None:
        assert (
            "Preference centre ( newsletter , since 1 Feb 2026): worked, 35 % fewer"
            " opt-outs (12 to 52 %), about 52 people (12 to 98) stayed who would have"
            " left." in head(levers)
        )

    def test_effect_claim_counts_and_caveat_stand_together(self, levers: Seen) -> None:
        text = chapter(levers, "Did it help?")
        assert "35 % fewer opt-outs (12 to 52 %) than without it" in text
        assert "Compared with what happened meanwhile in offers." in text
        assert (
            "Claimed elsewhere: 20 to 30 % fewer opt-outs (a guide); your interval"
            " leaves the claim possible." in text
        )
        assert "Before: 0.30 % (156 of 52,000 in 13 sends)" in text
        assert "Observational: what else changed then counts as well." in text

    def test_what_is_decided_comes_before_what_is_open(self, levers: Seen) -> None:
        text = chapter(levers, "Did it help?")
        places = [
            text.index(verdict)
            for verdict in ("backfired", "not proven", "too early", "no such stream")
        ]
        assert places == sorted(places)
        assert "Of 1,000 people asked, 240 said yes (24.0 %), 60 left" in text

    def test_without_a_declared_change_it_says_how_to_declare_one(
        self, tmp_path: Path
    ) -> None:
        text = chapter(seen(tmp_path, {}), "Did it help?")
        assert "config/changes.yaml" in text

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            pytest.param(
                intervention("not_proven", (-4.0, -20.0, 15.0)),
                "No effect is proven: between −20 % and +15 % opt-outs, most likely −4 %.",
                id="luck",
            ),
            pytest.param(
                intervention("not_proven"),
                "It looks like 35 % fewer opt-outs (12 to 52 %), and is not proven:",
                id="moving_before",
            ),
            pytest.param(
                intervention("backfired", (80.0, 31.0, 148.0)),
                "80 % more opt-outs (31 to 148 %) than without it.",
                id="worse",
            ),
            pytest.param(
                intervention("worked", measure="hard_bounce"),
                "35 % fewer hard bounces (12 to 52 %) than without it.",
                id="bounces",
            ),
            pytest.param(
                intervention("too_early", None),
                "Too little has happened since to tell. The figures are whole on 3 May",
                id="open",
            ),
            pytest.param(
                intervention("too_little_mail", None),
                "There was too little",
                id="small",
            ),
        ],
    )
    def test_every_verdict_is_said(self, row: dict[str, Any], said: str) -> None:
        sentence = changes.change_sentence(as_row(Intervention, row))
        assert plain(sentence).startswith(said)

    @pytest.mark.parametrize(
        ("verdict", "least", "said"),
        [
            ("not_proven", 25.0, "Only a drop of more than 25 % would have shown"),
            ("not_proven", 140.0, "not even a large drop would have shown"),
            ("worked", 25.0, ""),
        ],
    )
    def test_what_could_not_have_shown_is_told(
        self, verdict: str, least: float, said: str
    ) -> None:
        row = intervention(verdict, minimum_detectable_effect_pct=least)
        sentence = plain(changes.power_sentence(as_row(Intervention, row)))
        assert said in sentence and bool(said) == bool(sentence)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            pytest.param(re_permission(None, None), "totals only", id="nobody_named"),
            pytest.param(re_permission(is_open=True), "said nothing so far", id="open"),
            pytest.param(
                re_permission(silent_mailed_since_count=9),
                "9 of the silent are mailed all the same",
                id="mailed_on",
            ),
        ],
    )
    def test_who_was_asked_again_is_told(self, row: dict[str, Any], said: str) -> None:
        assert said in changes.asked_sentence(as_row(RePermission, row))


class TestWhatWasUnusual:
    def test_what_cost_people_comes_first_and_stands_in_the_sends_row_too(
        self, levers: Seen
    ) -> None:
        text = chapter(levers, "What was unusual")
        assert "10 of 10 sends were unusual; 1 of these cost more people" in text
        assert text.index(HOSTILE) < text.index("Offers 49")
        assert "the first send to “Everybody”; about trade" in text
        assert "+40 This one send put people off" in text
        assert plain(levers.text).count("Unusual: the first send to “Everybody”") == 1

    def test_ordinary_sends_are_said_to_be_ordinary(self, tmp_path: Path) -> None:
        rows = {
            "campaign_unsubscribe_rates": [send(1)],
            "send_context": [context(1)],
        }
        text = chapter(seen(tmp_path, rows), "What was unusual")
        assert "Nothing: of 1 send none differed from its stream's habit" in text


class TestContent:
    def test_months_are_summed_before_they_are_divided(self, levers: Seen) -> None:
        text = chapter(levers, "Content and audience")
        # promotion 12 x 15 / 12 x 3,000 = 0.5 %; others 12 x 25 / 12 x 12,300 = 0.203 %
        assert "“promotion” loses 0.50 % of the people it reaches" in text
        assert "everything else 0.203 %: more than luck explains." in text
        assert "the fourth or a later one loses 2.25× as many" in text
        assert (
            "Of 600 people who clicked, 480 to the home page; 108 to social media"
            in text
        )

    def test_a_difference_that_luck_may_make_is_none(self, tmp_path: Path) -> None:
        rows = {
            "content_mix": [
                content_month(date(2026, 1, 1), "editorial", 3, 9000, 18),
                content_month(date(2026, 1, 1), "promotion", 1, 3000, 8),
            ],
            "promotional_runs": [promotional_run(1, 22, (1.1, 0.7, 1.7))],
        }
        text = chapter(seen(tmp_path, rows), "Content and audience")
        assert "No kind of content is proven to lose more" in text
        assert "Promotions in a row are not proven to cost more people." in text

    def test_content_that_nobody_tells_is_unknown(self, tmp_path: Path) -> None:
        rows = {"content_mix": [content_month(date(2026, 1, 1), "(unknown)", 3, 9, 1)]}
        text = chapter(seen(tmp_path, rows), "Content and audience")
        assert "Unknown: no export tells what a send was about." in text
        assert "config/accounts.yaml" in text


def test_a_month_of_one_send_has_a_bar_for_each_content(levers: Seen) -> None:
    names = [trace["name"] for trace in levers.figures["content-1"]["data"]]
    assert names[:2] == ["editorial", "promotion"]
    assert names[-1] == "not told"
