"""Runs of promotions through the shipped models, in drawn streams whose truth is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.shipped import Shipped, World

STREAMS, MAILINGS, DELIVERED = 200, 60, 8000
NOISE = 0.3
"""How much the true rates of ordinary mailings vary, as a coefficient."""
EFFECT = 2.0
"""In every other stream the fourth and later promotions lose so many times as many."""


@pytest.fixture(scope="module")
def runs(shipped: Shipped) -> World:
    """Editorial mail with single promotions, and two runs of eight promotions."""
    draw = np.random.default_rng(7)
    shape = (STREAMS, MAILINGS)
    stream, number = np.indices(shape)
    in_run = (number >= 20) & (number < 28) | (number >= 44) & (number < 52)
    is_promotion = in_run | (number % 4 == 2)
    place = np.zeros(shape, dtype=int)
    for at in range(MAILINGS):
        before = place[:, at - 1] if at else 0
        place[:, at] = np.where(is_promotion[:, at], before + 1, 0)
    moved = np.where((place >= 4) & (stream % 2 == 1), EFFECT, 1.0)
    rate = 0.003 * moved * draw.gamma(NOISE**-2, NOISE**2, shape)
    # Among the mailings that are none, one spike a stream, which is nobody's habit.
    rate[:, 35] *= 8
    drawn = pa.table(
        {
            "stream": stream.ravel(),
            "number": number.ravel(),
            "category": np.where(is_promotion, "offer", "news").ravel(),
            "opt_outs": draw.poisson(DELIVERED * rate).ravel(),
        }
    )
    world = shipped.open()
    world.seeds()
    world.table("dim_runs", "select 'build' as build_id")
    world.connection.register("drawn", drawn)
    world.table(
        "fct_campaigns",
        f"""
        select
            'esp' as source,
            'account ' || stream as account,
            stream as stream_id,
            number as campaign_id,
            'campaign' as send_type,
            category as content_category,
            'final' as maturity,
            {DELIVERED} as delivered_count,
            opt_outs as unsubscribe_count,
            false as is_excluded,
            timestamp '2025-01-01' + to_days(cast(7 * number as integer)) as sent_at
        from drawn
        """,
    )
    world.build_upstream("promotional_runs", "content_mix")
    return world


def test_the_interval_of_a_run_holds_the_truth_and_finds_an_effect(
    runs: World,
) -> None:
    rows = runs.rows(
        f"""
        select
            cast(stream_id as integer) % 2 = 1 as has_effect,
            count(*) as stream_count,
            count(*) filter (
                where case when has_effect then {EFFECT} else 1 end
                between ratio_to_none_low and ratio_to_none_high
            ) as covered_count,
            count(*) filter (where ratio_to_none_low > 1) as found_count
        from promotional_runs
        where run_bucket = 4
        group by all
        order by has_effect
        """
    )
    half = STREAMS // 2
    assert [row["stream_count"] for row in rows] == [half, half]
    assert all(row["covered_count"] >= 0.9 * half for row in rows), rows
    without, with_effect = (row["found_count"] for row in rows)
    assert without <= 0.05 * half
    assert with_effect >= 0.9 * half


def test_a_spike_is_left_out_of_its_bucket_and_every_mailing_is_in_the_mix(
    runs: World,
) -> None:
    (buckets,) = runs.rows(
        "select sum(send_count + left_out_send_count) as send_count,"
        " avg(left_out_send_count) filter (where run_bucket = 0) as left_out_count"
        " from promotional_runs"
    )
    assert buckets["send_count"] == STREAMS * MAILINGS
    assert 1 <= buckets["left_out_count"] < 2
    (mix,) = runs.rows(
        "select sum(send_count) as send_count, sum(delivered_count) as delivered_count"
        " from content_mix"
    )
    assert mix["send_count"] == STREAMS * MAILINGS
    assert mix["delivered_count"] == STREAMS * MAILINGS * DELIVERED
