"""Which mapping reads a text: by its required columns or paths, never by its name.

A text is sampled once for every way of reading it, however many mappings there are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from dagster_project.landing.documents import (
    form_field,
    inside,
    parsed,
    read_document,
    records_of,
    unwrapped,
    value_at,
)
from dagster_project.landing.mail import as_record, is_mail, messages
from dagster_project.landing.reader import Plain, RefusedError
from dagster_project.landing.reports import read_report
from dagster_project.mapping.compile import header_index, outside_record
from dagster_project.mapping.model import Export, Input, Reader, Source

MOST_COLUMNS = 500
_SAMPLE = 200
"""Lines or records that decide what a text is."""


@dataclass(frozen=True)
class Recognised:
    """Which mapping fits a file, and how its text is laid out.

    Attributes:
        source: the mapping.
        export: which of its exports.
        layout: table, ndjson, json, form, sections or mail.
        delimiter: of a table, or of sections.
        silent: required inputs that stand nowhere, though they might beside the record.
    """

    source: Source
    export: Export
    layout: str
    delimiter: str = ","
    silent: tuple[Input, ...] = ()


@dataclass(frozen=True)
class _Fit(Recognised):
    """A way to read the text, and what would identify it and is not there."""

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


def recognise(
    plain: Plain,
    name: str,
    sources: list[Source],
    sidecar: Mapping[str, str] | None = None,
) -> Recognised:
    """Find the export whose required columns or paths the file has.

    The one that asks for most wins, so that a narrow kind is not taken for a wide one.

    Args:
        plain: the text.
        name: the file's own name.
        sources: the mappings that may read it.
        sidecar: what the file of keys beside it says.

    Raises:
        RefusedError: when none or more than one fits equally well.
    """
    text = _Text(plain)
    tried = _tried(text, name, sources, sidecar or {})
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
    plain: Plain,
    name: str,
    sources: list[Source],
    sidecar: Mapping[str, str] | None = None,
) -> list[tuple[Source, Export, tuple[str, ...]]]:
    """Exports of which a text has some required inputs, and what it lacks of them.

    The nearest first; without those that fit.
    """
    misses = {
        (fit.source.source, fit.export.name): fit
        for fit in _tried(_Text(plain), name, sources, sidecar or {})
        if 0 < len(fit.lacking) < fit.asked
    }
    nearest = sorted(misses.values(), key=lambda fit: len(fit.lacking) / fit.asked)
    return [(fit.source, fit.export, fit.lacking) for fit in nearest]


def _tried(
    text: _Text, name: str, sources: list[Source], sidecar: Mapping[str, str]
) -> list[_Fit]:
    return [
        _fit(source, export, *way, text, name, sidecar)
        for source in sources
        for export in source.exports
        if _name_fits(export, name)
        for way in text.ways(export)
    ]


def _fit(
    source: Source,
    export: Export,
    layout: str,
    delimiter: str,
    text: _Text,
    name: str,
    sidecar: Mapping[str, str],
) -> _Fit:
    lacking, silent = [], []
    for entry in text.missing(export, layout, delimiter):
        if not entry.is_beside:
            places = entry.json_paths if layout != "table" else entry.column
            lacking.append((places or entry.path)[0])
        elif outside_record(entry, name, sidecar) is None:
            silent.append(entry)
    given = export.reader.header
    if given and len(text.header(delimiter)) != len(given):
        lacking.append(f"{len(given)} columns")
    return _Fit(
        source, export, layout, delimiter, tuple(silent), lacking=tuple(lacking)
    )


def _name_fits(export: Export, name: str) -> bool:
    return export.file_name is None or re.search(export.file_name, name) is not None


@dataclass
class _Text:
    """A text's samples, each read once."""

    plain: Plain
    _headers: dict[str, tuple[str, ...] | RefusedError] = field(default_factory=dict)
    _samples: dict[tuple[str | None, ...], list[dict[str, Any]]] = field(
        default_factory=dict
    )

    @cached_property
    def layout(self) -> str:
        return "table" if self.plain.has_typed_cells else layout_of(self.plain)

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

    def forms(self, field: str) -> list[str]:
        """What the field holds on each of the first lines that are forms with it."""
        lines = self.plain.head.split("\n")[:_SAMPLE]
        return [text for line in lines if (text := form_field(line, field))]

    def ways(self, export: Export) -> list[tuple[str, str]]:
        """Layouts and delimiters of the export; the first that fits counts."""
        if self.layout == "table":
            return self._ways_of_text(export)
        found = [self.layout]
        if self.plain.line_count == 1:
            # One line alone may be a whole document, or a post of several records.
            is_page = self.layout == "json" or export.reader.items
            found = ["json", "ndjson"] if is_page else ["ndjson", "json"]
        return [(layout, "") for layout in found if layout in export.reader.formats]

    def _ways_of_text(self, export: Export) -> list[tuple[str, str]]:
        formats, field = export.reader.formats, export.reader.form_field
        marks, tab = export.reader.delimiter, ["\t"]
        if self.plain.has_typed_cells:
            # A number written here as 1.234 would be read as 1234 with another mark.
            marks, tab = [","] if export.numbers.decimal == "." else [], []
        is_form = field is not None and any(self.forms(field))
        return [
            *(("table", mark) for mark in marks if "csv" in formats),
            *(("table", mark) for mark in tab if "tsv" in formats),
            *([("form", "")] if is_form else []),
            *(("sections", mark) for mark in marks if "sections" in formats),
            *([("mail", "")] if "mail" in formats and is_mail(self.plain.head) else []),
        ]

    def missing(self, export: Export, layout: str, delimiter: str) -> list[Input]:
        """Required inputs that the text itself does not have."""
        required = list(export.required.values())
        if layout == "table":
            header = tuple(export.reader.header) or self.header(delimiter)
            return [entry for entry in required if header_index(entry, header) is None]
        samples = self.records(export.reader, layout, delimiter)
        if export.reader.unwrap:
            samples = [unwrapped(record, export.reader.unwrap) for record in samples]
        return [
            entry
            for entry in required
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

    def records(
        self, reader: Reader, layout: str, delimiter: str
    ) -> list[dict[str, Any]]:
        """The first records as the export would read them, still wrapped."""
        how = {"form": reader.form_field, "sections": reader.repeat}
        key = (layout, delimiter, reader.items, how.get(layout))
        if key not in self._samples:
            self._samples[key] = self._read(reader, layout, delimiter)
        return self._samples[key]

    def _read(
        self, reader: Reader, layout: str, delimiter: str
    ) -> list[dict[str, Any]]:
        if layout == "sections":
            placed = read_report(self.plain, delimiter, reader.repeat)
            return [record for _, record in placed[:_SAMPLE]]
        if layout == "mail":
            texts = islice(messages(io.StringIO(self.plain.head)), _SAMPLE)
            parts = (as_record(text) for _, text in texts)
            return [record for record in parts if record is not None]
        if layout == "json":
            document = self.document
            try:
                return records_of(document, reader.items)[:_SAMPLE]
            except RefusedError:
                return []
        posts = self.posts
        if layout == "form" and reader.form_field is not None:
            posts = [parsed(text) for text in self.forms(reader.form_field)]
        records: list[dict[str, Any]] = []
        for post in posts:
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
