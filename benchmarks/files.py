"""Where the generated events lie, and the moment they are judged at.

Apart from the generator, so that the runner knows it without loading an engine.
"""

from __future__ import annotations

from pathlib import Path

SOURCE_FOLDER = Path("generic") / "shop"
"""Source and account, as the inbox spells them."""
LAYOUTS = ("csv", "ndjson", "parquet")
"""Parquet is for the floor alone: no export comes in it."""

FIRST_SEND = "2024-11-01 09:00:00"
SEND_DAYS = 730
NOW = "2026-12-31T00:00:00Z"
"""A moment after the last event, for `--now`."""


def inbox(directory: Path, layout: str) -> Path:
    """The folder to run the product on."""
    return directory / layout


def events_file(directory: Path, layout: str) -> Path:
    """The one file of a format."""
    return inbox(directory, layout) / SOURCE_FOLDER / f"events.{layout}"
