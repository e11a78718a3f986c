"""Who still reads: the people of a list by their last sign of life."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.report import words
from dagster_project.report.chapters import LISTS
from dagster_project.report.chapters.retention import group_name
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import ALL_LISTS, Segment

BASES = {
    "human_open": "by opens and clicks of people",
    "click": "by clicks alone",
}
"""Word of ``basis`` -> what counts as a sign of life, the fuller one first."""

COLOURS = {
    "new": "series-6",
    "active": "series-4",
    "at_risk": "series-3",
    "passive": "series-7",
    "dormant": "series-2",
    "never_engaged": "series-none",
    "insufficient_exposure": "series-silent",
    "suppressed": "series-silent",
}

SILENT_TIERS = ("dormant", "never_engaged")
UNTOLD_TIERS = ("insufficient_exposure", "suppressed")


@dataclass(frozen=True)
class Tier:
    """One tier as it is shown."""

    row: Segment
    name: str
    share: float
    colour: str


@dataclass(frozen=True)
class Readers:
    """A list, or all of an account, on one basis."""

    source: str
    account: str
    name: str
    basis: str
    month: date
    people: int
    sentence: str
    cadence: str
    tiers: list[Tier]


def chapter(frames: Frames) -> dict[str, Any]:
    """Every list on each basis: whole accounts by their fuller basis stand open."""
    groups: defaultdict[tuple[str, str, str, str], list[Segment]] = defaultdict(list)
    for row in frames.segments:
        groups[row.source, row.account, row.list, row.basis].append(row)
    places = {basis: place for place, basis in enumerate(BASES)}
    order = sorted(
        groups,
        key=lambda key: (
            key[2] != ALL_LISTS,
            -sum(row.contact_count for row in groups[key]),
            places.get(key[3], len(places)),
            key,
        ),
    )
    # What is open of an account is its first block; the others tell it again in part.
    blocks = [_readers(groups[key]) for key in order]
    first = {(block.source, block.account): block for block in reversed(blocks)}
    opened = [block for block in blocks if first[block.source, block.account] is block]
    folded = [block for block in blocks if block not in opened]
    return {
        "opened": opened[:LISTS],
        "folded": folded[: 2 * LISTS],
        "left_out": max(0, len(folded) - 2 * LISTS),
    }


def _readers(rows: list[Segment]) -> Readers:
    people = sum(row.contact_count for row in rows)
    tiers = [
        Tier(
            row=row,
            name=row.tier_label or group_name(row.tier),
            share=100 * row.contact_count / people if people else 0.0,
            colour=COLOURS.get(row.tier, "series-none"),
        )
        for row in sorted(
            rows, key=lambda row: (row.tier_rank is None, row.tier_rank, row.tier)
        )
        if row.contact_count
    ]
    return Readers(
        source=rows[0].source,
        account=rows[0].account,
        name=words.list_name(rows[0].list),
        basis=BASES.get(rows[0].basis, words.spelled_out(rows[0].basis)),
        month=rows[0].month,
        people=people,
        sentence=silence_sentence(tiers),
        cadence=cadence_sentence(tiers),
        tiers=tiers,
    )


def silence_sentence(tiers: list[Tier]) -> str:
    """How many of those who got enough mail to tell have gone silent."""
    judged = [tier.row for tier in tiers if tier.row.tier not in UNTOLD_TIERS]
    people = sum(row.contact_count for row in judged)
    if not people:
        return "Nobody got enough mail to tell whether they read it."
    silent = sum(row.contact_count for row in judged if row.tier in SILENT_TIERS)
    return (
        f"Of {words.plural(people, 'person', 'people')} who got enough mail to tell,"
        f" {words.percent(100 * silent / people)} gave no sign of life for half a year,"
        " or never."
    )


def cadence_sentence(tiers: list[Tier]) -> str:
    """Who gets more mail than suits how they read."""
    over = [tier for tier in tiers if tier.row.is_over_cadence]
    if not over:
        return ""
    people = sum(tier.row.contact_count for tier in over)
    named = "; ".join(tier.name[:1].lower() + tier.name[1:] for tier in over)
    return (
        f"{words.plural(people, 'person gets', 'people get')} more mail than suits how"
        f" they read: {named}."
    )
