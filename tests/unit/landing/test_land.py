"""From the inbox to the lake, end to end: every file and every record has one fate."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import stat
import traceback
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dagster_project.landing import land as land_module
from dagster_project.landing.identity import KeyMissingError
from dagster_project.landing.intake import Inbox, InboxError
from dagster_project.landing.land import (
    NothingToDoError,
    land_inbox,
    reland_archive,
)
from dagster_project.landing.ledger import ANCHOR, Archive, Ledger
from dagster_project.mapping.canonical import LANDING_TABLES, table_columns
from dagster_project.mapping.model import MappingError
from dagster_project.settings import SOURCES
from tests.conftest import NOW, Deployment, deploy

HEADER = "event_id,event_type,occurred_at,email,reason,opt_out_scope\n"
SENT = "e1,sent,2026-09-01T09:00:00Z,jane@example.com,,\n"
LEFT = "e2,unsubscribed,2026-09-01T10:00:00Z,jane@example.com,privacy,list\n"
EVENTS = HEADER + SENT + LEFT


def event(number: int, day: str = "2026-09-01") -> str:
    return f"e{number},opened,{day}T09:00:00Z,person{number}@example.com,,\n"


def without(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


def lake(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    """Everything landed, without the numbers of the packages it lies in."""
    return {
        table: sorted(without(deployment.rows(table), "load"), key=repr)
        for table in LANDING_TABLES
    }


def zipped(**entries: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        for name, text in entries.items():
            container.writestr(f"{name}.csv", text)
    return buffer.getvalue()


# -- the lake --------------------------------------------------------------------


def test_an_empty_inbox_gives_advice_and_changes_nothing(
    deployment: Deployment,
) -> None:
    with pytest.raises(NothingToDoError, match=r"inbox is empty.*optout demo"):
        deployment.land()
    assert deployment.loads() == {}


def test_an_empty_inbox_is_fine_once_something_has_landed(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS).rename(deployment.inbox / "b.csv")
    deployment.land()
    (deployment.inbox / "b.csv").unlink()
    assert deployment.land().judged == []
    assert len(deployment.rows("message_events")) == 2


def test_every_table_can_be_read_before_anything_fills_it(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    anchor = deployment.settings.at.landing / f"load={ANCHOR}"
    for table in LANDING_TABLES:
        found = pq.read_schema(anchor / f"{table}.parquet")
        assert found.names == [column.name for column in table_columns(table)]
    assert deployment.rows("list_validations") == []


def test_a_package_has_the_columns_and_types_of_its_table(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS + "e3,sent,never,joe@example.com,,\n")
    deployment.land()
    landing = deployment.settings.at.landing
    for table in ("message_events", "rejected_records"):
        anchor = pq.read_schema(landing / f"load={ANCHOR}" / f"{table}.parquet")
        package = pq.read_schema(landing / "load=0000000001" / f"{table}.parquet")
        assert package.names == anchor.names
        assert package.types == anchor.types


def test_what_lies_in_the_home_is_private(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    open_to_others = [
        path
        for path in (deployment.home, *deployment.home.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


# -- files -----------------------------------------------------------------------


def test_a_file_is_loaded_once_and_known_again_under_any_name(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    deployment.drop("generic/c.gz", gzip.compress(EVENTS.encode()))
    deployment.drop("generic/d.zip", zipped(inside=EVENTS))
    landed = deployment.land()
    assert [load.state for load in landed.judged] == ["loaded", *["duplicate"] * 3]
    assert {load.duplicate_of for load in landed.judged[1:]} == {"0000000001"}
    assert landed.counts("generic")["rows"] == 2
    assert deployment.land().judged == []
    assert len(deployment.rows("message_events")) == 2


def test_the_same_file_of_two_accounts_is_two_files(deployment: Deployment) -> None:
    deployment.drop("generic/eu/a.csv", EVENTS)
    deployment.drop("generic/us/a.csv", EVENTS)
    deployment.land()
    accounts = {row["account"] for row in deployment.rows("message_events")}
    assert accounts == {"eu", "us"}


def test_a_duplicate_or_refused_file_leaves_an_entry_and_no_rows(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    deployment.drop("generic/c.csv", "")
    deployment.land()
    for load in ("0000000002", "0000000003"):
        folder = Ledger(deployment.settings.at).folder(load)
        assert [path.name for path in folder.iterdir()] == ["load.json"]


def test_a_file_straight_under_the_inbox_is_matched_by_its_content(
    deployment: Deployment,
) -> None:
    deployment.drop("export.csv", EVENTS)
    deployment.land()
    load = deployment.loads()["export.csv"]
    assert (load.source, load.export, load.account) == ("generic", "events", "default")


def test_a_folder_without_a_mapping_is_refused_with_those_that_exist(
    deployment: Deployment,
) -> None:
    deployment.drop("nobody/a.csv", EVENTS)
    deployment.land()
    load = deployment.loads()["nobody/a.csv"]
    assert (load.state, load.refusal_reason) == ("refused", "unknown_source")
    assert "generic" in (load.refusal_detail or "")


def test_a_refused_file_is_judged_again_only_when_it_changes(
    deployment: Deployment,
) -> None:
    deployment.drop("generic/a.csv", "email\n")
    assert [load.state for load in deployment.land().judged] == ["refused"]
    assert deployment.land(days=1).judged == []
    deployment.drop("generic/a.csv", EVENTS)
    assert [load.state for load in deployment.land(days=2).judged] == ["loaded"]


def test_a_refused_file_counts_no_record(deployment: Deployment) -> None:
    bad = "e2,sent,never,joe@example.com,,\n" * 3
    deployment.drop("generic/a.csv", HEADER + SENT + bad)
    deployment.land()
    load = deployment.loads()["generic/a.csv"]
    assert (load.state, load.refusal_reason) == ("refused", "too_many_rejected")
    assert "3 of 4 records" in (load.refusal_detail or "")
    assert "occurred_at: bad_utc" in (load.refusal_detail or "")
    assert (load.record_count, load.loaded_count, load.rejected_count) == (0, 0, 0)
    assert (
        deployment.rows("message_events") == deployment.rows("rejected_records") == []
    )


def test_exactly_half_rejected_still_loads(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", HEADER + SENT + "e2,sent,never,x@example.com,,\n")
    deployment.land()
    load = deployment.loads()["generic/a.csv"]
    assert (load.state, load.loaded_count, load.rejected_count) == ("loaded", 1, 1)


def test_each_member_of_a_zip_is_a_file_of_its_own(deployment: Deployment) -> None:
    content = zipped(one=EVENTS, two=HEADER + event(7), empty="", again=EVENTS)
    deployment.drop("generic/all.zip", content)
    deployment.land()
    assert {name: load.state for name, load in deployment.loads().items()} == {
        "generic/all.zip!one.csv": "loaded",
        "generic/all.zip!two.csv": "loaded",
        "generic/all.zip!empty.csv": "refused",
        "generic/all.zip!again.csv": "duplicate",
    }
    assert deployment.land().judged == []


def test_a_file_that_vanishes_is_named_and_the_others_land(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    gone = deployment.drop("generic/b.csv", HEADER + event(5))
    copy = Inbox.copy

    def copy_after_removal(self: Inbox, found: Any, target: Path) -> str:
        gone.unlink(missing_ok=True)
        return copy(self, found, target)

    monkeypatch.setattr(Inbox, "copy", copy_after_removal)
    landed = deployment.land()
    assert landed.vanished == ["generic/b.csv"]
    assert [load.state for load in landed.judged] == ["loaded"]


def test_an_inbox_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InboxError, match="Cannot reach the inbox"):
        deploy(tmp_path, inbox="nonsense://x").land()


def test_progress_is_told_file_by_file(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    told: list[tuple[int, int, str]] = []
    land_inbox(deployment.settings, lambda *step: told.append(step))
    assert told == [(0, 2, "generic/a.csv"), (1, 2, "generic/b.csv"), (2, 2, "")]


# -- records ---------------------------------------------------------------------


def as_post(*numbers: int, **changes: str) -> str:
    """One line: the body of a webhook's post with these events."""
    names = HEADER.strip().split(",")
    events = [
        dict(zip(names, event(number).strip().split(","), strict=True)) | changes
        for number in numbers
    ]
    return json.dumps(events) + "\n"


