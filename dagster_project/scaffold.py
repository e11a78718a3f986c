"""Begins a source: a draft mapping with every column of a real export as an input.

The draft is not loaded until its owner has said what the columns mean and renamed it:
nothing here guesses.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from dagster_project.landing.containers import members
from dagster_project.landing.documents import parsed_object
from dagster_project.landing.reader import read_plain
from dagster_project.landing.recognition import layout_of, read_header
from dagster_project.mapping.canonical import FIELDS
from dagster_project.mapping.model import NAME, MappingError
from dagster_project.settings import SOURCES

_ADVICE = """\
# Draft. Say what the export is, keep the inputs that matter (mark those that identify
# the file with required: true), map them under fields, then rename this file to
# source.yaml and put a sample.* and its expected rows beside it.
# The mapping on one page: ../README.md. Columns to fill, by table:
"""


def new_source(name: str, example: Path | None) -> Path:
    """Write ``sources/<name>/source.draft.yaml``.

    Args:
        name: lower case letters, digits and ``_``.
        example: an export whose columns become the draft's inputs; its values do not.

    Returns:
        The draft.

    Raises:
        MappingError: for a name that cannot be a folder of ours, or that exists.
        RefusedError: when the example cannot be read.
    """
    folder = SOURCES / name
    if not NAME.fullmatch(name):
        raise MappingError(f"`{name}`: a source is lower case letters, digits and _")
    if folder.exists():
        raise MappingError(f"The source {name} exists already: {folder}")
    inputs, layout = _inputs(example) if example else ({}, "csv")
    draft = {
        "source": name,
        "kind": "esp",
        "title": name,
        "notes": "Where the vendor defines its columns, and where it was read.",
        "exports": [
            {
                "name": "export",
                "lands": "campaign_stats",
                "reader": {"formats": [layout]},
                "inputs": inputs,
                "fields": {},
            }
        ],
    }
    tables = "".join(
        f"#   {table}: {', '.join(column.name for column in columns)}\n"
        for table, columns in FIELDS.items()
    )
    folder.mkdir()
    path = folder / "source.draft.yaml"
    text = yaml.safe_dump(draft, sort_keys=False, allow_unicode=True)
    path.write_text(_ADVICE + tables + text, encoding="utf-8")
    return path


def _inputs(example: Path) -> tuple[dict[str, dict[str, str]], str]:
    with tempfile.TemporaryDirectory() as folder:
        member = members(example)[0]
        plain = read_plain(member, example, Path(folder) / "text", "utf-8")
        layout = layout_of(plain)
        if layout == "table":
            header = read_header(plain, ",")[0]
            return {_plain_name(name): {"column": name} for name in header}, "csv"
        records = (parsed_object(line) for line in plain.head.split("\n"))
        first = next((record for record in records if record), {})
        return {_plain_name(key): {"path": f'$."{key}"'} for key in first}, layout


def _plain_name(name: str) -> str:
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "_".join(words.split()) or "column"
