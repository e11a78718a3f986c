"""A mapping's text: what it marks as guessed, and where things stand in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.mapping.document import (
    Guess,
    MappingError,
    Place,
    choices,
    guesses,
    read_document,
)
from dagster_project.mapping.model import load_source, load_sources

DRAFT = """\
source: acme
kind: !confirm esp
title: Acme
notes: none
exports:
  - name: totals
    lands: campaign_stats
    reader: { formats: csv }
    times: { zone: !confirm account }
    inputs:
      id: { column: Id, required: !confirm true }
      days: { column: Days }
    fields: !confirm
      campaign_id: id
    delivered: !confirm [reported]
    settle_days: !confirm 7
"""


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "source.yaml").write_text(DRAFT, encoding="utf-8")
    return folder


def test_guesses_are_found_with_line_and_path() -> None:
    assert guesses(DRAFT) == [
        Guess(2, ("kind",)),
        Guess(9, ("exports", 0, "times", "zone")),
        Guess(11, ("exports", 0, "inputs", "id", "required")),
        Guess(13, ("exports", 0, "fields")),
        Guess(15, ("exports", 0, "delivered")),
        Guess(16, ("exports", 0, "settle_days")),
    ]
    assert guesses("# !confirm is only a word here\na: '!confirm'\n") == []


def test_a_mapping_that_holds_guesses_is_refused_with_each_line(draft: Path) -> None:
    with pytest.raises(MappingError) as caught:
        load_source(draft)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert lines[1] == (
        "acme/source.yaml line 9: exports.0.times.zone: is a guess; check it, then"
        " remove `!confirm`"
    )
    with pytest.raises(MappingError, match="line 2: kind: is a guess"):
        load_sources(draft.parent)


def test_a_guess_means_what_it_would_mean_without_its_tag(draft: Path) -> None:
    guessed = load_source(draft, may_guess=True)
    assert load_sources(draft.parent, may_guess="acme") == {"acme": guessed}
    file = draft / "source.yaml"
    file.write_text(DRAFT.replace("!confirm", ""), encoding="utf-8")
    assert load_source(draft) == guessed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("'true'", "true"),
        ("7", 7),
        ('"7"', "7"),
        ("null", None),
        ("a text", "a text"),
        (">-\n  folded\n  text", "folded text"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("{a: [1, 2]}", {"a": [1, 2]}),
    ],
)
def test_a_tag_stands_before_any_value(text: str, value: object, draft: Path) -> None:
    file = draft / "source.yaml"
    file.write_text(f"a: !confirm {text}\n", encoding="utf-8")
    assert read_document(file, may_guess=True) == {"a": value}


def test_other_tags_stay_refused(draft: Path) -> None:
    (draft / "source.yaml").write_text("a: !other x\n", encoding="utf-8")
    with pytest.raises(MappingError, match=r"line 1: is not YAML: .*!other"):
        read_document(draft / "source.yaml", may_guess=True)


def test_a_merged_key_may_be_given_again_and_any_other_may_not(draft: Path) -> None:
    file = draft / "source.yaml"
    text = "a: &a { x: 1, y: 2 }\nb: &b { <<: *a, x: 3 }\nc: { <<: *b, y: 4 }\n"
    file.write_text(text, encoding="utf-8")
    assert read_document(file)["c"] == {"x": 3, "y": 4}
    file.write_text(text + "d:\n  y: 1\n  <<: *a\n  y: 2\n", encoding="utf-8")
    with pytest.raises(MappingError, match=r"line 7: .*`y` is given twice; keep one"):
        read_document(file)


def test_a_place_names_file_line_and_path(draft: Path) -> None:
    place = Place(draft / "source.yaml", ("exports", 0))
    assert str(place.at("times", "zone")) == (
        "acme/source.yaml line 9: exports.0.times.zone"
    )
    assert str(Place(draft.parent / "gone" / "source.yaml", ("a",))) == (
        "gone/source.yaml: a"
    )


def test_the_closest_words_come_first() -> None:
    words = ("bounced", "clicked", "delivered", "opened", "unsubscribed")
    assert choices("Unsubscribe", words).startswith("unsubscribed, bounced, ")
    assert choices("xyz", words) == ", ".join(words)
    many = [f"word_{number}" for number in range(50)]
    assert choices("xyz", many).endswith(", and 10 more")
