"""Which mapping reads a text: by its required columns or paths, never by its name.

A text is sampled once for every way of reading it, however many mappings there are.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dagster_project.landing.documents import (
    inside,
    parsed,
    read_document,
    records_of,
    unwrapped,
    value_at,
)
from dagster_project.landing.reader import Plain, RefusedError
from dagster_project.mapping.compile import header_index
from dagster_project.mapping.model import Export, Reader, Source

MOST_COLUMNS = 500
_SAMPLE = 200
"""Lines or records that decide what a text is."""


@dataclass(frozen=True)
class Recognised:
    """Which mapping fits a file, and how its text is laid out.

    Attributes:
        source: the mapping.
        export: which of its exports.
        layout: table, ndjson or json.
        delimiter: of a table.
    """

    source: Source
    export: Export
    layout: str
    delimiter: str = ","


@dataclass(frozen=True)
class _Fit(Recognised):
    """A way to read the text, and the required inputs that it lacks then."""

    lacking: tuple[str, ...] = ()

    @property
    def asked(self) -> int:
        """How many inputs it asks for; a file without a header is known by its name."""
        return len(self.export.required) or len(self.export.reader.header)


def layout_of(plain: Plain) -> str:
    """What the text is by its first characters: ndjson, json or table.

    A broken first line does not make NDJSON something else, nor does a line of a
    printed document that happens to be an object: most of the first lines decide.
    """
    start = plain.head.lstrip()[:1]
    lines = [line for line in plain.head.split("\n")[:_SAMPLE] if line.strip()]
    # One array alone is a document; several are posts, one a line.
    kinds = (dict, list) if plain.line_count > 1 else (dict,)
    records = sum(isinstance(parsed(line), kinds) for line in lines)
    if 2 * records >= len(lines):
        return "ndjson"
    return "json" if start in ("{", "[") else "table"


def recognise(plain: Plain, name: str, sources: list[Source]) -> Recognised:
    """Find the export whose required columns or paths the file has.

    The one that asks for most wins, so that a narrow kind is not taken for a wide one.

    Raises:
        RefusedError: when none or more than one fits equally well.
    """
    text = _Text(plain)
    tried = _tried(text, name, sources)
    fitting: dict[tuple[str, str], _Fit] = {}
    for fit in tried:
        if not fit.lacking:
            fitting.setdefault((fit.source.source, fit.export.name), fit)
    if not fitting:
        raise text.bad_header or _unrecognised(tried)
    most = max(fit.asked for fit in fitting.values())
    best = [fit for fit in fitting.values() if fit.asked == most]
    if len(best) > 1:
        named = ", ".join(f"{fit.source.source}/{fit.export.name}" for fit in best)
        raise RefusedError(
            "ambiguous_export",
            f"Fits {named} equally. Put it under <inbox>/<source>/.",
        )
    return best[0]


def near_misses(
    plain: Plain, name: str, sources: list[Source]
) -> list[tuple[Source, Export, tuple[str, ...]]]:
    """Exports of which a text has some required inputs, and what it lacks of them.

    The nearest first; without those that fit.
    """
    misses = {
        (fit.source.source, fit.export.name): fit
        for fit in _tried(_Text(plain), name, sources)
        if 0 < len(fit.lacking) < fit.asked
    }
    nearest = sorted(misses.values(), key=lambda fit: len(fit.lacking) / fit.asked)
    return [(fit.source, fit.export, fit.lacking) for fit in nearest]


def _tried(text: _Text, name: str, sources: list[Source]) -> list[_Fit]:
    return [
        _Fit(source, export, *way, lacking=tuple(text.lacking(export, *way)))
        for source in sources
        for export in source.exports
        if _name_fits(export, name)
        for way in text.ways(export)
    ]


def _name_fits(export: Export, name: str) -> bool:
    return export.file_name is None or re.search(export.file_name, name) is not None


@dataclass
class _Text:
    """A text's samples, each read once."""

    plain: Plain
    _headers: dict[str, tuple[str, ...] | RefusedError] = field(default_factory=dict)
    _samples: dict[tuple[str, str | None], list[dict[str, Any]]] = field(
        default_factory=dict
    )

    @cached_property
    def layout(self) -> str:
        return layout_of(self.plain)

    @cached_property
    def document(self) -> Any:
        try:
            return read_document(self.plain)
        except RefusedError as refused:
            if refused.reason == "too_large":
                raise
            return None

    @cached_property
    def posts(self) -> list[Any]:
        """The first lines as JSON."""
        return [parsed(line) for line in self.plain.head.split("\n")[:_SAMPLE]]

    def ways(self, export: Export) -> list[tuple[str, str]]:
        """Layouts and delimiters of the export; the first that fits counts."""
        formats = set(export.reader.formats)
        tables = [("table", mark) for mark in delimiters_of(export)]
        if self.plain.has_typed_cells:
            # A number written here as 1.234 would be read as 1234 with another mark.
            is_safe = export.numbers.decimal == "."
            return [("table", ",")] if "csv" in formats and is_safe else []
        if self.layout == "table":
            return tables
        found = [self.layout]
        if self.plain.line_count == 1:
            # One line alone may be a whole document, or a post of several records.
            is_page = self.layout == "json" or export.reader.items
            found = ["json", "ndjson"] if is_page else ["ndjson", "json"]
        return [(layout, "") for layout in found if layout in formats]

    def lacking(self, export: Export, layout: str, delimiter: str) -> list[str]:
        """Required inputs that the text does not have, as the mapping names them."""
        if layout == "table":
            header = self.header(delimiter)
            if given := export.reader.header:
                return [f"{len(given)} columns"] if len(header) != len(given) else []
            return [
                entry.column[0] if entry.column else name
                for name, entry in export.required.items()
                if header_index(entry, header) is None
            ]
        samples = self.records(export.reader, layout)
        if export.reader.unwrap:
            samples = [unwrapped(record, export.reader.unwrap) for record in samples]
        return [
            entry.json_paths[0]
            for entry in export.required.values()
            if not any(
                value_at(sample, path) is not None
                for sample in samples
                for path in entry.json_paths
            )
        ]

    def header(self, delimiter: str) -> tuple[str, ...]:
        """The header so divided; empty where no header can be read so."""
        if delimiter not in self._headers:
            try:
                self._headers[delimiter] = read_header(self.plain, delimiter)[0]
            except RefusedError as refused:
                self._headers[delimiter] = refused
        header = self._headers[delimiter]
        return () if isinstance(header, RefusedError) else header

    @property
    def bad_header(self) -> RefusedError | None:
        """Why no header can be read, however the first line is divided."""
        found = list(self._headers.values())
        refused = [header for header in found if isinstance(header, RefusedError)]
        return refused[0] if refused and len(refused) == len(found) else None

    def records(self, reader: Reader, layout: str) -> list[dict[str, Any]]:
        """The first records as the export would read them, still wrapped."""
        key = (layout, reader.items)
        if key not in self._samples:
            self._samples[key] = self._read(reader, layout)
        return self._samples[key]

    def _read(self, reader: Reader, layout: str) -> list[dict[str, Any]]:
        if layout == "json":
            document = self.document
            try:
                return records_of(document, reader.items)[:_SAMPLE]
            except RefusedError:
                return []
        records: list[dict[str, Any]] = []
        for post in self.posts:
            inner = inside(post, reader.items)
            found = inner if isinstance(inner, list) else [inner]
            records += [record for record in found if isinstance(record, dict)]
        return records[:_SAMPLE]


def _unrecognised(tried: list[_Fit]) -> RefusedError:
    if not tried:
        return RefusedError(
            "unknown_export", "No mapping reads a file laid out like this one."
        )
    nearest = min(tried, key=lambda fit: len(fit.lacking) / fit.asked)
    lacking = nearest.lacking
    return RefusedError(
        "missing_column" if len(lacking) < nearest.asked else "unknown_export",
        f"Nearest mapping is {nearest.source.source}/{nearest.export.name}; the file"
        f" lacks the required {', '.join(lacking)}. Export it with that column, or add"
        " a mapping.",
        line=1,
        column=lacking[0],
    )


def delimiters_of(export: Export) -> list[str]:
    """What may divide a table-like export."""
    formats = export.reader.formats
    marks = export.reader.delimiter if "csv" in formats else []
    return [*marks, "\t"] if "tsv" in formats else marks


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