def test_a_post_of_several_events_is_one_record(deployment: Deployment) -> None:
    lines = [
        as_post(1, 2),
        "[]\n",
        as_post(1),
        as_post(3, occurred_at="never"),
        as_post(4).replace("]", ", 7]"),
        as_post(5)[1:-2] + "\n",
    ]
    deployment.drop("generic/posts.ndjson", "".join(lines))
    deployment.land()
    load = deployment.loads()["generic/posts.ndjson"]
    assert load.record_count == 6
    assert (load.loaded_count, load.duplicate_count) == (3, 1)
    assert (load.rejected_count, load.skipped) == (1, {"empty_post": 1})
    places = ["record_number", "item_number"]
    assert [[row[p] for p in places] for row in deployment.rows("message_events")] == [
        [1, 1],
        [1, 2],
        [5, 1],
        [6, 1],
    ]
    rejected = deployment.rows("rejected_records")
    assert [
        (row["line_number"], row["item_number"], row["reason"]) for row in rejected
    ] == [(4, 1, "bad_utc"), (5, 2, "bad_json")]


@pytest.mark.parametrize(
    "sample",
    [
        "amazon_ses/sample_events.ndjson",
        "amazon_ses/sample_subscriptions.ndjson",
        "generic/sample_events_lines.ndjson",
    ],
    ids=["exploded", "transformed", "plain"],
)
def test_events_in_posts_say_what_they_say_alone(
    sample: str, deployment: Deployment
) -> None:
    folder, name = sample.split("/")
    lines = (SOURCES / sample).read_text(encoding="utf-8").splitlines()
    sound = [line for line in lines if line.startswith("{") and line.endswith("}")]
    posts = [sound[:3], sound[3:4], sound[4:]]
    archive = "".join(f"[{','.join(post)}]\n" for post in posts)
    deployment.drop(f"{folder}/alone/{name}", "\n".join(sound))
    deployment.drop(f"{folder}/posted/{name}", archive)
    deployment.land()
    alone, posted = deployment.loads().values()
    assert (posted.state, posted.record_count) == ("loaded", 3)
    assert alone.row_count == posted.row_count > 3
    differ = ("load", "account", "record_number", "item_number")
    rows = deployment.rows("message_events", "load, record_number, item_number")
    texts = without(rows, *differ)
    assert texts[: alone.row_count] == texts[alone.row_count :]
    places = [(row["load"], row["record_number"], row["item_number"]) for row in rows]
    assert len(set(places)) == len(places)


