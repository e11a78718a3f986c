"""Seeded lists whose true attrition is known, and how often its interval holds it.

Every seed is one list, and all of them are accounts of one database, built once from
the statuses of contacts and the events on. Nothing here knows a formula of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.shipped import Shipped, World

Numbers = NDArray[Any]

SEEDS = range(1, 101)
COVERED_AT_LEAST = 0.90

YEAR = 365.0
MONTH = YEAR / 12
FIRST_DAY = "timestamp '2025-01-01'"
JOINED_FROM = -1000.0
"""Days before the first export from which on people join, evenly until the last."""
JOINED = 600
TOTAL_HAZARDS = (0.01, 0.05)
"""A month, of a whole list; the causes share it at random."""
CAUSES = ("unsubscribe", "complaint", "hard_bounce", "sunset")
RETURNING = 0.3
"""Of those who unsubscribe, after two months on average, for as long as anybody. None
where exports alone tell: who is back before the next one has not been missed."""
RETURN_AFTER = 60.0
STAYS = 4
UNDATED = 0.3
"""Of the members whose sign-up date no export tells."""
RASH = 0.02
"""Of the members of a whole year: they complain once and stay all the same."""

WHOLE_YEAR_EXPORTS = (0.0, 181.0, YEAR)
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31)
MONTHLY_EXPORTS = tuple(float(day) for day in np.cumsum(_DAYS))
NOBODY_DECLARES = {
    "stg_snapshot_declarations": "'' as source, '' as account, '' as list,"
    " '' as scope, date '2025-01-01' as exported_date",
    "stg_acquisitions": "'' as source, '' as account, '' as signup_source,"
    " '' as opt_in_method",
    "stg_accounts": "'' as source, '' as account, '' as timezone, '' as opt_in",
}
MARTS = ("list_decay_monthly", "list_decay_summary")


@dataclass(frozen=True)
class Recovery:
    """What was found of all lists of one kind.

    Attributes:
        kind: ``events`` or ``snapshots``.
        lists: how many.
        covered: those whose planted monthly attrition lies in the 95 % interval.
        planted_pct: mean of the planted monthly attrition.
        found_pct: mean of what the shipped models say.
        cause_shares: of all losses, found minus planted, by cause. Exports alone tell
            no cause, so then there are none.
    """

    kind: str
    lists: int
    covered: int
    planted_pct: float
    found_pct: float
    cause_shares: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether the interval is right often enough."""
        return self.covered >= COVERED_AT_LEAST * self.lists

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True)
class _List:
    """The stays of one list: a row a contact, a column a stay, NaN for no stay."""

    hazards: Numbers
    entered: Numbers
    left: Numbers
    cause: Numbers
    is_dated: Numbers


def recover(shipped: Shipped, seeds: Sequence[int] = SEEDS) -> list[Recovery]:
    """Draw a list of each kind for every seed, build the shipped models, compare."""
    world = shipped.open()
    world.seeds()
    world.table("dim_runs", "select 'build' as build_id")
    world.table(
        "dim_dates",
        "select date_day, date_trunc('month', date_day) as month from (select unnest("
        "range(date '2022-01-01', date '2026-03-01', interval 1 day)) as date_day)",
    )
    planted = {
        "events": [
            _draw(np.random.default_rng([0, seed]), RETURNING) for seed in seeds
        ],
        "snapshots": [_draw(np.random.default_rng([1, seed]), 0) for seed in seeds],
    }
    _fill(world, planted["events"], planted["snapshots"])
    world.build_upstream(*MARTS)
    return [_compare(world, kind, lists) for kind, lists in planted.items()]


