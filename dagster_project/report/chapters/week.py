"""This week: what each account lost beyond expectation, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Any

from dagster_project.report import charts, findings, words
from dagster_project.report.charts import Figure
from dagster_project.report.queries import Frames
from dagster_project.report.rows.changes import Week

OPEN_ACCOUNTS = 3
"""Accounts whose week stands open; the closing lines of a run name as many."""

SHOWN_WEEKS = 26
"""Weeks drawn of an account."""

LISTED_WEEKS = 12
"""Weeks of the table below the drawing."""

LATEST = timedelta(weeks=2)
"""An account whose newest week is older than that is silent, not quiet."""


@dataclass(frozen=True)
class AccountWeek:
    """The newest week of an account, and those before it."""

    anchor: str
    source: str
    account: str
    week: Week
    cost: str
    revenue: str
    changes: list[str]
    is_silent: bool
    has_chart: bool
    alt: str
    earlier: list[tuple[Week, str]]


def chapter(frames: Frames, figures: dict[str, Figure]) -> dict[str, Any]:
    """Every account's newest week: those with news first, the costliest on top."""
    groups = findings.by_account(frames.weeks)
    newest = max((row.week for row in frames.weeks), default=None)
    ranked = sorted(
        (sorted(rows, key=lambda row: row.week) for rows in groups.values()),
        key=lambda rows: _rank(rows[-1], newest),
    )
    told = sum(
        _has_news(rows[-1]) and not _is_silent(rows[-1], newest) for rows in ranked
    )
    shown = min(told or len(ranked), OPEN_ACCOUNTS)
    blocks = [
        _account(f"week-{place}", rows, newest, figures if place <= shown else None)
        for place, rows in enumerate(ranked, start=1)
    ]
    return {"shown": blocks[:shown], "others": blocks[shown:]}


def _rank(row: Week, newest: date | None) -> tuple[bool, bool, int, str, str]:
    return (
        _is_silent(row, newest),
        not _has_news(row),
        -(row.excess_unsubscribe_count or 0),
        row.source,
        row.account,
    )


def _has_news(row: Week) -> bool:
    return bool(row.findings or row.decided_interventions or _is_costly(row))


def _is_costly(row: Week) -> bool:
    """Whether more left than luck explains."""
    return (row.excess_low_count or 0) > 0


def _is_silent(row: Week, newest: date | None) -> bool:
    return newest is not None and row.week < newest - LATEST


def _account(
    anchor: str,
    rows: Sequence[Week],
    newest: date | None,
    figures: dict[str, Figure] | None,
) -> AccountWeek:
    row = rows[-1]
    drawn = [
        week
        for week in rows[-SHOWN_WEEKS:]
        if week.excess_unsubscribe_count is not None
    ]
    if figures is not None and len(drawn) > 1:
        figures[anchor] = excess_weeks(drawn)
    return AccountWeek(
        anchor=anchor,
        source=row.source,
        account=row.account,
        week=row,
        cost=cost_sentence(row),
        revenue=revenue_sentence(row),
        changes=[
            f"{text.rstrip('.')}."
            for text in (row.decided_interventions, row.open_interventions)
            if text
        ],
        is_silent=_is_silent(row, newest),
        has_chart=figures is not None and anchor in figures,
        alt=weeks_alt(drawn),
        earlier=[
            (week, people(week)) for week in reversed(rows[-LISTED_WEEKS - 1 : -1])
        ],
    )


def people(row: Week) -> str:
    """People beyond expectation with their interval."""
    number, interval = words.people(
        row.excess_unsubscribe_count, row.excess_low_count, row.excess_high_count
    )
    return f"{number} ({interval})" if interval else number


def cost_sentence(row: Week) -> str:
    """What the sends of a week cost, beside what was to be expected."""
    if not row.send_count:
        return "Nothing was sent."
    mail = (
        f"of {words.plural(row.delivered_count or 0, 'mail')} delivered in"
        f" {words.small(row.send_count, 'send')}"
    )
    soon = " so far" if row.is_provisional else ""
    excess, low, high = (
        row.excess_unsubscribe_count,
        row.excess_low_count,
        row.excess_high_count,
    )
    if excess is None or low is None or high is None:
        if row.unsubscribe_count is None:
            return f"How many left is unknown, {mail}."
        left = words.plural(row.unsubscribe_count, "person", "people")
        return f"{left} left{soon}, {mail}; what is usual is not known yet."
    if low > 0:
        return (
            f"{words.plural(excess, 'person', 'people')} more than expected left{soon}"
            f" ({words.count(low)} to {words.count(high)}), {mail}."
        )
    if high < 0:
        return (
            f"{words.plural(-excess, 'person', 'people')} fewer than expected"
            f" left{soon} ({words.count(-high)} to {words.count(-low)}), {mail}."
        )
    return (
        f"About as many left{soon} as expected ({words.count(row.unsubscribe_count)},"
        f" {mail})."
    )


def revenue_sentence(row: Week) -> str:
    """What the week's sends earned for each person who left through them."""
    if not row.revenue:
        return ""
    if row.revenue_per_lost_contact is None:
        return (
            f"Revenue {row.revenue:,.0f}; nobody left through the sends that tell it."
        )
    return (
        f"Revenue {row.revenue:,.0f}, {row.revenue_per_lost_contact:,.0f} for each"
        " person who left."
    )


def weeks_alt(rows: Sequence[Week]) -> str:
    """The drawing in words."""
    costly = [row for row in rows if _is_costly(row)]
    text = f"People lost beyond expectation in {words.plural(len(rows), 'week')}"
    if not costly:
        return f"{text}: in none more than luck explains."
    worst = max(costly, key=lambda row: (row.excess_unsubscribe_count or 0, row.week))
    return (
        f"{text}: more than luck explains in {words.count(len(costly))}, most in the"
        f" week of {words.day(worst.week)} ({people(worst)})."
    )


def excess_weeks(rows: Sequence[Week]) -> Figure:
    """People lost beyond expectation, week by week, each with its interval."""
    values = [row.excess_unsubscribe_count or 0 for row in rows]
    return {
        "data": [
            {
                "type": "bar",
                "x": [row.week.isoformat() for row in rows],
                "y": values,
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        max(0, (row.excess_high_count or 0) - value)
                        for row, value in zip(rows, values, strict=True)
                    ],
                    "arrayminus": [
                        max(0, value - (row.excess_low_count or 0))
                        for row, value in zip(rows, values, strict=True)
                    ],
                    "color": "--muted",
                    "thickness": 1,
                    "width": 0,
                },
                "marker": {
                    "color": [
                        "--critical" if _is_costly(row) else "--series-none"
                        for row in rows
                    ],
                },
                "hovertext": [_hover(row) for row in rows],
                "hoverinfo": "text",
            }
        ],
        "layout": charts.layout(
            margin={"l": 40, "r": 4, "t": 8, "b": 34},
            xaxis={"type": "date", "tickformat": "%b\n%Y", "nticks": 5},
            yaxis={**charts.COUNT_AXIS, "nticks": 4, "zeroline": True},
        ),
    }


def _hover(row: Week) -> str:
    lines = [
        f"<b>week of {words.day(row.week)}</b>",
        f"{people(row)} people beyond expectation",
        *row.findings[:1],
    ]
    return "<br>".join([lines[0], *(escape(line, quote=False) for line in lines[1:])])
