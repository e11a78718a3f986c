"""Keys beside an export: what its records do not say, kept with its arrival."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.landing import land as land_module
from dagster_project.landing import sidecar
from dagster_project.landing.land import reland_archive
from dagster_project.landing.ledger import Archive
from dagster_project.landing.reader import RefusedError
from tests.conftest import Deployment
from tests.unit.landing.test_records import source_from

MAPPING = """
source: acme
kind: esp
title: Acme
notes: none
exports:
  - name: opened
    lands: message_events
    reader: {formats: [csv, json]}
    inputs:
      id: {column: id, required: true}
      email: {column: email, required: true}
      send: {column: send, sidecar: [campaign_id, send], required: true}
      list: {sidecar: list}
    address: email
    key: [id]
    fields: {event_type: "'opened'", campaign_id: send, occurred_at: "'2026-09-01'",
      list: list}
    times: {zone: UTC}
"""
TEXT = "id,email\n1,jane@example.com\n"

Drop = Callable[..., Path]


@pytest.fixture(autouse=True)
def _mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source_from(tmp_path / "sources", MAPPING)
    monkeypatch.setattr(land_module, "SOURCES", tmp_path / "sources")


def sends(deployment: Deployment) -> list[Any]:
    return [row["campaign_id"] for row in deployment.rows("message_events")]


# -- what it may say -------------------------------------------------------------


def test_values_are_texts_as_written() -> None:
    content = (
        "\ufeff# for the sender\ncampaign_id: 007\nsent: 2026-09-01\n\nis_test: no\n"
        "title: 'Sale: 20 %'\nnothing:\nnone: ~\nurl: https://example.com/?a=b\n"
    )
    assert sidecar.parse(content.encode()) == {
        "campaign_id": "007",
        "sent": "2026-09-01",
        "is_test": "no",
        "title": "Sale: 20 %",
        "nothing": "",
        "none": "",
        "url": "https://example.com/?a=b",
    }
    assert sidecar.parse(b"") == {}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"a: [1, 2]", 1, id="a list"),
        pytest.param(b"x: 1\na: {b: 1}", 2, id="a mapping"),
        pytest.param(b"- a", None, id="no keys"),
        pytest.param(b"just a note", None, id="a text"),
        pytest.param(b"a: 1\na: 2", 2, id="a key twice"),
        pytest.param(b"a: b: c", 1, id="no YAML"),
        pytest.param(b"a: *b", 1, id="a reference to nothing"),
        pytest.param(b"a: 1\n---\nb: 2", 2, id="two documents"),
        pytest.param(b"a: caf\xe9", None, id="no UTF-8"),
        pytest.param(b"a: " + b"[" * 5000, None, id="nested without an end"),
        pytest.param(b"a: " + b"x" * (64 << 10), None, id="too long"),
    ],
)
def test_anything_else_is_refused_without_a_value(
    content: bytes, line: int | None
) -> None:
    with pytest.raises(RefusedError) as caught:
        sidecar.parse(content)
    assert caught.value.reason == "bad_sidecar"
    assert (f"on line {line}" in caught.value.detail) == (line is not None)
    assert "caf" not in caught.value.detail


# -- what it does ----------------------------------------------------------------


def test_it_counts_where_the_record_is_silent(deployment: Deployment) -> None:
    deployment.drop(
        "acme/a.csv", "id,email,send\n1,a@example.com,C1\n2,b@example.com,\n"
    )
    deployment.drop("acme/a.csv.meta.yaml", "campaign_id: C9\nlist: news\nother: x\n")
    deployment.land()
    rows = deployment.rows("message_events", "record_number")
    assert [(row["campaign_id"], row["list"]) for row in rows] == [
        ("C1", "news"),
        ("C9", "news"),
    ]


def test_what_only_a_sidecar_can_say_is_asked_for_and_then_judged_again(
    deployment: Deployment,
) -> None:
    deployment.drop("acme/a.csv", TEXT)
    deployment.land()
    load = deployment.loads()["acme/a.csv"]
    assert (load.state, load.refusal_reason) == ("refused", "missing_sidecar")
    assert "Put a file a.csv.meta.yaml beside it that says `campaign_id: ...`" in (
        load.refusal_detail or ""
    )
    assert (load.source, load.export) == ("acme", "opened")
    assert deployment.land().judged == []
    deployment.drop("acme/a.csv.meta.yaml", "send: C7")
    assert [load.state for load in deployment.land().judged] == ["loaded"]
    assert sends(deployment) == ["C7"]
    assert deployment.land().judged == []


def test_a_sidecar_that_cannot_be_read_refuses_its_export_only(
    deployment: Deployment,
) -> None:
    deployment.drop("acme/a.csv", TEXT)
    deployment.drop("acme/a.csv.meta.yaml", "campaign_id: [1]")
    deployment.drop("acme/b.csv", TEXT)
    deployment.drop("acme/b.csv.meta.yaml", "campaign_id: 1")
    deployment.drop("acme/alone.csv.meta.yaml", "campaign_id: 1")
    deployment.land()
    loads = deployment.loads()
    assert {name: load.refusal_reason for name, load in loads.items()} == {
        "acme/a.csv": "bad_sidecar",
        "acme/b.csv": None,
    }
    deployment.drop("acme/a.csv.meta.yaml", "campaign_id: 2")
    assert [load.state for load in deployment.land().judged] == ["loaded"]


def test_what_the_mapping_reads_of_it_is_a_part_of_what_a_file_is(
    deployment: Deployment,
) -> None:
    for number, text in enumerate(["send: C1", "send: C2", "send: C1\nother: x"]):
        deployment.drop(f"acme/{number}.csv", TEXT)
        deployment.drop(f"acme/{number}.csv.meta.yaml", text)
    deployment.land()
    states = [load.state for load in deployment.loads().values()]
    assert states == ["loaded", "loaded", "duplicate"]


def test_a_sidecar_taken_away_takes_nothing_back(deployment: Deployment) -> None:
    deployment.drop("acme/a.csv", TEXT)
    beside = deployment.drop("acme/a.csv.meta.yaml", "send: C1")
    deployment.land()
    beside.unlink()
    assert deployment.land().judged == []


def test_a_rebuild_needs_nothing_but_the_archive(deployment: Deployment) -> None:
    exports = [deployment.drop("acme/a.csv", TEXT)]
    deployment.land()
    exports.append(deployment.drop("acme/a.csv.meta.yaml", "send: C1"))
    exports.append(deployment.drop("acme/b.csv", TEXT.replace("1", "2")))
    exports.append(deployment.drop("acme/b.csv.meta.yaml", "send: [C1]"))
    deployment.land()
    before = [(load.state, load.refusal_reason) for load in deployment.loads().values()]
    rows = deployment.rows("message_events")
    for path in exports:
        path.unlink()
    reland_archive(deployment.settings)
    after = [(load.state, load.refusal_reason) for load in deployment.loads().values()]
    assert before == after == [("loaded", None), ("refused", "bad_sidecar")]
    assert deployment.rows("message_events") == rows
    arrivals = [arrival for _, arrival in Archive(deployment.settings.at).arrivals()]
    assert [arrival.sidecar for arrival in arrivals] == [{}, {"send": "C1"}, {}]
