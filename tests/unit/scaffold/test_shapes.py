"""What texts look like, and which names and words are known."""

from __future__ import annotations

from functools import cache

import duckdb
import pytest

from dagster_project.mapping.canonical import FIELDS
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.scaffold.example import Leaf
from dagster_project.scaffold.shapes import number_style, shape_of, tokens
from dagster_project.scaffold.words import Meaning, name_score, synonyms, words_in
from dagster_project.settings import SEEDS


@cache
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def told(name: str, *texts: str) -> str:
    return shape_of(Leaf(name, cells=[*texts]), engine()).told()


@pytest.mark.parametrize(
    ("name", "texts", "shape"),
    [
        ("x", ("",), "empty in this file"),
        ("x", ("ann@example.com", "no address"), "address"),
        ("Message-Id", ("<a@example.com>",), "text, 1 different"),
        ("at", ("2026-09-01T09:00:00Z",), "time, ISO 8601 with its zone"),
        ("at", ("2026-09-01 09:00:00+02:00",), "time, ISO 8601 with its zone"),
        ("at", ("2026-09-01 09:00:00 UTC",), "time, iso in UTC"),
        ("at", ("2026-09-01 09:00:00",), "time, iso"),
        ("day", ("2026-09-01",), "time, iso"),
        ("ts", ("1788000000",), "time, unix_seconds with its zone"),
        ("created", ("1788000000123",), "time, unix_milliseconds with its zone"),
        ("phone", ("1788000000",), "count"),
        ("sent", ("13/09/2026 10:00",), "time, %d/%m/%Y %H:%M"),
        ("sent", ("09/13/2026 10:00 PM",), "time, %m/%d/%Y %I:%M %p"),
        (
            "sent",
            ("01/02/2026 10:00",),
            "time, %d/%m/%Y %H:%M; fits %m/%d/%Y %H:%M as well",
        ),
        ("sent", ("01.02.26",), "time, %d.%m.%y"),
        ("version", ("1.2.3",), "text, 1 different"),
        ("address", ("10.1.2.3",), "text, 1 different"),
        ("sent", ("Sep 01, 2026 09:00 am", "June 9, 2018 12:05 AM"),
            "time, %b %d, %Y %I:%M %p, %B %d, %Y %I:%M %p"),
        ("at", ("2026-09-01 10:00:00 +0200",), "time, %Y-%m-%d %H:%M:%S %z with its zone"),
        ("opens", ("1,234", "5"), "count"),
        ("opens", ("1.234", "5"), "count"),
        ("price", ("12.50", "3"), "number"),
        ("price", ("-0,5",), "number"),
        ("x", ("0.5 %",), "percent"),
        ("open rate", ("0.5",), "percent"),
        ("free", ("yes", "no"), "flag"),
        ("is_free", ("0", "1"), "flag"),
        ("free", ("0", "1"), "count"),
        ("name", ("a", "b", "a"), "text, 2 different"),
        ("phone", ("+45 12 34 56 78",), "text, 1 different"),
    ],
)  # fmt: skip
def test_texts_have_a_shape(name: str, texts: tuple[str, ...], shape: str) -> None:
    assert told(name, *texts) == shape


def test_a_few_broken_texts_do_not_make_a_column_something_else() -> None:
    good = [f"2026-09-{day:02}T09:00:00Z" for day in range(1, 10)]
    assert told("at", *good, "soon") == "time, ISO 8601 with its zone"
    assert told("at", *good[:3], "soon") == "text, 4 different"


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (("12", "0.5"), (None, ".")),
        (("1,234", "7"), (",", ".")),
        (("1.234", "0,5%"), (".", ",")),
        (("1 234", "0,5"), (" ", ",")),
        ((), (None, ".")),
    ],
)
def test_numbers_have_a_style(
    texts: tuple[str, ...], style: tuple[str | None, str]
) -> None:
    assert number_style(texts) == style


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CampaignID", ("campaign", "id")),
        ("$.data.eventType", ("data", "event", "type")),
        ("Unsub. Rate (%)", ("unsub", "rate")),
        ("total_sent-2", ("total", "sent", "2")),
    ],
)
def test_a_name_has_words(name: str, words: tuple[str, ...]) -> None:
    assert tokens(name) == words


def test_a_name_is_compared_whole_then_in_part() -> None:
    phrases = ["campaign id", "id"]
    whole = name_score(Leaf("CampaignId"), phrases)
    path = name_score(Leaf("id", "$.campaign.id"), phrases)
    part = name_score(Leaf("Old Campaign Id Number"), phrases)
    assert whole > path > part > 0
    assert name_score(Leaf("identity"), phrases) == 0


def test_words_are_found_whatever_surrounds_them() -> None:
    cells: list[str | None] = ["email.HardBounce", "track_open", "Spam Report", "foo"]
    found = words_in(Leaf("event", cells=cells), "events")
    assert found.known == {
        Meaning("bounced", "hard"): ["email.hardbounce"],
        Meaning("opened"): ["track_open"],
        Meaning("complained"): ["spam report"],
    }
    assert found.unknown == ["foo"]
    assert found.share == 0.75


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["ann@example.com"], id="addresses"),
        pytest.param(["opened 12345 times"], id="numbers"),
        pytest.param([f"opened {letter * 50}" for letter in "ab"], id="sentences"),
        pytest.param([f"open {number}" for number in range(80)], id="many"),
    ],
)
def test_what_may_be_about_somebody_is_no_word(texts: list[str | None]) -> None:
    found = words_in(Leaf("event", cells=texts), "events")
    assert (found.known, found.unknown) == ({}, [])


def test_synonyms_lead_to_fields_and_words_that_exist() -> None:
    known, words = synonyms(), vocabularies(SEEDS)
    for table, fields in known["fields"].items():
        columns = {column.name for column in FIELDS[table]}
        assert set(fields) <= columns, table
    assert {entry["event_type"] for entry in known["events"]} <= set(
        words["event_types"].words
    )
    for seed in ("bounce_classes", "contact_statuses", "validation_statuses"):
        assert set(known[seed]) <= set(words[seed].words), seed


def test_a_word_leads_to_one_meaning() -> None:
    known = synonyms()
    lists = [word for entry in known["events"] for word in entry["words"]]
    assert len(lists) == len(set(lists))
    for seed in ("contact_statuses", "validation_statuses", "bounce_classes"):
        words = [word for listed in known[seed].values() for word in listed]
        assert len(words) == len(set(words)), seed
