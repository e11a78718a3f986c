"""Whatever the counts of the campaigns, the marts hold numbers or nothing.

Worlds of many small streams, each with what real exports may hold at worst: nothing
delivered, nobody or everybody gone, unknown counts, a send time that is missing or
shared, a pause of a year, a billion messages.
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from benchmarks.shipped import Shipped, World

MARTS = (
    "campaign_unsubscribe_rates",
    "unsubscribe_rate_trends",
    "stream_trends",
    "campaign_diagnoses",
    "unsubscribe_rates_monthly",
    "flow_unsubscribe_rates",
    "stat_calibration",
    "weekly_review",
)
BEYOND_100 = {
    "effect_pct",
    "variant_difference_pct",
    "variant_difference_low_pct",
    "variant_difference_high_pct",
    "vendor_unsubscribe_rate_pct",
}
"""Changes and differences, which have a sign, and what a vendor printed."""
START = datetime(2026, 1, 5, 9)

Row = dict[str, Any]


def _shares(*more: float | None) -> st.SearchStrategy[float | None]:
    return st.sampled_from([None, 0, 1e-9, 0.0005, 0.003, 0.01, 0.2, 1, *more])


# A run of equal campaigns; shares are of the mail that was delivered.
RUNS = st.fixed_dictionaries(
    {
        "length": st.sampled_from([1, 1, 2, 7, 16]),
        "variants": st.sampled_from([1, 1, 1, 2, 3]),
        "days": st.sampled_from([0, 1, 7, 7, 65, 400, None]),
        "delivered": st.sampled_from([None, 0, 1, 2, 90, 5000, 5000, 10**9]),
        "unsubscribes": _shares(1.5),
        "complaints": _shares(),
        "opens": _shares(),
        "human_opens": _shares(),
        "clicks": _shares(),
        "hard_bounces": _shares(),
        "lapsed": _shares(),
        "arrived": st.sampled_from([None, None, 0, 1e-12, 0.3, 0.97, 1]),
        "send_type": st.sampled_from(
            [None, "campaign", "ab_variant", "flow", "transactional", "unheard_of"]
        ),
        "maturity": st.sampled_from(["final", "final", "final", "provisional"]),
        "is_excluded": st.sampled_from([False, False, False, True]),
    }
)
WORLDS = st.lists(st.lists(RUNS, min_size=1, max_size=4), min_size=6, max_size=14)


def _of(share: float | None, delivered: int | None) -> int | None:
    if share is None or delivered is None:
        return None
    return math.ceil(share * delivered)


def _campaigns(streams: list[list[Row]]) -> list[Row]:
    rows = []
    for stream, runs in enumerate(streams):
        sent_at = START
        repeated = [run for run in runs for _ in range(run["length"])]
        for number, run in enumerate(repeated):
            sent_at += timedelta(days=run["days"] or 0)
            delivered = run["delivered"]
            unsubscribes = _of(run["unsubscribes"], delivered)
            # As the facts do: no count to divide by, or more than it.
            is_excluded = (
                run["is_excluded"]
                or delivered is None
                or (unsubscribes or 0) > delivered
            )
            bounces = _of(run["hard_bounces"], delivered)
            rows += [
                {
                    "campaign_key": f"{stream}/{number}/{variant}",
                    "source": "generic",
                    "account": "shop" if stream % 2 else "club",
                    "stream_id": str(stream),
                    "campaign_id": f"c{number:03}",
                    "variant": str(variant),
                    "industry": "b2b_services" if stream % 3 else None,
                    "send_type": run["send_type"],
                    "delivered_count_basis": "reported",
                    "maturity": run["maturity"],
                    "sent_count": delivered,
                    "attempted_count": delivered,
                    "delivered_count": delivered,
                    "unsubscribe_count": unsubscribes,
                    "complaint_count": _of(run["complaints"], delivered),
                    "unique_open_count": _of(run["opens"], delivered),
                    "human_open_count": _of(run["human_opens"], delivered),
                    "unique_click_count": _of(run["clicks"], delivered),
                    "hard_bounce_count": bounces,
                    "recipient_count": delivered,
                    "lapsed_recipient_count": _of(run["lapsed"], delivered),
                    "first_time_recipient_count": _of(run["lapsed"], delivered),
                    "expected_complete_share": run["arrived"],
                    "is_excluded": is_excluded,
                    "sent_at": None if run["days"] is None else sent_at,
                }
                for variant in range(run["variants"])
            ]
    return rows


def _built(world: World, rows: list[Row]) -> dict[str, list[Row]]:
    world.table("fct_campaigns", rows)
    world.table(
        "dim_streams",
        "select distinct stream_id, source, account from fct_campaigns",
    )
    world.build_upstream(*MARTS)
    return {mart: world.rows(f"from {mart}") for mart in MARTS}


@pytest.fixture(scope="module")
def odd_world(shipped: Shipped) -> World:
    """A world whose other facts are empty."""
    world = shipped.open()
    world.seeds()
    for name, node in shipped.nodes.items():
        if node["schema"] == "facts":
            world.table(name, [])
    world.table("intervention_effects", [])
    world.table("dim_runs", "select 'build' as build_id")
    return world


@given(streams=WORLDS, order=st.randoms(use_true_random=False))
# A smaller world explains no more than the row that is shown.
@hypothesis_settings(max_examples=7, phases=[Phase.explicit, Phase.generate])
def test_odd_counts_give_numbers_or_nothing(
    odd_world: World, streams: list[list[Row]], order: random.Random
) -> None:
    campaigns = _campaigns(streams)
    found = _built(odd_world, campaigns)
    for mart, rows in found.items():
        for row in rows:
            _assert_sane(mart, row)
    rated = {row["campaign_key"]: row for row in found["campaign_unsubscribe_rates"]}
    assert len(rated) == len(found["campaign_unsubscribe_rates"]) == len(campaigns)
    for campaign in campaigns:
        has_rate = not campaign["is_excluded"] and campaign["delivered_count"] > 0
        has_rate = has_rate and campaign["unsubscribe_count"] is not None
        rate = rated[campaign["campaign_key"]]["unsubscribe_rate_pct"]
        assert (rate is not None) == has_rate, campaign
    order.shuffle(campaigns)
    again = _built(odd_world, campaigns)
    for mart in MARTS:
        _assert_same(mart, found[mart], again[mart])


def _assert_sane(mart: str, row: Row) -> None:
    for column, value in row.items():
        if not isinstance(value, float):
            continue
        assert math.isfinite(value), (mart, column, row)
        if column.endswith("_pct") and column not in BEYOND_100:
            assert 0 <= value <= 100 + 1e-9, (mart, column, row)
        if column.endswith(("_p_value", "_q_value", "_share")):
            assert 0 <= value <= 1, (mart, column, row)
    low, high = (
        row.get("unsubscribe_rate_low_pct"),
        row.get("unsubscribe_rate_high_pct"),
    )
    if low is not None and high is not None:
        assert low <= row["unsubscribe_rate_pct"] <= high, (mart, row)


def _assert_same(mart: str, rows: list[Row], others: list[Row]) -> None:
    """Equal but for the last digits of what is reckoned."""

    def exact(row: Row) -> str:
        return repr([value for value in row.values() if not isinstance(value, float)])

    assert len(rows) == len(others), mart
    pairs = zip(sorted(rows, key=exact), sorted(others, key=exact), strict=True)
    for row, other in pairs:
        for column, value in row.items():
            if isinstance(value, float) and isinstance(other[column], float):
                same = math.isclose(value, other[column], rel_tol=1e-9, abs_tol=1e-12)
            else:
                same = value == other[column]
            assert same, (mart, column, row, other)
