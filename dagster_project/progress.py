"""How far a run is: set by whoever started it, told by the assets.

A run started by a person draws bars; one started by a schedule stays silent, because
Dagster's own log tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Reporter(Protocol):
    """Somebody who wants to know."""

    def advance(self, stage: str, done: int, total: int | None, name: str) -> None:
        """A stage has finished ``done`` of ``total`` things and is now at ``name``."""

    def close(self) -> None:
        """The run is over."""


class _Silent:
    def advance(self, stage: str, done: int, total: int | None, name: str) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Nothing to give back."""


_current: Reporter = _Silent()


def report(stage: str, done: int, total: int | None, name: str = "") -> None:
    """Tell whoever listens."""
    _current.advance(stage, done, total, name)


@contextmanager
def told_to(reporter: Reporter) -> Iterator[None]:
    """Let a reporter listen for the length of a run in this process."""
    global _current
    before, _current = _current, reporter
    try:
        yield
    finally:
        _current = before
        reporter.close()
