"""The working DuckDB file: who may open it, and for how long.

One run holds the home at a time (a lock the system frees when the process dies). BI
never opens this file, see ``publish.py``.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dagster_project.settings import Home

_held: set[Path] = set()
"""Homes this process holds, so that the command line and its own run share one hold."""


class HomeBusyError(Exception):
    """Another run holds the home; the text says which process, since when."""


@contextmanager
def hold(home: Home) -> Iterator[None]:
    """Hold the home for this process; entering again inside is harmless.

    Raises:
        HomeBusyError: when another process holds it. Nothing has changed then.
    """
    if home.root in _held:
        yield
        return
    home.make()
    with home.lock.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeBusyError(_holder(home.lock)) from None
        handle.truncate(0)
        handle.write(json.dumps({"pid": os.getpid(), "since": _now()}))
        handle.flush()
        _held.add(home.root)
        try:
            yield
        finally:
            _held.discard(home.root)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return "Another run holds the home. Wait for it to end."
    return (
        f"Another run (process {holder['pid']}, since {holder['since']}) holds the"
        " home. Wait for it to end."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def read_only(
    path: Path, *, with_lake: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file for reading.

    Args:
        path: the file.
        with_lake: let views read the landing tables; otherwise no other file.
    """
    connection = duckdb.connect(str(path), read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        if not with_lake:
            connection.execute("set enable_external_access = false")
        yield connection
    finally:
        connection.close()


@contextmanager
def published(marts: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published marts for questions: ``<mart>`` or ``marts.<mart>``.

    Attached under a name of its own: the file's name is a schema's name too, which
    would make ``marts.<mart>`` ambiguous.
    """
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{marts}' as published (read_only)")
        connection.execute("use published.marts")
        connection.execute("set enable_external_access = false")
        yield connection
    finally:
        connection.close()


@contextmanager
def writable(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for writing; call it holding the home."""
    connection = duckdb.connect(str(home.warehouse))
    try:
        yield connection
    finally:
        connection.close()
