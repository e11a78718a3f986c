"""An export somebody has, as columns or JSON paths with the texts found there.

Read with the landing reader, so that what can be drafted can be landed. Values are
looked at here and in ``shapes.py`` and go no further.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.landing import reader
from dagster_project.landing.containers import members
from dagster_project.landing.documents import parsed, parsed_object, read_document
from dagster_project.landing.reader import Plain
from dagster_project.landing.recognition import layout_of, read_header
from dagster_project.mapping.document import MappingError

MOST_RECORDS = 2000
"""How many records are looked at."""
MOST_DRAFTED = 6
"""How many kinds of files of one container."""
_ENCODINGS = ("utf-8", "cp1252")
_DELIMITERS = (",", ";", "\t", "|")
_EVERYWHERE = 0.95
_MOST_KEYS = 60
"""Keys beyond which an object's keys are data, such as one a person."""
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Leaf:
    """One column, or one path of a JSON record.

    Attributes:
        name: what the file calls it: the header, or the last key of the path.
        path: the JSON path; empty for a table.
        cells: the text a record, None where it has none.
        holds: text, texts (a list of them) or objects (a list of objects).
        inner: for objects: their own leaves.
    """

    name: str
    path: str = ""
    cells: list[str | None] = field(default_factory=list)
    holds: str = "text"
    inner: list[Leaf] = field(default_factory=list)

    @property
    def values(self) -> list[str]:
        """The texts that are there."""
        return [cell for cell in self.cells if cell]

    @property
    def coverage(self) -> float:
        """In what share of the records it says something."""
        return len(self.values) / len(self.cells) if self.cells else 0.0

    @property
    def is_everywhere(self) -> bool:
        """Whether a file of this kind always has it: a header does."""
        return not self.path or self.coverage >= _EVERYWHERE


@dataclass
class Example:
    """One text of the export.

    Attributes:
        member: its name inside a container, else empty.
        name: the file's own, or the member's, without its suffix.
        layout: table, ndjson or json.
        delimiter: of a table.
        encoding: that its bytes are in.
        items: where a JSON document keeps its records.
        unwrap: where a JSON record keeps the real one.
        leaves: in the order of the file.
        record_count: records looked at.
        shape: for JSON: one record, to imitate its nesting.
    """

    member: str
    layout: str
    delimiter: str = ","
    encoding: str = "utf-8"
    items: str | None = None
    unwrap: str | None = None
    leaves: list[Leaf] = field(default_factory=list)
    name: str = ""
    record_count: int = 0
    shape: dict[str, Any] = field(default_factory=dict)


def read_examples(file: Path) -> list[Example]:
    """Every kind of text in an export, each once.

    Raises:
        RefusedError: for a file that nothing could be read from.
        MappingError: for one that cannot be drafted from.
    """
    found: dict[tuple[str, ...], Example] = {}
    with tempfile.TemporaryDirectory(prefix="optout-draft-") as folder:
        for member in members(file):
            example = _read(member, file, Path(folder) / "text")
            same = tuple(leaf.path or leaf.name for leaf in example.leaves)
            found.setdefault(same, example)
            if len(found) == MOST_DRAFTED:
                break
    return list(found.values())


def _read(member: reader.Member, file: Path, target: Path) -> Example:
    encoding, plain = next(reader.readings(member, file, target, _ENCODINGS))
    name = Path(member.name or file.name).stem
    example = Example(member.name, layout_of(plain), encoding=encoding, name=name)
    if example.layout == "table":
        _read_table(example, plain)
    else:
        _read_json(example, plain)
    return example


# -- tables ------------------------------------------------------------------------


def _read_table(example: Example, plain: Plain) -> None:
    example.delimiter = max(_DELIMITERS, key=lambda mark: _divides(plain, mark))
    header = read_header(plain, example.delimiter)[0]
    if any("@" in name for name in header):
        raise MappingError(
            "The first line is a record and no header. Put a line of column names"
            " before it; `header` in sources/README.md reads the file without one."
        )
    rows = _rows(plain, example.delimiter)[1 : MOST_RECORDS + 1]
    rows = [row for row in rows if len(row) == len(header)]
    example.record_count = len(rows)
    example.leaves = [
        Leaf(name.strip(), cells=[row[place].strip() or None for row in rows])
        for place, name in enumerate(header)
        if name.strip()
    ]


