"""What dashboards and alert rules do instead: four scores of a send, higher is worse.

Each looks at the same past as the product, the 26 sends before the one it judges, and
alarms above a limit; the limit that its users give it is beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.worlds import HISTORY, Numbers, Sends

Score = Callable[[Numbers, Numbers], Numbers]
"""Opt-outs and delivered mail of sends in order, a row a stream; scores of the last."""


@dataclass(frozen=True)
class Rival:
    """A rule that others use.

    Attributes:
        name: as its users say it.
        limit: the score above which they are alarmed.
        score: of the newest send against those before it.
        streams_pooled: how many streams it adds up to one series first.
    """

    name: str
    limit: float
    score: Score
    streams_pooled: int = 1


def _times_trailing_mean(unsubscribed: Numbers, delivered: Numbers) -> Numbers:
    rates = unsubscribed / delivered
    return _divided(rates[:, -1], rates[:, :-1].mean(axis=1))


def _raw_rate(unsubscribed: Numbers, delivered: Numbers) -> Numbers:
    return 100 * unsubscribed[:, -1] / delivered[:, -1]


def _proportion_chart(unsubscribed: Numbers, delivered: Numbers) -> Numbers:
    centre = unsubscribed[:, :-1].sum(axis=1) / delivered[:, :-1].sum(axis=1)
    deviation = np.sqrt(centre * (1 - centre) / delivered[:, -1])
    return _divided(unsubscribed[:, -1] / delivered[:, -1] - centre, deviation)


def _deviations_of_days(unsubscribed: Numbers, delivered: Numbers) -> Numbers:
    rates = unsubscribed / delivered
    history = rates[:, :-1]
    return _divided(rates[:, -1] - history.mean(axis=1), history.std(axis=1, ddof=1))


TRAILING_MEAN = Rival("2x trailing mean", 2, _times_trailing_mean)
RAW_RATE = Rival("raw rate > 0.5 %", 0.5, _raw_rate)
PROPORTION_CHART = Rival("p-chart, 3 sigma", 3, _proportion_chart)
DAY_BUCKETS = Rival("day buckets, 3 sigma", 3, _deviations_of_days, streams_pooled=5)

RIVALS = (TRAILING_MEAN, RAW_RATE, PROPORTION_CHART, DAY_BUCKETS)


def scores(rival: Rival, sends: Sends, peers: Sends) -> Numbers:
    """Scores of every send that has a whole history, a column a send.

    Args:
        rival: whose.
        sends: to judge.
        peers: streams without a fault that send on the same days; a rival that pools
            streams adds the next few of them to each stream.
    """
    unsubscribed, delivered = sends.unsubscribed, sends.delivered
    if rival.streams_pooled > 1:
        unsubscribed = unsubscribed + _pooled(peers.unsubscribed, sends, rival)
        delivered = delivered + _pooled(peers.delivered, sends, rival)
    return np.stack(
        [
            rival.score(
                unsubscribed[:, end - HISTORY : end + 1],
                delivered[:, end - HISTORY : end + 1],
            )
            for end in range(HISTORY, delivered.shape[1])
        ],
        axis=1,
    )


def peers_needed(streams: int) -> int:
    """Streams without a fault for the rivals of so many streams."""
    return streams * (max(rival.streams_pooled for rival in RIVALS) - 1)


def _pooled(values: Numbers, sends: Sends, rival: Rival) -> Numbers:
    streams, columns = sends.delivered.shape
    beside = rival.streams_pooled - 1
    return values[: streams * beside].reshape(streams, beside, columns).sum(axis=1)


def _divided(numerator: Numbers, denominator: Numbers) -> Numbers:
    """Nothing above nothing is no alarm, anything above nothing is one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(
            denominator > 0,
            numerator / denominator,
            np.where(numerator > 0, np.inf, 0.0),
        )
