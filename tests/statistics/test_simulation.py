"""What the shipped models find in a few hundred drawn streams, as a guard.

The whole simulation is in benchmarks; this is its smallest part, with a fixed seed and
limits that only a broken model misses.
"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rivals import PROPORTION_CHART, scores
from benchmarks.shipped import Shipped
from benchmarks.simulation import SPIKE_LIMIT, judge
from benchmarks.worlds import Sends, spikes

STREAMS = 600
Scores = tuple[np.ndarray, np.ndarray]


def _scores(shipped: Shipped, sends: Sends) -> Scores:
    """Of the newest sends: spike_z, and that of a p-chart."""
    judged = judge(shipped, sends)["spike_z"]
    assert judged.shape == (STREAMS, 27)
    return judged[:, -1], scores(PROPORTION_CHART, sends, sends)[:, -1]


@pytest.fixture(scope="module")
def stable(shipped: Shipped) -> Scores:
    return _scores(shipped, spikes(np.random.default_rng(5), STREAMS))


@pytest.fixture(scope="module")
def tripled(shipped: Shipped) -> tuple[Sends, Scores]:
    sends = spikes(np.random.default_rng(6), STREAMS, 3)
    return sends, _scores(shipped, sends)


def test_an_ordinary_send_hardly_ever_alarms(stable: Scores) -> None:
    # About 1 in 100 by the research; 600 draws give up to 2.3 by chance.
    assert 0 < np.mean(stable[0] >= SPIKE_LIMIT) < 0.025


def test_a_tripled_send_of_many_opt_outs_is_mostly_found(
    tripled: tuple[Sends, Scores],
) -> None:
    sends, (spike_z, _) = tripled
    assert np.mean(spike_z[sends.usual > 50] >= SPIKE_LIMIT) > 0.6


def test_a_p_chart_that_is_wrong_as_often_finds_less(
    stable: Scores, tripled: tuple[Sends, Scores]
) -> None:
    spike_z, chart = stable
    limit = np.quantile(chart, np.mean(spike_z < SPIKE_LIMIT), method="lower")
    found, charted = tripled[1]
    assert np.mean(found >= SPIKE_LIMIT) > np.mean(charted > limit) + 0.1
