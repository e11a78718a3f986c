"""The inbox: only regular, finished files that lie still are taken, from where they lie."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import fsspec
import pytest

from dagster_project.landing.intake import Inbox, InboxError
from tests.conftest import DROPPED_AT, Deployment


@pytest.fixture
def inbox(deployment: Deployment) -> Inbox:
    return Inbox(str(deployment.inbox))


def test_folders_say_whose_a_file_is(drop: Callable[..., Path], inbox: Inbox) -> None:
    names = ["loose.csv", "generic/a.csv", "generic/eu/b.csv", "generic/eu/2026/c.csv"]
    for name in names:
        drop(name, "x")
    assert {name: (f.source, f.account) for name, f in inbox.look().items()} == {
        "loose.csv": (None, "default"),
        "generic/a.csv": ("generic", "default"),
        "generic/eu/b.csv": ("generic", "eu"),
        "generic/eu/2026/c.csv": ("generic", "eu"),
    }


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.csv",
        ".git/config.csv",
        "half.csv.part",
        "half.csv.PARTIAL",
        "half.csv.crdownload",
        "half.download",
        "half.tmp",
        ".half.csv.swp",
        "half.swp",
        "backup.csv~",
    ],
)
def test_a_hidden_or_unfinished_file_waits(
    name: str, drop: Callable[..., Path], inbox: Inbox
) -> None:
    drop("generic/" + name, "x")
    assert inbox.look() == {}


def test_what_is_no_regular_file_is_left_alone(
    drop: Callable[..., Path], deployment: Deployment, inbox: Inbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.csv").write_text("x")
    folder = deployment.inbox / "generic"
    drop("generic/real.csv", "x")
    (folder / "link.csv").symlink_to(secret)
    (folder / "dangling.csv").symlink_to(tmp_path / "nothing")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert set(inbox.look()) == {"generic/real.csv"}


def test_an_inbox_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert Inbox(str(tmp_path / "nowhere")).look() == {}


def test_an_inbox_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InboxError, match="Cannot reach the inbox nonsense://x"):
        Inbox("nonsense://x")


def test_a_url_is_an_inbox_too() -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/bucket/generic/eu/a.csv", b"abc")
    try:
        found = Inbox("memory://bucket").look()
        assert set(found) == {"generic/eu/a.csv"}
        assert (found["generic/eu/a.csv"].byte_count) == 3
    finally:
        system.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    "meddle",
    [
        pytest.param(lambda path: path.write_text("longer than before"), id="grows"),
        pytest.param(lambda path: os.utime(path, (1, 1)), id="is touched"),
        pytest.param(lambda path: path.unlink(), id="vanishes"),
    ],
)
def test_a_file_that_changes_between_two_looks_waits(
    meddle: Callable[[Path], object],
    drop: Callable[..., Path],
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moving = drop("generic/moving.csv", "x")
    drop("generic/still.csv", "x")
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        meddle(moving)

    monkeypatch.setattr(time, "sleep", sleep)
    assert [found.path for found in inbox.settled(1.5, [])] == ["generic/still.csv"]
    assert slept == [1.5]


@pytest.mark.parametrize("ending", [".meta.yaml", ".meta.yml", ".META.YAML"])
def test_a_sidecar_is_a_part_of_its_export_and_no_file_itself(
    ending: str, drop: Callable[..., Path], inbox: Inbox
) -> None:
    drop("generic/a.csv", "x")
    drop("generic/b.csv", "x")
    bare = inbox.look()["generic/a.csv"]
    drop(f"generic/a.csv{ending}", "campaign_id: 7")
    drop("generic/eu/gone.csv.meta.yaml", "campaign_id: 7")
    assert set(inbox.look()) == {"generic/a.csv", "generic/b.csv"}
    found = inbox.look()["generic/a.csv"]
    assert inbox.read_sidecar(found) == b"campaign_id: 7"
    assert inbox.read_sidecar(bare) == b""
    assert found.mark != bare.mark
    assert found.mark[:3] == bare.mark[:3]
    drop(f"generic/a.csv{ending}", "campaign_id: 8", at=datetime(2026, 10, 30))
    assert inbox.look()["generic/a.csv"].mark != found.mark


def test_a_sidecar_that_changes_between_two_looks_lets_its_export_wait(
    drop: Callable[..., Path], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("generic/a.csv", "x")
    drop("generic/b.csv", "x")
    monkeypatch.setattr(
        time, "sleep", lambda _: drop("generic/a.csv.meta.yaml", "campaign_id: 7")
    )
    assert [found.path for found in inbox.settled(1.5, [])] == ["generic/b.csv"]


def test_a_sidecar_that_vanishes_or_grows_before_it_is_read_says_so(
    drop: Callable[..., Path], inbox: Inbox
) -> None:
    drop("generic/a.csv", "x")
    path = drop("generic/a.csv.meta.yaml", "campaign_id: 7")
    (found,) = inbox.look().values()
    path.write_text("campaign_id: 77")
    with pytest.raises(InboxError, match=r"a\.csv\.meta\.yaml changed"):
        inbox.read_sidecar(found)
    path.unlink()
    with pytest.raises(InboxError, match=r"a\.csv\.meta\.yaml vanished"):
        inbox.read_sidecar(found)


def test_nobody_waits_for_an_empty_inbox(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("slept for nothing"))
    assert inbox.settled(1.5, []) == []


def test_files_are_taken_in_the_order_of_their_names(
    drop: Callable[..., Path], inbox: Inbox
) -> None:
    for name in ("generic/b.csv", "generic/a.csv", "acme.csv"):
        drop(name, "x")
    paths = [found.path for found in inbox.settled(0, [])]
    assert paths == ["acme.csv", "generic/a.csv", "generic/b.csv"]


def test_a_copy_is_hashed_on_the_way(
    drop: Callable[..., Path], inbox: Inbox, tmp_path: Path
) -> None:
    drop("generic/a.csv", b"abc")
    (found,) = inbox.look().values()
    sha256 = inbox.copy(found, tmp_path / "copy")
    assert sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (tmp_path / "copy").read_bytes() == b"abc"


def test_a_file_that_vanishes_before_it_is_read_says_so(
    drop: Callable[..., Path], inbox: Inbox, tmp_path: Path
) -> None:
    path = drop("generic/a.csv", b"abc")
    (found,) = inbox.look().values()
    path.unlink()
    with pytest.raises(InboxError, match=r"generic/a\.csv vanished"):
        inbox.copy(found, tmp_path / "copy")


def test_a_file_that_grew_since_the_look_is_not_taken(
    drop: Callable[..., Path], inbox: Inbox, tmp_path: Path
) -> None:
    path = drop("generic/a.csv", b"abc")
    (found,) = inbox.look().values()
    path.write_bytes(b"abcdef")
    with pytest.raises(InboxError, match=r"generic/a\.csv changed while it was read"):
        inbox.copy(found, tmp_path / "copy")


def test_a_modification_time_is_naive_utc(
    drop: Callable[..., Path], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("generic/a.csv", "x", at=datetime(2026, 7, 1, 23, 30))
    monkeypatch.setenv("TZ", "Pacific/Apia")
    time.tzset()
    try:
        (found,) = inbox.look().values()
        assert found.modified_at == datetime(2026, 7, 1, 23, 30)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_fixed_drop_time_is_seen(drop: Callable[..., Path], inbox: Inbox) -> None:
    drop("generic/a.csv", "x")
    assert inbox.look()["generic/a.csv"].modified_at == DROPPED_AT
