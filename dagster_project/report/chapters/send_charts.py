"""The chart of a stream: its sends in time, against what was to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from math import floor, log10
from statistics import median

from dagster_project.report import charts
from dagster_project.report.chapters import send_words
from dagster_project.report.findings import (
    Stream,
    costliest,
)
from dagster_project.report.rows.sends import (
    SPIKES,
    UNPROVEN,
    Band,
    Send,
    TrendPoint,
)

BAND_SYMBOLS = {
    "healthy": "circle",
    UNPROVEN: "circle",
    "acceptable": "square",
    "investigate": "diamond",
    "critical": "triangle-up",
}
"""A band is told by colour and by shape, for readers who see few colours; what is not
proven is a small dot."""

SYMBOL_SIZES = {UNPROVEN: 6, "critical": 12}

USUAL_SYMBOL_SIZE = 9

RING_SIZES = dict(zip(SPIKES, (17, 20, 23), strict=True))
"""A send that stands out has a ring, and as many exclamation marks as it is loud."""

NAMED_SENDS = 2

NAME_LENGTH = 30

PAUSE_LABEL_SHARE = 0.09
"""A pause shorter than this share of the chart has no room for its name."""

SCALE_SHARE = 0.1
"""A send to fewer than this share of the usual audience does not stretch the axis: one
opt-out of ten people would flatten every other send."""


def stream_chart(
    stream: Stream, bands: Sequence[Band], shown: Sequence[Send]
) -> charts.Figure:
    """Every send's rate with its interval, in time, against what was expected."""
    edges = [band.lower_pct for band in bands if band.lower_pct]
    top = axis_top(shown, edges)
    judged = [send for send in shown if send.is_judged and send.sent_at]
    traces = [
        *_control_band(stream.points, judged, top),
        _expected_line(judged),
        *_rings(judged, top),
    ]
    for band in BAND_SYMBOLS:
        for is_provisional in (False, True):
            members = [
                send
                for send in judged
                if send.judged_band == band and send.is_provisional == is_provisional
            ]
            if members:
                traces.append(_sends(members, band, is_provisional, top, edges))
    traces += _unjudged(shown, top)
    ticks = _ticks(top)
    pauses = _pauses(stream, judged, top)
    layout = charts.layout(
        yaxis={
            "range": [-0.07 * top, top],
            "tickvals": ticks,
            "ticktext": [f"{tick:g} %" for tick in ticks],
            "zeroline": True,
        },
        xaxis={"type": "date", "tickformat": "%b\n%Y"},
        margin={"l": 52, "r": 82, "t": 14, "b": 40},
        shapes=[
            *(shape for shape, _ in pauses),
            *(
                charts.edge_line(band.lower_pct, f"--{band.band}-soft")
                for band in bands
                if band.lower_pct and band.lower_pct < top
            ),
        ],
        annotations=[
            *(label for _, label in pauses if label),
            *(_edge_label(band, top) for band in bands if (band.lower_pct or 0) < top),
            *_send_labels(judged, top),
        ],
    )
    return {"data": traces, "layout": layout}


def _control_band(
    points: Sequence[TrendPoint], judged: Sequence[Send], top: float
) -> list[charts.Figure]:
    """Where nearly all sends of a steady stream of these sizes would lie."""
    drawn = {send.campaign_id for send in judged}
    known = [
        point
        for point in points
        if point.campaign_id in drawn
        and point.sent_at
        and point.control_low_pct is not None
        and point.control_high_pct is not None
    ]
    if not known:
        return []
    moments = [_moment(point) for point in known]
    line = {"width": 0, "shape": "hvh"}
    edge = {"type": "scatter", "mode": "lines", "x": moments, "line": line}
    return [
        {
            **edge,
            "y": [min(point.control_low_pct or 0.0, top) for point in known],
            "hoverinfo": "skip",
        },
        {
            **edge,
            "y": [min(point.control_high_pct or 0.0, top) for point in known],
            "fill": "tonexty",
            "fillcolor": "--control",
            "hoverinfo": "skip",
        },
    ]