def test_the_clock_rejects_events_of_the_day_after_tomorrow(
    deployment: Deployment,
) -> None:
    text = HEADER + event(1, "2026-11-01") + event(2, "2026-11-03")
    deployment.drop("generic/a.csv", text)
    deployment.land()
    assert [row["record_number"] for row in deployment.rows("message_events")] == [1]
    (rejected,) = deployment.rows("rejected_records")
    assert (rejected["reason"], rejected["line_number"]) == ("future_time", 3)


def test_the_clock_never_rejects_a_file_for_its_own_time(
    deployment: Deployment,
) -> None:
    late = NOW + timedelta(days=400)
    text = "campaign_id,sent_at,unsubscribes\nC1,2026-09-01T09:00:00Z,3\n"
    deployment.drop("generic/a.csv", text, at=late)
    deployment.land()
    (row,) = deployment.rows("campaign_stats")
    assert row["exported_at"] == NOW


def test_a_rejected_opt_out_is_known_to_be_one(deployment: Deployment) -> None:
    deployment.drop(
        "generic/events.csv",
        HEADER + SENT + event(3) + "e2,Unsubscribed,never,jane@example.com,,\n",
    )
    deployment.drop(
        "generic/contacts.csv",
        "email,list,status,exported_at\n"
        "jane@example.com,main,subscribed,2026-10-01T00:00:00Z\n"
        "joe@example.com,,unsubscribed,2026-10-01T00:00:00Z\n",
    )
    deployment.land()
    rejected = deployment.rows("rejected_records", "table_name desc")
    assert [(row["table_name"], row["event_type"]) for row in rejected] == [
        ("message_events", "unsubscribed"),
        ("contact_snapshots", "unsubscribed"),
    ]


