"""``source.yaml``: what may stand in it; a mistake is named with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.mapping.model import MappingError, load_source, load_sources

EVENTS: dict[str, Any] = {
    "name": "events",
    "lands": "message_events",
    "reader": {"formats": "csv"},
    "inputs": {"id": {"column": "id", "required": True}, "email": {"column": "email"}},
    "address": "email",
    "key": ["id"],
    "fields": {"event_type": "id"},
}
TOTALS: dict[str, Any] = {
    "name": "totals",
    "lands": "campaign_stats",
    "reader": {"formats": ["csv", "tsv"]},
    "inputs": {"id": {"column": ["Id", "Campaign Id"]}},
    "fields": {"campaign_id": "id"},
    "delivered": "reported",
}


def write(root: Path, export: dict[str, Any] = EVENTS, **top: Any) -> Path:
    content = {
        "source": "acme",
        "kind": "esp",
        "title": "Acme",
        "notes": "none",
        "exports": [export],
    }
    folder = root / "acme"
    folder.mkdir(exist_ok=True)
    text = yaml.safe_dump(content | top)
    (folder / "source.yaml").write_text(text, encoding="utf-8")
    return folder


def changed(export: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The export with keys replaced, or left out where the change is None."""
    merged = export | changes
    return {key: value for key, value in merged.items() if value is not None}


def test_a_small_mapping_is_enough(tmp_path: Path) -> None:
    source = load_source(write(tmp_path, TOTALS))
    export = source.export("totals")
    assert export.inputs["id"].column == ["Id", "Campaign Id"]
    assert export.delivered == ["reported"]
    assert export.reader.encodings == ["utf-8"]
    assert source.covers == ("campaign_stats",)


