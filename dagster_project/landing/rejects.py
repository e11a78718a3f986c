"""Rejected records, for the person who has to mend the export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow.parquet as pq

from dagster_project.landing.containers import members
from dagster_project.landing.ledger import Archive, Ledger, Load
from dagster_project.landing.reader import read_plain
from dagster_project.settings import Settings

_SHOWN = ("line_number", "column_name", "reason", "expected")


def rejected_records(
    settings: Settings, file: str | None, *, show_values: bool
) -> list[dict[str, Any]]:
    """Rejected records of all files, or of those that ``file`` names.

    Args:
        settings: whose home.
        file: a load's number, or part of a file's name.
        show_values: also the record's first line, read from the archive; the only
            place where the product prints what a person wrote.

    Returns:
        A row a rejected record, in order of file and line.
    """
    rows = []
    for load in Ledger(settings.at):
        numbers = (load.load, load.load.lstrip("0"))
        if file is None or file in numbers or file in load.file_name:
            rows += _of(settings, load, show_values=show_values)
    return rows


def _of(settings: Settings, load: Load, *, show_values: bool) -> list[dict[str, Any]]:
    path = settings.at.landing / f"load={load.load}" / "rejected_records.parquet"
    if not path.exists():
        return []
    # Read as one file: the folder's name would otherwise become a column.
    found = pq.ParquetFile(path).read().to_pylist()
    lines = _lines(settings, load, found) if show_values else {}
    return [
        {"file": load.file_name}
        | {name: row[name] for name in _SHOWN}
        | ({"record": lines.get(row["line_number"])} if show_values else {})
        for row in found
    ]


def _lines(
    settings: Settings, load: Load, rows: list[dict[str, Any]]
) -> dict[int, str]:
    wanted = {row["line_number"] for row in rows if row["line_number"]}
    if not wanted:
        return {}
    archived = Archive(settings.at).path(load.archive_sha256)
    member = next(entry for entry in members(archived) if entry.name == load.member)
    settings.at.make()
    text = settings.at.temporary / f"rejects-{load.load}.txt"
    try:
        plain = read_plain(member, archived, text, "utf-8")
        with plain.path.open(encoding="utf-8") as handle:
            # A line of a sheet is its row, however many lines a cell has.
            lines: Iterator[str] = handle
            if plain.has_typed_cells:
                lines = (",".join(row) for row in csv.reader(handle))
            numbered = enumerate(islice(lines, max(wanted)), start=1)
            return {
                line: entry.rstrip("\n") for line, entry in numbered if line in wanted
            }
    finally:
        text.unlink(missing_ok=True)
