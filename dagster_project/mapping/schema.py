"""The JSON Schema of ``source.yaml``: what an editor completes and underlines.

Made of the models and the canonical tables, so that it never says anything else than
the loader. What a schema cannot say (names, conditions, expressions) the loader does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from dagster_project.mapping import model
from dagster_project.mapping.canonical import FIELDS, Column, TableName
from dagster_project.mapping.vocabulary import Vocabulary

FILE = "source.schema.json"
"""Where `optout new-source` writes it: beside the folders of the sources."""
MODELINE = f"# yaml-language-server: $schema=../{FILE}"
"""The first line of a ``source.yaml`` that an editor finds the schema by."""

_MODELS: tuple[type[BaseModel], ...] = (
    model.Source,
    model.Export,
    model.Reader,
    model.Numbers,
    model.Times,
    model.Input,
    model.EventRule,
    model.SkipRule,
    model.VendorRate,
    model.Reasons,
    model.Setting,
)
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8,}.+)*)", re.MULTILINE)
_UNITS = {"time": "UTC", "percent": "0-100", "count": "whole, 0 or more"}


def source_schema(words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    """The schema.

    Args:
        words: the canonical vocabularies.
    """
    schema = model.Source.model_json_schema()
    parts = {"Source": schema, **schema["$defs"]}
    for described in _MODELS:
        _describe(parts[described.__name__], described)
    del schema["properties"]["folder"]
    schema["required"].remove("folder")
    _canonical_words(parts, words)
    parts["Export"]["allOf"] = [_columns(table, words) for table in FIELDS]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _describe(part: dict[str, Any], described: type[BaseModel]) -> None:
    """Sentence of the class and of each key, from the class's own docstring."""
    text = inspect.getdoc(described) or ""
    summary, _, attributes = text.partition("Attributes:\n")
    part["description"] = " ".join(summary.split())
    told = {
        name: " ".join(says.split()).replace("``", "`")
        for name, says in _ATTRIBUTE.findall(attributes)
    }
    for name, entry in part["properties"].items():
        entry.pop("title", None)
        if name in told:
            entry["description"] = told[name]


def _canonical_words(parts: dict[str, Any], words: Mapping[str, Vocabulary]) -> None:
    event_types = list(words["event_types"].words)
    for key in ("event_type", "otherwise"):
        _text_of(parts["EventRule"]["properties"][key])["enum"] = event_types
    columns = FIELDS["message_events"]
    parts["EventRule"]["properties"]["set"] |= {
        "properties": {column.name: _word(column, words) for column in columns},
        "additionalProperties": False,
    }
    reasons = list(words["opt_out_reason_words"].words)
    options = parts["Reasons"]["properties"]["options"]
    options["additionalProperties"] = {"type": "string", "enum": reasons}
    parts["Reasons"]["properties"]["offers"]["items"]["enum"] = reasons


def _text_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The part of an optional key that is a text."""
    texts = [part for part in entry["anyOf"] if part.get("type") == "string"]
    found: dict[str, Any] = texts[0]
    return found


def _word(column: Column, words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    if column.words is None:
        return {"type": "string"}
    return {"type": "string", "enum": list(words[column.words].words)}


def _columns(table: TableName, words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    """Which fields an export that lands in a table may fill."""
    fields = {
        column.name: {"type": "string", "description": _meaning(column, words)}
        for column in FIELDS[table]
    }
    return {
        "if": {"properties": {"lands": {"const": table}}, "required": ["lands"]},
        "then": {
            "properties": {
                "fields": {"properties": fields, "additionalProperties": False}
            }
        },
    }


def _meaning(column: Column, words: Mapping[str, Vocabulary]) -> str:
    needed = "Required. " if column.required else ""
    if column.words:
        return f"{needed}One of {', '.join(words[column.words].words)}."
    unit = f" ({_UNITS[column.kind]})" if column.kind in _UNITS else ""
    return f"{needed}A {column.kind}{unit}: an input or an expression."