def _divides(plain: Plain, mark: str) -> int:
    """How many columns a delimiter gives, were it the one; 0 where it is none."""
    rows = _rows(plain, mark)
    width = len(rows[0]) if rows else 0
    like = sum(len(row) == width for row in rows)
    return width if width > 1 and 2 * like > len(rows) else 0


def _rows(plain: Plain, mark: str) -> list[list[str]]:
    head = plain.head
    if len(head) == reader.HEAD:
        head = head.rpartition("\n")[0]
    lines = csv.reader(io.StringIO(head, newline=""), delimiter=mark)
    rows = []
    try:
        for row in lines:
            if row:
                rows.append(row)
            if len(rows) > MOST_RECORDS:
                break
    except csv.Error:
        pass  # what came before is example enough
    return rows


# -- JSON --------------------------------------------------------------------------


def _read_json(example: Example, plain: Plain) -> None:
    if example.layout == "ndjson" and plain.line_count == 1:
        example.layout = "json"
    records: list[dict[str, Any]] = []
    if example.layout == "json":
        document = read_document(plain)
        example.items, records = _records_in(document)
    else:
        for line in plain.head.split("\n")[:MOST_RECORDS]:
            post = parsed(line)
            posts = post if isinstance(post, list) else [post]
            records += [record for record in posts if isinstance(record, dict)]
    records = records[:MOST_RECORDS]
    example.unwrap, records = _unwrapped(records)
    example.record_count = len(records)
    example.shape = max(records, key=lambda record: len(str(record)), default={})
    found: dict[str, Leaf] = {}
    for number, record in enumerate(records):
        for leaf, value in _leaves(record, "$"):
            known = found.setdefault(leaf.path, leaf)
            known.cells += [None] * (number - len(known.cells))
            if value is not None and len(known.cells) == number:
                known.cells.append(value)
            known.inner += [
                inner
                for inner in leaf.inner
                if inner.name not in {other.name for other in known.inner}
            ]
    for leaf in found.values():
        leaf.cells += [None] * (len(records) - len(leaf.cells))
    example.leaves = list(found.values())


def _records_in(document: Any) -> tuple[str | None, list[dict[str, Any]]]:
    """Where a document keeps its records: the longest list of objects in it."""
    if isinstance(document, list):
        return None, [record for record in document if isinstance(record, dict)]
    lists = sorted(_lists(document, "$", 3), key=lambda entry: -len(entry[1]))
    if not lists:
        return None, [document] if isinstance(document, dict) else []
    return lists[0]


def _lists(
    value: Any, path: str, depth: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        below = _step(path, key)
        objects = isinstance(inner, list) and all(isinstance(e, dict) for e in inner)
        if inner and objects:
            yield below, inner
        elif depth:
            yield from _lists(inner, below, depth - 1)


def _unwrapped(
    records: list[dict[str, Any]],
) -> tuple[str | None, list[dict[str, Any]]]:
    """Records that are a JSON text inside an envelope, taken out of it."""
    keys = {key for record in records for key in record}
    for key in sorted(keys):
        texts = [record.get(key) for record in records]
        inner = [parsed_object(text) for text in texts if isinstance(text, str)]
        objects = [entry for entry in inner if entry]
        if objects and 2 * len(objects) > len(records):
            return _step("$", key), objects
    return None, records


def _leaves(value: dict[str, Any], path: str) -> Iterator[tuple[Leaf, str | None]]:
    """Paths of a record that hold something, with their text."""
    if len(value) > _MOST_KEYS or any("@" in key for key in value):
        return  # keys that are data name people
    for key, inner in value.items():
        below = _step(path, key)
        if isinstance(inner, dict):
            yield from _leaves(inner, below)
        elif isinstance(inner, list):
            yield _list_leaf(key, below, inner)
        else:
            yield Leaf(key, below), _text(inner)


def _list_leaf(key: str, path: str, value: list[Any]) -> tuple[Leaf, str | None]:
    objects = [entry for entry in value if isinstance(entry, dict)]
    if not objects:
        texts = [text for entry in value if (text := _text(entry))]
        first = texts[0] if texts else None
        return Leaf(key, path, holds="texts"), first
    leaf = Leaf(key, path, holds="objects")
    known: dict[str, Leaf] = {}
    for entry in objects:
        for inner, text in _leaves(entry, "$"):
            known.setdefault(inner.path, inner).cells.append(text)
    leaf.inner = list(known.values())
    return leaf, None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() or None


def _step(path: str, key: str) -> str:
    return f"{path}.{key}" if _BARE_KEY.fullmatch(key) else f'{path}."{key}"'
