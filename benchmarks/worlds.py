"""Seeded worlds whose truth is known: streams of sends with a planted fault, or none.

Base rates, volumes and the variation of ordinary sends are those of the research behind
the limits: a rate of 0.05 to 1 % and 500 to 500,000 recipients, both spread evenly over
their logarithm, sizes within a stream lognormal, the true rate of a send drawn from a
gamma distribution, the opt-outs from a binomial. Nothing here knows a formula of the
product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Numbers = NDArray[Any]

HISTORY = 26
"""Sends of a stream before those that are judged."""
MONITORED = 30
"""Sends in which a drift may be found."""
DIRTY_SHARE = 0.1
"""Of a dirty history, tripled."""
FEW_TRIPLED = 0.05
"""Of the history where the research says no more than that it was a little dirty."""

RATES = (0.0005, 0.01)
LOW_RATES = (0.0005, 0.005)
"""Where a rate may still climb tenfold."""
VOLUMES = (500, 500_000)
VOLUME_DEVIATION = 0.4
"""Of the logarithm, between the sends of a stream."""
RATE_VARIATIONS = (0.15, 0.3, 0.5)
"""Coefficients of variation of the true rate; a stream has one of them."""

GAP_MULTIPLIER = 2.0
GAP_DEVIATION = 0.4
GAP_PAUSE_DAYS = 75
GAP_DECAY = 0.4

FIRST_DAY = date(2001, 1, 1)
DAYS_APART = 7


@dataclass(frozen=True)
class Sends:
    """Streams with equally many sends each: a row a stream, a column a send.

    Attributes:
        delivered: mail of each send.
        unsubscribed: opt-outs of each send.
        usual: opt-outs expected of an ordinary send of the stream.
        sent_days: day of each send.
        is_planted: streams whose last send was given another rate on purpose.
    """

    delivered: Numbers
    unsubscribed: Numbers
    usual: Numbers
    sent_days: Numbers
    is_planted: Numbers

    @property
    def rates(self) -> Numbers:
        """As everybody prints them: opt-outs by delivered mail."""
        return self.unsubscribed / self.delivered

    def streams(self, first: int, end: int) -> Sends:
        """Some of the streams."""
        return Sends(*(values[first:end] for values in vars(self).values()))

    def campaigns(self) -> pa.Table:
        """Rows of `fct_campaigns`, without the columns that nobody knows here."""
        streams, sends = self.delivered.shape
        stream = pa.array(np.repeat(np.arange(streams), sends)).cast(pa.string())
        send = pa.array(np.tile(np.arange(sends), streams)).cast(pa.string())
        return pa.table(
            {
                "campaign_key": _joined(stream, send),
                "campaign_id": send,
                "stream_id": stream,
                "source": _same("generic", stream),
                "account": _same("simulated", stream),
                "maturity": _same("final", stream),
                "is_excluded": _same(False, stream),
                "delivered_count": self.delivered.ravel(),
                "unsubscribe_count": self.unsubscribed.ravel(),
                "sent_at": (
                    np.datetime64(FIRST_DAY, "us")
                    + self.sent_days.ravel() * np.timedelta64(1, "D")
                ),
            }
        )


def spikes(
    random: np.random.Generator,
    streams: int,
    factor: float = 1,
    *,
    tripled_share: float = 0,
    planted_share: float = 1,
) -> Sends:
    """A history, then one send whose rate is multiplied.

    Args:
        random: source of chance.
        streams: how many.
        factor: of the last send's rate; 1 plants nothing.
        tripled_share: of the history.
        planted_share: of the streams; the others stay as they were.
    """
    is_planted = random.random(streams) < planted_share
    multipliers = _histories(random, streams, tripled_share, HISTORY + 1)
    multipliers[:, -1] = np.where(is_planted, factor, 1)
    return replace(_sends(random, RATES, multipliers), is_planted=is_planted)


def families(
    random: np.random.Generator, days: int, streams: int, factor: float, share: float
) -> Sends:
    """Days on which many streams send, each day with streams of its own.

    Args:
        random: source of chance.
        days: how many.
        streams: that send on each.
        factor: of the planted sends' rates.
        share: of the streams in which one is planted.
    """
    sends = spikes(
        random,
        days * streams,
        factor,
        tripled_share=FEW_TRIPLED,
        planted_share=share,
    )
    day = np.repeat(np.arange(days), streams)[:, None]
    weeks_of_one = DAYS_APART * sends.delivered.shape[1]
    shift = day % DAYS_APART + day // DAYS_APART * weeks_of_one
    calendar = np.arange(sends.delivered.shape[1])[None, :] * DAYS_APART
    return replace(sends, sent_days=calendar + shift)


def drifts(random: np.random.Generator, streams: int, course: Numbers) -> Sends:
    """A history with a few tripled sends, then sends whose rates follow a course.

    Args:
        random: source of chance.
        streams: how many.
        course: the multiplier of each send after the history.
    """
    multipliers = _histories(random, streams, FEW_TRIPLED, HISTORY + len(course))
    multipliers[:, HISTORY:] = course
    return _sends(random, LOW_RATES, multipliers)


COURSES: dict[str, Numbers] = {
    "stable": np.ones(MONITORED),
    "climb_10": 1.1 ** np.arange(1, MONITORED + 1),
    "climb_5": 1.05 ** np.arange(1, MONITORED + 1),
    "step": np.full(MONITORED, 2.0),
    "spike": np.array([3.0] + [1.0] * (MONITORED - 1)),
}
"""Of the sends after the history."""


def after_gaps(
    random: np.random.Generator, streams: int, factor: float, *, is_known: bool
) -> Sends:
    """A history, a pause, then a send that more people leave than usually.

    Args:
        random: source of chance.
        streams: how many.
        factor: on top of what a gap does; 1 is an ordinary send after a gap.
        is_known: whether the days of sending show the pause.
    """
    multipliers = _histories(random, streams, FEW_TRIPLED, HISTORY + 1)
    multipliers[:, -1] = factor * np.exp(
        random.normal(np.log(GAP_MULTIPLIER), GAP_DEVIATION, streams)
    )
    sends = _sends(random, RATES, multipliers)
    sent_days = sends.sent_days.copy()
    sent_days[:, -1] += GAP_PAUSE_DAYS if is_known else 0
    return replace(sends, sent_days=sent_days)


def shapes(random: np.random.Generator, streams: int, sends: int, truth: str) -> Sends:
    """Streams that all have one shape.

    A climb of 10 % a send begins anywhere that leaves it eight sends, the others in the
    second half: a tripled send, twice the rate from a send on, or thrice the rate after
    a gap, of whose excess 40 % is left one send later.

    Args:
        random: source of chance.
        streams: how many.
        sends: of each stream.
        truth: stable, isolated_spike, step, climb or post_gap.
    """
    earliest, latest = {
        "stable": (0, 0),
        "isolated_spike": (sends // 2, sends - 1),
        "step": (sends // 2, sends - 4),
        "climb": (0, sends - 8),
        "post_gap": (sends // 2, sends - 3),
    }[truth]
    begun = random.integers(earliest, latest + 1, streams)[:, None]
    since = np.arange(sends)[None, :] - begun
    has_begun = since >= 0
    excess = {
        "stable": np.zeros(since.shape),
        "isolated_spike": np.where(since == 0, 2.0, 0.0),
        "step": np.where(has_begun, 1.0, 0.0),
        "climb": 1.1 ** np.maximum(since, 0) - 1,
        "post_gap": np.where(has_begun, 2 * GAP_DECAY ** np.maximum(since, 0), 0.0),
    }[truth]
    drawn = _sends(random, LOW_RATES, 1 + excess)
    if truth != "post_gap":
        return drawn
    pauses = np.where(has_begun, GAP_PAUSE_DAYS, 0)
    return replace(drawn, sent_days=drawn.sent_days + pauses)


def full_campaigns(random: np.random.Generator, streams: int, sends: int) -> pa.Table:
    """Rows of `fct_campaigns` with every count that is judged, opens to bounces.

    Args:
        random: source of chance.
        streams: how many.
        sends: of each stream.
    """
    drawn = _sends(random, RATES, np.ones((streams, sends)))
    rows = drawn.campaigns()
    delivered = drawn.delivered.ravel()
    bounced = random.binomial(delivered, 0.01)
    opened = random.binomial(delivered, 0.4)
    human_opened = random.binomial(opened, 0.6)
    counts = {
        "sent_count": delivered + bounced,
        "attempted_count": delivered + bounced,
        "hard_bounce_count": bounced,
        "unique_open_count": opened,
        "human_open_count": human_opened,
        "unique_click_count": random.binomial(human_opened, 0.1),
        "complaint_count": random.binomial(delivered, 0.0003),
        "suspect_automated_count": random.binomial(drawn.unsubscribed.ravel(), 0.05),
        "recipient_count": delivered,
        "lapsed_recipient_count": random.binomial(delivered, 0.05),
        "first_time_recipient_count": random.binomial(delivered, 0.02),
    }
    for name, values in counts.items():
        rows = rows.append_column(name, pa.array(values))
    return rows


def _histories(
    random: np.random.Generator, streams: int, tripled_share: float, sends: int
) -> Numbers:
    """Multipliers of all sends, with some of the history tripled."""
    multipliers = np.ones((streams, sends))
    is_tripled = random.random((streams, HISTORY)) < tripled_share
    multipliers[:, :HISTORY] = np.where(is_tripled, 3, 1)
    return multipliers


def _sends(
    random: np.random.Generator, rates: tuple[float, float], multipliers: Numbers
) -> Sends:
    streams, sends = multipliers.shape
    base_rates = _spread_evenly(random, rates, streams)[:, None]
    volumes = _spread_evenly(random, VOLUMES, streams)[:, None]
    variations = random.choice(RATE_VARIATIONS, streams)[:, None]
    sizes = random.lognormal(0, VOLUME_DEVIATION, (streams, sends))
    delivered = np.maximum(1, np.rint(volumes * sizes)).astype(np.int64)
    noise = random.gamma(1 / variations**2, variations**2, (streams, sends))
    true_rates = np.minimum(base_rates * noise * multipliers, 1)
    return Sends(
        delivered=delivered,
        unsubscribed=random.binomial(delivered, true_rates),
        usual=(base_rates * volumes)[:, 0],
        sent_days=np.broadcast_to(np.arange(sends) * DAYS_APART, delivered.shape),
        is_planted=np.zeros(streams, dtype=bool),
    )


def _spread_evenly(
    random: np.random.Generator, limits: Sequence[float], size: int
) -> Numbers:
    """Evenly over the logarithm."""
    low, high = np.log(limits)
    return np.exp(random.uniform(low, high, size))


def _joined(first: pa.Array, second: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(first, second, "-")


def _same(value: Any, beside: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(value), len(beside))
