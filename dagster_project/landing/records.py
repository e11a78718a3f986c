"""Plain text to the raw relation a compiled mapping selects from.

The engine reads a well-formed file directly. Where it refuses, or counts differently
from our own count, the file is split here record by record instead: good records go on
and every bad one is named by its line.
"""

from __future__ import annotations

import csv
import io
import json
import re
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.landing.reader import Plain, RefusedError
from dagster_project.mapping.compile import Rejection, header_index, quote
from dagster_project.mapping.model import Export, Source

LONGEST_LINE = 2_000_000
"""Bytes of one line, the engine's own limit; a longer record is rejected."""
MOST_COLUMNS = 500
LARGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON document that must be parsed whole."""

# The parser's own default is 128 KB: a longer field would stop it, not be rejected.
csv.field_size_limit(LONGEST_LINE)

_LINE = (
    "read_csv({path}, header=false, auto_detect=false, delim='\x01', quote='',"
    " escape='', columns={{'record': 'VARCHAR'}})"
)


@dataclass(frozen=True)
class Broken:
    """A record that never became one."""

    record_number: int
    line_number: int | None
    rejection: Rejection


@dataclass
class Framed:
    """A file as records.

    Attributes:
        relation: SQL giving record_number and the raw columns.
        record_count: what the relation must give, counted independently.
        header: column names in file order; None for JSON.
        broken: records split off before the relation.
        is_careful: whether the records were split here.
    """

    relation: str
    record_count: int
    header: tuple[str, ...] | None
    broken: list[Broken] = field(default_factory=list)
    is_careful: bool = False
    _lines: array[int] | None = None
    _header_lines: int = 0
    _plain: Plain | None = None
    _delimiter: str = ","

    def lines_of(self, numbers: set[int]) -> dict[int, int]:
        """Physical line of each record number that is asked for, where one exists."""
        if self._lines is not None:
            return {number: self._lines[number - 1] for number in numbers}
        if self._plain is None or not numbers:
            return {}
        if self.header is None:
            return {number: number for number in numbers}
        if not (self._plain.has_quotes or self._plain.has_blank_lines):
            return {number: number + self._header_lines for number in numbers}
        return self._counted_lines(self._plain, numbers)

    def _counted_lines(self, plain: Plain, numbers: set[int]) -> dict[int, int]:
        """First lines by reading along; the engine has shown that the text is sound."""
        found = {}
        with plain.path.open(encoding="utf-8", newline="\n") as handle:
            reader = csv.reader(handle, delimiter=self._delimiter)
            next(reader)
            number, first = 0, reader.line_num + 1
            for row in reader:
                if row:
                    number += 1
                    if number in numbers:
                        found[number] = first
                first = reader.line_num + 1
        return found


@dataclass(frozen=True)
class Recognised:
    """Which mapping fits a file, and how its text is laid out."""

    source: Source
    export: Export
    layout: str


def layout_of(plain: Plain) -> str:
    """What the text is by its first characters: ndjson, json or table.

    A broken first line does not make NDJSON something else, nor does a line of a
    printed document that happens to be an object: most of the first lines decide.
    """
    start = plain.head.lstrip()[:1]
    lines = [line for line in plain.head.split("\n")[:200] if line.strip()]
    objects = sum(parsed_object(line) is not None for line in lines)
    if 2 * objects >= len(lines):
        return "ndjson"
    return "json" if start in ("{", "[") else "table"


def recognise(plain: Plain, name: str, sources: list[Source]) -> Recognised:
    """Find the export whose required columns or paths the file has.

    The one that asks for most wins, so that a narrow kind is not taken for a wide one.

    Raises:
        RefusedError: when none or more than one fits equally well.
    """
    layout = layout_of(plain)
    candidates = [
        (source, export)
        for source in sources
        for export in source.exports
        if _name_fits(export, name)
    ]
    missing = _missing_of(candidates, plain, layout)
    if layout == "ndjson" and plain.line_count == 1 and [] not in missing.values():
        # One object alone may be a whole document on one line.
        layout = "json"
        missing |= {
            index: lacking
            for index, lacking in _missing_of(candidates, plain, layout).items()
            if lacking is not None
        }
    fitting = [index for index, lacking in missing.items() if lacking == []]
    if not fitting:
        raise _unrecognised(candidates, missing)
    most = max(len(candidates[index][1].required) for index in fitting)
    best = [candidates[i] for i in fitting if len(candidates[i][1].required) == most]
    if len(best) > 1:
        named = ", ".join(f"{source.source}/{export.name}" for source, export in best)
        raise RefusedError(
            "ambiguous_export",
            f"Fits {named} equally. Put it under <inbox>/<source>/.",
        )
    return Recognised(*best[0], layout)


def _name_fits(export: Export, name: str) -> bool:
    return export.file_name is None or re.search(export.file_name, name) is not None


def _missing_of(
    candidates: list[tuple[Source, Export]], plain: Plain, layout: str
) -> dict[int, list[str] | None]:
    return {
        index: _missing(export, plain, layout)
        for index, (_, export) in enumerate(candidates)
    }


def _missing(export: Export, plain: Plain, layout: str) -> list[str] | None:
    """Required inputs the file lacks; None when the export is not of this layout."""
    formats = set(export.reader.formats)
    if layout == "table":
        if not formats & {"csv", "tsv"}:
            return None
        header = read_header(plain, delimiter_of(export))[0]
        return [
            entry.column[0] if entry.column else name
            for name, entry in export.required.items()
            if header_index(entry, header) is None
        ]
    if layout not in formats:
        return None
    samples = _sample_records(export, plain, layout)
    return [
        entry.json_paths[0]
        for entry in export.required.values()
        if not any(
            _at(sample, path) is not None
            for sample in samples
            for path in entry.json_paths
        )
    ]


def _unrecognised(
    candidates: list[tuple[Source, Export]], missing: dict[int, list[str] | None]
) -> RefusedError:
    near = [
        (len(lacking) / max(len(candidates[index][1].required), 1), index)
        for index, lacking in missing.items()
        if lacking
    ]
    if not near:
        return RefusedError(
            "unknown_export", "No mapping reads a file laid out like this one."
        )
    share, index = min(near)
    source, export = candidates[index]
    lacking = missing[index] or []
    return RefusedError(
        "missing_column" if share < 1 else "unknown_export",
        f"Nearest mapping is {source.source}/{export.name}; the file lacks the required"
        f" {', '.join(lacking)}. Export it with that column, or add a mapping.",
        line=1,
        column=lacking[0],
    )


def delimiter_of(export: Export) -> str:
    """The delimiter of a table-like export."""
    return "\t" if "tsv" in export.reader.formats else export.reader.delimiter[0]


def read_header(plain: Plain, delimiter: str) -> tuple[tuple[str, ...], int]:
    """The header's names and how many physical lines it takes.

    Raises:
        RefusedError: for a header that cannot be one.
    """
    reader = csv.reader(io.StringIO(plain.head), delimiter=delimiter, strict=True)
    try:
        header = tuple(next(row for row in reader if row))
    except (csv.Error, StopIteration):
        raise RefusedError("bad_header", "The first line is no header.", 1) from None
    if len(header) > MOST_COLUMNS:
        raise RefusedError("bad_header", f"More than {MOST_COLUMNS} columns.", 1)
    return header, reader.line_num


def frame(plain: Plain, found: Recognised, target: Path, *, careful: bool) -> Framed:
    """Lay a file out as records.

    Args:
        plain: the judged text.
        found: which mapping reads it.
        target: a path for the split-off good records, should they be needed.
        careful: split record by record instead of letting the engine read the file.

    Raises:
        RefusedError: when the file as a whole is not what it seemed.
    """
    if found.layout == "table":
        return _frame_table(plain, found.export, target, careful)
    if found.layout == "json":
        return _frame_document(plain, found.export, target)
    return _frame_lines(plain, target, careful)


def _frame_table(plain: Plain, export: Export, target: Path, careful: bool) -> Framed:
    delimiter = delimiter_of(export)
    header, header_lines = read_header(plain, delimiter)
    _refuse_doubled(export, header)
    framed = Framed(
        relation="",
        record_count=plain.record_count - 1,
        header=header,
        is_careful=careful,
        _header_lines=header_lines,
        _plain=plain,
        _delimiter=delimiter,
    )
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header)))
    options = (
        "header=false, auto_detect=false, quote='\"', escape='\"', null_padding=false"
    )
    if not careful:
        framed.relation = (
            "select row_number() over () as record_number, * from"
            f" read_csv({quote(str(plain.path))}, delim={quote(delimiter)},"
            f" skip={header_lines}, columns={{{columns}}}, {options})"
        )
        return framed
    _split_table(plain, delimiter, len(header), target, framed)
    framed.relation = (
        f"select * from read_csv({quote(str(target))}, delim=',', columns="
        f"{{'record_number': 'BIGINT', {columns}}}, {options})"
    )
    return framed


def _refuse_doubled(export: Export, header: tuple[str, ...]) -> None:
    names = [name.strip().casefold() for name in header]
    used = {
        column.strip().casefold()
        for entry in export.inputs.values()
        for column in entry.column
    }
    for name in sorted(used):
        if names.count(name) > 1:
            raise RefusedError(
                "doubled_column",
                f"The column {name} occurs twice; nobody can say which counts.",
                1,
                name,
            )


def _split_table(
    plain: Plain, delimiter: str, width: int, target: Path, framed: Framed
) -> None:
    framed._lines = array("q")
    expected = f"{width} fields, as in the header"
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n", quoting=csv.QUOTE_ALL)
        good = 0
        for number, (line, row) in enumerate(_rows(plain, delimiter, width)):
            if number == 0:
                continue
            framed._lines.append(line)
            if row is not None and len(row) == width:
                writer.writerow([number, *row])
                good += 1
                continue
            rejection = (
                Rejection("bad_quotes", "record", "closed quotes and a line under 2 MB")
                if row is None
                else Rejection("wrong_field_count", "record", expected)
            )
            framed.broken.append(Broken(number, line, rejection))
    framed.record_count = good


def _rows(
    plain: Plain, delimiter: str, width: int
) -> Iterator[tuple[int, list[str] | None]]:
    """Every record with its first line; None for one that cannot be parsed.

    A record that spans lines and then fails, or has not ``width`` fields, gives up its
    first line only: an open quote never swallows the good records behind it.
    """
    with plain.path.open(encoding="utf-8", newline="\n") as handle:
        lines = enumerate(handle, start=1)
        waiting: deque[tuple[int, str]] = deque()
        while True:
            entry = waiting.popleft() if waiting else next(lines, None)
            if entry is None:
                return
            line, text = entry
            if not text.strip("\n"):
                continue
            taken = [entry]
            size, quotes = len(text), text.count('"')
            row = _parse(text, delimiter)
            while row is None and quotes % 2 and size < LONGEST_LINE:
                following = waiting.popleft() if waiting else next(lines, None)
                if following is None:
                    break
                taken.append(following)
                size += len(following[1])
                quotes += following[1].count('"')
                if quotes % 2 == 0:
                    row = _parse("".join(part for _, part in taken), delimiter)
            if row is None or (len(taken) > 1 and len(row) != width):
                row = None
                waiting.extendleft(reversed(taken[1:]))
            yield line, row


def _parse(text: str, delimiter: str) -> list[str] | None:
    if len(text) >= LONGEST_LINE:
        return None
    try:
        rows = list(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        )
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _frame_lines(plain: Plain, target: Path, careful: bool) -> Framed:
    framed = Framed("", plain.line_count, None, is_careful=careful, _plain=plain)
    path = plain.path
    if careful:
        path = target
        _split_lines(plain, target, framed)
    # Blank lines keep their number, so that a record's number is its line.
    framed.relation = (
        "select * from (select row_number() over () as record_number, record from "
        f"{_LINE.format(path=quote(str(path)))}) where trim(record) <> ''"
    )
    return framed


def _split_lines(plain: Plain, target: Path, framed: Framed) -> None:
    good = 0
    with plain.path.open("rb") as lines, target.open("wb") as handle:
        for line, text in enumerate(lines, start=1):
            if len(text) < LONGEST_LINE and b"\x01" not in text:
                handle.write(text)
                good += bool(text.strip())
                continue
            handle.write(b"\n")
            rejection = Rejection("bad_json", "record", "one JSON object under 2 MB")
            framed.broken.append(Broken(line, line, rejection))
    framed.record_count = good


def _frame_document(plain: Plain, export: Export, target: Path) -> Framed:
    records = _document_records(export, plain)
    with target.open("w", encoding="utf-8") as handle:
        for record in records:
            # Escaped, so that half a surrogate pair costs its record, not the file.
            handle.write(json.dumps(record) + "\n")
    return Framed(
        relation=(
            "select row_number() over () as record_number, record from "
            f"{_LINE.format(path=quote(str(target)))}"
        ),
        record_count=len(records),
        header=None,
    )


def _document_records(export: Export, plain: Plain) -> list[Any]:
    if plain.byte_count > LARGEST_DOCUMENT:
        raise RefusedError(
            "too_large",
            f"A JSON document over {LARGEST_DOCUMENT >> 20} MB must be read whole."
            " Export it as one JSON object a line.",
        )
    try:
        # Numbers stay the text they are: an id of 30 digits must not become a float.
        document = json.loads(
            plain.path.read_text(encoding="utf-8"), parse_float=str, parse_int=str
        )
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise RefusedError(
            "bad_json", "The JSON document is cut or malformed. Export it again.", line
        ) from None
    if isinstance(document, dict) and export.reader.items:
        document = _at(document, export.reader.items)
    records = document if isinstance(document, list) else [document]
    if not all(isinstance(record, dict) for record in records):
        raise RefusedError("bad_json", "Expected a JSON array of objects.")
    return records


def _sample_records(export: Export, plain: Plain, layout: str) -> list[dict[str, Any]]:
    if layout == "json":
        try:
            records = _document_records(export, plain)[:200]
        except RefusedError as refused:
            if refused.reason == "too_large":
                raise
            return []
    else:
        lines = plain.head.split("\n")[:200]
        records = [entry for line in lines if (entry := parsed_object(line))]
    return [_unwrapped(record, export.reader.unwrap) for record in records]


def _unwrapped(record: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    for path in paths:
        inner = _at(record, path)
        if isinstance(inner, str):
            inner = parsed_object(inner)
        if isinstance(inner, dict):
            return inner
    return record


def parsed_object(text: str) -> dict[str, Any] | None:
    """A JSON object, or None where the text is anything else."""
    try:
        # Numbers stay text: one of thousands of digits is refused as a number.
        parsed = json.loads(text, parse_int=str)
    except (json.JSONDecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _at(record: Any, path: str) -> Any:
    """The value at a JSON path of the kind mappings use: keys, quoted or bare."""
    rows = csv.reader([path.removeprefix("$.")], delimiter=".")
    for key in next(rows):
        name, _, place = key.partition("[")
        record = record.get(name) if isinstance(record, dict) else None
        if place:
            index = int(place.rstrip("]"))
            is_there = isinstance(record, list) and len(record) > index
            record = record[index] if is_there else None
    return record