def test_a_rejected_person_of_a_landed_record_stays_in_sight(
    deployment: Deployment,
) -> None:
    record = {
        "eventType": "Bounce",
        "mail": {"messageId": "m1", "timestamp": "2026-09-01T09:00:00Z"},
        "bounce": {
            "bounceType": "Permanent",
            "timestamp": "2026-09-01T09:00:01Z",
            "bouncedRecipients": [
                {"emailAddress": "jane@example.com"},
                {"emailAddress": " "},
            ],
        },
    }
    deployment.drop("amazon_ses/a.ndjson", json.dumps(record) + "\n")
    deployment.land()
    load = deployment.loads()["amazon_ses/a.ndjson"]
    assert (load.record_count, load.loaded_count, load.rejected_count) == (1, 1, 0)
    assert len(deployment.rows("message_events")) == 1
    (rejected,) = deployment.rows("rejected_records")
    assert (rejected["item_number"], rejected["reason"]) == (2, "missing_value")


def test_columns_nobody_reads_are_named_but_never_a_person(
    deployment: Deployment,
) -> None:
    header = HEADER.strip() + ",Owner,jane@example.com\n"
    deployment.drop("generic/a.csv", header + SENT.strip() + ",Ann,x\n")
    deployment.land()
    load = deployment.loads()["generic/a.csv"]
    assert load.ignored_columns == ["Owner", "(a name with @)"]


# -- reading again ---------------------------------------------------------------


