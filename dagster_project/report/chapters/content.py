"""Content: what the sends were about, to whom they went, and what people clicked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.report import charts, words
from dagster_project.report.chapters import LISTS, MONTHS
from dagster_project.report.charts import Figure
from dagster_project.report.findings import Stream
from dagster_project.report.queries import Frames
from dagster_project.report.rows.content import (
    AudienceRate,
    ClickedKind,
    ContentMonth,
    PromotionalRun,
)
from dagster_project.share import Share

UNKNOWN_WORD = "(unknown)"
ALL_AUDIENCES = "(all)"

NAMED_CATEGORIES = 6

SHOWN_AUDIENCES = 12

LEAST_SENDS = 3
"""Fewer sends about something are no habit: one of them may have been a spike."""

RUNS = (
    "no promotion",
    "the first promotion in a row",
    "the second",
    "the third",
    "the fourth or a later one",
)
"""Word of ``run_bucket`` -> the sends that are in it."""

TENURES = {
    "new": "new people",
    "settling": "settling in",
    "settled": "long-standing people",
    "(unknown)": "time on the list unknown",
    "suppressed": "small groups together",
}
"""Word of ``tenure`` -> how long its people have been there."""

URL_KINDS = {
    "unsubscribe": "the way out",
    "preference": "the preference page",
    "channel": "social media and app stores",
    "website": "the home page",
    "other": "what the mail was about",
}
"""Word of ``url_kind`` -> what its links lead to."""


@dataclass(frozen=True)
class CategoryRow:
    """One kind of content of a stream, its months together."""

    name: str
    is_promotional: bool
    sends: int
    rate: Share


@dataclass(frozen=True)
class RunRow:
    """Sends by how many promotions in a row they end."""

    row: PromotionalRun
    name: str
    is_worse: bool


@dataclass(frozen=True)
class ContentBlock:
    """One stream by what its sends were about."""

    anchor: str
    source: str
    account: str
    name: str
    delivered: int
    sentence: str
    run_sentence: str
    categories: list[CategoryRow]
    runs: list[RunRow]
    scale: float
    run_scale: float
    legend: list[tuple[str, str]]
    has_chart: bool
    alt: str


@dataclass(frozen=True)
class AudienceRow:
    """Mail to one audience as it is shown."""

    row: AudienceRate
    name: str
    told: str


@dataclass(frozen=True)
class ClickRow:
    """One stream by what its readers click."""

    name: str
    sentence: str


def chapter(
    frames: Frames, streams: Sequence[Stream], figures: dict[str, Figure]
) -> dict[str, Any]:
    """Every stream whose content is told, the most mail first."""
    names = {stream.stream_id: stream.name for stream in streams}
    groups: defaultdict[str, list[ContentMonth]] = defaultdict(list)
    for row in frames.content_months:
        groups[row.stream_id].append(row)
    runs: defaultdict[str, list[PromotionalRun]] = defaultdict(list)
    for run in frames.promotional_runs:
        runs[run.stream_id].append(run)
    told = {
        stream: rows
        for stream, rows in groups.items()
        if any(row.content_category != UNKNOWN_WORD for row in rows)
    }
    ranked = sorted(told, key=lambda stream: (-_delivered(told[stream]), stream))
    blocks = [
        _block(
            f"content-{place}",
            names.get(stream, stream),
            told[stream],
            runs[stream],
            figures,
        )
        for place, stream in enumerate(ranked[:LISTS], start=1)
    ]
    audiences = _audiences(frames.audience_rates)
    return {
        "has_sends": bool(groups),
        "streams": blocks,
        "left_out": max(0, len(ranked) - LISTS),
        "untold": len(groups) - len(told),
        "audiences": audiences[:SHOWN_AUDIENCES],
        "more_audiences": audiences[SHOWN_AUDIENCES:],
        "clicks": _clicks(frames.clicked_kinds, names),
    }


def _delivered(rows: Sequence[ContentMonth]) -> int:
    return sum(row.delivered_count or 0 for row in rows)


def category_name(word: str) -> str:
    """A kind of content as people call it."""
    return "not told" if word == UNKNOWN_WORD else words.spelled_out(word)


def _block(
    anchor: str,
    name: str,
    rows: Sequence[ContentMonth],
    runs: Sequence[PromotionalRun],
    figures: dict[str, Figure],
) -> ContentBlock:
    categories = _categories(rows)
    series = _series(categories)
    months = _months(rows, series)
    has_chart = len(months) > 1
    if has_chart:
        figures[anchor] = content_months(
            months, [(label, colour) for label, colour, _ in series]
        )
    shown = [_run(row) for row in sorted(runs, key=lambda row: row.run_bucket)]
    ends = [ends[1] for row in categories if (ends := row.rate.interval)]
    return ContentBlock(
        anchor=anchor,
        source=rows[0].source,
        account=rows[0].account,
        name=name,
        delivered=_delivered(rows),
        sentence=content_sentence(categories),
        run_sentence=run_sentence(shown),
        categories=categories,
        runs=shown,
        scale=max(ends, default=100.0),
        run_scale=max(
            (row.row.unsubscribe_rate_high_pct or 0.0 for row in shown), default=0.0
        )
        or 100.0,
        legend=[(label, colour.removeprefix("--")) for label, colour, _ in series],
        has_chart=has_chart,
        alt=f"Sends of {name} month by month, by what they were about.",
    )


def _categories(rows: Sequence[ContentMonth]) -> list[CategoryRow]:
    groups: defaultdict[str, list[ContentMonth]] = defaultdict(list)
    for row in rows:
        groups[row.content_category].append(row)
    found = [
        (
            CategoryRow(
                name=category_name(word),
                is_promotional=any(row.is_promotional for row in members),
                sends=sum(row.send_count for row in members),
                rate=Share(
                    sum(row.unsubscribe_count or 0 for row in members),
                    _delivered(members),
                ),
            )
        )
        for word, members in groups.items()
    ]
    return sorted(found, key=lambda row: (-row.rate.whole, row.name))


def content_sentence(categories: Sequence[CategoryRow]) -> str:
    """Which content loses more people than the rest of the stream's."""
    worse = []
    for row in categories:
        others = Share(
            sum(other.rate.part for other in categories if other is not row),
            sum(other.rate.whole for other in categories if other is not row),
        )
        mine, theirs = row.rate.interval, others.interval
        is_habit = row.sends >= LEAST_SENDS
        if is_habit and mine and theirs and mine[0] > theirs[1]:
            worse.append((row, others))
    if len(categories) < 2:
        return "All its mail is of one kind, so there is nothing to compare."
    if not worse:
        return "No kind of content is proven to lose more people than the others."
    row, others = max(worse, key=lambda pair: (pair[0].rate.pct or 0.0, pair[0].name))
    return (
        f"“{row.name}” loses {words.percent(row.rate.pct)} of the people it reaches,"
        f" everything else {words.percent(others.pct)}: more than luck explains."
    )


