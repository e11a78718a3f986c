"""Known worlds judged by the shipped models, beside the research's tables and rivals.

Every figure stands beside the research's, with the chance error of both: beyond three
standard errors and half a unit of the last printed digit it is marked. Every rival is
given the limit at which it is wrong as often as the product, and must find less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import yaml

from benchmarks.rivals import RIVALS, Rival, peers_needed, scores
from benchmarks.shipped import Shipped
from benchmarks.worlds import (
    COURSES,
    DIRTY_SHARE,
    HISTORY,
    Numbers,
    Sends,
    after_gaps,
    drifts,
    families,
    shapes,
    spikes,
)
from dagster_project.settings import DBT_PROJECT

STANDARD_ERRORS = 3
CHUNK = 10_000
"""Streams that are judged at once, for the sake of memory."""
FALSE_ALARMS = 0.01
"""Of ordinary sends, where methods are compared."""
_VARS = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]
SPIKE_LIMITS = tuple(_VARS[f"spike_{word}_z"] for word in ("watch", "alert", "strong"))
SPIKE_LIMIT = SPIKE_LIMITS[0]
DRIFT_LIMIT = _VARS["drift_limit"]
DRIFT_ALLOWANCE = _VARS["drift_allowance"]
EWMA_WEIGHT = _VARS["ewma_weight"]
DRIFT_FALSE_ALARMS = 0.05
"""Of stable streams, within the monitored sends."""
SOON = 8
FACTORS = (2, 3)
STRATA: dict[str, tuple[float, float]] = {
    "all": (0, np.inf),
    "e < 3": (0, 3),
    "e 3-10": (3, 10),
    "e 10-50": (10, 50),
    "e 50-300": (50, 300),
    "e > 300": (300, np.inf),
}
"""By the opt-outs expected of an ordinary send of the stream."""

FAMILY_STREAMS = 400
FAMILY_SHARE = 0.05
GAINS = ("stable", "isolated_spike", "step", "climb", "undetermined_rise", "post_gap")
TRUTHS = ("stable", "isolated_spike", "step", "climb", "post_gap")

_JUDGED = """
    select
        judged.spike_z,
        judged.spike_status in ('watch', 'alert', 'strong') as is_alarmed,
        judged.is_assessable,
        drift_signals.drift_z,
        drift_signals.cusum,
        drift_signals.ewma,
        found.q_value
    from judged_measures as judged
    left join drift_signals
        on judged.mailing_key = drift_signals.mailing_key
    left join false_discovery_rates as found
        on judged.mailing_key = found.mailing_key and judged.measure = found.measure
    where judged.measure = 'unsubscribe'
    order by cast(judged.stream_id as bigint), judged.mailing_number
"""
_SHAPED = """
    select best_shape, shape
    from stream_shapes
    where measure = 'unsubscribe'
    order by cast(stream_id as bigint)
