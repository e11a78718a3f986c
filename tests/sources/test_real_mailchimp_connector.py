"""A connector's tables of one account, as its own tests publish them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.conftest import Deployment, deploy
from tests.sources.payloads import PAYLOADS, assert_accounted, needs_payloads

TABLES = PAYLOADS / "mailchimp_connector"
LOADED = {
    "campaign_recipient_activity": ("campaign_activity", 17),
    "automation_recipient_activity": ("automation_activity", 8),
    "unsubscribe": ("unsubscribes", 1),
    "member": ("members", 9),
}
SKIPPED = {
    "campaign_recipient": ("campaign_recipients", {"no_send_time": 10}),
    "automation_recipient": ("automation_recipients", {"no_send_time": 3}),
    "automation": ("descriptions", {"not_an_event": 2}),
    "automation_email": ("descriptions", {"not_an_event": 2}),
    "campaign": ("descriptions", {"not_an_event": 1}),
    "list": ("descriptions", {"not_an_event": 2}),
    "segment": ("descriptions", {"not_an_event": 1}),
    "segment_member": ("descriptions", {"not_an_event": 2}),
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every table as a file of its own, once more with types in another account."""
    folder = tmp_path_factory.mktemp("payloads")
    deployment = deploy(folder)
    for path in sorted(TABLES.glob("*.csv")):
        deployment.drop(f"mailchimp_connector/one/{path.name}", path.read_bytes())
        typed = folder / f"{path.stem}.parquet"
        duckdb.connect().read_csv(str(path)).write_parquet(str(typed))
        deployment.drop(f"mailchimp_connector/typed/{typed.name}", typed.read_bytes())
    deployment.land()
    return deployment


def _table(path: Path) -> str:
    return path.stem


@needs_payloads
@pytest.mark.parametrize("name", ["one/{}.csv", "typed/{}.parquet"])
@pytest.mark.parametrize("path", sorted(TABLES.glob("*.csv")), ids=_table)
def test_every_table_is_recognised_and_each_record_accounted(
    path: Path, name: str, landed: Deployment
) -> None:
    load = landed.loads()[f"mailchimp_connector/{name.format(path.stem)}"]
    assert_accounted(load)
    assert load.state == "loaded"
    skipped_as, skipped = SKIPPED.get(path.stem, ("", {}))
    export, loaded = LOADED.get(path.stem, (skipped_as, 0))
    assert load.export == export
    assert load.loaded_count == loaded
    assert (load.duplicate_count, load.rejected_count) == (0, 0)
    assert load.skipped == skipped
    assert load.unmapped == {}


@needs_payloads
def test_the_same_person_is_one_in_activity_opt_outs_and_the_list(
    landed: Deployment,
) -> None:
    events, contacts = (
        [row for row in landed.rows(table) if row["account"] == "one"]
        for table in ("message_events", "contact_snapshots")
    )
    on_a_list = {row["contact_key"] for row in contacts}
    mailed = {row["contact_key"] for row in events}
    # One recipient of the campaign is no member any more.
    assert len(mailed - on_a_list) <= 1
    left = [row for row in events if row["event_type"] == "unsubscribed"]
    stands = {
        row["contact_key"]: row["status_changed_at"]
        for row in contacts
        if row["status"] == "unsubscribed"
    }
    assert {row["contact_key"]: row["occurred_at"] for row in left} == stands


@needs_payloads
def test_types_of_a_table_change_nothing(landed: Deployment) -> None:
    for table in ("message_events", "contact_snapshots"):
        rows = landed.rows(table)
        plain, typed = (
            sorted(
                str({**row, "load": 0, "account": "", "exported_at": 0})
                for row in rows
                if row["account"] == account
            )
            for account in ("one", "typed")
        )
        assert plain == typed
