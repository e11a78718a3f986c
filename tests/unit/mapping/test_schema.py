"""The schema that editors use says what the loader says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from dagster_project.mapping.canonical import FIELDS
from dagster_project.mapping.schema import source_schema
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import SEEDS, SOURCES

SCHEMA = source_schema(vocabularies(SEEDS))
EXPORT: dict[str, Any] = {
    "name": "events",
    "lands": "message_events",
    "reader": {"formats": "csv"},
    "inputs": {"id": {"column": ["Id", "id"], "required": True}},
    "address": "id",
    "key": ["id"],
    "fields": {"occurred_at": "id"},
    "events": [
        {
            "when": "id = '1'",
            "event_type": "bounced",
            "set": {"bounce_class": "hard", "stream": "any"},
        },
        {"otherwise": "other"},
    ],
}
TOTALS: dict[str, Any] = {
    "name": "totals",
    "lands": "campaign_stats",
    "reader": {"formats": ["csv", "tsv"]},
    "inputs": {"id": {"column": "Id"}},
    "fields": {"campaign_id": "id"},
    "delivered": "reported",
}


def complaints(*exports: dict[str, Any], **top: Any) -> list[str]:
    content = {"source": "a", "kind": "esp", "title": "A", "notes": "n"}
    whole = content | {"exports": list(exports)} | top
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(whole)]


@pytest.mark.parametrize(
    "file", sorted(SOURCES.glob("*/source.yaml")), ids=lambda path: path.parent.name
)
def test_every_source_fits(file: Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    errors = Draft202012Validator(SCHEMA).iter_errors(content)
    assert [(list(error.path), error.message) for error in errors] == []


def test_the_schema_is_one_and_examples_fit() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert complaints(EXPORT, TOTALS) == []


@pytest.mark.parametrize(
    "export",
    [
        pytest.param(EXPORT | {"lnads": "x"}, id="misspelt key"),
        pytest.param(EXPORT | {"lands": "events"}, id="no such table"),
        pytest.param(EXPORT | {"reader": {"formats": "pdf"}}, id="no such format"),
        pytest.param(
            TOTALS | {"fields": {"event_type": "id"}}, id="a column of another table"
        ),
        pytest.param(TOTALS | {"delivered": "guessed"}, id="no such basis"),
        pytest.param(
            EXPORT | {"events": [{"when": "true", "event_type": "open"}]},
            id="no event type of ours",
        ),
        pytest.param(
            EXPORT
            | {
                "events": [
                    {
                        "when": "true",
                        "event_type": "bounced",
                        "set": {"bounce_class": "medium"},
                    }
                ]
            },
            id="no word of the column's list",
        ),
        pytest.param(
            EXPORT | {"reasons": {"value": "id", "options": {"x": "too_often"}}},
            id="no reason of ours",
        ),
        pytest.param(
            EXPORT | {"reasons": {"value": "id", "offers": ["too_often"]}},
            id="no reason of ours on offer",
        ),
    ],
)
def test_what_the_loader_refuses_does_not_fit(export: dict[str, Any]) -> None:
    assert complaints(export)


def test_a_key_of_ours_is_not_offered() -> None:
    assert "folder" not in SCHEMA["properties"]
    assert complaints(TOTALS, folder="x")


def test_every_key_and_every_column_is_explained() -> None:
    parts = {"Source": SCHEMA, **SCHEMA["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, entry in part["properties"].items()
        if not entry.get("description")
    ]
    assert silent == []
    offered = [
        rule["then"]["properties"] for rule in SCHEMA["$defs"]["Export"]["allOf"]
    ]
    assert [list(part["fields"]["properties"]) for part in offered] == [
        [column.name for column in columns] for columns in FIELDS.values()
    ]
    bounced = offered[0]["fields"]["properties"]["bounce_class"]["description"]
    assert bounced == "One of hard, block, soft, unknown."
