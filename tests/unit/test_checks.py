"""A check that cannot fail is none: each has a fixture that breaks it and one that passes.

The expectations of the gate are held to the same in ``test_quality``.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from jinja2 import Environment

from dagster_project.settings import DBT_PROJECT, SEEDS

MODELS = DBT_PROJECT / "models"
GENERIC_TESTS = DBT_PROJECT / "tests" / "generic"
PASSING = {"reconciled", "within_tolerance"}


def _yaml(pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(DBT_PROJECT.rglob(pattern)):
        if "target" not in path.parts:
            yield yaml.safe_load(path.read_text(encoding="utf-8"))


# -- the checks of a campaign ------------------------------------------------------


def _campaign_checks() -> list[str]:
    with (SEEDS / "denominator_checks.csv").open(encoding="utf-8") as file:
        return [row["check_name"] for row in csv.DictReader(file)]


def _checks_of_model() -> dict[str, set[str]]:
    """Which checks a model names: one that makes only one need not repeat its name."""
    return {
        path.stem: set(
            re.findall(r"'(\w+)' as check_name", path.read_text(encoding="utf-8"))
        )
        for path in MODELS.rglob("*.sql")
    }


def _rows(expected: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of an expectation, in either of dbt's two spellings."""
    rows = expected.get("rows") or []
    if isinstance(rows, str):
        return list(csv.DictReader(rows.splitlines()))
    return list(rows)


@cache
def _expected_verdicts() -> dict[str, set[str]]:
    """Check -> the verdicts that dbt's unit tests expect of it."""
    makes, verdicts = _checks_of_model(), defaultdict(set)
    for content in _yaml("*.yml"):
        for test in content.get("unit_tests", []):
            made = makes.get(test["model"], set())
            only = next(iter(made)) if len(made) == 1 else None
            for row in _rows(test["expect"]):
                check = row.get("check_name", only)
                # A model that only hands verdicts on proves nothing of the check.
                if check not in made or "verdict" not in row:
                    continue
                verdicts[check].add(row["verdict"])
    return verdicts


@pytest.mark.parametrize("check", _campaign_checks())
def test_a_campaign_check_is_seen_to_break_and_to_pass(check: str) -> None:
    expected = _expected_verdicts()[check]
    # Not to know how much was delivered is no contradiction: it has no `broken`.
    failing = "unknown" if check == "delivered_count_is_known" else "broken"
    assert failing in expected, f"no unit test in which {check} is {failing}"
    assert expected & PASSING, f"no unit test in which {check} passes"


def test_every_check_of_a_model_is_described_in_the_seed() -> None:
    made = set().union(*_checks_of_model().values())
    assert made == set(_campaign_checks())


# -- generic data tests of our own -------------------------------------------------


@dataclass(frozen=True)
class Fixture:
    """A table on which a generic test passes, and what makes it fail.

    Attributes:
        columns: of the table.
        sound: rows that are as they should be.
        broken: rows that are not, in the same columns.
        arguments: as a model's YAML gives them.
        other: the table of the fact, where the test compares two.
    """

    columns: str
    sound: str
    broken: list[str]
    arguments: dict[str, Any] = field(default_factory=dict)
    other: str = ""


FIXTURES = {
    "bands_tile": Fixture(
        columns="kind, lower_pct, upper_pct, is_lower_inclusive, is_upper_inclusive",
        sound="('rate', 0, 1, true, true), ('rate', 1, null, false, false)",
        broken=[
            # A gap from 1 to 2, an edge in both bands, an edge in none, no last band.
            "('rate', 0, 1, true, true), ('rate', 2, null, false, false)",
            "('rate', 0, 1, true, true), ('rate', 1, null, true, false)",
            "('rate', 0, 1, true, false), ('rate', 1, null, false, false)",
            "('rate', 0, 1, true, true)",
        ],
        arguments={"kind": "rate"},
    ),
    "filled": Fixture(
        columns="label, advice",
        sound="('a', 'b')",
        broken=["('a', null)", "(null, 'b')"],
        arguments={"columns": ["label", "advice"]},
    ),
    "holds": Fixture(
        columns="delivered, sent",
        sound="(98, 100), (null, 100)",
        broken=["(98, 100), (101, 100)"],
        arguments={"rule": "delivered <= sent"},
    ),
    "key": Fixture(
        columns="name, number",
        sound="('a', 1), ('b', 1)",
        broken=["('a', 1), ('a', 2)", "(null, 1)"],
        arguments={"column_name": "name"},
    ),
    "one_row_per": Fixture(
        columns="list, month, number",
        sound="('a', 1, 1), ('a', 2, 1), ('b', 1, 1)",
        broken=["('a', 1, 1), ('a', 1, 2)", "(null, 1, 1), (null, 1, 2)"],
        arguments={"columns": ["list", "month"]},
    ),
    "same_total": Fixture(
        columns="number",
        sound="(3), (4)",
        broken=["(3)", "(3), (4), (1)", "(null)"],
        arguments={
            "expression": "sum(number)",
            "other": "facts",
            "other_expression": "sum(number)",
        },
        other="(7)",
    ),
    "within_0_and_100": Fixture(
        columns="rate_pct, other_pct",
        sound="(0.0, 100.0), (null, 50.0)",
        broken=[
            "(-0.1, 1.0)",
            "(1.0, 100.1)",
            "('inf'::double, 1.0)",
            "(1.0, 'nan'::double)",
        ],
        arguments={"columns": ["rate_pct", "other_pct"]},
    ),
}


def _generic_tests() -> dict[str, Path]:
    return {path.stem: path for path in sorted(GENERIC_TESTS.glob("*.sql"))}


def _failing_rows(name: str, rows: str) -> int:
    """How many rows the generic test of that name finds wrong."""
    fixture = FIXTURES[name]
    text = _generic_tests()[name].read_text(encoding="utf-8")
    # dbt's own tag; a macro has the same arguments, and any Jinja knows it.
    text = re.sub(r"{%-?\s*test\s", "{% macro ", text)
    text = re.sub(r"{%-?\s*endtest\s*-?%}", "{% endmacro %}", text)
    macro = getattr(Environment(autoescape=False).from_string(text).module, name)
    with duckdb.connect() as connection:
        columns = fixture.columns
        connection.execute(
            f"create table model as select * from (values {rows}) as t({columns})"
        )
        if fixture.other:
            connection.execute(
                f"create table facts as"
                f" select * from (values {fixture.other}) as t({columns})"
            )
        found = connection.execute(macro(model="model", **fixture.arguments))
        return len(found.fetchall())


@pytest.mark.parametrize("name", _generic_tests())
def test_a_generic_test_passes_what_is_sound(name: str) -> None:
    assert _failing_rows(name, FIXTURES[name].sound) == 0


@pytest.mark.parametrize(
    ("name", "rows"),
    [(name, rows) for name, case in FIXTURES.items() for rows in case.broken],
)
def test_a_generic_test_finds_what_is_not(name: str, rows: str) -> None:
    assert _failing_rows(name, rows) > 0


def test_every_generic_test_has_a_fixture_and_is_used() -> None:
    assert FIXTURES.keys() == _generic_tests().keys()
    used = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("models", "seeds")
        for path in (DBT_PROJECT / folder).rglob("*.yml")
    )
    unused = [name for name in FIXTURES if not re.search(rf"(- |\[){name}\b", used)]
    assert unused == []
