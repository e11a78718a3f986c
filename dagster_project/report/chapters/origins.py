"""Where people come from: how each signup source takes the first weeks of mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.report import findings, words
from dagster_project.report.chapters import LISTS
from dagster_project.report.chapters.retention import METHODS, group_name, method_name
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import SignupSource

SHOWN_SOURCES = 15
NAMED_SOURCES = 3

ACQUISITIONS = {
    "bulk": "came in bulk",
    "event": "met at an event",
    "purchased": "bought",
    "organic": "signed up themselves",
}
"""Word of ``acquisition`` -> what it says of the people."""


@dataclass(frozen=True)
class SourceRow:
    """One signup source as it is shown."""

    row: SignupSource
    name: str
    told: str
    is_bulk: bool
    ratio: str
    is_worse: bool
    is_better: bool


@dataclass(frozen=True)
class Origin:
    """An account that keeps lists."""

    source: str
    account: str
    people: int
    sentences: list[str]
    rows: list[SourceRow]
    left_out: int


def chapter(frames: Frames) -> dict[str, Any]:
    """Every account that keeps lists, the most people first."""
    blocks = [
        _origin(source, account, rows)
        for (source, account), rows in findings.by_account(
            frames.signup_sources
        ).items()
    ]
    blocks.sort(key=lambda block: (-block.people, block.source, block.account))
    return {"accounts": blocks[:LISTS]}


def _origin(source: str, account: str, rows: list[SignupSource]) -> Origin:
    ranked = [
        _source_row(row)
        for row in sorted(
            rows,
            key=lambda row: (-row.contact_count, row.signup_source, row.opt_in_method),
        )
    ]
    return Origin(
        source=source,
        account=account,
        people=sum(row.contact_count for row in rows),
        sentences=origin_sentences(ranked),
        rows=ranked[:SHOWN_SOURCES],
        left_out=max(0, len(ranked) - SHOWN_SOURCES),
    )


def _source_row(row: SignupSource) -> SourceRow:
    low, high = row.opt_out_ratio_low, row.opt_out_ratio_high
    return SourceRow(
        row=row,
        name=group_name(row.signup_source),
        told=_told(row),
        is_bulk=bool(row.is_suspected_bulk) and row.signup_source != "suppressed",
        ratio=words.ratio_range(low, high),
        is_worse=low is not None and low > 1,
        is_better=high is not None and high < 1,
    )


def _told(row: SignupSource) -> str:
    """How people opted in, and how they were won where that says more."""
    method = method_name(row.opt_in_method)
    if row.opt_in_method not in METHODS or row.acquisition == row.opt_in_method:
        return method
    won = ACQUISITIONS.get(row.acquisition or "", "")
    return ", ".join(filter(None, (method, won)))


def origin_sentences(rows: list[SourceRow]) -> list[str]:
    """The sources that are proven to lose more than the others, the surest first."""
    worse = sorted(
        (row for row in rows if row.is_worse),
        key=lambda row: -(row.row.opt_out_ratio_low or 0.0),
    )
    if not worse:
        if any(row.row.opt_out_ratio is not None for row in rows):
            return [
                "No source is proven to lose more people in their first 90 days than"
                " the others do."
            ]
        return ["Too few people joined lately to tell the sources apart."]
    return [
        f"People from “{row.name}” leave {words.times(row.row.opt_out_ratio)} as often"
        " in their first 90 days as others who joined in the same months"
        f" ({row.ratio})."
        for row in worse[:NAMED_SOURCES]
    ]
