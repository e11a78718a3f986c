"""``sources/README.md`` says exactly what the mapping language is."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.mapping import model
from dagster_project.mapping.canonical import FIELDS
from dagster_project.mapping.compile import Circumstances, compile_export
from dagster_project.mapping.expression import FUNCTIONS, KEYWORDS
from dagster_project.mapping.model import load_source
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import SEEDS, SOURCES

README = (SOURCES / "README.md").read_text(encoding="utf-8")
EXAMPLE = README.split("```yaml\n")[1].split("```")[0]


def listed(after: str) -> dict[str, str]:
    """Name -> cell of the table behind a marker."""
    table = README.split(f"<!-- {after} -->\n")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {name.strip("`"): cell for name, cell in rows}


def columns(cell: str) -> list[tuple[str, bool, str | None]]:
    """(name, whether it is required, what stands behind its colon)."""
    found = []
    for part in cell.split(", "):
        name, _, kind = part.partition(": ")
        found.append((name.strip("*"), name.startswith("**"), kind or None))
    return found


def test_the_example_is_a_mapping_that_compiles(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "source.yaml").write_text(EXAMPLE, encoding="utf-8")
    source = load_source(folder)
    moment = datetime(2026, 11, 1)
    circumstances = Circumstances("UTC", {}, moment, moment, None)
    for export in source.exports:
        assert compile_export(source, export, circumstances, vocabularies(SEEDS)).select


MODELS = {
    "source": model.Source,
    "export": model.Export,
    "reader": model.Reader,
    "numbers": model.Numbers,
    "times": model.Times,
    "an input": model.Input,
    "an event rule": model.EventRule,
    "a skip rule": model.SkipRule,
    "reasons": model.Reasons,
    "vendor_rate": model.VendorRate,
    "a setting": model.Setting,
}


def _keys(content: Any) -> set[str]:
    if isinstance(content, dict):
        return set(content) | {
            key for value in content.values() for key in _keys(value)
        }
    if isinstance(content, list):
        return {key for value in content for key in _keys(value)}
    return set()


@pytest.mark.parametrize("what", MODELS)
def test_the_example_shows_every_key_of(what: str) -> None:
    shown = _keys(yaml.safe_load(EXAMPLE))
    assert set(MODELS[what].model_fields) - {"folder"} <= shown


def test_the_functions_are_those_that_are_allowed() -> None:
    section = README.split("## Expressions")[1].split("##")[0]
    table = section.split("|---|---|\n")[1]
    named = {word for code in re.findall("`(.*?)`", table) for word in code.split()}
    assert named - {"unknown"} == FUNCTIONS
    words = section.split("`and ")[1].split("`")[0].split()
    assert {"and", *words} == KEYWORDS


def test_the_canonical_columns_are_those_of_the_tables() -> None:
    kinds = {
        table: [
            (
                column.name,
                column.required,
                column.words or (None if column.kind == "text" else column.kind),
            )
            for column in fields
        ]
        for table, fields in FIELDS.items()
    }
    assert {table: columns(cell) for table, cell in listed("columns").items()} == kinds


def test_the_documented_columns_are_those_of_the_generic_mapping() -> None:
    exports = load_source(SOURCES / "generic").exports
    named = {
        export.name: {
            (column, entry.required, None)
            for entry in export.inputs.values()
            for column in entry.column
        }
        for export in exports
    }
    assert {
        name: set(columns(cell)) for name, cell in listed("generic").items()
    } == named
