"""Addresses and verdicts: what validation says, and whether it was right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dagster_project.report import findings, words
from dagster_project.report.chapters import LISTS
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import Calibration, Hygiene

STATUSES = {
    "deliverable": ("deliverable", "series-4"),
    "risky": ("risky", "series-3"),
    "undeliverable": ("undeliverable", "series-2"),
    "unknown": ("verdict unknown", "series-7"),
    "not_verified": ("never checked", "series-none"),
    "suppressed": ("small groups together", "series-silent"),
}
"""Word of ``validation_status`` -> what it is called, and its colour."""

CALIBRATION_ROWS = 60


@dataclass(frozen=True)
class HygieneRow:
    """One verdict and risk of a list."""

    row: Hygiene
    name: str


@dataclass(frozen=True)
class Addresses:
    """One list by the verdicts on its addresses."""

    source: str
    account: str
    name: str
    people: int
    sentence: str
    parts: list[tuple[str, str, int]]
    rows: list[HygieneRow]


def chapter(frames: Frames) -> dict[str, Any]:
    """Every list with a verdict, the largest first, and what mail proved."""
    blocks = [
        _addresses(rows)
        for rows in findings.by_list(frames.hygiene).values()
        if any(row.validation_status != "not_verified" for row in rows)
    ]
    blocks.sort(
        key=lambda block: (-block.people, block.source, block.account, block.name)
    )
    ranked = sorted(frames.calibrations, key=_verdict_order)
    return {
        "lists": blocks[:LISTS],
        "left_out": max(0, len(blocks) - LISTS),
        "calibrations": [
            (row, status_name(row.validation_status))
            for row in ranked[:CALIBRATION_ROWS]
        ],
        "calibrations_left_out": max(0, len(ranked) - CALIBRATION_ROWS),
        "is_checked": bool(blocks or ranked),
    }


def status_name(status: str) -> str:
    """A verdict as people call it."""
    return STATUSES.get(status, (words.spelled_out(status), ""))[0]


def _status_rank(status: str) -> int:
    return list(STATUSES).index(status) if status in STATUSES else len(STATUSES)


def _verdict_order(row: Calibration) -> tuple[str, str, str, int, int, str]:
    return (
        row.source,
        row.account,
        row.provider,
        _status_rank(row.validation_status),
        row.verdict_age_rank or 0,
        row.verdict_age,
    )


def _addresses(rows: list[Hygiene]) -> Addresses:
    ranked = sorted(
        rows, key=lambda row: (_status_rank(row.validation_status), row.risk or "")
    )
    by_status: Counter[str] = Counter()
    for row in ranked:
        by_status[row.validation_status] += row.contact_count
    return Addresses(
        source=rows[0].source,
        account=rows[0].account,
        name=words.list_name(rows[0].list),
        people=sum(by_status.values()),
        sentence=hygiene_sentence(ranked, by_status),
        parts=[
            (*STATUSES.get(status, (status, "series-none")), number)
            for status, number in by_status.items()
            if number
        ],
        rows=[HygieneRow(row, status_name(row.validation_status)) for row in ranked],
    )


def hygiene_sentence(rows: list[Hygiene], by_status: Counter[str]) -> str:
    """What is risky to mail, and how much of it is an old or missing verdict."""
    people = sum(by_status.values())
    gone, unchecked = by_status["undeliverable"], by_status["not_verified"]
    stale = sum(row.stale_count or 0 for row in rows)
    told = [f"{words.percent(100 * unchecked / people)} were never checked"]
    if gone:
        told.append(
            f"{words.plural(gone, 'address', 'addresses')} {words.is_or_are(gone)}"
            " undeliverable and still on the list"
        )
    if stale:
        told.append(
            f"{words.plural(stale, 'verdict')} {words.is_or_are(stale)} too old"
        )
    traps = sum(row.spamtrap_count or 0 for row in rows)
    if traps:
        told.append(
            f"{words.plural(traps, 'address', 'addresses')} {words.is_or_are(traps)}"
            " known as spam traps"
        )
    return f"{'; '.join(told)}."