@pytest.fixture
def own_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mappings that a test may edit."""
    copied = tmp_path / "sources"
    shutil.copytree(SOURCES, copied)
    monkeypatch.setattr(land_module, "SOURCES", copied)
    return copied


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_changed_mapping_lands_its_files_again_by_itself(
    deployment: Deployment, own_sources: Path
) -> None:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.csv", EVENTS)
    deployment.drop("mailchimp/c.csv", "")
    deployment.land()
    path = own_sources / "generic" / "source.yaml"
    edit(path, "event_subtype: event_type", "event_subtype: event_id")
    shutil.rmtree(deployment.inbox)
    landed = deployment.land(days=3)
    assert [(load.state, load.replaces) for load in landed.judged] == [
        ("loaded", "0000000001"),
        ("duplicate", "0000000002"),
    ]
    rows = deployment.rows("message_events", "record_number")
    assert [row["event_subtype"] for row in rows] == ["e1", "e2"]
    assert deployment.land(days=4).judged == []


def test_a_mapping_that_learns_a_file_takes_it_without_being_asked(
    deployment: Deployment, own_sources: Path
) -> None:
    deployment.drop("generic/a.csv", EVENTS.replace("event_id", "EventNo"))
    assert [load.state for load in deployment.land().judged] == ["refused"]
    old, new = "{ column: event_id, req", "{ column: [event_id, EventNo], req"
    edit(own_sources / "generic" / "source.yaml", old, new)
    assert [load.state for load in deployment.land().judged] == ["loaded"]


@pytest.mark.parametrize("folder", ["mailchimp/", ""], ids=["in its folder", "loose"])
def test_a_declared_zone_lands_the_accounts_files_again(
    folder: str, deployment: Deployment
) -> None:
    sample = SOURCES / "mailchimp" / "sample.csv"
    deployment.drop(f"{folder}a.csv", sample.read_bytes())
    deployment.land()
    load = deployment.loads()[f"{folder}a.csv"]
    assert (load.source, load.defaults_used) == ("mailchimp", ["timezone UTC"])
    deployment.configure(
        "accounts: {mailchimp: {default: {timezone: Europe/Copenhagen}}}"
    )
    deployment.land(days=1)
    load = deployment.loads()[f"{folder}a.csv"]
    assert (load.replaces, load.defaults_used) == ("0000000001", [])
    first = deployment.rows("campaign_stats", "record_number")[0]
    # 09:00 on the first of September is summer time: two hours ahead of UTC.
    assert first["sent_at"] == datetime(2026, 9, 1, 7)


def test_a_wrong_expression_stops_the_run_and_names_the_mapping(
    deployment: Deployment, own_sources: Path
) -> None:
    edit(
        own_sources / "generic" / "source.yaml",
        "url_kind: url_kind(url)",
        "url_kind: substr(url, 'x', 'y', url)",
    )
    deployment.drop("generic/a.csv", EVENTS)
    with pytest.raises(MappingError, match=r"exports\.1\.fields\.url_kind: Binder"):
        deployment.land()


def build_a_lake(deployment: Deployment) -> None:
    """Files of every state, over three days."""
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/all.zip", zipped(one=EVENTS, two=HEADER + event(7)))
    deployment.drop("generic/eu/broken.gz", gzip.compress(b"x" * 999)[:-9])
    deployment.land()
    deployment.drop("generic/b.csv", HEADER + event(8) + event(9, "2026-11-04"))
    deployment.land(days=2)
    deployment.drop("generic/c.csv", HEADER + event(9, "2026-11-04"))
    deployment.land(days=3)


def test_a_rebuild_gives_equal_rows_from_the_archive_alone(
    deployment: Deployment,
) -> None:
    build_a_lake(deployment)
    before, states = (
        lake(deployment),
        {n: x.state for n, x in deployment.loads().items()},
    )
    shutil.rmtree(deployment.inbox)
    shutil.rmtree(deployment.settings.at.landing)
    deployment.settings.at.warehouse.write_text("not a database")
    reland_archive(deployment.settings.model_copy(update={"now": datetime(2030, 1, 1)}))
    assert lake(deployment) == before
    assert {n: x.state for n, x in deployment.loads().items()} == states
    assert not deployment.settings.at.warehouse.exists()
    # The event of 4 November was in the future on the day its first file came.
    assert [row["reason"] for row in before["rejected_records"]] == ["future_time"]


def test_there_is_nothing_to_rebuild_in_a_new_home(deployment: Deployment) -> None:
    with pytest.raises(NothingToDoError, match="archive is empty"):
        reland_archive(deployment.settings)


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


def two_files(deployment: Deployment) -> None:
    deployment.drop("generic/a.csv", HEADER + SENT)
    deployment.drop("generic/all.zip", zipped(one=HEADER + LEFT, two=HEADER + SENT))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same files, landed by a run that nobody killed."""
    deployment = deploy(tmp_path_factory.mktemp("undisturbed"))
    two_files(deployment)
    deployment.land()
    return deployment


STEPS = 13
"""Archive.keep and its rename a file; staging, commit and its rename a member."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A few steps in the short form, all in the long one."""
    if "step" in metafunc.fixturenames:
        is_long = metafunc.config.getoption("--faults") == "long"
        metafunc.parametrize("step", range(STEPS) if is_long else (1, 3, 4, 9, 12))


