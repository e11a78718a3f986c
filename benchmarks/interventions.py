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
EFFECTS = (EFFECT, 0.0)

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
    "seasons": "a send; two streams",
    "alone": "a send; none, no seasons",
    "frequency": "a week, twice the mail; two streams",
    "joiners": "people who joined",
}
DECLARED_AS = {
    "seasons": "preference_center",
    "alone": "preference_center",
    "frequency": "frequency",
    "joiners": "double_opt_in",
}


@dataclass(frozen=True)
class Judgement:
    """What was said of all worlds of one kind with one planted effect.

    Attributes:
        kind: of :data:`KINDS`.
        planted_pct: the effect in percent, 0 for none.
        worlds: how many.
        judged: those with an interval.
        covered: those whose interval holds the planted effect.
        verdicts: how often each was given.
        found_pct: median of the effects found.
        half_width_pct: median of half the width of the interval.
        detectable_pct: median of what could have been found.
    """

    kind: str
    planted_pct: float
    worlds: int
    judged: int
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
        """Whether the interval is right often enough and luck is called no effect."""
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


PLAIN = Hardness()
HARDER = {
    "true rates vary by half": Hardness(variation=0.5),
    "streams drift apart by 10 %": Hardness(drift=0.1),
    "one send in twelve is a spike": Hardness(spikes=1 / 12),
    "a tenth of the people": Hardness(audience=0.1),
    "seven weeks on a side": Hardness(weeks=7),
}
"""Worlds beyond what is promised, to see where it gives way."""


def judge(
    shipped: Shipped, seeds: Sequence[int] = SEEDS, hard: Hardness = PLAIN
) -> list[Judgement]:
    """Draw worlds of each kind with and without an effect, build the models, compare.

    Args:
        shipped: the compiled project.
        seeds: one world of each kind and effect for each.
        hard: of all these worlds.
    """
    world = shipped.open()
    world.seeds()
    world.table(
        "dim_runs", "select 'build' as build_id, timestamp '2026-06-01' as now_at"
    )
    mail, people = [], []
    for number, kind in enumerate(KINDS):
        for effect in EFFECTS:
            for seed in seeds:
                draw = np.random.default_rng([number, effect < 0, seed])
                account = f"{kind}/{effect:.2f}/{seed}"
                if kind == "joiners":
                    people.append(_joiners(draw, account, effect, hard))
                else:
                    mail.append(_mail(draw, account, kind, effect, hard))
    _fill(world, pd.concat(mail), pd.concat(people))
    world.build_upstream("intervention_effects")
    found = pd.DataFrame(world.rows("select * from intervention_effects"))
    drawn = found["account"].str.split("/", expand=True)
    return [
        _compare(kind, effect, found[drawn[0].eq(kind) & drawn[1].eq(f"{effect:.2f}")])
        for kind in KINDS
        for effect in EFFECTS
    ]


