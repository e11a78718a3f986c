"""What happened, and what to do: the findings, the most people first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import words
from dagster_project.report.findings import Stream
from dagster_project.report.queries import Frames
from dagster_project.report.rows.sends import (
    Diagnosis,
    Send,
)

CONFIDENCES = {
    "confirmed": ("confirmed", "The numbers prove it."),
    "probable": ("probable", "The numbers point to it and do not prove it yet."),
    "low_confidence": (
        "unsure",
        "It rests on numbers that may mislead, such as opens by mail programs.",
    ),
}
"""Confidence of a finding -> what it is called, and what that means."""

SHOWN_FINDINGS = 5

FOLDED_FINDINGS = 40


def diagnosis_place(row: Diagnosis, send: Send | None, stream: str) -> str:
    """What a finding is about; all variants of a send are one."""
    if row.campaign_id is None:
        return f"the stream {stream}"
    name = row.campaign_name or (send and send.subject) or row.campaign_id
    return f"{name}, {words.day(row.sent_at)}"


@dataclass(frozen=True)
class FindingRow:
    """One finding as it is shown."""

    diagnosis: Diagnosis
    label: str
    confidence: str
    confidence_meaning: str
    place: str
    stream: str
    anchor: str
    people: str


def chapter(
    frames: Frames, streams: Sequence[Stream], anchors: Mapping[str, str]
) -> dict[str, Any]:
    """What happened and what to do, the most people first."""
    names = {stream.stream_id: stream.name for stream in streams}
    sends = {(send.stream_id, send.campaign_id): send for send in frames.sends}
    rows = [
        _finding_row(
            row, sends.get((row.stream_id, row.campaign_id or "")), names, anchors
        )
        for row in frames.diagnoses[: SHOWN_FINDINGS + FOLDED_FINDINGS]
    ]
    return {
        "shown": rows[:SHOWN_FINDINGS],
        "folded": rows[SHOWN_FINDINGS:],
        "left_out": len(frames.diagnoses) - len(rows),
    }


def _finding_row(
    row: Diagnosis,
    send: Send | None,
    names: Mapping[str, str],
    anchors: Mapping[str, str],
) -> FindingRow:
    stream = names.get(row.stream_id, row.stream_id)
    confidence, meaning = CONFIDENCES.get(
        row.confidence or "", (words.spelled_out(row.confidence), "")
    )
    return FindingRow(
        diagnosis=row,
        label=row.finding_label or words.spelled_out(row.finding),
        confidence=confidence,
        confidence_meaning=meaning,
        place=diagnosis_place(row, send, stream),
        stream=stream,
        anchor=anchors.get(row.stream_id, ""),
        people=words.signed(row.people_lost_count),
    )
