"""JSON that is parsed here and not by the engine: documents, and samples of any text.

Numbers stay the text they are: an id of 30 digits must not become a float.
"""

from __future__ import annotations

import csv
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from dagster_project.landing.reader import Plain, RefusedError

LARGEST_DOCUMENT = 64 << 20
"""Bytes of a text that must be parsed whole."""


def parsed(text: str) -> Any:
    """What a text holds as JSON; None where it is none."""
    try:
        # A number of thousands of digits is refused as a number.
        return json.loads(text, parse_int=str)
    except (json.JSONDecodeError, RecursionError):
        return None


def parsed_object(text: str) -> dict[str, Any] | None:
    """A JSON object, or None where the text is anything else."""
    found = parsed(text)
    return found if isinstance(found, dict) else None


def value_at(record: Any, path: str) -> Any:
    """The value at a JSON path of the kind mappings use: keys, quoted or bare."""
    for name, place in _steps(path):
        record = record.get(name) if isinstance(record, dict) else None
        if place is not None:
            is_there = isinstance(record, list) and len(record) > place
            record = record[place] if is_there else None
    return record


@lru_cache(maxsize=10_000)
def _steps(path: str) -> tuple[tuple[str, int | None], ...]:
    keys = next(csv.reader([path.removeprefix("$.")], delimiter="."))
    parts = (key.partition("[") for key in keys)
    return tuple(
        (name, int(place.rstrip("]")) if place else None) for name, _, place in parts
    )


def read_document(plain: Plain) -> Any:
    """A whole text as one JSON document.

    Raises:
        RefusedError: when it is too large, or none.
    """
    if plain.byte_count > LARGEST_DOCUMENT:
        raise RefusedError(
            "too_large",
            f"A JSON document over {LARGEST_DOCUMENT >> 20} MB must be read whole."
            " Export it as one JSON object a line.",
        )
    try:
        return json.loads(
            plain.path.read_text(encoding="utf-8"), parse_float=str, parse_int=str
        )
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise RefusedError(
            "bad_json", "The JSON document is cut or malformed. Export it again.", line
        ) from None


def form_field(line: str, name: str) -> str | None:
    """A field of a line that is an HTML form, decoded; None where it has none."""
    found = re.search(form_pattern(name), line)
    return unquote_plus(found[1]) if found else None


def form_pattern(name: str) -> str:
    """Finds a field in an HTML form on one line; also for the engine."""
    return f"(?:^|&){re.escape(name)}=([^&]*)"


def records_of(document: Any, items: str | None) -> list[dict[str, Any]]:
    """The records of a document: an array of them, or of its pages or posts.

    Args:
        document: parsed JSON.
        items: where a page keeps its records.

    Raises:
        RefusedError: when something in it is no object.
    """
    pages = document if isinstance(document, list) else [document]
    records: list[Any] = []
    for page in pages:
        inner = inside(page, items)
        records += inner if isinstance(inner, list) else [inner]
    if not all(isinstance(record, dict) for record in records):
        raise RefusedError("bad_json", "Expected a JSON array of objects.")
    return records


def inside(page: Any, items: str | None) -> Any:
    """What a page holds: the value at its ``items``, or itself where it has none."""
    inner = value_at(page, items) if items else None
    return page if inner is None else inner


def unwrapped(record: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The real record inside a record, as the compiled SQL finds it."""
    for path in paths:
        inner = value_at(record, path)
        if isinstance(inner, str):
            inner = parsed_object(inner)
        if isinstance(inner, dict):
            return inner
    return record
