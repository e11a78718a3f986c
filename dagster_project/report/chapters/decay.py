"""What the lists lose, month by month, and to which cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import charts, findings, words
from dagster_project.report.chapters import LISTS, MONTHS
from dagster_project.report.charts import Figure
from dagster_project.report.findings import (
    MONTHS_IN_A_YEAR,
    AccountHistory,
    ListHistory,
)
from dagster_project.report.rows.lists import DecayMonth, DecaySummary

LOSS_CAUSES = {
    "lost_unsubscribe_count": "Unsubscribed",
    "lost_complaint_count": "Complained",
    "lost_hard_bounce_count": "Address died (hard bounce)",
    "lost_validation_count": "Removed after validation",
    "lost_sunset_count": "Removed for silence",
    "lost_deleted_count": "Deleted by the sender",
    "lost_unknown_count": "Cause unknown",
}
"""Column of ``list_decay_monthly`` -> what it is called, from the contact's own will to
nobody's."""

LOSS_COLOURS = {
    "lost_unsubscribe_count": "--series-1",
    "lost_complaint_count": "--series-2",
    "lost_hard_bounce_count": "--series-3",
    "lost_validation_count": "--series-4",
    "lost_sunset_count": "--series-5",
    "lost_deleted_count": "--series-6",
    "lost_unknown_count": "--series-none",
}


POSITIONS = {
    "above": "More than that, beyond what luck explains.",
    "below": "Less than that, beyond what luck explains.",
    "within": "Whether it is more or less than that, the interval leaves open.",
}
"""Word of ``reference_position`` -> what it says of a list beside the reference."""


def loss_basis(loss: DecaySummary | None) -> str:
    """What the yearly loss of a list is made from."""
    if loss is None or loss.month_count is None:
        return "too few whole months since a contact was first seen leaving"
    months = f"{words.month(loss.first_month)} to {words.month(loss.last_month)}"
    if loss.month_count == 1:
        months = words.month(loss.last_month)
    if loss.month_count == MONTHS_IN_A_YEAR:
        text = f"the twelve whole months {months}, one after the other"
    else:
        text = (
            f"at the pace of {words.small(loss.month_count, 'whole month')} ({months}),"
            " less sure than a full year"
        )
    if loss.is_attrition_lower_bound:
        text += "; at least this much, because some of the lost were never seen joining"
    return text


def against_reference(loss: DecaySummary | None) -> str:
    """How a year's loss compares with the one that is commonly expected."""
    if loss is None or loss.reference_pct is None:
        return ""
    position = POSITIONS.get(loss.reference_position or "", "")
    return (
        f"Commonly expected: up to {loss.reference_pct:g}{words.SPACE}% a year"
        f" ({loss.reference_source or 'source unknown'}). {position}"
    ).strip()


def pace(loss: DecaySummary | None) -> str:
    """How many go by their own will, and when half of the people will have gone."""
    if loss is None:
        return ""
    told = []
    if loss.voluntary_annual_attrition_pct is not None:
        told.append(
            f"By their own will (opt-outs and complaints):"
            f" {words.percent(loss.voluntary_annual_attrition_pct)} a year."
        )
    if loss.half_life_months is not None:
        told.append(
            f"At this pace half of today's people are gone in"
            f" {words.plural(round(loss.half_life_months), 'month')}."
        )
    return " ".join(told)


def loss_months(months: Sequence[DecayMonth]) -> charts.Figure:
    """Contacts lost in each month, stacked by cause; an unfinished month is pale."""
    faded = [1.0 if row.is_complete_month else 0.45 for row in months]
    traces = []
    for column, colour in LOSS_COLOURS.items():
        values = [getattr(row, column) for row in months]
        if not any(values):
            continue
        trace = charts.bars(
            [row.month for row in months],
            values,
            LOSS_CAUSES[column],
            colour,
            [
                f"{words.count(value)} contacts{_unfinished(row)}"
                for value, row in zip(values, months, strict=True)
            ],
        )
        trace["marker"]["opacity"] = faded
        traces.append(trace)
    layout = charts.layout(
        barmode="stack", xaxis=charts.MONTH_AXIS, yaxis=charts.COUNT_AXIS
    )
    return {"data": traces, "layout": layout}


def contact_months(months: Sequence[DecayMonth]) -> charts.Figure:
    """How many contacts there are at the end of each month."""
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.month.isoformat() for row in months],
                "y": [row.contacts_at_end for row in months],
                **charts.IN_MONTH,
                "line": {"color": "--ink", "width": 2},
                "marker": {"color": "--ink", "size": 5},
                "hovertext": [
                    f"<b>{words.month(row.month)}</b><br>"
                    f"{words.count(row.contacts_at_end)} contacts{_unfinished(row)}"
                    for row in months
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": charts.layout(
            xaxis=charts.MONTH_AXIS, yaxis={**charts.COUNT_AXIS, "rangemode": "tozero"}
        ),
    }