def test_a_run_killed_at_any_step_is_finished_by_the_next(
    step: int,
    deployment: Deployment,
    undisturbed: Deployment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    two_files(deployment)
    steps = 0

    def dying(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == step + 1:
                raise Killed
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for owner, name in (
            (Archive, "keep"),
            (Ledger, "staging"),
            (Ledger, "commit"),
            (Path, "rename"),
        ):
            patch.setattr(owner, name, dying(getattr(owner, name)))
        with pytest.raises(Killed):
            deployment.land()
    deployment.land()
    assert lake(deployment) == lake(undisturbed)
    wanted = {name: load.state for name, load in undisturbed.loads().items()}
    assert {name: load.state for name, load in deployment.loads().items()} == wanted
    arrivals = [known.path for _, known in Archive(deployment.settings.at).arrivals()]
    assert arrivals == ["generic/a.csv", "generic/all.zip"]


# -- the key and what it hides ---------------------------------------------------


@pytest.mark.parametrize("is_landing_lost", [False, True], ids=["lake", "archive only"])
def test_a_home_that_lost_its_key_says_so(
    is_landing_lost: bool, tmp_path: Path
) -> None:
    deployment = deploy(tmp_path, contact_key=None)
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    assert stat.S_IMODE(deployment.settings.at.key.stat().st_mode) == 0o600
    deployment.settings.at.key.unlink()
    if is_landing_lost:
        shutil.rmtree(deployment.settings.at.landing)
    with pytest.raises(KeyMissingError, match="Restore it from your backup"):
        deployment.land()


def test_another_key_lands_everything_again(tmp_path: Path) -> None:
    deployment = deploy(tmp_path)
    deployment.drop("generic/a.csv", EVENTS)
    deployment.land()
    before = {row["contact_key"] for row in deployment.rows("message_events")}
    other = deploy(tmp_path, contact_key="another-" * 8)
    assert [load.replaces for load in other.land().judged] == ["0000000001"]
    after = {row["contact_key"] for row in other.rows("message_events")}
    assert len(before) == len(after) == 1
    assert before != after


CANARY = "canary.bird@example.com"
QUOTED = f'"Canary" <{CANARY}>'.replace('"', '""')
SIGHTINGS = {
    "generic/good.csv": HEADER
    + f"e1,unsubscribed,2026-09-01T09:00:00Z,{CANARY},stop it {CANARY},list\n"
    + f'e2,sent,2026-09-01T09:00:00Z,"{QUOTED}",,\n'
    + f"e3,sent,{CANARY},{CANARY},,\n",
    "generic/open_quote.csv": EVENTS + f'e3,sent,"2026-09-01T09:00:00Z,{CANARY},,\n',
    "generic/many_fields.csv": EVENTS + f"e3,sent,{CANARY},{CANARY},,,,,{CANARY}\n",
    "generic/no_header.csv": f"e1,sent,2026-09-01T09:00:00Z,{CANARY},,\n",
    "generic/odd_header.csv": HEADER.strip() + f",{CANARY}\n" + SENT.strip() + ",x\n",
    "generic/only_bad.csv": HEADER + f"e1,sent,{CANARY},{CANARY},,\n",
    "generic/latin.csv": HEADER.encode() + f"ø {CANARY}\n".encode("latin-1"),
    "generic/lines.ndjson": f'{{"email":"{CANARY}","event_id":1,"event_type":"sent",'
    f'"occurred_at":"2026-09-01T09:00:00Z"}}\n{{"email":"{CANARY}",\n',
    "generic/cut.json": f'[{{"email":"{CANARY}"',
    "generic/totals.csv": "campaign_id,sent_at,unsubscribes\nC1,2026-09-01T09:00:00Z,1\n"
    f"C2,2026-09-01T09:00:00Z,{CANARY}\n",
    "generic/contacts.csv": "email,list,status,exported_at,opt_out_reason\n"
    f"{CANARY},main,unsubscribed,2026-09-01T09:00:00Z,{CANARY} wants out\n"
    f"{CANARY},main,{CANARY},2026-09-01T09:00:00Z,\n",
    "zerobounce/verdicts.csv": f"email,ZB Status,ZB Sub Status\n{CANARY},valid,\n",
    "zerobounce/error.csv": f'{{"success":false,"message":"{CANARY}"}}',
    "amazon_ses/events.ndjson": '{"eventType":"Send","mail":{"messageId":"m","timestamp":'
    f'"2026-09-01T09:00:00Z","destination":["{CANARY}"]}}}}\n{{"eventType":"{CANARY}\n',
}


def everything_below(folder: Path) -> bytes:
    """Every byte, name and Parquet value of a folder, in lower case."""
    parts = []
    for path in sorted(folder.rglob("*")):
        parts.append(str(path.relative_to(folder)).encode())
        if path.is_file():
            parts.append(path.read_bytes())
        if path.suffix == ".parquet":
            parts.append(repr(pq.ParquetFile(path).read().to_pylist()).encode())
    return b"\n".join(parts).lower()


def test_no_address_is_found_anywhere_but_in_the_archive(
    deployment: Deployment, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    for name, content in SIGHTINGS.items():
        deployment.drop(name, content)
    deployment.land()
    assert len(deployment.loads()) == len(SIGHTINGS)
    archive = deployment.settings.at.archive
    assert CANARY.encode() in everything_below(archive)
    archive.rename(deployment.home.parent / "kept")
    elsewhere = everything_below(deployment.home) + caplog.text.lower().encode()
    elsewhere += "".join(capfd.readouterr()).lower().encode()
    plain = CANARY.encode()
    traces = {
        "address": plain,
        "mailbox": b"canary.bird",
        "sha256": hashlib.sha256(plain).hexdigest().encode(),
        "md5": hashlib.md5(plain).hexdigest().encode(),
        "sha1": hashlib.sha1(plain).hexdigest().encode(),
    }
    assert [name for name, trace in traces.items() if trace in elsewhere] == []
    # The search itself works: the same person is there under the keyed hash.
    keys = [row["contact_key"] for row in deployment.rows("message_events")]
    assert keys and all(key.encode() in elsewhere for key in keys)


def test_no_address_is_found_in_an_error_that_stops_the_run(
    deployment: Deployment, own_sources: Path
) -> None:
    path = own_sources / "generic" / "source.yaml"
    edit(path, "url_kind: url_kind(url)", "url_kind: lower(url, email, email)")
    deployment.drop("generic/good.csv", SIGHTINGS["generic/good.csv"])
    with pytest.raises(MappingError) as caught:
        deployment.land()
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown.lower()


def test_what_was_archived_and_not_committed_lands_though_the_inbox_is_empty(
    deployment: Deployment,
) -> None:
    dropped = deployment.drop("generic/shop/events.csv", EVENTS)
    deployment.land()
    before = lake(deployment)
    # What a rebuild leaves that is killed after its first step.
    dropped.unlink()
    shutil.rmtree(deployment.home / "landing" / "load=0000000001")
    later = deployment.land(days=3)
    assert [load.state for load in later.judged] == ["loaded"]
    assert lake(deployment) == before


@pytest.mark.parametrize(
    ("header", "state"),
    [
        ("campaign_id,sent_at,unsubscribes", "refused"),
        ("email,list,status,exported_at", "refused"),
        ("event_id,event_type,occurred_at,email", "loaded"),
    ],
    ids=["campaign totals", "a list", "events of a quiet day"],
)
def test_a_header_alone_is_no_snapshot(
    deployment: Deployment, header: str, state: str
) -> None:
    deployment.drop("generic/shop/header.csv", f"{header}\n")
    deployment.land()
    load = deployment.loads()["generic/shop/header.csv"]
    assert load.state == state
    if state == "refused":
        assert (load.refusal_reason, load.record_count) == ("empty", 0)
        assert "a header and no record" in (load.refusal_detail or "")
