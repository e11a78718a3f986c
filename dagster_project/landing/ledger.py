"""Every file ever judged: the ``load.json`` of its package, and what they add up to.

A package is a folder ``landing/load=<sequence>``; it exists once its ``load.json`` has
been renamed into place with it. There is no other state.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dagster_project.settings import Home

ANCHOR = "0000000000"
"""The package that holds an empty file of every table, so that no table is missing."""

State = Literal["loaded", "refused", "duplicate", "withdrawn"]


Mark = tuple[str, int, int, int, int]
"""Path, size and time of a file, then size and time of its sidecar, else zeros."""


class Arrival(BaseModel):
    """A file as it was found in the inbox, kept beside its bytes for ``rebuild``.

    Attributes:
        path: below the inbox, with ``/``.
        source: the folder it lay in; None straight under the inbox.
        modified_at: naive UTC.
        first_seen_at: the run's clock then; a rebuild judges it at that moment.
        modified_ns: as the file system gave it, to know the same file again.
        sidecar: what the file of keys beside it says.
        sidecar_fault: why that file cannot be read.
        sidecar_byte_count: its size, 0 where there is none.
        sidecar_modified_ns: its modification time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    source: str | None
    account: str
    byte_count: int
    modified_at: datetime
    modified_ns: int
    first_seen_at: datetime
    sequence: int
    sidecar: dict[str, str] = {}
    sidecar_fault: str | None = None
    sidecar_byte_count: int = 0
    sidecar_modified_ns: int = 0

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def mark(self) -> Mark:
        """Tells whether a file in the inbox is the one that was judged."""
        return (
            *(self.path, self.byte_count, self.modified_ns),
            *(self.sidecar_byte_count, self.sidecar_modified_ns),
        )


class Load(BaseModel):
    """One judged file: what it was, what became of its records, and why."""

    model_config = ConfigDict(extra="forbid")

    load: str
    state: State
    source: str | None = None
    account: str
    export: str | None = None
    lands: str | None = None
    arrival: Arrival
    member: str = ""
    member_count: int = 1
    archive_sha256: str
    content_sha256: str | None = None
    identity: str | None = None
    byte_count: int = 0
    fingerprint: str
    record_count: int = 0
    loaded_count: int = 0
    duplicate_count: int = 0
    rejected_count: int = 0
    skipped_count: int = 0
    row_count: int = 0
    unmapped: dict[str, int] = {}
    skipped: dict[str, int] = {}
    refusal_reason: str | None = None
    refusal_detail: str | None = None
    refusal_line: int | None = None
    refusal_column: str | None = None
    ignored_columns: list[str] = []
    defaults_used: list[str] = []
    duplicate_of: str | None = None
    replaces: str | None = None
    exported_at: datetime | None = None
    landed_at: datetime

    @property
    def file_name(self) -> str:
        """The inbox path, with the member where a zip held several."""
        return (
            f"{self.arrival.path}!{self.member}" if self.member else self.arrival.path
        )

    @property
    def content_identity(self) -> str:
        """What a withdrawal is noted under; an unread file is known by its bytes."""
        if self.identity is not None:
            return self.identity
        parts = [self.source, self.account, self.archive_sha256, self.file_name]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Ledger:
    """Reads and writes load packages of one home."""

    def __init__(self, home: Home, *, repair: bool = False) -> None:
        """Read every package.

        Args:
            home: whose packages.
            repair: also clear what a killed run left behind; only holding the home.
        """
        self._home = home
        self._loads: dict[str, Load] = {}
        if repair:
            self._sweep()
        for path in sorted(home.landing.glob("load=*/load.json")):
            if path.parent.name != f"load={ANCHOR}":
                load = Load.model_validate_json(path.read_text(encoding="utf-8"))
                self._loads[load.load] = load
        for load in list(self._loads.values()):
            if load.replaces in self._loads:
                if repair:
                    self._remove(load.replaces)
                else:
                    del self._loads[load.replaces]

    def __iter__(self) -> Iterator[Load]:
        """Every judged file in the order of judging."""
        return iter(sorted(self._loads.values(), key=lambda load: load.load))

    def __len__(self) -> int:
        """How many files were judged."""
        return len(self._loads)

    @property
    def next_load(self) -> str:
        """The sequence of the next package: never used before."""
        return f"{int(max(self._loads, default=ANCHOR)) + 1:010d}"

    def holder(self, identity: str) -> Load | None:
        """The package that this content of this account is: loaded, or withdrawn."""
        for load in self._loads.values():
            if load.state in ("loaded", "withdrawn") and load.identity == identity:
                return load
        return None

    def folder(self, load: str) -> Path:
        """Where a package lies."""
        return self._home.landing / f"load={load}"

    def staging(self, load: str) -> Path:
        """An empty private folder to prepare a package in; globs do not see it."""
        folder = self._home.landing / f".load={load}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    def commit(self, load: Load) -> None:
        """Make a prepared package exist, whole, with one rename."""
        staging = self._home.landing / f".load={load.load}"
        for path in staging.iterdir():
            _sync(path)
        write_synced(staging / "load.json", load.model_dump_json(indent=1))
        _sync(staging)
        staging.rename(self.folder(load.load))
        _sync(self._home.landing)
        self._loads[load.load] = load
        if load.replaces in self._loads:
            self._remove(load.replaces)

    def _remove(self, load: str) -> None:
        """Drop a package that another one replaced; a rename first, so never half."""
        gone = self._home.landing / f".gone={load}"
        self.folder(load).rename(gone)
        shutil.rmtree(gone)
        del self._loads[load]

    def _sweep(self) -> None:
        for leftover in (".load=*", ".gone=*"):
            for path in self._home.landing.glob(leftover):
                shutil.rmtree(path)
        for path in self._home.landing.glob("load=*"):
            is_whole = (path / "load.json").exists()
            if not is_whole and path.name != f"load={ANCHOR}":
                shutil.rmtree(path)


