"""The state of one drawn year: people, their memberships, and what was mailed.

Moments, random numbers and the rules of a membership belong here; how anything is
drawn does not. Every number is drawn with the true rates and never adjusted
afterwards, so that a story is as visible as it would be in life.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dagster_project.demo.stories import Planned

Moments = npt.NDArray[np.int64]
"""Milliseconds since 1970 in UTC; ``NEVER`` where something did not happen."""
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]
Columns = dict[str, npt.NDArray[Any]]

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NEVER = np.int64(2**60)
_BLANKS: dict[str, object] = {"O": "", "i": NEVER, "b": False}
"""Kind of a column -> what nothing looks like in it."""


def utc(at: int) -> pd.Timestamp:
    """A moment as a naive UTC timestamp."""
    return pd.Timestamp(at, unit="ms")


def timestamps(moments: Moments) -> npt.NDArray[np.datetime64]:
    """Moments as naive UTC timestamps, unknown where nothing happened."""
    unknown = np.datetime64("NaT", "ms")
    return np.where(moments < NEVER, moments.astype("datetime64[ms]"), unknown)


def when(condition: Flags, moments: Moments) -> Moments:
    """These moments where the condition holds, elsewhere never."""
    return np.where(condition, moments, NEVER)


def seconds(rng: np.random.Generator, low: float, high: float, count: int) -> Moments:
    """Draw waits between two numbers of seconds."""
    return rng.integers(int(low * SECOND), int(high * SECOND), count)


def generator(seed: int, *names: object) -> np.random.Generator:
    """An own stream of random numbers, so that one story never moves another."""
    return np.random.default_rng([seed, zlib.crc32(repr(names).encode())])


@dataclass(frozen=True)
class People:
    """Everybody who was ever on a list, one position a person."""

    address: Words
    cohort: Words
    signup_source: Words
    kind: Words
    other_channels: Words
    engagement: Shares
    has_privacy_proxy: Flags
    is_scanned: Flags
    is_customer: Flags
    dies_at: Moments

    def __len__(self) -> int:
        return len(self.address)


def _words() -> Words:
    return np.empty(0, dtype=object)


def _moments() -> Moments:
    return np.empty(0, dtype=np.int64)


@dataclass
class Spells:
    """Memberships of lists, one position a spell; a return is a spell of its own."""

    person: Positions = field(default_factory=_moments)
    mail_list: Words = field(default_factory=_words)
    opt_in_method: Words = field(default_factory=_words)
    joined_at: Moments = field(default_factory=_moments)
    confirmed_at: Moments = field(default_factory=_moments)
    mailable_at: Moments = field(default_factory=_moments)
    vanishes_at: Moments = field(default_factory=_moments)
    left_at: Moments = field(default_factory=_moments)
    cause: Words = field(default_factory=_words)
    method: Words = field(default_factory=_words)
    reason: Words = field(default_factory=_words)
    campaign_id: Words = field(default_factory=_words)
    is_told: Flags = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.person)

    def add(
        self,
        person: Positions,
        mail_list: str,
        opt_in_method: str | Words,
        joined_at: Moments,
        confirmed_at: np.int64 | Moments = NEVER,
    ) -> Positions:
        """Begin memberships and give their positions.

        A double opt-in without a confirmation is pending and never mailed.
        """
        is_double = np.asarray(opt_in_method, dtype=object) == "double"
        begun = {
            "person": person,
            "mail_list": mail_list,
            "opt_in_method": opt_in_method,
            "joined_at": joined_at,
            "confirmed_at": confirmed_at,
            "mailable_at": np.where(is_double, confirmed_at, joined_at),
        }
        first = len(self)
        for column in fields(self):
            old = getattr(self, column.name)
            value = begun.get(column.name, _BLANKS[old.dtype.kind])
            new = np.full(len(person), value, dtype=old.dtype)
            setattr(self, column.name, np.concatenate([old, new]))
        return np.arange(first, len(self))

    def active(self, mail_list: str, at: int) -> Positions:
        """Positions that may be mailed at a moment."""
        is_member = (self.mailable_at <= at) & (self.left_at > at)
        is_present = (self.vanishes_at > at) & (self.mail_list == mail_list)
        return np.flatnonzero(is_member & is_present)

    def leave(
        self,
        rows: Positions,
        at: int | Moments,
        cause: str,
        *,
        method: str | Words = "",
        reason: str | Words = "",
        campaign_id: str = "",
        is_told: bool = False,
    ) -> None:
        """End memberships; the first exit counts, so a later one changes nothing.

        Args:
            rows: whose.
            at: when, one moment a row or one for all.
            cause: the canonical exit cause.
            method: how they opted out.
            reason: what they answered.
            campaign_id: the mail that made them leave.
            is_told: some export already tells of it, so nothing may overtake it.
        """
        is_first = at < self.left_at[rows]
        kept = rows[is_first]
        self.left_at[kept] = np.broadcast_to(at, rows.shape)[is_first]
        self.cause[kept] = cause
        self.method[kept] = np.broadcast_to(method, rows.shape)[is_first]
        self.reason[kept] = np.broadcast_to(reason, rows.shape)[is_first]
        self.campaign_id[kept] = campaign_id
        self.is_told[kept] = is_told


@dataclass
class World:
    """One drawn year.

    Attributes:
        seed: of all its random numbers.
        start: first moment.
        end: last moment; nothing later is exported.
        people: everybody.
        suppressed_at: per person, since when the shop's own sender refuses to mail.
        spells: memberships of lists.
        mailings: every send and, a row a recipient, what it met.
        returns: spell that ended, spell that began.
        verdicts: person and validation_reason of the bulk validation.
        topics_off: person and topic, so that nobody drops a topic twice.
    """

    seed: int
    start: int
    end: int
    people: People
    suppressed_at: Moments
    spells: Spells = field(default_factory=Spells)
    mailings: list[tuple[Planned, Columns]] = field(default_factory=list)
    returns: list[tuple[int, int]] = field(default_factory=list)
    verdicts: pd.DataFrame = field(default_factory=pd.DataFrame)
    topics_off: set[tuple[int, str]] = field(default_factory=set)

    def moment(self, day: int, hour: float = 0) -> int:
        """A moment of the year from its day and the hour of that day."""
        return self.start + day * DAY + int(hour * HOUR)

    def within(self, day: int) -> tuple[int, int]:
        """First and last-plus-one moment of a day, the last day cut at the exports."""
        return self.moment(day), min(self.moment(day + 1), self.end)

    def month_starts(self) -> list[int]:
        """First days of the months within the year, the year's own first day aside."""
        days = pd.date_range(utc(self.start), utc(self.end), freq="D")
        return [int(day.timestamp() * 1000) for day in days[1:] if day.day == 1]

    def generator(self, *names: object) -> np.random.Generator:
        """The random numbers of one drawing of this year."""
        return generator(self.seed, *names)
