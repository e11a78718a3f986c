"""The questions of ``coverage``: every mart has one, and a file that answers it."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest

from dagster_project.mapping.catalog import filled_fields
from dagster_project.mapping.model import load_sources
from dagster_project.settings import DBT_PROJECT, SEEDS, SOURCES

MODELS = DBT_PROJECT / "models"


def _seed(name: str) -> list[dict[str, Any]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


QUESTIONS = {row["question"]: row for row in _seed("coverage_questions")}
FILES = _seed("coverage_files")


def test_every_mart_answers_a_question_and_every_mart_named_exists() -> None:
    marts = {path.stem for path in (MODELS / "marts").glob("*.sql")} - {"coverage"}
    assert {row["mart"] for row in QUESTIONS.values()} - {""} == marts


def test_every_requirement_is_counted() -> None:
    counted = set(
        re.findall(
            r"'(\w+)' as requirement",
            (MODELS / "facts" / "fct_coverage_evidence.sql").read_text("utf-8"),
        )
    )
    needed = {row["needs"] for row in QUESTIONS.values()}
    needed |= {row["when_missing"] for row in FILES} - {""}
    assert needed == counted


def test_every_group_of_questions_is_asked_of_somebody() -> None:
    asked = {row["applies_to"] for row in _seed("coverage_roles")}
    assert {row["applies_to"] for row in QUESTIONS.values()} == asked


def test_every_question_has_a_preferred_file() -> None:
    assert {row["question"] for row in FILES if row["rank"] == "1"} == set(QUESTIONS)


def test_what_no_export_tells_is_asked_of_a_file_that_is_read() -> None:
    for name in {row["needed_table"] for row in FILES if not row["needed_fields"]}:
        reader = SOURCES.parent / f"{name}.py"
        assert f'"{name}.yaml"' in reader.read_text("utf-8")


@pytest.mark.parametrize(
    "wanted",
    [row for row in FILES if row["needed_fields"]],
    ids=lambda row: f"{row['question']} {row['needed_table']}",
)
def test_documented_columns_can_hold_what_is_wanted(wanted: dict[str, str]) -> None:
    documented = load_sources(SOURCES)["generic"]
    (export,) = (e for e in documented.exports if e.lands == wanted["needed_table"])
    filled = {field.name for field in filled_fields(export)}
    assert set(wanted["needed_fields"].split()) <= filled
    events = {row["event_type"] for row in _seed("event_types")}
    assert set(wanted["needed_event_types"].split()) <= events
    assert not wanted["needed_event_types"] or export.lands == "message_events"
