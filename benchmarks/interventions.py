"""Seeded worlds in which a change did something or nothing, and what is said of it.

Every seed is a few accounts: what one of them changed is known. All of them go through
the shipped models in one build, and nothing here knows a formula of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.shipped import Shipped, World

Numbers = NDArray[Any]

SEEDS = range(1, 101)
COVERED_AT_LEAST = 0.90
CALLED_AT_MOST = 0.05
EFFECT = -0.30
"""Of the opt-outs: three in ten fewer."""

CHANGED_AT = np.datetime64("2025-07-07T00:00:00")
WEEKS = 13
"""On each side of the change, as many as the product looks at."""
VARIATION = 0.3
"""Of the true rate of a mailing, a week or a week's joiners: its coefficient of
variation, as the research found it."""
WEEKLY_SHOCK = 0.2
LASTING_SHOCK = 0.2
"""Standard deviations of what moves the logarithm of all rates of a world at once: in a
single week, and from the change on."""
RATES = (0.001, 0.006)
AUDIENCES = (3_000, 60_000)
JOINERS = (60, 150)
"""A week."""
LEAVING = (0.08, 0.25)
"""Share of them who opt out within the window of a signup."""
SIGNUP_WINDOW = 90
DAY = np.timedelta64(1, "D")

KINDS = {
    "seasons": "two streams to compare, seasons that all share",
    "alone": "no stream to compare, no seasons",
    "frequency": "twice the mail, two streams to compare, seasons",
    "joiners": "people who joined before and after",
}


@dataclass(frozen=True)
class Judgement:
    """What was said of all worlds of one kind with one planted effect.

    Attributes:
        kind: of :data:`KINDS`.
        planted_pct: the effect in percent, 0 for none.
        worlds: how many.
        covered: those whose interval holds the planted effect.
        verdicts: how often each was given.
        found_pct: median of the effects found.
        half_width_pct: median of half the width of the interval.
        detectable_pct: median of what could have been found.
    """

    kind: str
    planted_pct: float
    worlds: int
    covered: int
    verdicts: dict[str, int]
    found_pct: float
    half_width_pct: float
    detectable_pct: float

    @property
    def called(self) -> tuple[int, int]:
        """Worlds in which it is said to have worked, and to have backfired."""
        return self.verdicts.get("worked", 0), self.verdicts.get("backfired", 0)

    @property
    def holds(self) -> bool:
        """Whether the interval is right often enough, and nothing is called an effect."""
        is_covered = self.covered >= COVERED_AT_LEAST * self.worlds
        wrong = self.called if not self.planted_pct else self.called[1:]
        return is_covered and all(
            count <= CALLED_AT_MOST * self.worlds for count in wrong
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True)
class Hardness:
    """What makes a world harder than the plain one.

    Attributes:
        variation: coefficient of variation of the true rate.
        drift: standard deviation of what moves each stream on its own from the change
            on, and so no other stream can tell.
        audience: factor on how many people a send reaches.
        spikes: share of mailings that lose three times as many.
        weeks: of mail on each side.
        controls: streams to compare.
    """

    variation: float = VARIATION
    drift: float = 0.0
    audience: float = 1.0
    spikes: float = 0.0
    weeks: int = WEEKS
    controls: int = 2


def judge(
    shipped: Shipped,
    seeds: Sequence[int] = SEEDS,
    kinds: Sequence[str] = tuple(KINDS),
    hardness: Hardness | None = None,
) -> list[Judgement]:
    """Draw every kind of world with and without an effect, build the models, compare."""
    world = shipped.open()
    world.seeds()
    world.table(
        "dim_runs", "select 'build' as build_id, timestamp '2026-06-01' as now_at"
    )
    mail, people = [], []
    for kind in kinds:
        for effect in (EFFECT, 0.0):
            for seed in seeds:
                draw = np.random.default_rng(
                    [list(KINDS).index(kind), effect < 0, seed]
                )
                account = f"{kind}/{effect:.2f}/{seed}"
                if kind == "joiners":
                    people.append(
                        _joiners(draw, account, effect, hardness or Hardness())
                    )
                else:
                    mail.append(
                        _mail(draw, account, kind, effect, hardness or Hardness())
                    )
    _fill(world, mail, people)
    world.build_upstream("intervention_effects")
    found = pd.DataFrame(world.rows("select * from intervention_effects"))
    names = found["account"].str.split("/", expand=True)
    found = found.assign(planted=names[1].astype(float), world_kind=names[0])
    return [
        _compare(
            kind,
            effect,
            found[(found["world_kind"] == kind) & (found["planted"] == effect)],
        )
        for kind in kinds
        for effect in (EFFECT, 0.0)
    ]


def _mail(
    draw: np.random.Generator, account: str, kind: str, effect: float, hard: Hardness
) -> pd.DataFrame:
    """The mailings of one account: stream 0 is changed, the others are not."""
    streams = 1 if kind == "alone" else 1 + hard.controls
    weeks = np.arange(-hard.weeks, hard.weeks)
    is_after = weeks >= 0
    shock = np.zeros(weeks.size)
    if kind != "alone":
        shock = draw.normal(0, WEEKLY_SHOCK, weeks.size)
        shock += is_after * draw.normal(0, LASTING_SHOCK)
    parts = []
    for stream in range(streams):
        rate = np.exp(draw.uniform(*np.log(RATES)))
        audience = hard.audience * np.exp(draw.uniform(*np.log(AUDIENCES)))
        level = rate * np.exp(shock + is_after * draw.normal(0, hard.drift))
        if stream == 0:
            level = level * np.where(is_after, 1 + effect, 1)
        level = level * np.where(draw.random(weeks.size) < hard.spikes, 3, 1)
        mails = np.where(is_after & (kind == "frequency") & (stream == 0), 2, 1)
        week = np.repeat(weeks, mails)
        # Twice the mail of a week loses the people of that week in two parts.
        per_mail = np.repeat(level / mails, mails)
        if kind == "frequency":
            noise = np.repeat(_noise(draw, weeks.size, hard.variation), mails)
        else:
            noise = _noise(draw, week.size, hard.variation)
        delivered = np.round(audience * np.exp(draw.normal(0, 0.1, week.size)))
        left = draw.poisson(delivered * per_mail * noise)
        place = np.concatenate([np.arange(count) for count in mails])
        parts.append(
            pd.DataFrame(
                {
                    "account": account,
                    "stream_id": f"{account}/{stream}",
                    "campaign_id": [
                        f"{stream}-{number}" for number in range(week.size)
                    ],
                    "delivered_count": delivered.astype(int),
                    "unsubscribe_count": np.minimum(left, delivered).astype(int),
                    "sent_at": CHANGED_AT
                    + (7 * week + stream + 3 * place) * DAY
                    + np.timedelta64(10, "h"),
                }
            )
        )
    return pd.concat(parts)


def _joiners(
    draw: np.random.Generator, account: str, effect: float, hard: Hardness
) -> pd.DataFrame:
    """The people who joined the list of one account, and until when they stayed."""
    weeks = np.arange(-hard.weeks, hard.weeks)
    leaving = np.exp(draw.uniform(*np.log(LEAVING)))
    count = draw.poisson(np.exp(draw.uniform(*np.log(JOINERS))), weeks.size)
    hazard = -np.log(1 - leaving * np.where(weeks >= 0, 1 + effect, 1))
    hazard = np.repeat(hazard * _noise(draw, weeks.size, hard.variation), count)
    seconds = draw.integers(0, 7 * 86400, hazard.size)
    joined = (
        CHANGED_AT
        + np.repeat(weeks, count) * 7 * DAY
        + seconds.astype("timedelta64[s]")
    )
    stayed = draw.exponential(SIGNUP_WINDOW * 86400 / hazard)
    left = joined + np.minimum(stayed, 1e9).astype("timedelta64[s]")
    return pd.DataFrame({"account": account, "entered_at": joined, "left_at": left})


def _noise(draw: np.random.Generator, size: int, variation: float) -> Numbers:
    """Factors with mean 1."""
    return draw.gamma(variation**-2, variation**2, size)


def _fill(world: World, mail: list[pd.DataFrame], people: list[pd.DataFrame]) -> None:
    """Put mailings, people and changes in the place of facts."""
    campaigns = pd.concat(mail) if mail else None
    joined = pd.concat(people) if people else None
    watched_until = CHANGED_AT + (WEEKS * 7 + SIGNUP_WINDOW + 1) * DAY
    streams = []
    if campaigns is not None:
        world.table(
            "fct_campaigns",
            campaigns.assign(
                source="esp", send_type="campaign", maturity="final", is_excluded=False
            ),
        )
        streams.append(campaigns[["account", "stream_id"]].drop_duplicates())
    else:
        world.table("fct_campaigns", [])
    if joined is not None:
        number = np.arange(len(joined)).astype(str)
        has_left = joined["left_at"] < watched_until
        world.table(
            "fct_list_spells",
            joined.assign(
                source="esp",
                list="Club",
                spell_key=number,
                contact_key=number,
                exit_cause=np.where(has_left, "unsubscribe", None),
                left_at=joined["left_at"].where(has_left),
                is_entry_known=True,
                first_seen_at=joined["entered_at"],
                last_seen_at=watched_until,
            ),
        )
        accounts = joined[["account"]].drop_duplicates()
        world.table(
            "dim_lists",
            accounts.assign(
                source="esp",
                list="Club",
                has_members=True,
                first_snapshot_at=CHANGED_AT - 200 * DAY,
                last_snapshot_at=watched_until,
            ),
        )
        streams.append(accounts.assign(stream_id=accounts["account"] + "/0"))
    else:
        world.table("fct_list_spells", [])
        world.table("dim_lists", [])
    told = pd.concat(streams)
    world.table(
        "dim_streams",
        told.assign(source="esp", stream_name=told["stream_id"], send_type="campaign"),
    )
    accounts = told[["account"]].drop_duplicates()
    world.table(
        "dim_sources",
        accounts.assign(
            source="esp", list_source="esp", list_account=accounts["account"]
        ),
    )
    kinds = accounts["account"].str.split("/").str[0]
    world.table(
        "dim_changes",
        accounts.assign(
            change_key=accounts["account"],
            kind=kinds.map(
                {"frequency": "frequency", "joiners": "double_opt_in"}
            ).fillna("preference_center"),
            is_compared_by_itself=False,
            changed_at=CHANGED_AT,
        ).drop(columns="account"),
    )
    world.table(
        "dim_change_streams",
        told.assign(
            source="esp",
            change_key=told["account"],
            is_unknown=False,
            arm=np.where(told["stream_id"].str.endswith("/0"), "treated", "control"),
        ),
    )


def _compare(kind: str, effect: float, found: pd.DataFrame) -> Judgement:
    """Hold what is said of every world against what was planted."""
    planted = 100 * effect
    is_covered = (found["effect_low_pct"] <= planted) & (
        found["effect_high_pct"] >= planted
    )
    width = found["effect_high_pct"] - found["effect_low_pct"]
    return Judgement(
        kind=kind,
        planted_pct=planted,
        worlds=len(found),
        covered=int(is_covered.sum()),
        verdicts={str(k): int(v) for k, v in found["verdict"].value_counts().items()},
        found_pct=float(found["effect_pct"].median()),
        half_width_pct=float(width.median() / 2),
        detectable_pct=float(found["minimum_detectable_effect_pct"].median()),
    )