def _draw(draw: np.random.Generator, returning: float) -> _List:
    total = draw.uniform(*TOTAL_HAZARDS)
    hazards = total * draw.dirichlet(np.full(len(CAUSES), 3.0))
    shape = (JOINED, STAYS)
    entered, left = np.full(shape, np.nan), np.full(shape, np.nan)
    cause = draw.choice(len(CAUSES), shape, p=hazards / total)
    lasting = draw.exponential(MONTH / total, shape)
    pausing = draw.exponential(RETURN_AFTER, shape)
    is_returning = (cause == 0) & (draw.random(shape) < returning)
    entered[:, 0] = draw.uniform(JOINED_FROM, YEAR, JOINED)
    for stay in range(STAYS):
        left[:, stay] = entered[:, stay] + lasting[:, stay]
        if stay + 1 < STAYS:
            again = np.where(is_returning[:, stay], 0.0, np.nan)
            entered[:, stay + 1] = left[:, stay] + pausing[:, stay] + again
    return _List(hazards, entered, left, cause, draw.random(JOINED) >= UNDATED)


def _fill(world: World, told: list[_List], shown: list[_List]) -> None:
    """Put exports and events in the place of what staging and later steps hold."""
    statuses, events = [], []
    for number, lists in enumerate(told):
        statuses.append(_statuses("events", number, lists, WHOLE_YEAR_EXPORTS))
        events.append(_events(number, lists))
    statuses += [
        _statuses("snapshots", number, lists, MONTHLY_EXPORTS, is_bare=True)
        for number, lists in enumerate(shown)
    ]
    world.connection.register("statuses", pa.concat_tables(statuses))
    world.connection.register("events", pa.concat_tables(events))
    moment = f"{FIRST_DAY} + to_microseconds(cast(round({{}} * 86400e6) as bigint))"
    person = "'esp' as source, account, contact_key"
    happened = moment.format("happened")
    world.table(
        "stg_contact_snapshots",
        f"""
        select
            {person}, 'news' as list, status, exit_cause, 'full' as snapshot_scope,
            'unknown' as opt_in_method, '1' as load, 1 as item_number,
            row_number() over () as record_number,
            {moment.format("opted_in")} as opted_in_at,
            {moment.format("changed")} as status_changed_at,
            {moment.format("exported")} as exported_at
        from statuses
        """,
    )
    world.table("stg_loads", "select '1' as load, 'members.csv' as file_name")
    world.table(
        "stg_message_events",
        f"""
        select
            {person}, 'news' as list, kind as event_type, {happened} as occurred_at
        from events where kind in ('subscribed', 'resubscribed')
        """,
    )
    world.table(
        "int_opt_outs_rolled_up",
        f"""
        select
            {person}, 'unsubscribe' as cause, 'event' as recorded_from,
            if(contact % 2 = 0, 'list', 'global') as opt_out_scope,
            if(contact % 2 = 0, 'news', null) as list,
            null as opt_out_scope_id, true as is_headline_scope,
            true as is_by_recipient,
            {happened} as opted_out_at
        from events where kind = 'unsubscribe'
        """,
    )
    world.table(
        "int_sends_grouped_from_events",
        f"""
        select
            {person},
            if(kind = 'complaint', {happened}, null) as complained_at,
            if(kind = 'hard_bounce', {happened}, null) as bounced_at,
            if(kind = 'hard_bounce', 'bounced', 'delivered') as decided_outcome,
            if(kind = 'hard_bounce', 'hard', null) as bounce_class
        from events where kind in ('complaint', 'hard_bounce')
        """,
    )
    # Explains to the export before whom the next one no longer shows.
    world.table(
        "int_opt_out_records_collected",
        f"select {person}, {happened} as occurred_at from events"
        " where kind = 'unsubscribe'",
    )
    for unused, columns in NOBODY_DECLARES.items():
        world.table(unused, f"select {columns} where false")


