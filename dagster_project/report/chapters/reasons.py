"""Why people left: what they said, and how many said nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.report import charts, findings, words
from dagster_project.report.chapters import LISTS, MONTHS
from dagster_project.report.charts import Figure
from dagster_project.report.findings import ReasonTotals
from dagster_project.report.queries import Frames
from dagster_project.report.rows.leaving import Method, WayOut
from dagster_project.report.rows.sends import Send
from dagster_project.share import Share

NAMED_REASONS = 6
NAMED_STREAMS = 3

NOT_UNDERSTOOD = ("unclassified", "unmapped")
"""Answers that nobody knows the meaning of; other vague ones are understood."""

MINIMUM_COMPLAINTS = 5
"""Fewer complaints are no pattern of a stream."""

COMPLAINT_SHARE = 0.5
"""Complaints beside opt-outs from which a stream is named: one for every two."""

METHODS = {
    "body_link": "Link in the mail",
    "header_one_click": "Button of the mail program (one click)",
    "header_mailto": "Button of the mail program (by mail)",
    "preference_page": "Preference page",
    "reply": "Reply",
    "complaint": "Spam button",
    "admin": "Entered by the sender",
    "import": "Imported",
    "api": "Through another system",
    "unknown": "Nobody told how",
}
"""Word of ``opt_out_method`` -> what it is called."""


def topic_sentence(sends: Sequence[Send]) -> str:
    """Who left altogether and who only opted down."""
    rated = [send for send in sends if send.is_judged]
    left = sum(send.unsubscribe_count or 0 for send in rated)
    known = [send for send in rated if send.topic_opt_out_count is not None]
    topics = sum(send.topic_opt_out_count or 0 for send in known)
    if not known:
        return (
            f"{words.plural(left, 'person', 'people')} unsubscribed through a send. How"
            " many only opted out of a topic is unknown: no export tells it."
        )
    text = (
        f"{words.plural(left, 'person', 'people')} unsubscribed through a send;"
        f" {words.plural(topics, 'other')} only opted out of a topic and can still be"
        " reached. Topic opt-outs are in no rate."
    )
    silent = len(rated) - len(known)
    if silent:
        text += f" For {words.plural(silent, 'send')} topic opt-outs are unknown."
    return text


def asking_sentence(totals: ReasonTotals) -> str:
    """Who never saw the question, and who wrote an answer of their own."""
    told = []
    if totals.one_click_count:
        told.append(
            f"{words.plural(totals.one_click_count, 'person', 'people')} left through"
            " the button of the mail program, where no question is asked."
        )
    if totals.with_text_count:
        told.append(
            f"{words.plural(totals.with_text_count, 'answer')} came in people's own"
            " words; what no rule understands stays unclassified."
        )
    return " ".join(told)


def hard_way_sentence(ways: Iterable[WayOut]) -> str:
    """The streams whose readers press the spam button as often as the way out."""
    hard = sorted(
        (
            way
            for way in ways
            if way.complaint_count >= MINIMUM_COMPLAINTS
            and way.complaint_count >= COMPLAINT_SHARE * way.opt_out_count
        ),
        key=lambda way: (
            -way.complaint_count / (way.opt_out_count or 0.5),
            way.stream_id,
        ),
    )
    if not hard:
        return ""
    told = "; ".join(
        f"{way.stream_id.removeprefix(f'{way.source}/{way.account}/')}"
        f" ({words.plural(way.complaint_count, 'complaint')},"
        f" {words.plural(way.opt_out_count, 'opt-out')})"
        for way in hard[:NAMED_STREAMS]
    )
    return f"Many press the spam button instead of the way out: {told}. Make it easier."


@dataclass(frozen=True)
class MethodRow:
    """One way out as it is shown."""

    name: str
    share: Share
    automated: int


def _methods(methods: Iterable[Method]) -> list[MethodRow]:
    """Ways out over all accounts, the most used first."""
    counts: Counter[str] = Counter()
    automated: Counter[str] = Counter()
    for row in methods:
        counts[row.opt_out_method] += row.opt_out_count
        automated[row.opt_out_method] += row.suspect_automated_count or 0
    whole = sum(counts.values())
    return [
        MethodRow(
            METHODS.get(word, words.spelled_out(word)),
            Share(number, whole),
            automated[word],
        )
        for word, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def reason_months(
    months: Mapping[date, Mapping[str, int]], series: Sequence[tuple[str, str]]
) -> charts.Figure:
    """Opt-outs of each month, stacked by reason.

    Args:
        months: month -> name of a series -> opt-outs.
        series: name and colour, from the bottom of the stack.
    """
    ordered = sorted(months)
    return {
        "data": [
            charts.bars(
                ordered,
                [months[month].get(name, 0) for month in ordered],
                name,
                colour,
                [f"{months[month].get(name, 0):,} opt-outs" for month in ordered],
            )
            for name, colour in series
        ],
        "layout": charts.layout(
            barmode="stack", xaxis=charts.MONTH_AXIS, yaxis=charts.COUNT_AXIS
        ),
    }


def chapter(
    frames: Frames, totals: ReasonTotals, figures: dict[str, Figure]
) -> dict[str, Any]:
    """Answers with their shares, silence beside them, and month by month."""
    newest = [row for row in frames.reasons if row.period_kind == "rolling_12_months"]
    monthly = [row for row in frames.reasons if row.period_kind == "month"]
    starts = [row.period_start for row in newest if row.period_start]
    series = _reason_series(findings.reason_totals(monthly))
    months = _reason_months(frames, series)
    if len(months) > 1:
        figures["reason-months"] = reason_months(
            months, [(name, colour) for name, colour, _ in series]
        )
    by_list = findings.reasons_by_list(newest)
    widest = max(
        (ends[1] for row in totals.answers if (ends := row.of_answered.interval)),
        default=100.0,
    )
    return {
        "totals": totals,
        "since": min(starts) if starts else None,
        "scale": widest,
        "has_months": len(months) > 1,
        "legend": [(name, colour.removeprefix("--")) for name, colour, _ in series],
        "by_list": by_list[:LISTS],
        "lists_left_out": max(0, len(by_list) - LISTS),
        "notes": asking_sentence(totals),
        "methods": _methods(frames.methods),
        "hard_ways": hard_way_sentence(frames.ways_out),
        "topics": topic_sentence(frames.sends) if frames.sends else "",
    }


def _reason_series(totals: ReasonTotals) -> list[tuple[str, str, frozenset[str]]]:
    """Name, colour and reasons of each layer: answers first, silence on top."""
    clear = [row for row in totals.answers if row.reason not in findings.VAGUE_REASONS]
    series = [
        (row.label, f"--series-{number}", frozenset({row.reason}))
        for number, row in enumerate(clear[:NAMED_REASONS], start=1)
    ]
    pooled = {row.reason for row in clear[NAMED_REASONS:]}
    pooled |= {
        row.reason
        for row in totals.answers
        if row.reason in findings.VAGUE_REASONS and row.reason not in NOT_UNDERSTOOD
    }
    if pooled:
        series.append(("All other reasons", "--series-7", frozenset(pooled)))
    vague = {
        row.reason: row.label for row in totals.answers if row.reason in NOT_UNDERSTOOD
    }
    if vague:
        series.append(("Answered, not understood", "--series-8", frozenset(vague)))
    for number, row in enumerate(totals.silences):
        colour = "--series-none" if number % 2 else "--series-silent"
        series.append((row.label, colour, frozenset({row.reason})))
    return series


def _reason_months(
    frames: Frames, series: Sequence[tuple[str, str, frozenset[str]]]
) -> dict[date, Counter[str]]:
    layer = {reason: name for name, _, reasons in series for reason in reasons}
    months: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for row in frames.reasons:
        if row.period_kind == "month" and row.period_start:
            months[row.period_start][layer[row.reason]] += row.reason_count
    return {month: months[month] for month in sorted(months)[-MONTHS:]}