def attrition_months(
    months: Sequence[DecayMonth], reference: float | None
) -> charts.Figure:
    """What a year of months like this one would cost, against the rule of thumb."""
    known = [
        row
        for row in months
        if row.annualised_attrition_pct is not None and row.is_complete_month
    ]
    layout = charts.layout(
        xaxis=charts.MONTH_AXIS,
        yaxis={"rangemode": "tozero", "ticksuffix": " %", "nticks": 5},
    )
    if reference is not None:
        layout["shapes"] = [
            {
                **charts.edge_line(reference, "--past"),
                "line": {"color": "--past", "dash": "dot", "width": 1.5},
            }
        ]
        layout["annotations"] = [
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "yref": "y",
                "y": reference,
                "yanchor": "bottom",
                "showarrow": False,
                "text": f"rule of thumb: up to {reference:g} % a year",
                "font": {"size": 11, "color": "--past"},
                "bgcolor": "--veil",
            }
        ]
        layout["yaxis"]["range"] = [
            0,
            1.15
            * max([reference, *(row.annualised_attrition_pct or 0 for row in known)]),
        ]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row.month.isoformat() for row in known],
                "y": [row.annualised_attrition_pct for row in known],
                **charts.IN_MONTH,
                "line": {"color": "--series-1", "width": 2},
                "marker": {"color": "--series-1", "size": 6},
                "hovertext": [
                    f"<b>{words.month(row.month)}</b><br>"
                    f"{words.percent(row.monthly_attrition_pct)} lost in the month<br>"
                    f"{words.percent(row.annualised_attrition_pct)} in a year like it"
                    for row in known
                ],
                "hoverinfo": "text",
            }
        ],
        "layout": layout,
    }


def _unfinished(row: DecayMonth) -> str:
    return "" if row.is_complete_month else "<br>not covered to its end yet"


@dataclass(frozen=True)
class HistoryBlock:
    """A list, or an account as a whole, as it is shown."""

    anchor: str
    history: ListHistory
    basis: str
    reference: str
    pace: str
    causes: list[tuple[str, str, int]]
    legend: list[tuple[str, str]]
    joined: int
    lost: int
    recent_count: int
    months: tuple[DecayMonth, ...]
    left_out: int
    is_unfinished: bool


def chapter(
    accounts: Sequence[AccountHistory],
    reference: float | None,
    figures: dict[str, Figure],
) -> dict[str, Any]:
    """The accounts that keep lists, the largest first, each with its lists."""
    blocks = []
    for number, account in enumerate(accounts[:LISTS], start=1):
        whole = _history_block(f"decay-{number}", account.whole, reference, figures)
        lists = [
            _history_block(f"decay-{number}-{place}", part, reference, figures)
            for place, part in enumerate(account.lists[:LISTS], start=1)
        ]
        blocks.append((whole, lists, max(0, len(account.lists) - LISTS)))
    return {"accounts": blocks, "reference": reference}


def _history_block(
    anchor: str,
    history: ListHistory,
    reference: float | None,
    figures: dict[str, Figure],
) -> HistoryBlock:
    months = (history.known_months or history.months)[-MONTHS:]
    figures[f"{anchor}-lost"] = loss_months(months)
    figures[f"{anchor}-contacts"] = contact_months(months)
    figures[f"{anchor}-attrition"] = attrition_months(months, reference)
    recent = months[-findings.MONTHS_IN_A_YEAR :]
    causes = [
        (
            label,
            LOSS_COLOURS[column],
            sum(getattr(m, column) or 0 for m in recent),
        )
        for column, label in LOSS_CAUSES.items()
    ]
    drawn = [
        (label, LOSS_COLOURS[column].removeprefix("--"))
        for column, label in LOSS_CAUSES.items()
        if any(getattr(row, column) for row in months)
    ]
    return HistoryBlock(
        anchor=anchor,
        history=history,
        basis=loss_basis(history.annual_loss),
        reference=against_reference(history.annual_loss),
        pace=pace(history.annual_loss),
        causes=[cause for cause in causes if cause[2]],
        legend=drawn,
        joined=sum(row.joined_count for row in recent),
        lost=sum(row.lost_count or 0 for row in recent),
        recent_count=len(recent),
        months=months,
        left_out=len(history.months) - len(months),
        is_unfinished=any(not row.is_complete_month for row in months),
    )
