"""A week of several sends, in drawn accounts where nothing happens.

The interval of what a week cost must hold nothing in 95 of 100, whether its sends count
as past of each other already or are all judged by the same short one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.shipped import World

ACCOUNTS = 800
STREAMS = 2
HISTORY = 7
SENDS_OF_THE_WEEK = 5
VARIATION = 0.3


def _campaigns(random: np.random.Generator) -> pa.Table:
    """Streams mailed each Monday, and in the last week on every working day."""
    shape = (ACCOUNTS * STREAMS, HISTORY + SENDS_OF_THE_WEEK)
    rate = np.exp(random.uniform(np.log(0.001), np.log(0.01), (shape[0], 1)))
    delivered = random.integers(3000, 5000, shape)
    own_rate = rate * random.gamma(VARIATION**-2, VARIATION**2, shape)
    days = np.r_[np.arange(HISTORY) * 7, HISTORY * 7 + np.arange(SENDS_OF_THE_WEEK)]
    stream, send = np.indices(shape)
    return pa.table(
        {
            "campaign_key": np.arange(stream.size).astype(str),
            "campaign_id": send.ravel().astype(str),
            "stream_id": stream.ravel().astype(str),
            "source": np.repeat("generic", stream.size),
            "account": (stream.ravel() // STREAMS).astype(str),
            "maturity": np.where(
                (stream % 4 < STREAMS) & (send >= HISTORY), "provisional", "final"
            ).ravel(),
            "is_excluded": np.zeros(stream.size, bool),
            "delivered_count": delivered.ravel(),
            "unsubscribe_count": random.binomial(delivered, own_rate).ravel(),
            "sent_at": (
                np.datetime64("2025-01-06T09:00:00", "us")
                + np.tile(days, shape[0]) * np.timedelta64(1, "D")
            ),
        }
    )


def test_the_interval_of_a_quiet_week_holds_nothing_in_95_of_100(world: World) -> None:
    world.table("fct_campaigns", _campaigns(np.random.default_rng(20)))
    for model in (
        "campaign_unsubscribe_rates",
        "campaign_diagnoses",
        "intervention_effects",
        "dim_streams",
    ):
        world.table(model, [])
    world.build_upstream("weekly_review")
    weeks = world.rows(
        "select is_provisional, count(*) as accounts,"
        " min(judged_send_count) as judged_send_count,"
        " avg(cast(0 between excess_low_count and excess_high_count as integer)) as held"
        " from weekly_review where is_newest_week group by all"
    )
    assert len(weeks) == 2
    for week in weeks:
        assert week["accounts"] == ACCOUNTS / 2
        assert week["judged_send_count"] == STREAMS * SENDS_OF_THE_WEEK
        # 400 draws of 95 % give 92 to 98.
        assert 0.92 <= week["held"] <= 0.98, week
