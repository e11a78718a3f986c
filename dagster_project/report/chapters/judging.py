"""How we judge: what the words rest on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dagster_project.report import words
from dagster_project.report.queries import Frames
from dagster_project.report.rows.sends import (
    Band,
    Constant,
)


def contradiction_sentence(bands: Iterable[Band]) -> str:
    """Which published reference the others contradict."""
    return " ".join(
        f"One source ({band.source}) claims {band.lower_pct or 0:g}{words.SPACE}% as"
        f" the {band.kind}. {band.conflict_note or 'No other source agrees.'}"
        for band in bands
        if band.is_contradicted
    )


def behind(row: Constant) -> str:
    """How much mail stands behind an estimate."""
    if row.campaign_count is None:
        return ""
    streams = (
        f" in {words.plural(row.stream_count, 'stream')}" if row.stream_count else ""
    )
    return f"{words.plural(row.campaign_count, 'send')}{streams}"


def chapter(frames: Frames) -> dict[str, Any]:
    """What the words rest on: references, and constants beside their estimates."""
    estimated_first = sorted(
        frames.constants, key=lambda row: (row.own_estimate is None, row.constant_name)
    )
    return {
        "contradiction": contradiction_sentence(frames.bands),
        "constants": [(row, behind(row)) for row in estimated_first],
    }
