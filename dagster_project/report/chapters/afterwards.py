"""After the opt-out: who came back, chose less instead, or can be reached elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.report import words
from dagster_project.report.chapters import LISTS
from dagster_project.report.queries import Frames
from dagster_project.report.rows.leaving import Afterwards
from dagster_project.share import Share


@dataclass(frozen=True)
class AfterRow:
    """One list as it is shown."""

    row: Afterwards
    returned: Share
    opted_down: Share
    reachable: Share


def chapter(frames: Frames) -> dict[str, Any]:
    """Every list people left, the most opt-outs first."""
    rows = [
        AfterRow(
            row=row,
            returned=Share(row.resubscribed_count, row.opt_out_count),
            opted_down=Share(
                row.opted_down_count, row.opt_out_count + row.opted_down_count
            ),
            reachable=Share(row.reachable_count or 0, row.channel_known_count),
        )
        for row in frames.afterwards
        if row.opt_out_count or row.opted_down_count
    ]
    rows.sort(
        key=lambda item: (
            -item.row.opt_out_count,
            item.row.list,
            item.row.source,
            item.row.account,
        )
    )
    return {
        "rows": rows[:LISTS],
        "left_out": max(0, len(rows) - LISTS),
        "verdict": after_sentence(rows),
    }


def after_sentence(rows: list[AfterRow]) -> str:
    """How final an opt-out is, over all lists."""
    left = sum(item.row.opt_out_count for item in rows)
    back = sum(item.row.resubscribed_count for item in rows)
    less = sum(item.row.opted_down_count for item in rows)
    if not left and not less:
        return ""
    told = f"Of {words.plural(left, 'opt-out')}, {words.count(back)} came back"
    if less:
        told += (
            f"; {words.plural(less, 'other')} chose less mail instead of none, and can"
            " still be reached"
        )
    return f"{told}."
