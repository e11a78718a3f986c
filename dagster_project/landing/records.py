"""Plain text to the raw relation a compiled mapping selects from.

The engine reads a well-formed file directly. Where it refuses, or counts differently
from our own count, the file is split here record by record instead: good records go on
and every bad one is named by its line.
"""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.landing import mail
from dagster_project.landing.documents import form_pattern, read_document, records_of
from dagster_project.landing.reader import Plain, RefusedError
from dagster_project.landing.recognition import Recognised, read_header
from dagster_project.landing.reports import read_report
from dagster_project.mapping.compile import Rejection, quote
from dagster_project.mapping.model import Export

LONGEST_LINE = 2_000_000
"""Bytes of one line, the engine's own limit; a longer record is rejected."""

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
        has_posts: whether a record may hold several items, in ``post_item`` order.
    """

    relation: str
    record_count: int
    header: tuple[str, ...] | None
    broken: list[Broken] = field(default_factory=list)
    is_careful: bool = False
    has_posts: bool = False
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
        """First lines by reading along; the engine has shown that the text is sound.

        A line of a sheet is its row, however many lines a cell has.
        """
        found = {}
        with plain.path.open(encoding="utf-8", newline="\n") as handle:
            reader = csv.reader(handle, delimiter=self._delimiter)
            number, first = -1 if self._header_lines else 0, 1
            for place, row in enumerate(reader, start=1):
                if row:
                    number += 1
                    if number in numbers:
                        found[number] = place if plain.has_typed_cells else first
                first = reader.line_num + 1
        return found


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
        return _frame_table(plain, found, target, careful)
    reader = found.export.reader
    if found.layout == "json":
        records = records_of(read_document(plain), reader.items)
        return _frame_parsed(((0, record) for record in records), target)
    if found.layout == "sections":
        return _frame_parsed(read_report(plain, found.delimiter, reader.repeat), target)
    if found.layout == "mail":
        with plain.path.open(encoding="utf-8", newline="\n") as handle:
            texts = mail.messages(handle)
            return _frame_parsed(
                ((line, mail.as_record(text)) for line, text in texts), target
            )
    return _frame_lines(plain, found, target, careful)


def _frame_table(
    plain: Plain, found: Recognised, target: Path, careful: bool
) -> Framed:
    delimiter = found.delimiter
    header, header_lines = tuple(found.export.reader.header), 0
    if not header:
        header, header_lines = read_header(plain, delimiter)
    _refuse_doubled(found.export, header)
    framed = Framed(
        relation="",
        record_count=plain.record_count - bool(header_lines),
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
        rows = _rows(plain, delimiter, width)
        if framed._header_lines:
            next(rows)
        for number, (line, row) in enumerate(rows, start=1):
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


def _frame_lines(
    plain: Plain, found: Recognised, target: Path, careful: bool
) -> Framed:
    reader = found.export.reader
    is_form = found.layout == "form" and reader.form_field is not None
    framed = Framed("", plain.line_count, None, is_careful=careful, _plain=plain)
    framed.has_posts = plain.has_array_lines or reader.items is not None or is_form
    path = plain.path
    if careful:
        path = target
        _split_lines(plain, target, framed)
    # Blank lines keep their number, so that a record's number is its line.
    framed.relation = (
        "select * from (select row_number() over () as record_number, record from "
        f"{_LINE.format(path=quote(str(path)))}) where trim(record) <> ''"
    )
    if is_form:
        framed.relation = _decoded(framed.relation, reader.form_field or "")
    if framed.has_posts:
        framed.relation = _elements(framed.relation, reader.items)
    return framed


def _decoded(lines: str, name: str) -> str:
    """The JSON in a field of each line; a form without it holds no JSON."""
    found = f"regexp_extract(record, {quote(form_pattern(name))}, 1)"
    return (
        "select record_number, coalesce(try(url_decode(replace("
        f"{found}, '+', ' '))), '') as record from ({lines})"
    )


def _elements(lines: str, items: str | None) -> str:
    """A row an element of each line's array, or of the one at its ``items``.

    A line that is no post is its own element; a post of nothing has one that is NULL.
    """
    inside = ""
    if items is not None:
        inner = quote(items)
        inside = (
            f" when json_type(record, {inner}) = 'ARRAY'"
            f" then json_extract(record, {quote(items + '[*]')})::varchar[]"
            f" when json_type(record, {inner}) = 'OBJECT'"
            f" then [json_extract(record, {inner})::varchar]"
        )
    return (
        "select record_number, unnest(elements) as record,"
        " generate_subscripts(elements, 1) as post_item from (select record_number,"
        " case when len(found) = 0 then [null] else found end as elements"
        " from (select record_number, case"
        " when not coalesce(json_valid(record), false) then [record]"
        " when starts_with(ltrim(record), '[')"
        f" then json_extract(record, '$[*]')::varchar[]{inside}"
        f" else [record] end as found from ({lines})))"
    )


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


def _frame_parsed(
    records: Iterable[tuple[int, dict[str, Any] | None]], target: Path
) -> Framed:
    """Records that were parsed here, each with its line where it has one."""
    lines = array("q")
    with target.open("w", encoding="utf-8") as handle:
        for line, record in records:
            # Escaped, so that half a surrogate pair costs its record, not the file.
            text = json.dumps(record)
            handle.write((text if len(text) < LONGEST_LINE else "null") + "\n")
            lines.append(line)
    framed = Framed(
        relation=(
            "select row_number() over () as record_number, record from "
            f"{_LINE.format(path=quote(str(target)))}"
        ),
        record_count=len(lines),
        header=None,
    )
    if any(lines):
        framed._lines = lines
    return framed