def _expected_line(judged: Sequence[Send]) -> charts.Figure:
    known = [send for send in judged if send.expected_rate_pct is not None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [_moment(send) for send in known],
        "y": [send.expected_rate_pct for send in known],
        "line": {"color": "--past", "width": 2, "dash": "dot", "shape": "hvh"},
        "hoverinfo": "skip",
    }


def _rings(judged: Sequence[Send], top: float) -> list[charts.Figure]:
    """Around each send that stands out; the louder, the larger."""
    traces = []
    for loudness, status in enumerate(SPIKES, start=1):
        members = [send for send in judged if send.spike_status == status]
        if members:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers+text",
                    "x": [_moment(send) for send in members],
                    "y": [_height(send, top) for send in members],
                    "marker": {
                        "symbol": "circle-open",
                        "size": RING_SIZES[status],
                        "line": {"width": 1.5, "color": "--ink"},
                        "color": "--ink",
                    },
                    "text": ["!" * loudness] * len(members),
                    "textposition": "middle right",
                    "textfont": {"size": 13, "color": "--ink"},
                    "hoverinfo": "skip",
                    "cliponaxis": False,
                }
            )
    return traces


def _pauses(
    stream: Stream, judged: Sequence[Send], top: float
) -> list[tuple[charts.Figure, charts.Figure | None]]:
    """The time without mail before each send after a gap, named where there is room."""
    moments = [send.sent_at for send in judged if send.sent_at]
    if not moments:
        return []
    start, end = min(moments), max(moments)
    drawn = []
    for before, after in pairwise(stream.dated):
        if not after.is_post_gap or before.campaign_id == after.campaign_id:
            continue
        left = max(before.sent_at or start, start)
        right = min(after.sent_at or end, end)
        if right <= left:
            continue
        is_wide = (right - left) > PAUSE_LABEL_SHARE * (end - start)
        label = {
            "x": (left + (right - left) / 2).isoformat(timespec="seconds"),
            "y": 0.97 * top,
            "yanchor": "top",
            "showarrow": False,
            "text": f"{after.days_since_previous_send} days<br>without mail",
            "font": {"size": 11, "color": "--muted"},
        }
        shape = {
            "type": "rect",
            "x0": left.isoformat(timespec="seconds"),
            "x1": right.isoformat(timespec="seconds"),
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "fillcolor": "--pause",
            "line": {"width": 0},
        }
        drawn.append(
            (shape, label if is_wide and after.days_since_previous_send else None)
        )
    return drawn


def _sends(
    members: Sequence[Send],
    band: str,
    is_provisional: bool,
    top: float,
    edges: Sequence[float],
) -> charts.Figure:
    rates = [send.unsubscribe_rate_pct or 0.0 for send in members]
    highs = [send.unsubscribe_rate_high_pct or 0.0 for send in members]
    lows = [send.unsubscribe_rate_low_pct or 0.0 for send in members]
    colour = f"--{band}"
    symbol = BAND_SYMBOLS[band]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_moment(send) for send in members],
        "y": [_height(send, top) for send in members],
        "error_y": {
            "type": "data",
            "symmetric": False,
            # An interval that leaves the chart is cut at its edge.
            "array": [
                max(0.0, min(h, top) - r) for h, r in zip(highs, rates, strict=True)
            ],
            "arrayminus": [
                max(0.0, min(r, 0.975 * top) - low)
                for r, low in zip(rates, lows, strict=True)
            ],
            "color": f"{colour}-soft",
            "thickness": 1.5,
            "width": 0,
        },
        "marker": {
            "color": colour,
            "size": SYMBOL_SIZES.get(band, USUAL_SYMBOL_SIZE),
            "symbol": [
                "arrow-up"
                if rate > top
                else f"{symbol}-open"
                if is_provisional
                else symbol
                for rate in rates
            ],
            "line": {"width": 2, "color": colour} if is_provisional else {"width": 0},
        },
        "hovertext": [_hover(send, edges) for send in members],
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def _height(send: Send, top: float) -> float:
    """Where a send stands; one beyond the chart stands at its edge."""
    return min(send.unsubscribe_rate_pct or 0.0, 0.975 * top)


