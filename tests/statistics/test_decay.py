"""Lists with planted attrition through the shipped models, and the year of a few lists."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.decay import CAUSES, SEEDS, recover
from benchmarks.shipped import Shipped, World

NORMAL_QUANTILE = 1.959963984540054


def test_planted_attrition_lies_in_its_interval(shipped: Shipped) -> None:
    events, snapshots = recover(shipped)
    for recovery in (events, snapshots):
        assert recovery.lists == len(SEEDS)
        assert recovery.holds, recovery
        assert recovery.found_pct == pytest.approx(recovery.planted_pct, rel=0.04)
    # Of all losses of a hundred lists, each cause has the share that was planted.
    assert events.cause_shares == pytest.approx(dict.fromkeys(CAUSES, 0), abs=0.02)


def _fill_months(world: World, lists: dict[str, list[tuple[int, int, int]]]) -> None:
    """Months from 2025 on of lists that began with so many and lost so many of them."""
    world.table(
        "list_decay_monthly",
        [
            {
                "source": "esp",
                "account": "main",
                "list": name,
                "month": f"2025-{month:02}-01",
                "contacts_at_start": held,
                "lost_from_start_count": lost,
                "lost_voluntary_from_start_count": voluntary,
                "monthly_attrition_pct": 100 * lost / held,
                "is_complete_month": True,
            }
            for name, months in lists.items()
            for month, (held, lost, voluntary) in enumerate(months, 1)
        ],
    )
    world.table(
        "loss_visibility",
        "select distinct source, account, list, timestamp '2025-01-01' as"
        " first_loss_visible_at from list_decay_monthly",
    )
    world.build("list_decay_summary")


def test_year_of_a_list_and_its_interval(world: World) -> None:
    draw = np.random.default_rng(7)
    held = draw.integers(50, 5000, 12)
    lost = draw.binomial(held, 0.03)
    voluntary = draw.binomial(lost, 0.5)
    months = list(zip(held.tolist(), lost.tolist(), voluntary.tolist(), strict=True))
    lists = {
        "year": months,
        "quarter": months[:3],
        "quiet": [(100, 0, 0)] * 3,
        "one": [(400, 0, 0), (400, 1, 1), (399, 0, 0)],
        "gone": [(10, 1, 1), (9, 9, 9), (5, 0, 0)],
    }
    _fill_months(world, lists)
    found = {row["list"]: row for row in world.rows("from list_decay_summary")}
    for name in ("year", "quarter", "one"):
        row = found[name]
        starts, exits, own = (
            np.array(column) for column in zip(*lists[name], strict=True)
        )
        kept = np.log1p(-exits / starts).sum()
        spread = NORMAL_QUANTILE * np.sqrt((exits / starts / (starts - exits)).sum())
        for power, word in ((1, "monthly"), (12, "annual")):
            expected = [
                100 * (1 - np.exp(power * min(log, 0.0) / len(starts)))
                for log in (kept, kept + spread, kept - spread)
            ]
            assert [
                row[f"{word}_attrition{end}_pct"] for end in ("", "_low", "_high")
            ] == pytest.approx(expected, rel=1e-9)
        chosen = np.log1p(-own / starts).sum() * 12 / len(starts)
        assert row["voluntary_annual_attrition_pct"] == pytest.approx(
            100 * (1 - np.exp(chosen))
        )
        assert row["half_life_months"] == pytest.approx(
            np.log(0.5) * len(starts) / kept
        )
    # Nobody of 300: Wilson's upper end is z^2 / (300 + z^2).
    most = NORMAL_QUANTILE**2 / (300 + NORMAL_QUANTILE**2)
    quiet = found["quiet"]
    assert quiet["monthly_attrition_low_pct"] == 0
    assert quiet["monthly_attrition_high_pct"] == pytest.approx(100 * most)
    assert quiet["annual_attrition_high_pct"] == pytest.approx(
        100 * (1 - (1 - most) ** 12)
    )
    assert quiet["half_life_months"] is None
    gone = found["gone"]
    assert gone["annual_attrition_pct"] == gone["monthly_attrition_pct"] == 100
    assert gone["annual_attrition_high_pct"] is gone["half_life_months"] is None
    assert gone["reference_position"] == "unknown"