def write_synced(path: Path, text: str) -> None:
    """Write a text file so that it survives a power cut: temporary, sync, rename."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Side(BaseModel):
    """What is kept beside archived bytes.

    Attributes:
        arrivals: how they arrived, each time.
        withdrawn: identities of the contents inside that were withdrawn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    arrivals: tuple[Arrival, ...] = ()
    withdrawn: tuple[str, ...] = ()


class Archive:
    """The bytes as received, named by their SHA-256, with a side file of arrivals."""

    def __init__(self, home: Home) -> None:
        """Use the home's archive folder."""
        self._folder = home.archive

    def path(self, sha256: str) -> Path:
        """Where the bytes lie."""
        return self._folder / sha256

    def keep(self, temporary: Path, sha256: str, arrival: Arrival) -> Arrival:
        """Take a finished copy in and note how it arrived; same bytes are kept once.

        Returns:
            The arrival on record: the first one, when a killed run had noted it before.
        """
        target = self.path(sha256)
        if target.exists():
            temporary.unlink()
        else:
            _sync(temporary)
            temporary.chmod(0o600)
            temporary.rename(target)
        arrivals = self.arrivals_of(sha256)
        for known in arrivals:
            same_place = (known.source, known.account) == (
                arrival.source,
                arrival.account,
            )
            if known.mark == arrival.mark and same_place:
                return known
        self._note(sha256, arrivals=(*arrivals, arrival))
        return arrival

    def arrivals_of(self, sha256: str) -> list[Arrival]:
        """How these bytes arrived, each time."""
        return list(self._noted(sha256).arrivals)

    def withdraw(self, sha256: str, identity: str) -> None:
        """Note that a content was withdrawn, so that a rebuild withdraws it again."""
        known = self._noted(sha256).withdrawn
        self._note(sha256, withdrawn=tuple(sorted({*known, identity})))

    def restore(self, identity: str) -> None:
        """Take a withdrawal back, wherever it was noted."""
        for side in self._folder.glob("*.json"):
            known = self._noted(side.stem).withdrawn
            if identity in known:
                kept = tuple(entry for entry in known if entry != identity)
                self._note(side.stem, withdrawn=kept)

    def withdrawn(self) -> set[str]:
        """The identities of all contents that were withdrawn."""
        return {
            identity
            for side in self._folder.glob("*.json")
            for identity in self._noted(side.stem).withdrawn
        }

    def arrivals(self) -> list[tuple[str, Arrival]]:
        """Everything that ever arrived, with its archive name, in order."""
        found = [
            (side.stem, arrival)
            for side in self._folder.glob("*.json")
            for arrival in self.arrivals_of(side.stem)
        ]
        return sorted(found, key=lambda entry: (entry[1].sequence, entry[1].path))

    def _noted(self, sha256: str) -> _Side:
        side = self._side(sha256)
        if not side.exists():
            return _Side()
        return _Side.model_validate_json(side.read_text(encoding="utf-8"))

    def _note(self, sha256: str, **changes: object) -> None:
        side = self._noted(sha256).model_copy(update=changes)
        write_synced(self._side(sha256), side.model_dump_json(indent=1))
        _sync(self._folder)

    def _side(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"