@pytest.mark.parametrize(
    ("export", "says"),
    [
        pytest.param(
            changed(EVENTS, lnads="x"),
            "exports.0.lnads: no such key; expected one of lands, ",
            id="misspelt key",
        ),
        pytest.param(
            changed(EVENTS, reasons={"value": "id", "offers": ["other"]}),
            "`offers` belongs to an `option_set`",
            id="reasons offered by no list",
        ),
        pytest.param(
            changed(EVENTS, reasons={"value": "id", "option_set": "The survey"}),
            "an `option_set` is lower case letters, digits and _",
            id="a list of reasons with another name",
        ),
        pytest.param(
            changed(EVENTS, lands="message_event"),
            "`message_event` is not allowed; expected one of message_events, ",
            id="no such table",
        ),
        pytest.param(
            changed(EVENTS, reader={"formats": ["csv", "nd-json"]}),
            "reader.formats.1: `nd-json` is not allowed; expected one of ndjson, json, ",
            id="format",
        ),
        pytest.param(
            changed(EVENTS, reader={"formats": "csv", "delimiter": [",", "||"]}),
            "a delimiter is one character",
            id="a delimiter of two characters",
        ),
        pytest.param(
            changed(EVENTS, fields={"event_type": "id", "campain_id": "id"}),
            "exports.0.fields.campain_id: no such column in message_events;"
            " expected one of campaign_id, campaign_name",
            id="no such column",
        ),
        pytest.param(
            changed(EVENTS, address=None), "`address` belongs", id="no address"
        ),
        pytest.param(
            changed(TOTALS, address="id"), "`address` belongs", id="totals of a person"
        ),
        pytest.param(changed(EVENTS, key=None), "needs the `key`", id="no key"),
        pytest.param(
            changed(TOTALS, key=["id"]), "belong to message_events", id="key of totals"
        ),
        pytest.param(
            changed(TOTALS, delivered=None), "say in `delivered` how", id="delivered"
        ),
        pytest.param(
            changed(TOTALS, delivered="guessed"), "exports.0.delivered", id="a guess"
        ),
        pytest.param(
            changed(EVENTS, fields={}), "`events` rules or a field", id="no event type"
        ),
        pytest.param(
            changed(EVENTS, events=[{"otherwise": "other"}]),
            "`events` rules or a field",
            id="two event types",
        ),
        pytest.param(
            changed(
                EVENTS, fields={}, events=[{"when": "id = '1'", "event_type": "sent"}]
            ),
            "ends with its one `otherwise`",
            id="rules without an end",
        ),
        pytest.param(
            changed(EVENTS, fields={}, events=[{"otherwise": "other"}] * 2),
            "ends with its one `otherwise`",
            id="rules with two ends",
        ),
        pytest.param(
            changed(EVENTS, fields={}, events=[{"when": "id = '1'"}]),
            "a rule needs `when` and one of",
            id="a rule without a meaning",
        ),
        pytest.param(
            changed(
                EVENTS,
                fields={},
                events=[{"when": "id = '1'", "event_type": "sent", "skip": "why"}],
            ),
            "a rule needs `when` and one of",
            id="a rule of two meanings",
        ),
        pytest.param(
            changed(EVENTS, fields={}, events=[{"otherwise": "other", "skip": "why"}]),
            "`otherwise` stands alone",
            id="an end with a condition",
        ),
        pytest.param(
            changed(EVENTS, inputs={"id": {}}),
            "needs `column`, `path`, `sidecar` or `file_name`",
            id="no place",
        ),
        pytest.param(
            changed(EVENTS, inputs={"id": {"path": "$.a[*]"}}), "no wildcard", id="path"
        ),
        pytest.param(
            changed(EVENTS, inputs={"Id": {"column": "id"}}),
            "`Id`: a name is",
            id="name",
        ),
        pytest.param(
            changed(EVENTS, numbers={"thousands": ".", "decimal": "."}),
            "one mark cannot be both",
            id="one mark for two things",
        ),
        pytest.param(
            changed(EVENTS, reader={"formats": "csv", "most_rejected": 2}),
            "reader.most_rejected: is 2; expected less than or equal to 1",
            id="more than all",
        ),
        pytest.param(
            changed(EVENTS, reader=None), "exports.0.reader: is missing", id="no reader"
        ),
        pytest.param(
            changed(EVENTS, reader="csv"),
            "exports.0.reader: is 'csv'; expected a mapping of keys: formats, delimiter,",
            id="a text for a mapping",
        ),
        pytest.param(
            changed(EVENTS, fields={"event_type": 1}),
            "fields.event_type: is 1; expected a text; write it in quotes: '1'",
            id="a number for a text",
        ),
        pytest.param(
            changed(EVENTS, fields={"event_type": ["id"]}),
            "fields.event_type: is a list; expected a text",
            id="a list for a text",
        ),
        pytest.param(
            changed(EVENTS, address={"column": "email"}),
            "exports.0.address: is a mapping; expected a text",
            id="a mapping for a text",
        ),
        pytest.param(
            changed(EVENTS, inputs={"id": {"column": "id", "required": "often"}}),
            "inputs.id.required: is 'often'; expected true or false",
            id="no flag",
        ),
        pytest.param(
            changed(
                EVENTS,
                fields={},
                events=[
                    {"when": "id = '1'", "event_type": "sent", "set": {"bounce": "x"}},
                    {"otherwise": "other"},
                ],
            ),
            "exports.0.events.0.set.bounce: no such column",
            id="a rule that sets no column",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    export: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(MappingError) as caught:
        load_source(write(tmp_path, export))
    assert re.match(r"acme/source\.yaml line \d+: exports\.0", str(caught.value))
    assert says in str(caught.value)


def test_every_mistake_is_told_with_its_own_line(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "source.yaml").write_text(
        """\
source: acme
kind: esp
title: Acme
notes: none
exports:
  - name: totals
    lands: campaign_stats
    reader: { formats: csv }
    inputs:
      id: { column: Id, requird: true }
      When: { column: At }
    fields: &fields
      campaign_id: id
      sent: when
    delivered: reported
  - name: more
    lands: campaign_stats
    reader: { formats: csv }
    inputs: { id: { column: Number } }
    fields:
      <<: *fields
    delivered: repotred
""",
        encoding="utf-8",
    )
    with pytest.raises(MappingError) as caught:
        load_source(folder)
    lines = str(caught.value).splitlines()
    assert [line.partition("; expected")[0] for line in lines] == [
        "acme/source.yaml line 10: exports.0.inputs.id.requird: no such key",
        "acme/source.yaml line 22: exports.1.delivered.0: `repotred` is not allowed",
    ]
    text = (folder / "source.yaml").read_text(encoding="utf-8")
    mended = text.replace("requird", "required").replace("repotred", "reported")
    (folder / "source.yaml").write_text(mended, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load_source(folder)
    lines = str(caught.value).splitlines()
    # What is merged in is wrong where it stands.
    assert [line.partition("; expected")[0] for line in lines] == [
        "acme/source.yaml line 11: exports.0.inputs.When: `When`: a name is lower case"
        " letters, digits, _",
        "acme/source.yaml line 14: exports.0.fields.sent: no such column in"
        " campaign_stats",
        "acme/source.yaml line 14: exports.1.fields.sent: no such column in"
        " campaign_stats",
    ]


def test_two_exports_may_not_share_a_name(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="two exports share a name"):
        load_source(write(tmp_path, exports=[EVENTS, EVENTS]))


def test_the_folder_is_the_name(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="must be the folder's name"):
        load_source(write(tmp_path, source="other"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("a: [", "is not YAML", id="broken"),
        pytest.param("- a", "expected a mapping of keys", id="a list"),
        pytest.param("", "expected a mapping of keys", id="empty"),
        pytest.param("a: 1\nb: [", r"acme/source\.yaml line 3: is not", id="its line"),
        pytest.param("a: 1\nb: 2\na: 3", "line 3: .* `a` is given twice", id="twice"),
        pytest.param("folder: x", "line 1: folder: no such key", id="our own key"),
        pytest.param(
            "source: !!python/object/apply:os.system ['true']", "is not YAML", id="code"
        ),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(
    text: str, says: str, tmp_path: Path
) -> None:
    folder = write(tmp_path)
    (folder / "source.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=says):
        load_source(folder)


def test_only_folders_with_a_mapping_are_sources(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    assert list(load_sources(tmp_path)) == ["acme"]


def test_a_fingerprint_covers_the_mapping_and_its_transform(tmp_path: Path) -> None:
    folder = write(tmp_path)
    first = load_source(folder).fingerprint
    assert load_source(folder).fingerprint == first
    (folder / "transform.py").write_text("COLUMNS = ()\n", encoding="utf-8")
    second = load_source(folder).fingerprint
    assert load_source(write(tmp_path, TOTALS)).fingerprint not in {first, second}
    assert second != first
