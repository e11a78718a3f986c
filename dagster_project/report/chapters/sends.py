"""Which sends hurt: the ranking, and every stream with its sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import findings, words
from dagster_project.report.chapters import (
    send_charts,
    send_words,
    unusual,
)
from dagster_project.report.charts import Figure
from dagster_project.report.findings import (
    ReasonTotals,
    Stream,
)
from dagster_project.report.queries import Frames
from dagster_project.report.rows.sends import (
    Band,
    Send,
)

# What one page can hold: about 3 MB beside plotly's own script.
OPEN_STREAMS = 4

CHARTED_STREAMS = 24

CHARTED_SENDS = 260

TABLE_SENDS = 100

FOLDED_CHARTED_SENDS = 130

FOLDED_TABLE_SENDS = 25

SHOWN_SENDS = 6

COSTLIEST_SENDS = 6

FLOW_ROWS = 60

MINIMUM_ANSWERS = 5
"""Fewer answers are no pattern of a single send."""


@dataclass(frozen=True)
class Whisker:
    """Where a rate, its interval and the expected one lie on a small ruler, 0-100."""

    dot: float
    low: float
    high: float
    expected: float | None


@dataclass(frozen=True)
class SendRow:
    """One line of a table of sends."""

    send: Send
    whisker: Whisker | None
    interval: str
    why_no_rate: str
    band: str
    industry: str
    excess: tuple[str, str]
    why_no_expectation: str
    loudness: str
    meaning: str
    why_no_verdict: str
    context: str
    arrived: str
    opens: str
    reason: str
    unusual: str


@dataclass(frozen=True)
class StreamBlock:
    """One stream as it is shown."""

    anchor: str
    is_folded: bool
    stream: Stream
    summary: str
    trend: list[str]
    alt: str
    has_chart: bool
    left_out: int
    rows: list[SendRow]
    rows_left_out: int
    notes: list[str]


@dataclass(frozen=True)
class Costly:
    """One line of the ranking over all streams."""

    send: Send
    stream: str
    anchor: str
    people: str
    rates: str
    loudness: str
    width: float


def chapter(
    frames: Frames,
    streams: Sequence[Stream],
    severity: Sequence[Band],
    figures: dict[str, Figure],
) -> dict[str, Any]:
    """The streams that are shown, and the ranking over all of them."""
    by_campaign = findings.reasons_by_campaign(
        row for row in frames.reasons if row.period_kind == "campaign"
    )
    said = {
        send.campaign_key: _said(
            by_campaign.get((send.source, send.account, send.campaign_id, send.variant))
        )
        for send in frames.sends
    }
    odd = unusual.by_campaign(frames.unusual_sends)
    blocks = [
        _stream_block(place, stream, severity, said, odd, figures)
        for place, stream in enumerate(streams[:CHARTED_STREAMS])
    ]
    newest_flows = sorted(
        frames.flow_months,
        key=lambda row: (-row.month.toordinal(), -(row.delivered_count or 0), row.name),
    )
    open_blocks = [block for block in blocks if not block.is_folded]
    return {
        "costliest": _costliest(blocks),
        "open": open_blocks,
        "folded": blocks[len(open_blocks) :],
        "others": [
            (stream, send_words.stream_summary(stream))
            for stream in streams[CHARTED_STREAMS:]
        ],
        "count": len(frames.sends),
        "shown_sends": SHOWN_SENDS,
        "loudness": [
            (send_words.LOUDNESS[status], status, send_words.SPIKE_MEANINGS[status])
            for status in reversed(send_words.LOUDNESS)
        ],
        "trends": [
            (stream, stream.trend, send_words.SHAPES.get(stream.trend.shape, ""))
            for stream in streams[:CHARTED_STREAMS]
            if stream.trend
        ],
        "flows": [(row, send_words.flow_name(row)) for row in newest_flows[:FLOW_ROWS]],
        "flows_left_out": max(0, len(newest_flows) - FLOW_ROWS),
        "interval": words.interval,
    }


def _said(reasons: ReasonTotals | None) -> str:
    """What those who left through a send gave as the reason most often."""
    if (
        reasons is None
        or reasons.main is None
        or reasons.answered_count < MINIMUM_ANSWERS
    ):
        return ""
    return (
        f"{reasons.main.label}: {reasons.main.count:,} of"
        f" {words.plural(reasons.answered_count, 'answer')}"
    )


def _stream_block(
    place: int,
    stream: Stream,
    severity: Sequence[Band],
    said: Mapping[str, str],
    odd: Mapping[tuple[str, str], str],
    figures: dict[str, Figure],
) -> StreamBlock:
    anchor = f"stream-{place + 1}"
    is_folded = place >= OPEN_STREAMS or not stream.is_plain
    dated = stream.dated
    shown = dated[-(FOLDED_CHARTED_SENDS if is_folded else CHARTED_SENDS) :]
    has_chart = sum(send.is_judged for send in shown) > 1
    if has_chart:
        figures[anchor] = send_charts.stream_chart(stream, severity, shown)
    ranked = findings.worst_first(stream.sends)
    rows = ranked[: FOLDED_TABLE_SENDS if is_folded else TABLE_SENDS]
    top = send_charts.axis_top(
        rows, [band.lower_pct for band in severity if band.lower_pct]
    )
    return StreamBlock(
        anchor=anchor,
        is_folded=is_folded,
        stream=stream,
        summary=send_words.stream_summary(stream),
        trend=send_words.trend_sentences(stream),
        alt=send_words.stream_alt(stream),
        has_chart=has_chart,
        left_out=len(dated) - len(shown),
        rows=[
            _send_row(
                send,
                top,
                said.get(send.campaign_key, ""),
                odd.get((send.stream_id, send.campaign_id), ""),
            )
            for send in rows
        ],
        rows_left_out=len(ranked) - len(rows),
        notes=send_words.unknowns(stream),
    )


def _send_row(send: Send, top: float, reason: str, odd: str) -> SendRow:
    low, high = send.unsubscribe_rate_low_pct, send.unsubscribe_rate_high_pct
    status = send.spike_status or ""
    return SendRow(
        send=send,
        whisker=_whisker(send, top),
        interval=words.interval(low, high),
        why_no_rate="" if send.is_judged else send_words.why_no_rate(send),
        band=words.band_name(send.judged_band),
        industry=send_words.industry(send),
        excess=words.people(
            send.excess_unsubscribe_count, send.excess_low_count, send.excess_high_count
        ),
        why_no_expectation=send_words.why_no_expectation(send),
        loudness=send_words.LOUDNESS.get(status, ""),
        meaning=send_words.SPIKE_MEANINGS.get(status, ""),
        why_no_verdict=send_words.why_no_verdict(send),
        context=send_words.CONTEXTS.get(send.grade_context or "", ""),
        arrived=send_words.arrived(send),
        opens=send_words.opens(send),
        reason=reason,
        unusual=odd,
    )


def _whisker(send: Send, top: float) -> Whisker | None:
    def place(value: float | None) -> float:
        return round(100 * min((value or 0.0) / top, 1.0), 2)

    if not send.is_judged:
        return None
    expected = send.expected_rate_pct
    return Whisker(
        dot=place(send.unsubscribe_rate_pct),
        low=place(send.unsubscribe_rate_low_pct),
        high=place(send.unsubscribe_rate_high_pct),
        expected=None if expected is None else place(expected),
    )


def _costliest(blocks: Sequence[StreamBlock]) -> list[Costly]:
    anchors = {block.stream.stream_id: block for block in blocks}
    ranked = findings.costliest(
        send for block in blocks for send in block.stream.sends
    )[:COSTLIEST_SENDS]
    if not ranked:
        return []
    most = max(1, *(send.excess_unsubscribe_count or 0 for send in ranked))
    return [
        Costly(
            send=send,
            stream=anchors[send.stream_id].stream.name,
            anchor=anchors[send.stream_id].anchor,
            people=words.signed(send.excess_unsubscribe_count),
            rates=send_words.rates(send),
            loudness=send_words.LOUDNESS[send.spike_status or ""],
            width=round(100 * max(0, send.excess_unsubscribe_count or 0) / most, 1),
        )
        for send in ranked
    ]
