"""Who stays: people from joining on, by where and how they signed up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import count
from typing import Any

from dagster_project.report import charts, words
from dagster_project.report.chapters import LISTS
from dagster_project.report.charts import Figure
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import ALL_LISTS, CohortAge

ALL = "(all)"
"""Signup sources, or methods, together."""

AGES = (1, 3, 6, 12, 24)
"""Months after joining that the tables show."""

YEAR = 12
DRAWN_GROUPS = 7
TABLE_GROUPS = 12
SIGNUP_MONTHS = 12

FOLLOWED = 20
"""A curve ends where fewer people than this are still followed."""

GROUPS = {
    "(all)": "Everybody",
    "(unknown)": "Nobody told where",
    "suppressed": "Small groups together",
}
"""Groups of people that are not called by a source's own word."""

METHODS = {
    "single": "Single opt-in",
    "double": "Double opt-in",
    "import": "Imported",
    "event": "Met at an event",
    "purchased": "Bought",
    "api": "Through another system",
    "manual": "Entered by hand",
    "unknown": "Nobody told how",
}

CAUSES = {
    "cumulative_unsubscribe_pct": "unsubscribed",
    "cumulative_complaint_pct": "complained",
    "cumulative_hard_bounce_pct": "bounced hard",
    "cumulative_validation_pct": "were removed after a validation",
    "cumulative_sunset_pct": "were removed for silence",
    "cumulative_deleted_pct": "were deleted",
    "cumulative_unknown_pct": "went for unknown reasons",
}
"""Column of ``cohort_retention`` -> what became of those who are gone."""


@dataclass(frozen=True)
class Group:
    """People who joined alike: one curve and one line of a table."""

    name: str
    people: int
    ages: dict[int, CohortAge]

    @property
    def is_followed(self) -> bool:
        """Whether anybody was seen from joining on."""
        return any(row.survival_pct is not None for row in self.ages.values())


@dataclass(frozen=True)
class View:
    """One way to tell people apart: a chart and its table."""

    anchor: str
    heading: str
    has_chart: bool
    legend: list[tuple[str, str]]
    groups: list[Group]
    left_out: int
    ages: list[int]


@dataclass(frozen=True)
class Retention:
    """An account as it is shown."""

    source: str
    account: str
    people: int
    sentence: str
    causes: str
    views: list[View]
    months: list[Group]
    month_ages: list[int]


def chapter(frames: Frames, figures: dict[str, Figure]) -> dict[str, Any]:
    """Every account that keeps lists, the most people first."""
    rows: defaultdict[tuple[str, str], list[CohortAge]] = defaultdict(list)
    for row in frames.cohorts:
        if row.list == ALL_LISTS:
            rows[row.source, row.account].append(row)
    blocks = [
        _retention(f"retention-{place}", members, figures)
        for place, members in enumerate(
            sorted(rows.values(), key=lambda members: -_everybody(members).people),
            start=1,
        )
    ]
    return {"accounts": blocks[:LISTS], "followed": FOLLOWED}


def group_name(word: str) -> str:
    """A group as people call it; a signup source by its own word."""
    return GROUPS.get(word, word)


def method_name(word: str) -> str:
    """How people opted in, as people call it."""
    return GROUPS.get(word, METHODS.get(word, word))


def kept_sentence(group: Group) -> str:
    """How many of those who join are still there after a year, or as long as known."""
    known = [age for age, row in group.ages.items() if row.survival_pct is not None]
    if not known:
        return (
            "How long people stay is unknown: nobody was seen from joining on. An"
            " export of all contacts with the day each signed up tells it."
        )
    row = group.ages[min(max(known), YEAR)]
    return (
        f"Of 100 people who join, {row.survival_pct:.0f} are still there after"
        f" {words.plural(row.age_months, 'month')}"
        f" ({words.interval(row.survival_low_pct, row.survival_high_pct)})."
    )


def causes_sentence(group: Group) -> str:
    """What became of the others."""
    known = [age for age, row in group.ages.items() if row.survival_pct is not None]
    if not known:
        return ""
    row = group.ages[min(max(known), YEAR)]
    told = [
        f"{value:.1f} {name}"
        for column, name in CAUSES.items()
        if (value := getattr(row, column))
    ]
    return f"Of 100: {', '.join(told)}." if told else ""