def _statuses(
    kind: str,
    number: int,
    people: _List,
    exports: Sequence[float],
    *,
    is_bare: bool = False,
) -> pa.Table:
    """What each export shows: members, and those the sender took out, with dates."""
    parts = []
    opted_in = np.where(people.is_dated & (not is_bare), people.entered[:, 0], np.nan)
    for exported in exports:
        is_member = (people.entered <= exported) & (exported < people.left)
        shown = np.flatnonzero(is_member.any(axis=1))
        parts.append((shown, np.full(shown.size, np.nan), exported))
        if not is_bare:
            is_out = (people.left <= exported) & (people.left > exports[0])
            is_out &= people.cause == CAUSES.index("sunset")
            out, stay = np.nonzero(is_out)
            parts.append((out, people.left[out, stay], exported))
    contact = np.concatenate([shown for shown, _, _ in parts])
    changed = np.concatenate([when for _, when, _ in parts])
    is_out = ~np.isnan(changed)
    return pa.table(
        {
            "account": np.full(contact.size, f"{kind} {number}"),
            "contact_key": _keys(kind, number, contact),
            "status": np.where(is_out, "suppressed", "subscribed"),
            "exit_cause": pa.array(np.where(is_out, "sunset", ""), mask=~is_out),
            "opted_in": pa.array(opted_in[contact], from_pandas=True),
            "changed": pa.array(changed, from_pandas=True),
            "exported": np.concatenate(
                [np.full(shown.size, exported) for shown, _, exported in parts]
            ),
        }
    )


def _events(number: int, people: _List) -> pa.Table:
    """Joinings and exits of the year as a log tells them, and what meant nothing."""
    found: list[tuple[str, Numbers, Numbers]] = []
    for cause, name in enumerate(CAUSES):
        if name != "sunset":
            who, stay = np.nonzero((people.cause == cause) & _in_year(people.left))
            found.append((name, who, people.left[who, stay]))
    joining = np.flatnonzero(_in_year(people.entered[:, 0]))
    found.append(("subscribed", joining, people.entered[joining, 0]))
    who, stay = np.nonzero(_in_year(people.entered[:, 1:]))
    found.append(("resubscribed", who, people.entered[who, stay + 1]))
    stays_on = (people.entered[:, 0] <= 0) & (people.left[:, 0] > YEAR)
    rash = np.flatnonzero(stays_on)[: round(RASH * JOINED)]
    found.append(("complaint", rash, np.linspace(1, YEAR - 2, rash.size)))
    contact = np.concatenate([who for _, who, _ in found])
    return pa.table(
        {
            "account": np.full(contact.size, f"events {number}"),
            "contact_key": _keys("events", number, contact),
            "contact": contact,
            "kind": np.concatenate([np.full(who.size, name) for name, who, _ in found]),
            "happened": np.concatenate([when for _, _, when in found]),
        }
    )


def _in_year(moments: Numbers) -> Numbers:
    return (moments > 0) & (moments < YEAR)


def _keys(kind: str, number: int, contact: Numbers) -> pa.Array:
    return pa.array([f"{kind}/{number}/{one}" for one in contact])


def _compare(world: World, kind: str, lists: list[_List]) -> Recovery:
    """Hold the interval of every list against what was planted."""
    rows = world.rows(
        "select * from list_decay_summary where list = 'news'"
        f" and starts_with(account, '{kind} ')"
        " order by cast(split_part(account, ' ', 2) as integer)"
    )
    hazards = np.array([drawn.hazards for drawn in lists])
    planted = 100 * (1 - np.exp(-hazards.sum(axis=1)))
    low, found, high = (
        np.array([row[f"monthly_attrition{end}_pct"] for row in rows], dtype=float)
        for end in ("_low", "", "_high")
    )
    lost = np.array([[row[f"lost_{cause}_count"] for cause in CAUSES] for row in rows])
    expected = lost.sum(axis=1, keepdims=True) * hazards
    expected /= hazards.sum(axis=1, keepdims=True)
    shares = (lost - expected).sum(axis=0) / max(lost.sum(), 1)
    return Recovery(
        kind=kind,
        lists=len(rows),
        covered=int(((low <= planted) & (planted <= high)).sum()),
        planted_pct=float(planted.mean()),
        found_pct=float(found.mean()),
        cause_shares={
            cause: float(share)
            for cause, share in zip(CAUSES, shares, strict=True)
            if lost.any()
        },
    )
