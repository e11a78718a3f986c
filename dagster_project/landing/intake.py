"""The inbox: which files lie still, whose they are, and which were judged before.

The inbox may be a folder or a URL (fsspec); nothing is ever deleted from it. Only
regular files count: links, pipes, hidden and unfinished files wait. A sidecar belongs
to the export it lies beside, and is no file of its own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from dagster_project.accounts import DEFAULT_ACCOUNT
from dagster_project.landing import sidecar
from dagster_project.landing.ledger import Load, Mark
from dagster_project.landing.reader import CHUNK

_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".swp", "~")


class InboxError(Exception):
    """The inbox cannot be listed; the text says what to do."""


@dataclass(frozen=True)
class Found:
    """A regular file of the inbox.

    Attributes:
        path: below the inbox, with ``/``.
        location: for the file system that lists it.
        byte_count: its size.
        modified_ns: its modification time, 0 where the file system has none.
        sidecar: the file of keys beside it.
    """

    path: str
    location: str
    byte_count: int
    modified_ns: int
    sidecar: Found | None = None

    @property
    def source(self) -> str | None:
        """The first folder; None for a file straight under the inbox."""
        parts = self.path.split("/")
        return parts[0] if len(parts) > 1 else None

    @property
    def account(self) -> str:
        """The second folder, where there is one."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else DEFAULT_ACCOUNT

    @property
    def mark(self) -> Mark:
        """Tells whether it is the file that was judged before."""
        beside = self.sidecar
        return (
            *(self.path, self.byte_count, self.modified_ns),
            *((beside.byte_count, beside.modified_ns) if beside else (0, 0)),
        )

    @property
    def modified_at(self) -> datetime:
        """Naive UTC, whole seconds."""
        moment = datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)
        return moment.replace(tzinfo=None)


class Inbox:
    """A folder or URL that exports are dropped into."""

    def __init__(self, location: str) -> None:
        """Resolve the location; listing happens later."""
        try:
            self._system, self._root = fsspec.core.url_to_fs(location)
        except (ImportError, ValueError) as error:
            raise InboxError(f"Cannot reach the inbox {location}: {error}") from None

    def look(self) -> dict[str, Found]:
        """Every regular, finished file, by path; its sidecar is a part of it.

        Raises:
            InboxError: when the inbox exists and cannot be listed.
        """
        if not self._system.exists(self._root):
            return {}
        try:
            listing = self._system.find(self._root, detail=True)
        except OSError as error:
            raise InboxError(f"Cannot list the inbox: {error.strerror}") from None
        prefix = str(self._root).rstrip("/") + "/"
        found = {}
        for location, info in listing.items():
            path = str(location).removeprefix(prefix)
            if info.get("type") == "file" and not info.get("islink") and _is_done(path):
                found[path] = Found(path, location, info["size"], _modified(info))
        return _with_sidecars(found)

    def settled(self, seconds: float, judged: Iterable[Load]) -> list[Found]:
        """Files not judged before that did not change between two looks, by path.

        Args:
            seconds: between the looks.
            judged: the ledger; a file judged whole is not looked at again.
        """
        known = judged_marks(judged)
        first = {p: f for p, f in self.look().items() if f.mark not in known}
        if not first:
            return []
        time.sleep(seconds)
        second = self.look()
        return [
            found for path, found in sorted(first.items()) if second.get(path) == found
        ]

    def copy(self, found: Found, target: Path) -> str:
        """Copy a file's bytes, hashing them on the way.

        Returns:
            SHA-256 of the bytes as received.

        Raises:
            InboxError: when the file vanished, grew or cannot be read.
        """
        digest = hashlib.sha256()
        copied = 0
        try:
            with (
                self._system.open(found.location, "rb") as source,
                target.open("wb") as copy,
            ):
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    copied += copy.write(chunk)
        except OSError:
            raise InboxError(f"{found.path} vanished or cannot be read.") from None
        if copied != found.byte_count:
            raise InboxError(f"{found.path} changed while it was read.")
        return digest.hexdigest()

    def read_sidecar(self, found: Found) -> bytes:
        """The bytes of a file's sidecar; none where it has no sidecar.

        Raises:
            InboxError: when it vanished, changed or cannot be read.
        """
        beside = found.sidecar
        if beside is None:
            return b""
        try:
            with self._system.open(beside.location, "rb") as source:
                content = bytes(source.read(sidecar.MOST_BYTES + 1))
        except OSError:
            raise InboxError(f"{beside.path} vanished or cannot be read.") from None
        if len(content) != min(beside.byte_count, sidecar.MOST_BYTES + 1):
            raise InboxError(f"{beside.path} changed while it was read.")
        return content


def _with_sidecars(found: dict[str, Found]) -> dict[str, Found]:
    beside = {sidecar.export_of(path): one for path, one in sorted(found.items())}
    return {
        path: replace(one, sidecar=beside.get(path))
        for path, one in found.items()
        if sidecar.export_of(path) is None
    }


def judged_marks(judged: Iterable[Load]) -> set[Mark]:
    """Files whose every member has a package.

    A sidecar that is taken away after its export has been judged takes nothing back.
    """
    seen: dict[Mark, tuple[set[str], int]] = {}
    for load in judged:
        members, _ = seen.setdefault(load.arrival.mark, (set(), load.member_count))
        members.add(load.member)
    whole = {mark for mark, (members, count) in seen.items() if len(members) >= count}
    return whole | {(*mark[:3], 0, 0) for mark in whole}


def _is_done(path: str) -> bool:
    parts = path.split("/")
    hidden = any(part.startswith(".") for part in parts)
    return not hidden and not parts[-1].lower().endswith(_UNFINISHED)


def _modified(info: dict[str, Any]) -> int:
    moment = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return int(float(moment or 0) * 1_000_000_000)