def _retention(
    anchor: str, rows: Sequence[CohortAge], figures: dict[str, Figure]
) -> Retention:
    everybody = _everybody(rows)
    ever = [row for row in rows if row.is_all_months]
    sources = _groups(
        ever,
        lambda row: row.signup_source if row.opt_in_method == ALL else None,
        group_name,
    )
    methods = _groups(
        ever,
        lambda row: row.opt_in_method if row.signup_source == ALL else None,
        method_name,
    )
    views = [
        _view(f"{anchor}-source", "Signup source", sources, figures),
        _view(f"{anchor}-method", "Opted in", methods, figures),
    ]
    months = _signup_months(rows)
    return Retention(
        source=rows[0].source,
        account=rows[0].account,
        people=everybody.people,
        sentence=kept_sentence(everybody),
        causes=causes_sentence(everybody),
        # A method that everybody shares is the curve of everybody once more.
        views=[views[0], *(view for view in views[1:] if len(view.groups) > 2)],
        months=months,
        month_ages=_shown_ages(months),
    )


def _everybody(rows: Iterable[CohortAge]) -> Group:
    ages = {
        row.age_months: row
        for row in rows
        if row.is_all_months and row.signup_source == row.opt_in_method == ALL
    }
    people = max((row.cohort_contact_count for row in ages.values()), default=0)
    return Group(group_name(ALL), people, ages)


def _groups(
    rows: Iterable[CohortAge],
    word: Callable[[CohortAge], str | None],
    called: Callable[[str], str],
) -> list[Group]:
    """Everybody first, then each group, the most people first."""
    ages: defaultdict[str, dict[int, CohortAge]] = defaultdict(dict)
    for row in rows:
        name = word(row)
        if name is not None:
            ages[name][row.age_months] = row
    found = [
        (name, max(row.cohort_contact_count for row in members.values()), members)
        for name, members in ages.items()
    ]
    found.sort(key=lambda item: (item[0] != ALL, -item[1], item[0]))
    return [Group(called(name), people, rows) for name, people, rows in found]


def _signup_months(rows: Iterable[CohortAge]) -> list[Group]:
    """The newest months of joining, the newest first."""
    months: defaultdict[date, dict[int, CohortAge]] = defaultdict(dict)
    for row in rows:
        if row.signup_month is not None:
            months[row.signup_month][row.age_months] = row
    return [
        Group(
            words.month(month),
            max(row.cohort_contact_count for row in months[month].values()),
            months[month],
        )
        for month in sorted(months, reverse=True)[:SIGNUP_MONTHS]
    ]


def _shown_ages(groups: Iterable[Group]) -> list[int]:
    known = {age for group in groups for age in group.ages}
    return [age for age in AGES if age in known]


def _view(
    anchor: str, heading: str, groups: Sequence[Group], figures: dict[str, Figure]
) -> View:
    drawn = [group for group in groups if group.is_followed][: DRAWN_GROUPS + 1]
    if drawn:
        figures[anchor] = curves(drawn)
    colours = _colours(drawn)
    return View(
        anchor=anchor,
        heading=heading,
        has_chart=bool(drawn),
        legend=[
            (group.name, colour.removeprefix("--"))
            for group, colour in zip(drawn, colours, strict=True)
        ],
        groups=list(groups[:TABLE_GROUPS]),
        left_out=max(0, len(groups) - TABLE_GROUPS),
        ages=_shown_ages(groups),
    )


def _colours(groups: Sequence[Group]) -> list[str]:
    """Everybody in ink, each group in a colour of its own."""
    numbers = count(1)
    return [
        "--ink" if group.name == GROUPS[ALL] else f"--series-{next(numbers)}"
        for group in groups
    ]


def curves(groups: Sequence[Group]) -> Figure:
    """The share of each group that is still there, month by month after joining."""
    traces, lowest = [], 100.0
    for group, colour in zip(groups, _colours(groups), strict=True):
        rows = [
            row
            for _, row in sorted(group.ages.items())
            if row.survival_pct is not None and (row.at_risk_count or 0) >= FOLLOWED
        ]
        lowest = min([lowest, *(row.survival_pct or 0.0 for row in rows)])
        name = escape(group.name, quote=False)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": [0, *(row.age_months for row in rows)],
                "y": [100.0, *(row.survival_pct for row in rows)],
                "line": {
                    "color": colour,
                    "width": 2.5 if colour == "--ink" else 2,
                    "dash": "dot" if colour == "--ink" else "solid",
                    "shape": "hv",
                },
                "hovertext": [f"<b>{name}</b>", *(_hover(name, row) for row in rows)],
                "hoverinfo": "text",
            }
        )
    return {
        "data": traces,
        "layout": charts.layout(
            xaxis={"title": {"text": "months after joining"}, "dtick": 6, "tick0": 0},
            yaxis={"range": [max(0, lowest // 10 * 10 - 5), 101], "ticksuffix": " %"},
        ),
    }


def _hover(name: str, row: CohortAge) -> str:
    kept = words.percent(row.survival_pct)
    ends = words.interval(row.survival_low_pct, row.survival_high_pct)
    return (
        f"<b>{name}</b><br>{kept} after {words.plural(row.age_months, 'month')}"
        f" ({ends})<br>{words.count(row.at_risk_count)} people followed so far"
    )
