"""What was unusual about a send: its audience, its day, its content, its frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import words
from dagster_project.report.findings import Stream
from dagster_project.report.queries import Frames
from dagster_project.report.rows.content import UnusualSend
from dagster_project.report.rows.sends import PLAIN_SEND_TYPES, SPIKES, Diagnosis

SHOWN_SENDS = 8

FOLDED_SENDS = 40


@dataclass(frozen=True)
class UnusualRow:
    """One unusual send as it is shown."""

    row: UnusualSend
    stream: str
    anchor: str
    people: str
    is_costly: bool
    finding: str


def by_campaign(rows: Sequence[UnusualSend]) -> dict[tuple[str, str], str]:
    """Stream and campaign -> what was unusual, in words."""
    return {(row.stream_id, row.campaign_id): row.unusual for row in rows}


def chapter(
    frames: Frames, streams: Sequence[Stream], anchors: Mapping[str, str]
) -> dict[str, Any]:
    """The unusual sends: the most people first, then the newest."""
    names = {stream.stream_id: stream.name for stream in streams}
    costs: dict[tuple[str, str], tuple[int, str | None]] = {}
    for send in frames.sends:
        if send.excess_unsubscribe_count is not None:
            costs[send.stream_id, send.campaign_id] = (
                send.excess_unsubscribe_count,
                send.spike_status,
            )
    found: dict[tuple[str, str | None], Diagnosis] = {
        (row.stream_id, row.campaign_id): row
        for row in reversed(frames.diagnoses)
        if row.campaign_id is not None
    }
    rows = [
        _row(row, names, anchors, costs, found)
        for row in sorted(frames.unusual_sends, key=lambda row: _rank(row, costs))
    ]
    return {
        "shown": rows[:SHOWN_SENDS],
        "folded": rows[SHOWN_SENDS : SHOWN_SENDS + FOLDED_SENDS],
        "left_out": max(0, len(rows) - SHOWN_SENDS - FOLDED_SENDS),
        "verdict": unusual_sentence(rows, _mailing_count(frames)),
    }


def _mailing_count(frames: Frames) -> int:
    return len(
        {
            (send.stream_id, send.campaign_id)
            for send in frames.sends
            if send.send_type in PLAIN_SEND_TYPES
        }
    )


def _rank(
    row: UnusualSend, costs: Mapping[tuple[str, str], tuple[int, str | None]]
) -> tuple[int, float, str, str]:
    people, _ = costs.get((row.stream_id, row.campaign_id), (0, None))
    newest = -row.sent_at.timestamp() if row.sent_at else 0.0
    return (-max(people, 0), newest, row.stream_id, row.campaign_id)


def _row(
    row: UnusualSend,
    names: Mapping[str, str],
    anchors: Mapping[str, str],
    costs: Mapping[tuple[str, str], tuple[int, str | None]],
    found: Mapping[tuple[str, str | None], Diagnosis],
) -> UnusualRow:
    people, status = costs.get((row.stream_id, row.campaign_id), (None, None))
    finding = found.get((row.stream_id, row.campaign_id))
    return UnusualRow(
        row=row,
        stream=names.get(row.stream_id, row.stream_id),
        anchor=anchors.get(row.stream_id, ""),
        people=words.signed(people),
        is_costly=status in SPIKES,
        finding=(finding.finding_label or words.spelled_out(finding.finding))
        if finding
        else "",
    )


def unusual_sentence(rows: Sequence[UnusualRow], mailings: int) -> str:
    """How many sends were unusual, and how many of these cost people."""
    if not mailings:
        return ""
    if not rows:
        return (
            f"Nothing: of {words.plural(mailings, 'send')} none differed from its"
            " stream's habit in audience, frequency, content, newcomers or time, as far"
            " as the exports tell."
        )
    costly = sum(row.is_costly for row in rows)
    return (
        f"{words.count(len(rows))} of {words.plural(mailings, 'send')}"
        f" {'was' if len(rows) == 1 else 'were'} unusual;"
        f" {words.count(costly) if costly else 'none'} of these cost more people than"
        " expected."
    )