"""


@dataclass(frozen=True)
class Figure:
    """One number of the simulation.

    Attributes:
        table: the table it belongs to.
        row: of that table.
        column: of that table.
        value: what came out.
        error: standard error of the draw.
        research: the research's figure, as printed.
        research_error: standard error of the research's own draw.
    """

    table: str
    row: str
    column: str
    value: float
    error: float
    research: str | None = None
    research_error: float = 0

    @property
    def allowed(self) -> float:
        """Difference that chance and printing explain."""
        _, _, decimals = str(self.research).partition(".")
        rounding = 0.5 * 10.0 ** -len(decimals)
        return STANDARD_ERRORS * float(np.hypot(self.error, self.research_error)) + (
            rounding
        )

    @property
    def is_outside(self) -> bool:
        """Whether chance does not explain the difference from the research."""
        if self.research is None or self.value == float(self.research):
            return False
        return not abs(self.value - float(self.research)) <= self.allowed


@dataclass(frozen=True)
class Comparison:
    """Product and rival where both are wrong equally often.

    Attributes:
        rival: its name.
        world: what was to be found.
        limit: of the rival.
        product: percent found.
        found: percent found by the rival.
        error: standard error of the difference.
    """

    rival: str
    world: str
    limit: float
    product: float
    found: float
    error: float

    @property
    def is_won(self) -> bool:
        """Whether the product finds more than chance explains."""
        return self.product - self.found > STANDARD_ERRORS * self.error


@dataclass
class Outcome:
    """Everything one call found.

    Attributes:
        streams: of every world.
        seed: of all draws.
        figures: in the order of the tables.
        comparisons: with the rivals.
    """

    streams: int
    seed: int
    figures: list[Figure] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def lost(self) -> list[Comparison]:
        """Where a rival is as good as the product."""
        return [compared for compared in self.comparisons if not compared.is_won]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "streams": self.streams,
            "seed": self.seed,
            "figures": [
                {**asdict(figure), "is_outside": figure.is_outside}
                for figure in self.figures
            ],
            "comparisons": [
                {**asdict(compared), "is_won": compared.is_won}
                for compared in self.comparisons
            ],
        }


Judged = dict[str, Numbers]
"""Columns of verdicts; a row a stream, a column a send, NaN where nothing was said."""


def simulate(shipped: Shipped, streams: int, seed: int) -> Iterator[str | Outcome]:
    """Draw, judge and compare; yields what is going on, and in the end the outcome.

    Args:
        shipped: the compiled project.
        streams: of every world.
        seed: of all draws.
    """
    outcome = Outcome(streams, seed)
    for number, (said, experiment) in enumerate(_EXPERIMENTS.items()):
        yield said
        random = np.random.default_rng([seed, number])
        for found in experiment(shipped, random, streams):
            if isinstance(found, Figure):
                outcome.figures.append(found)
            else:
                outcome.comparisons.append(found)
    yield outcome


def judge(shipped: Shipped, sends: Sends) -> Judged:
    """What the shipped models say of every send of a world."""
    models = ("judged_measures", "drift_signals", "false_discovery_rates")
    return _asked(shipped, sends, models, _JUDGED)


def name_shapes(shipped: Shipped, sends: Sends) -> Judged:
    """What the shipped models call the shape of every stream of a world."""
    return _asked(shipped, sends, ("stream_shapes",), _SHAPED)


def _asked(shipped: Shipped, sends: Sends, models: Sequence[str], query: str) -> Judged:
    parts = []
    streams = len(sends.delivered)
    for first in range(0, streams, CHUNK):
        chunk = sends.streams(first, first + CHUNK)
        world = shipped.open()
        world.seeds()
        world.table("fct_campaigns", chunk.campaigns())
        world.build_upstream(*models)
        answer = world.connection.execute(query).fetchnumpy()
        world.connection.close()
        parts.append({name: _plain(column) for name, column in answer.items()})
    return {
        name: np.concatenate([part[name] for part in parts]).reshape(streams, -1)
        for name in parts[0]
    }


def _plain(column: Any) -> Numbers:
    if column.dtype == object:
        return np.ma.filled(column, "")
    return np.ma.filled(column.astype(float), np.nan)


def _newest(judged: Judged) -> Judged:
    return {name: column[:, -1] for name, column in judged.items()}


def _percent(hits: Numbers) -> tuple[float, float]:
    """Share and its standard error, which is not nothing where there was no hit."""
    likely = (np.sum(hits) + 1) / (len(hits) + 2)
    error = np.sqrt(likely * (1 - likely) / len(hits))
    return 100 * float(np.mean(hits)), 100 * float(error)


def _in_stratum(expected: Numbers, stratum: str) -> Numbers:
    low, high = STRATA[stratum]
    return (expected >= low) & (expected < high)


def _limit(scores_of_stable: Numbers, false_alarms: float) -> float:
    """The score above which this share of stable sends lies; NaN is no alarm."""
    known = np.where(np.isnan(scores_of_stable), -np.inf, scores_of_stable)
    return float(np.quantile(known, 1 - false_alarms, method="lower"))


def _power(stable: Numbers, planted: Numbers) -> tuple[float, float]:
    """Percent found at the compared false alarms; the limit's own error is included."""
    found, error = _percent(planted > _limit(stable, FALSE_ALARMS))
    shift = np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / len(stable))
    easier, harder = (
        np.mean(planted > _limit(stable, FALSE_ALARMS + sign * shift))
        for sign in (1, -1)
    )
    return found, float(np.hypot(error, 100 * (easier - harder) / 2))