def _mail(
    draw: np.random.Generator, account: str, kind: str, effect: float, hard: Hardness
) -> pd.DataFrame:
    """The mailings of one account: stream 0 is changed, the others are not."""
    weeks = np.arange(-hard.weeks, hard.weeks)
    is_after = weeks >= 0
    streams, shock = 1, np.zeros(weeks.size)
    if kind != "alone":
        streams += hard.controls
        shock += draw.normal(0, WEEKLY_SHOCK, weeks.size)
        shock += is_after * draw.normal(0, LASTING_SHOCK)
    parts = []
    for stream in range(streams):
        rate = np.exp(draw.uniform(*np.log(RATES)))
        audience = hard.audience * np.exp(draw.uniform(*np.log(AUDIENCES)))
        level = rate * np.exp(shock + is_after * draw.normal(0, hard.drift))
        level *= np.where(draw.random(weeks.size) < hard.spikes, 3, 1)
        level *= _noise(draw, weeks.size, hard.variation)
        mails = np.ones(weeks.size, dtype=int)
        if stream == 0:
            level *= np.where(is_after, 1 + effect, 1)
            mails += is_after & (kind == "frequency")
        # Twice the mail of a week loses the people of that week in two parts.
        week, part = np.repeat(weeks, mails), np.repeat(level / mails, mails)
        place = np.concatenate([np.arange(count) for count in mails])
        delivered = np.round(audience * np.exp(draw.normal(0, 0.1, week.size)))
        left = np.minimum(draw.poisson(delivered * part), delivered)
        parts.append(
            pd.DataFrame(
                {
                    "account": account,
                    "stream_id": f"{account}/{stream}",
                    "campaign_id": [f"{stream}-{mail}" for mail in range(week.size)],
                    "delivered_count": delivered.astype(int),
                    "unsubscribe_count": left.astype(int),
                    "sent_at": CHANGED_AT + (7 * week + stream + 3 * place) * DAY,
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
    joining = hard.audience * np.exp(draw.uniform(*np.log(JOINERS)))
    count = draw.poisson(joining, weeks.size)
    hazard = -np.log(1 - leaving * np.where(weeks >= 0, 1 + effect, 1))
    hazard *= _noise(draw, weeks.size, hard.variation)
    hazard *= np.exp((weeks >= 0) * draw.normal(0, hard.drift))
    hazard *= np.where(draw.random(weeks.size) < hard.spikes, 3, 1)
    seconds = draw.integers(0, 7 * 86400, count.sum()).astype("timedelta64[s]")
    joined = CHANGED_AT + np.repeat(7 * weeks, count) * DAY + seconds
    stayed = draw.exponential(SIGNUP_WINDOW * 86400 / np.repeat(hazard, count))
    left = joined + np.minimum(stayed, 1e9).astype("timedelta64[s]")
    return pd.DataFrame({"account": account, "entered_at": joined, "left_at": left})


def _noise(draw: np.random.Generator, size: int, variation: float) -> Numbers:
    """Factors with mean 1."""
    return draw.gamma(variation**-2, variation**2, size)


def _fill(world: World, mail: pd.DataFrame, people: pd.DataFrame) -> None:
    """Put mailings, people and changes in the place of facts."""
    world.table(
        "fct_campaigns",
        mail.assign(
            source="esp", send_type="campaign", maturity="final", is_excluded=False
        ),
    )
    watched_until = CHANGED_AT + (WEEKS * 7 + SIGNUP_WINDOW + 1) * DAY
    number = np.arange(len(people)).astype(str)
    has_left = people["left_at"] < watched_until
    world.table(
        "fct_list_spells",
        people.assign(
            source="esp",
            list="Club",
            spell_key=number,
            contact_key=number,
            exit_cause=np.where(has_left, "unsubscribe", None),
            left_at=people["left_at"].where(has_left),
            is_entry_known=True,
            first_seen_at=people["entered_at"],
            last_seen_at=watched_until,
        ),
    )
    lists = people[["account"]].drop_duplicates()
    world.table(
        "dim_lists",
        lists.assign(
            source="esp",
            list="Club",
            has_members=True,
            first_snapshot_at=CHANGED_AT - 200 * DAY,
            last_snapshot_at=watched_until,
        ),
    )
    streams = pd.concat(
        [
            mail[["account", "stream_id"]].drop_duplicates(),
            lists.assign(stream_id=lists["account"] + "/0"),
        ]
    ).assign(source="esp")
    world.table(
        "dim_streams",
        streams.assign(stream_name=streams["stream_id"], send_type="campaign"),
    )
    accounts = streams["account"].drop_duplicates()
    world.table(
        "dim_sources",
        pd.DataFrame({"source": "esp", "account": accounts}).assign(
            list_source="esp", list_account=accounts
        ),
    )
    world.table(
        "dim_changes",
        pd.DataFrame(
            {
                "change_key": accounts,
                "kind": accounts.str.split("/").str[0].map(DECLARED_AS),
                "is_compared_by_itself": False,
                "changed_at": CHANGED_AT,
            }
        ),
    )
    world.table("dim_change_campaigns", [])
    world.table(
        "dim_change_streams",
        streams.assign(
            change_key=streams["account"],
            is_unknown=False,
            arm=np.where(streams["stream_id"].str.endswith("/0"), "treated", "control"),
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
        judged=int(found["effect_pct"].notna().sum()),
        covered=int(is_covered.sum()),
        verdicts={str(k): int(v) for k, v in found["verdict"].value_counts().items()},
        found_pct=float(found["effect_pct"].median()),
        half_width_pct=float(width.median() / 2),
        detectable_pct=float(found["minimum_detectable_effect_pct"].median()),
    )