def _unjudged(shown: Sequence[Send], top: float) -> list[charts.Figure]:
    members = [send for send in shown if not send.is_judged and send.sent_at]
    if not members:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [_moment(send) for send in members],
            "y": [-0.035 * top] * len(members),
            "marker": {
                "symbol": "x-thin",
                "size": 8,
                "line": {"width": 2, "color": "--muted"},
            },
            "hovertext": [_hover(send, ()) for send in members],
            "hoverinfo": "text",
        }
    ]


def axis_top(shown: Sequence[Send], edges: Sequence[float]) -> float:
    """Where the axis of a stream's rates ends; tiny sends do not stretch it."""
    judged = [send for send in shown if send.is_judged and send.delivered_count]
    lowest_edge = min(edges, default=0.1)
    if not judged:
        return 1.2 * lowest_edge
    usual_size = median(send.delivered_count or 0 for send in judged)
    large = [
        send
        for send in judged
        if (send.delivered_count or 0) >= SCALE_SHARE * usual_size
    ]
    rate = max(send.unsubscribe_rate_pct or 0.0 for send in large)
    high = max(send.unsubscribe_rate_high_pct or 0.0 for send in large)
    return max(1.15 * rate, min(1.12 * high, 2.5 * rate), 1.2 * lowest_edge)


def _ticks(top: float) -> list[float]:
    rough = top / 4
    size = 10 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    return [round(step * number, 10) for number in range(int(top / step) + 1)]


def _edge_label(band: Band, top: float) -> charts.Figure:
    low = band.lower_pct or 0.0
    high = min(band.upper_pct or top, top)
    return {
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "xshift": 8,
        "yref": "y",
        "y": (low + high) / 2,
        "yanchor": "middle",
        "showarrow": False,
        "text": band.band if high - low > 0.05 * top else "",
        "font": {"size": 11, "color": f"--{band.band}"},
    }


def _send_labels(judged: Sequence[Send], top: float) -> list[charts.Figure]:
    """Name the sends that cost most, unless the names would lie on each other."""
    if not judged:
        return []
    moments = [send.sent_at.timestamp() for send in judged if send.sent_at]
    start, span = min(moments), max(max(moments) - min(moments), 1.0)
    costly = costliest(judged)
    labels: list[charts.Figure] = []
    taken: list[float] = []
    for send in costly[:NAMED_SENDS]:
        place = (send.sent_at.timestamp() - start) / span if send.sent_at else 0.0
        if any(abs(place - other) < 0.3 for other in taken):
            continue
        taken.append(place)
        name = (
            send.name
            if len(send.name) <= NAME_LENGTH
            else send.name[:NAME_LENGTH] + "…"
        )
        labels.append(
            {
                "x": _moment(send),
                "y": min(send.unsubscribe_rate_high_pct or 0.0, 0.93 * top),
                "xanchor": "left"
                if place < 0.1
                else "right"
                if place > 0.9
                else "center",
                "yanchor": "bottom",
                "showarrow": False,
                "bgcolor": "--veil",
                "text": escape(name, quote=False),
                "font": {"size": 12, "color": "--ink"},
            }
        )
    return labels


def _moment(row: Send | TrendPoint) -> str | None:
    return row.sent_at.isoformat(timespec="seconds") if row.sent_at else None


def _hover(send: Send, edges: Iterable[float]) -> str:
    lines = send_words.send_hover(send, list(edges))
    return "<br>".join(
        [
            f"<b>{escape(send.name[:80], quote=False)}</b>",
            *(escape(line, quote=False) for line in lines),
        ]
    )