class _Researched:
    """Makes figures of one table and finds the research's number for each."""

    def __init__(
        self,
        table: str,
        published: Mapping[tuple[str, str], str],
        size: int,
        research_size: int,
    ) -> None:
        self._table = table
        self._published = published
        self._ratio = np.sqrt(size / research_size)

    def __call__(self, row: str, column: str, found: tuple[float, float]) -> Figure:
        value, error = found
        research = self._published.get((row, column))
        return Figure(
            self._table, row, column, value, error, research, error * self._ratio
        )


def _table(
    columns: Sequence[str], rows: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """Numbers of a printed table; a point leaves a cell out."""
    return {
        (row, column): number
        for row, numbers in rows.items()
        for column, number in zip(columns, numbers.split(), strict=True)
        if number != "."
    }


_FALSE_ALARMS = _table(
    ("all", "e < 3", "e > 300"),
    {
        "spike_z >= 2": "1 . .",
        "spike_z >= 2.5": "0.3 . .",
        "spike_z >= 3": "0.07 0 0.1",
        "2x trailing mean": "4.6 14.5 2.0",
        "raw rate > 0.5 %": "21.8 3.9 39.9",
        "p-chart, 3 sigma": "12.9 1.7 30.5",
    },
)
_FALSE_ALARMS_DIRTY = _table(("all",), {"spike_z >= 2": "0.9", "spike_z >= 3": "0.05"})
_POWER = _table(
    ("2x clean", "3x clean", "2x dirty", "3x dirty"),
    {
        "spike_z": "40 65 37 62",
        "2x trailing mean": "11 45 11 43",
        "raw rate > 0.5 %": "13 25 13 25",
        "p-chart, 3 sigma": "15 32 17 37",
    },
)
_POWER_BY_STRATUM = _table(
    ("e < 3", "e 3-10", "e 10-50", "e > 300"),
    {"2x": "5 18 42 60", "3x": "16 52 74 83"},
)


def _spikes(
    shipped: Shipped, random: np.random.Generator, streams: int
) -> Iterator[Figure | Comparison]:
    nulls, plants = 2 * streams, streams
    power = _Researched("Found at 1 false alarm per 100, %", _POWER, plants, 30_000)
    by_stratum = _Researched(
        "Found at 1 false alarm per 100 (clean), %", _POWER_BY_STRATUM, plants, 30_000
    )
    shipped_power = _Researched("Found at the shipped limits, %", {}, plants, 30_000)
    for history, published in (
        ("clean", _FALSE_ALARMS),
        ("dirty", _FALSE_ALARMS_DIRTY),
    ):
        tripled_share = DIRTY_SHARE if history == "dirty" else 0
        false_alarms = _Researched(
            f"False alarms per 100 stable sends, {history} history",
            published,
            nulls,
            60_000,
        )
        stable = spikes(random, nulls, tripled_share=tripled_share)
        peers = spikes(random, peers_needed(nulls), tripled_share=tripled_share)
        judged = _newest(judge(shipped, stable))
        alarms = {f"spike_z >= {z:g}": judged["spike_z"] >= z for z in SPIKE_LIMITS}
        alarms["spike_status"] = judged["is_alarmed"] == 1
        rival_scores = {rival: scores(rival, stable, peers)[:, -1] for rival in RIVALS}
        for rival, usual in rival_scores.items():
            alarms[rival.name] = usual > rival.limit
        for row, alarmed in alarms.items():
            for stratum in STRATA:
                chosen = _in_stratum(stable.usual, stratum)
                yield false_alarms(row, stratum, _percent(alarmed[chosen]))
        for factor in FACTORS:
            planted = spikes(random, plants, factor, tripled_share=tripled_share)
            found = _newest(judge(shipped, planted))
            column = f"{factor}x {history}"
            yield power("spike_z", column, _power(judged["spike_z"], found["spike_z"]))
            for z in SPIKE_LIMITS:
                yield shipped_power(
                    f"spike_z >= {z:g}", column, _percent(found["spike_z"] >= z)
                )
            yield shipped_power(
                "spike_status",
                column,
                _percent(found["is_alarmed"][found["is_assessable"] == 1] == 1),
            )
            for stratum in () if tripled_share else STRATA:
                chosen = _in_stratum(planted.usual, stratum)
                limit = _limit(judged["spike_z"], FALSE_ALARMS)
                yield by_stratum(
                    f"{factor}x", stratum, _percent(found["spike_z"][chosen] > limit)
                )
            share = float(np.mean(judged["spike_z"] >= SPIKE_LIMIT))
            for rival, usual in rival_scores.items():
                theirs = scores(rival, planted, peers)[:, -1]
                yield power(rival.name, column, _power(usual, theirs))
                yield _compared(
                    rival,
                    f"{factor}x {history}",
                    _limit(usual, share),
                    found["spike_z"] >= SPIKE_LIMIT,
                    theirs > _limit(usual, share),
                )


def _compared(
    rival: Rival, world: str, limit: float, found: Numbers, theirs: Numbers
) -> Comparison:
    difference = found.astype(int) - theirs.astype(int)
    return Comparison(
        rival.name,
        world,
        limit,
        100 * float(found.mean()),
        100 * float(theirs.mean()),
        100 * float(difference.std() / np.sqrt(len(difference))),
    )


# The research begins its sums with the first monitored send; the product carries over
# what the history left, as it must.
_DELAYS = _table(
    (
        "+10 %, loose",
        "+10 %, strict",
        "+10 % in 8, %",
        "+5 %, strict",
        "2x step, loose",
        "2x step, strict",
        "3x at once, %",
    ),
    {
        "CUSUM begun anew": "6 9 50 13 3 5 0",
        "EWMA begun anew": "6 8 52 . 2 4 0",
        "spike_z": "7 12 26 . 3 inf 48",
        "2x trailing mean": "10 27 5 . 9 inf 8",
    },
)
_DRIFT_LIMITS = _table(
    ("loose", "strict"),
    {
        "CUSUM begun anew": "2.05 3.9",
        "EWMA begun anew": "0.49 0.82",
    },
)
_DELAYS_BY_STRATUM = _table(
    ("e < 5", "e 5-50", "e > 50"), {"CUSUM begun anew": "14 8 6"}
)
_DRIFT_STRATA = {"e < 5": (0, 5), "e 5-50": (5, 50), "e > 50": (50, np.inf)}
_LIMIT_SHARES = {"loose": 1 - 0.99**30, "strict": DRIFT_FALSE_ALARMS}
_RESEARCHED_DRIFTS = 4000
"""Assumed: the research does not say how many streams its delays rest on."""


def _drifts(
    shipped: Shipped, random: np.random.Generator, streams: int
) -> Iterator[Figure | Comparison]:
    streams = max(1, streams // 2)
    delay = _Researched(
        "Sends until half of the drifts are found; shares at the strict limit",
        _DELAYS,
        streams,
        _RESEARCHED_DRIFTS,
    )
    limit_of = _Researched(
        "Limits that alarm 26 % (loose) or 5 % (strict) of stable streams in 30 sends",
        _DRIFT_LIMITS,
        streams,
        _RESEARCHED_DRIFTS,
    )
    by_stratum = _Researched(
        "Sends until half of +10 % a send is found, strict",
        _DELAYS_BY_STRATUM,
        streams,
        _RESEARCHED_DRIFTS,
    )
    as_shipped = _Researched(
        f"CUSUM as shipped (above {DRIFT_LIMIT:g})", {}, streams, _RESEARCHED_DRIFTS
    )
    worlds = {name: drifts(random, streams, COURSES[name]) for name in COURSES}
    peers = drifts(random, peers_needed(streams), COURSES["stable"])
    courses = {
        name: _courses(judge(shipped, sends), sends, peers)
        for name, sends in worlds.items()
    }
    shares_soon = {}
    for detector, stable in courses["stable"].items():
        limits = {
            name: _limit(np.nanmax(stable, axis=1), share)
            for name, share in _LIMIT_SHARES.items()
        }
        for name, share in _LIMIT_SHARES.items():
            yield limit_of(
                detector,
                name,
                (limits[name], _limit_error(np.nanmax(stable, axis=1), share)),
            )
        first = {
            (name, kind): _first_above(courses[name][detector], limits[kind])
            for name in COURSES
            for kind in limits
        }
        is_soon = first["climb_10", "strict"] <= SOON
        shares_soon[detector] = is_soon
        for kind in limits:
            yield delay(detector, f"+10 %, {kind}", _median(first["climb_10", kind]))
            yield delay(detector, f"2x step, {kind}", _median(first["step", kind]))
        yield delay(detector, "+5 %, strict", _median(first["climb_5", "strict"]))
        yield delay(detector, "+10 % in 8, %", _percent(is_soon))
        yield delay(
            detector,
            "3x at once, %",
            _percent(first["spike", "strict"] == 1),
        )
        usual = worlds["climb_10"].usual
        for stratum, (low, high) in _DRIFT_STRATA.items():
            chosen = (usual >= low) & (usual < high)
            yield by_stratum(
                detector, stratum, _median(first["climb_10", "strict"][chosen])
            )
    for name in COURSES:
        first_alarm = _first_above(courses[name]["CUSUM"], DRIFT_LIMIT)
        yield as_shipped(name, "alarmed in 30 sends, %", _percent(first_alarm <= 30))
        yield as_shipped(name, f"within {SOON}, %", _percent(first_alarm <= SOON))
        yield as_shipped(name, "median", _median(first_alarm))
    for rival in RIVALS:
        theirs = shares_soon[rival.name]
        yield _compared(
            rival,
            f"+10 % a send within {SOON}",
            _limit(
                np.nanmax(courses["stable"][rival.name], axis=1), DRIFT_FALSE_ALARMS
            ),
            shares_soon["CUSUM"],
            theirs,
        )


def _courses(judged: Judged, sends: Sends, peers: Sends) -> Judged:
    """Scores of the monitored sends, by detector."""
    monitored = {name: column[:, HISTORY:] for name, column in judged.items()}
    anew = monitored["drift_z"]
    summed, averaged = np.zeros_like(anew), np.zeros_like(anew)
    for send in range(anew.shape[1]):
        sum_before = summed[:, send - 1] if send else 0
        mean_before = averaged[:, send - 1] if send else 0
        summed[:, send] = np.maximum(0, sum_before + anew[:, send] - DRIFT_ALLOWANCE)
        averaged[:, send] = mean_before + EWMA_WEIGHT * (anew[:, send] - mean_before)
    return {
        "CUSUM": monitored["cusum"],
        "CUSUM begun anew": summed,
        "EWMA": monitored["ewma"],
        "EWMA begun anew": averaged,
        "spike_z": monitored["spike_z"],
        **{rival.name: scores(rival, sends, peers) for rival in RIVALS},
    }


def _first_above(course: Numbers, limit: float) -> Numbers:
    """Number of the first send above the limit; infinite when there is none."""
    above = course > limit
    return np.where(above.any(axis=1), above.argmax(axis=1) + 1, np.inf)


def _median(delays: Numbers) -> tuple[float, float]:
    """Of delays, some of them infinite. A median of whole sends jumps by one."""
    ordered = np.sort(delays)
    size = len(ordered)
    middle, reach = size / 2, np.sqrt(size) / 2
    low, value, high = (
        ordered[int(np.clip(place, 0, size - 1))]
        for place in (middle - reach, middle, middle + reach)
    )
    error = (high - low) / 2 if np.isfinite(high) else 0
    return float(value), max(float(error), 1 / 6)


def _limit_error(highest: Numbers, share: float) -> float:
    shift = np.sqrt(share * (1 - share) / len(highest))
    return (_limit(highest, share - shift) - _limit(highest, share + shift)) / 2


_CONFUSION = {
    12: _table(
        (*GAINS, "any rise"),
        {
            "stable": "95.0 1.2 2.0 0.1 1.6 0 3.8",
            "isolated_spike": "59.9 34.4 2.4 0.4 2.9 0 5.6",
            "step": "32.4 1.9 32.3 2.6 30.9 0 65.8",
            "climb": "36.0 1.8 11.7 13.3 37.2 0 62.2",
            "post_gap": "27.7 1.9 4.8 0.4 2.9 62.3 8.1",
        },
    ),
    24: _table(
        (*GAINS, "any rise"),
        {
            "stable": "94.6 1.5 2.1 0 1.8 0 4.0",
            "step": "23.5 0.7 48.0 2.2 25.6 0 75.8",
            "climb": "10.6 0.4 10.0 48.4 30.5 0 88.9",
        },
    ),
}
_RISES = ("step", "climb", "undetermined_rise")
_CONFUSION_LARGE = _table(
    ("K=12", "K=24"), {"climb: any rise": "79 96", "spike: isolated_spike": "60 60"}
)


def _shapes(
    shipped: Shipped, random: np.random.Generator, streams: int
) -> Iterator[Figure]:
    streams = max(1, streams // 2)
    large = _Researched(
        "Shapes of streams with 50 or more expected opt-outs, %",
        _CONFUSION_LARGE,
        streams,
        4000,
    )
    for sends, published in _CONFUSION.items():
        raw = _Researched(
            f"Best fitting shape, K={sends}, % of row", published, streams, 4000
        )
        said = _Researched(f"Published shape, K={sends}, % of row", {}, streams, 4000)
        for truth in TRUTHS:
            world = shapes(random, streams, sends, truth)
            named = {
                name: column[:, 0]
                for name, column in name_shapes(shipped, world).items()
            }
            for shape in GAINS:
                yield raw(truth, shape, _percent(named["best_shape"] == shape))
            is_rise = np.isin(named["best_shape"], _RISES)
            yield raw(truth, "any rise", _percent(is_rise))
            for shape in (*GAINS, "spike_unconfirmed", "insufficient_data"):
                yield said(truth, shape, _percent(named["shape"] == shape))
            is_large = world.usual >= 50
            if truth == "climb":
                yield large(
                    "climb: any rise", f"K={sends}", _percent(is_rise[is_large])
                )
            if truth == "isolated_spike":
                is_spike = named["best_shape"][is_large] == "isolated_spike"
                yield large("spike: isolated_spike", f"K={sends}", _percent(is_spike))


_GAPS = _table(
    ("z > 2", "z > 3"),
    {
        "ordinary, gap unknown": "38.9 21.9",
        "ordinary, gap known": "1.0 0.04",
        "3x as bad, gap unknown": "86 72",
        "3x as bad, gap known": "40 11",
    },
)


def _gaps(
    shipped: Shipped, random: np.random.Generator, streams: int
) -> Iterator[Figure]:
    alarms = _Researched("First send after a gap: alarms, %", _GAPS, streams, 30_000)
    for case, factor in (("ordinary", 1), ("3x as bad", 3)):
        for knowledge in ("unknown", "known"):
            world = after_gaps(random, streams, factor, is_known=knowledge == "known")
            found = _newest(judge(shipped, world))["spike_z"]
            for z in (2, 3):
                yield alarms(
                    f"{case}, gap {knowledge}", f"z > {z}", _percent(found > z)
                )


_FAMILIES = _table(
    ("alarms a day", "false, %", "found, %"),
    {
        "spike_z > 2": "17 25 .",
        "spike_z > 2.5": "11.7 11 .",
        "spike_z > 3": "8.6 4 42",
        "q < 0.10": "9.7 6.3 45",
        "q < 0.20": ". 11 51",
    },
)


def _families(
    shipped: Shipped, random: np.random.Generator, streams: int
) -> Iterator[Figure]:
    days = max(2, 2 * streams // FAMILY_STREAMS)
    figure = _Researched(
        f"{FAMILY_STREAMS} streams a day, {FAMILY_SHARE:.0%} of them tripled",
        _FAMILIES,
        days,
        100,
    )
    world = families(random, days, FAMILY_STREAMS, 3, FAMILY_SHARE)
    judged = _newest(judge(shipped, world))
    rules = {
        **{f"spike_z > {z:g}": judged["spike_z"] > z for z in SPIKE_LIMITS},
        **{f"q < {q:.2f}": judged["q_value"] < q for q in (0.1, 0.2)},
    }
    for row, alarmed in rules.items():
        a_day = alarmed.reshape(days, FAMILY_STREAMS).sum(axis=1)
        error = float(a_day.std() / np.sqrt(days))
        yield figure(row, "alarms a day", (float(a_day.mean()), error))
        yield figure(row, "false, %", _percent(~world.is_planted[alarmed]))
        yield figure(row, "found, %", _percent(alarmed[world.is_planted]))


_EXPERIMENTS = {
    "Spikes after clean and dirty histories, and the rivals.": _spikes,
    "Drifts: stable, climbing, stepping and spiking streams.": _drifts,
    "Shapes of 12 and 24 sends.": _shapes,
    "First sends after a gap.": _gaps,
    "Families of streams that send on the same day.": _families,
}