def _run(row: PromotionalRun) -> RunRow:
    return RunRow(
        row=row,
        name=RUNS[min(row.run_bucket, len(RUNS) - 1)],
        is_worse=row.ratio_to_none_low is not None and row.ratio_to_none_low > 1,
    )


def run_sentence(rows: Sequence[RunRow]) -> str:
    """Whether promotions in a row cost more people than a mail that sells nothing."""
    worse = [row for row in rows if row.is_worse]
    if worse:
        row = worse[0].row
        between = words.ratio_range(row.ratio_to_none_low, row.ratio_to_none_high)
        return (
            f"Promotions cost people: {worse[0].name} loses"
            f" {words.times(row.ratio_to_none)} as many as mail without a promotion"
            f" ({between})."
        )
    if any(row.row.ratio_to_none is not None for row in rows):
        return "Promotions in a row are not proven to cost more people."
    return ""


def _series(
    categories: Sequence[CategoryRow],
) -> list[tuple[str, str, frozenset[str]]]:
    """Name, colour and categories of each layer; what is not told is on top."""
    named = [row.name for row in categories if row.name != "not told"]
    series = [
        (name, f"--series-{number}", frozenset({name}))
        for number, name in enumerate(named[:NAMED_CATEGORIES], start=1)
    ]
    if named[NAMED_CATEGORIES:]:
        pooled = frozenset(named[NAMED_CATEGORIES:])
        series.append(("everything else", "--series-7", pooled))
    if len(named) < len(categories):
        series.append(("not told", "--series-none", frozenset({"not told"})))
    return series


def _months(
    rows: Sequence[ContentMonth],
    series: Sequence[tuple[str, str, frozenset[str]]],
) -> dict[date, Counter[str]]:
    layer = {name: label for label, _, names in series for name in names}
    months: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for row in rows:
        label = layer[category_name(row.content_category)]
        months[row.month][label] += row.send_count
    return {month: months[month] for month in sorted(months)[-MONTHS:]}


def content_months(
    months: Mapping[date, Mapping[str, int]], series: Sequence[tuple[str, str]]
) -> Figure:
    """Sends of each month, stacked by what they were about."""
    ordered = sorted(months)
    return {
        "data": [
            charts.bars(
                ordered,
                [months[month].get(label, 0) for month in ordered],
                label,
                colour,
                [
                    words.plural(months[month].get(label, 0), "send")
                    for month in ordered
                ],
            )
            for label, colour in series
        ],
        "layout": charts.layout(
            barmode="stack", xaxis=charts.MONTH_AXIS, yaxis=charts.COUNT_AXIS
        ),
    }


def _audiences(rows: Sequence[AudienceRate]) -> list[AudienceRow]:
    """Audiences by how much mail they got; the sum over all of them is left out."""
    shown = [
        AudienceRow(
            row=row,
            name="audience not told" if row.audience == UNKNOWN_WORD else row.audience,
            told=", ".join(
                (
                    category_name(row.content_category),
                    TENURES.get(row.tenure, words.spelled_out(row.tenure)),
                )
            ),
        )
        for row in rows
        if row.audience != ALL_AUDIENCES and row.delivered_count
    ]
    return sorted(
        shown,
        key=lambda item: (
            -(item.row.delivered_count or 0),
            item.row.source,
            item.row.account,
            item.name,
            item.told,
        ),
    )


def _clicks(rows: Sequence[ClickedKind], names: Mapping[str, str]) -> list[ClickRow]:
    groups: defaultdict[str, list[ClickedKind]] = defaultdict(list)
    for row in rows:
        groups[row.stream_id].append(row)
    ranked = sorted(
        groups.items(),
        key=lambda item: (-sum(row.clicker_count for row in item[1]), item[0]),
    )
    return [
        ClickRow(names.get(stream, stream), click_sentence(members))
        for stream, members in ranked[:LISTS]
    ]


def click_sentence(rows: Sequence[ClickedKind]) -> str:
    """What the readers of a stream click, the most clicked first."""
    ranked = sorted(rows, key=lambda row: (-row.clicker_count, row.url_kind))
    told = "; ".join(
        f"{words.count(row.clicker_count)} to"
        f" {URL_KINDS.get(row.url_kind, words.spelled_out(row.url_kind))}"
        for row in ranked
        if row.clicker_count
    )
    whole = max((row.any_clicker_count or 0 for row in rows), default=0)
    return f"Of {words.plural(whole, 'person', 'people')} who clicked, {told}."
