"""Reasons become words: exact options first, then rules that would rather say nothing."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.landing.reasons import (
    RULES,
    Answer,
    Language,
    load_rules,
    one_line,
    spoken,
)
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import PROJECT_ROOT, SEEDS
from tests.conftest import Deployment

SHIPPED = load_rules()
WORDS = frozenset(vocabularies(SEEDS)["opt_out_reason_words"].words)
OPTIONS = {one_line("Too many emails"): "too_frequent"}


def written(language: Language) -> list[dict[str, str]]:
    with (RULES / f"{language.code}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("Too many emails", Answer("too_frequent", "option"), id="option"),
        pytest.param(
            "  TOO many\n EMAILS ", Answer("too_frequent", "option"), id="any case"
        ),
        pytest.param("not relevant", Answer("not_relevant", "option"), id="a word"),
        pytest.param("no_value", Answer("no_value", "option"), id="a stored word"),
        pytest.param(
            "WAY too many e-mails, and boring!",
            Answer("too_frequent", "rule", "en_too_many", ("no_value",), "en", 33),
            id="two rules of which the first counts",
        ),
        pytest.param(
            "Not too many emails.",
            Answer("unclassified", "none", language="en", length=20),
            id="its negation",
        ),
        pytest.param(
            "Too many goats",
            Answer("unclassified", "none", language="en", length=14),
            id="a rule's words about something else",
        ),
        pytest.param(
            "SPAM",
            Answer("spam_like", "rule", "en_feels_like_spam", (), None, 4),
            id="a word of many languages that all understand alike",
        ),
        pytest.param(
            "Trop d’e-mails",
            Answer("too_frequent", "rule", "fr_too_many", (), "fr", 14),
        ),
        pytest.param(
            "te veel mails", Answer("unclassified", "none", length=13), id="no language"
        ),
        pytest.param(" .", Answer("unclassified", "none", length=1), id="no word"),
    ],
)
def test_a_text_is_an_option_or_met_by_a_rule_or_nobodys_guess(
    text: str, answer: Answer
) -> None:
    assert SHIPPED.answer(text, OPTIONS, WORDS) == answer


@pytest.mark.parametrize("language", SHIPPED.languages, ids=lambda known: known.code)
def test_each_rule_meets_its_example_and_leaves_its_counterexample(
    language: Language,
) -> None:
    for row, rule in zip(written(language), language.rules, strict=True):
        assert rule.rule_id.startswith(f"{language.code}_")
        assert rule.reason in WORDS
        answer = SHIPPED.judge(row["example"])
        assert (answer.rule, answer.language) == (rule.rule_id, language.code), row
        assert bool(row["guard"]) == bool(row["counterexample"]), "a guard is shown"
        if rule.guard:
            against = row["counterexample"]
            assert rule.pattern.search(spoken(against)), "only its guard stops it"
            guarded = SHIPPED.judge(against)
            assert rule.reason not in (guarded.reason, *guarded.labels), row


def test_rules_are_patterns_that_need_no_looking_back() -> None:
    # What this engine's expressions take runs in time linear in the text.
    rules = [rule for language in SHIPPED.languages for rule in language.rules]
    assert len({rule.rule_id for rule in rules}) == len(rules)
    for rule in rules:
        for pattern in filter(None, (rule.pattern, rule.guard)):
            duckdb.execute("select regexp_matches('', $1)", [pattern.pattern])


EVENTS = """event_id,event_type,occurred_at,email,reason
e1,unsubscribed,2026-09-01T10:00:00Z,a@example.com,"Viel zu viele Mails, und langweilig"
e2,unsubscribed,2026-09-01T10:00:00Z,b@example.com,changed my mind
e3,unsubscribed,2026-09-01T10:00:00Z,c@example.com,
"""


def test_own_words_land_as_a_word_and_its_rule_and_not_as_themselves(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    rows = deployment.rows("message_events", "record_number")
    assert [
        [value for name, value in row.items() if name.startswith("reason")]
        for row in rows
    ] == [
        ["too_frequent", "rule", "de_too_many", "no_value", "de", None, 35],
        ["unspecified_disinterest", "option", None, None, None, None, None],
        [None] * 7,
    ]


def test_a_changed_rule_lands_files_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    changed = shutil.copytree(RULES, tmp_path / "rules")
    german = changed / "de.csv"
    renamed = german.read_text(encoding="utf-8").replace("de_too_many", "de_viel")
    german.write_text(renamed, encoding="utf-8")
    monkeypatch.setattr(
        "dagster_project.landing.land.load_rules", lambda: load_rules(changed)
    )
    assert len(deployment.land().judged) == 1
    assert deployment.rows("message_events", "record_number")[0]["reason_rule"] == (
        "de_viel"
    )


def test_what_a_list_of_options_offers_is_told_beside_the_lake(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    path = deployment.settings.at.context / "reason_options.parquet"
    offered = duckdb.execute(
        "select reason from read_parquet($1)"
        " where source = 'mailchimp_connector' and option_set = 'survey'",
        [str(path)],
    ).fetchall()
    # Four options of its answers, the refusal, and the field for own words.
    assert {reason for (reason,) in offered} == {
        *("unspecified_disinterest", "never_signed_up", "spam_like", "inappropriate"),
        *("declined", "other"),
    }


def _documented() -> list[list[str]]:
    page = (PROJECT_ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    table = page.split("| comment | word | further labels |\n")[1].split("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


@pytest.mark.parametrize(("text", "word", "labels"), _documented())
def test_comments_of_the_page_get_the_words_it_says(
    text: str, word: str, labels: str
) -> None:
    answer = SHIPPED.judge(text)
    assert (answer.reason, ", ".join(answer.labels)) == (word, labels)
