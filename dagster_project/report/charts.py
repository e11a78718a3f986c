"""What every chart is made of: plain data that plotly's script takes.

A colour is the name of a custom property of the page's style sheet (``--critical``);
the page's script looks it up, so that the palette has one home and follows the reader's
light or dark setting. Text that comes from data is escaped before it gets here or here,
because plotly reads a little HTML in labels. What a single chapter draws is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Any

from dagster_project.report import words

Figure = dict[str, Any]

IN_MONTH = {"xperiod": "M1", "xperiodalignment": "middle"}

MONTH_AXIS = {"type": "date", "tickformat": "%b\n%Y", "ticklabelmode": "period"}

COUNT_AXIS = {"tickformat": ",d", "nticks": 5}


def edge_line(edge: float, colour: str) -> Figure:
    """A level drawn across the chart, behind everything."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": edge,
        "y1": edge,
        "layer": "below",
        "line": {"color": colour, "width": 1},
    }


def bars(
    months: Sequence[date],
    values: Sequence[int | None],
    name: str,
    colour: str,
    notes: Sequence[str],
) -> Figure:
    """One layer of a stack of months."""
    title = escape(name, quote=False)
    return {
        "type": "bar",
        "name": title,
        "x": [month.isoformat() for month in months],
        "y": list(values),
        **IN_MONTH,
        "marker": {"color": colour, "line": {"width": 0.5, "color": "--paper"}},
        "hovertext": [
            f"<b>{words.month(month)}</b><br>{title}: {note}"
            for month, note in zip(months, notes, strict=True)
        ],
        "hoverinfo": "text",
    }


def layout(**parts: Any) -> Figure:
    """What all charts share; ``parts`` come last, axis by axis."""
    axis = {
        "gridcolor": "--grid",
        "linecolor": "--edge",
        "zerolinecolor": "--edge",
        "tickfont": {"color": "--muted", "size": 12},
        "fixedrange": True,
        "automargin": True,
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "--sans", "color": "--ink", "size": 12},
        "hoverlabel": {
            "bgcolor": "--raised",
            "bordercolor": "--edge",
            "font": {"color": "--ink", "size": 13, "family": "--sans"},
            "align": "left",
        },
        "hovermode": "closest",
        "showlegend": False,
        "dragmode": False,
        "bargap": 0.25,
        "margin": {"l": 52, "r": 12, "t": 14, "b": 44},
        **parts,
        "xaxis": {**axis, "showgrid": False, "tickangle": 0, **parts.get("xaxis", {})},
        "yaxis": {**axis, **parts.get("yaxis", {})},
    }
