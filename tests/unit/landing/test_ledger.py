"""A load package is whole or it does not exist; bytes are kept once, with their story."""

from __future__ import annotations

import json
import stat
from datetime import datetime
from pathlib import Path

import pytest

from dagster_project.landing.ledger import ANCHOR, Archive, Arrival, Ledger, Load
from dagster_project.settings import Home

WHEN = datetime(2026, 11, 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def arrival(path: str = "generic/events.csv", sequence: int = 1) -> Arrival:
    return Arrival(
        path=path,
        source="generic",
        account="default",
        byte_count=3,
        modified_at=WHEN,
        modified_ns=7,
        first_seen_at=WHEN,
        sequence=sequence,
    )


def entry(load: str, **more: object) -> Load:
    return Load(
        load=load,
        state="loaded",
        account="default",
        arrival=arrival(),
        archive_sha256="0" * 64,
        fingerprint="f",
        landed_at=WHEN,
        **more,
    )


def put(ledger: Ledger, load: Load, text: str = "rows") -> None:
    (ledger.staging(load.load) / "message_events.parquet").write_text(text)
    ledger.commit(load)


def packages(home: Home) -> list[str]:
    return sorted(path.name for path in home.landing.iterdir())


def test_a_package_in_preparation_is_invisible_until_it_is_committed(
    home: Home,
) -> None:
    ledger = Ledger(home)
    (ledger.staging("0000000001") / "message_events.parquet").write_text("rows")
    assert list(home.landing.glob("load=*")) == []
    ledger.commit(entry("0000000001"))
    assert packages(home) == ["load=0000000001"]
    assert len(Ledger(home)) == 1


def test_what_a_killed_run_prepared_is_swept(home: Home) -> None:
    Ledger(home).staging("0000000001")
    (home.landing / ".gone=0000000009").mkdir()
    assert len(Ledger(home, repair=True)) == 0
    assert packages(home) == []


def test_looking_at_the_ledger_changes_nothing(home: Home) -> None:
    Ledger(home).staging("0000000001")
    assert len(Ledger(home)) == 0
    assert packages(home) == [".load=0000000001"]


def test_a_package_without_its_entry_does_not_exist(home: Home) -> None:
    ledger = Ledger(home)
    put(ledger, entry("0000000001"))
    (ledger.folder("0000000001") / "load.json").unlink()
    (home.landing / f"load={ANCHOR}").mkdir()
    assert len(Ledger(home, repair=True)) == 0
    assert packages(home) == [f"load={ANCHOR}"]


def test_a_new_package_takes_the_place_of_the_one_it_replaces(home: Home) -> None:
    ledger = Ledger(home)
    put(ledger, entry("0000000001"))
    put(ledger, entry("0000000002", replaces="0000000001"))
    assert packages(home) == ["load=0000000002"]
    assert [load.load for load in Ledger(home)] == ["0000000002"]


def test_a_run_killed_between_the_two_is_finished_by_the_next(home: Home) -> None:
    ledger = Ledger(home)
    put(ledger, entry("0000000001"))
    old = ledger.folder("0000000001")
    kept = home.root / "kept"
    old.rename(kept)
    put(ledger, entry("0000000002"))
    # As it lies on disk when the process dies after the second package's rename.
    kept.rename(old)
    path = ledger.folder("0000000002") / "load.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"replaces": old.name[5:]})
    )
    assert [load.load for load in Ledger(home)] == ["0000000002"]
    assert packages(home) == ["load=0000000001", "load=0000000002"]
    assert [load.load for load in Ledger(home, repair=True)] == ["0000000002"]
    assert packages(home) == ["load=0000000002"]


def test_a_number_is_never_given_twice(home: Home) -> None:
    ledger = Ledger(home)
    assert ledger.next_load == "0000000001"
    put(ledger, entry("0000000001"))
    put(ledger, entry("0000000002", replaces="0000000001"))
    assert ledger.next_load == "0000000003"
    assert Ledger(home).next_load == "0000000003"


def test_only_a_loaded_package_answers_for_its_content(home: Home) -> None:
    ledger = Ledger(home)
    put(ledger, entry("0000000001", identity="same"))
    put(
        ledger,
        entry("0000000002", identity="other").model_copy(update={"state": "refused"}),
    )
    assert ledger.holder("same").load == "0000000001"
    assert ledger.holder("other") is None


def test_a_member_of_a_zip_is_named_behind_its_file() -> None:
    assert entry("1", member="a.csv").file_name == "generic/events.csv!a.csv"


def incoming(home: Home, content: bytes = b"abc") -> Path:
    path = home.temporary / "incoming"
    path.write_bytes(content)
    return path


def test_the_archive_keeps_the_same_bytes_once_and_every_arrival(home: Home) -> None:
    archive = Archive(home)
    archive.keep(incoming(home), "sha", arrival("a.csv", 1))
    archive.keep(incoming(home), "sha", arrival("b.csv", 2))
    assert archive.path("sha").read_bytes() == b"abc"
    assert [known.path for known in archive.arrivals_of("sha")] == ["a.csv", "b.csv"]
    assert not (home.temporary / "incoming").exists()


def test_archived_bytes_are_private(home: Home) -> None:
    archive = Archive(home)
    archive.keep(incoming(home), "sha", arrival())
    assert stat.S_IMODE(archive.path("sha").stat().st_mode) == 0o600


def test_an_arrival_noted_before_keeps_its_first_clock(home: Home) -> None:
    archive = Archive(home)
    first = archive.keep(incoming(home), "sha", arrival())
    later = arrival().model_copy(update={"first_seen_at": datetime(2027, 1, 1)})
    assert archive.keep(incoming(home), "sha", later) == first
    assert archive.arrivals_of("sha") == [first]


def test_arrivals_come_back_in_the_order_of_arriving(home: Home) -> None:
    archive = Archive(home)
    for sha, path, sequence in (
        ("z", "1", 1),
        ("a", "3", 3),
        ("m", "b", 2),
        ("k", "a", 2),
    ):
        archive.keep(incoming(home), sha, arrival(path, sequence))
    assert [known.path for _, known in archive.arrivals()] == ["1", "a", "b", "3"]
