"""Connector tables of real events: each lands, or says what it is a detail of."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import PAYLOADS, assert_accounted, needs_payloads

FOLDER = PAYLOADS / "hubspot"
EVENTS = "email_event_data.csv"
# Tables that name nobody, and what an event of theirs is called in email_event.
DETAILS = {
    "email_event_bounce_data.csv": "BOUNCE",
    "email_event_dropped_data.csv": "DROPPED",
    "email_event_status_change_data.csv": "STATUSCHANGE",
}
NAMES_NOBODY = 12


def _tables() -> list[Path]:
    return sorted(FOLDER.glob("*.csv")) if FOLDER.is_dir() else []


def _joined(table: Path, kind: str) -> str:
    """A detail table joined to events, as its notes ask; the events are made up."""
    details = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    made_up = {"type": kind, "email_campaign_id": "2", "recipient": "jane@example.com"}
    text = io.StringIO()
    rows = [made_up | row | {"created": row["_fivetran_synced"]} for row in details]
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    deployment = deploy(tmp_path_factory.mktemp("connector"))
    for path in _tables():
        deployment.drop(f"hubspot_connector/one/{path.name}", path.read_bytes())
        if kind := DETAILS.get(path.name):
            name = f"hubspot_connector/joined/{kind}.csv"
            deployment.drop(name, _joined(path, kind))
        if path.name == EVENTS:
            typed = pyarrow.BufferOutputStream()
            pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), typed)
            content = typed.getvalue().to_pybytes()
            deployment.drop("hubspot_connector/typed/events.parquet", content)
    deployment.land()
    return deployment


def _rows(landed: Deployment, name: str) -> list[dict[str, object]]:
    load = landed.loads()[f"hubspot_connector/{name}"]
    assert_accounted(load)
    assert load.state == "loaded"
    rows = landed.rows("message_events", "load, record_number")
    return [row for row in rows if row["load"] == load.load]


@needs_payloads
def test_every_event_lands_but_those_that_are_only_queued(landed: Deployment) -> None:
    load = landed.loads()[f"hubspot_connector/one/{EVENTS}"]
    assert (load.record_count, load.loaded_count, load.rejected_count) == (100, 97, 0)
    assert (load.skipped, load.unmapped) == ({"queued_only": 3}, {})
    rows = _rows(landed, f"one/{EVENTS}")
    types = Counter(row["event_type"] for row in rows)
    assert types == {"opened": 90, "sent": 4, "delivered": 3}
    # filtered_event is false on every open of this table.
    opened = [row["is_machine"] for row in rows if row["event_type"] == "opened"]
    assert opened == [False] * 90


@needs_payloads
def test_a_typed_table_lands_as_its_text_does(landed: Deployment) -> None:
    as_text = _rows(landed, f"one/{EVENTS}")
    as_typed = _rows(landed, "typed/events.parquet")
    named = set(as_text[0]) - {"account", "load"}
    assert [{name: row[name] for name in named} for row in as_typed] == [
        {name: row[name] for name in named} for row in as_text
    ]


@needs_payloads
def test_every_other_table_is_a_detail(landed: Deployment) -> None:
    loads = landed.loads()
    others = [path.name for path in _tables() if path.name != EVENTS]
    assert len(others) == NAMES_NOBODY
    for name in others:
        load = loads[f"hubspot_connector/one/{name}"]
        assert_accounted(load)
        assert load.state == "loaded", load.refusal_detail
        assert load.skipped == {"detail_of_another_table": load.record_count}


@needs_payloads
def test_joined_details_say_how_hard_why_and_who(landed: Deployment) -> None:
    bounces = Counter(row["bounce_class"] for row in _rows(landed, "joined/BOUNCE.csv"))
    # 81 throttled, 13 full, 4 greylisted, 1 misconfigured; 1 unknown user.
    assert bounces == {"soft": 99, "hard": 1}
    drops = Counter(row["drop_reason"] for row in _rows(landed, "joined/DROPPED.csv"))
    assert drops == {
        "prior_bounce": 67,
        "prior_unsubscribe": 31,
        "prior_complaint": 1,
        "invalid_address": 1,
    }
    changes = Counter(
        (row["event_type"], row["opt_out_scope"], row["initiator"])
        for row in _rows(landed, "joined/STATUSCHANGE.csv")
    )
    assert changes == {("unsubscribed", "global", "recipient"): 100}
    for kind in DETAILS.values():
        load = landed.loads()[f"hubspot_connector/joined/{kind}.csv"]
        assert (load.loaded_count, load.unmapped) == (100, {})
