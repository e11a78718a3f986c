"""What follows from the rows: groups, rankings, and sums.

No text and no drawing. A sum is taken over counts, never over rates. What a send is
compared with, and what that comparison is worth, the marts say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from dagster_project.report.queries import Frames
from dagster_project.report.rows.leaving import Reason
from dagster_project.report.rows.lists import ALL_LISTS, DecayMonth, DecaySummary
from dagster_project.report.rows.sends import (
    PLAIN_SEND_TYPES,
    Band,
    Diagnosis,
    Send,
    StreamTrend,
    TrendPoint,
)
from dagster_project.share import Share

AccountRow = TypeVar("AccountRow", bound="OfAccount")
ListRow = TypeVar("ListRow", bound="OfList")


class OfAccount(Protocol):
    """A row that names its source and account."""

    @property
    def source(self) -> str:
        """The source."""

    @property
    def account(self) -> str:
        """The account at the source."""


class OfList(OfAccount, Protocol):
    """A row that names its list as well."""

    @property
    def list(self) -> str:
        """The list."""


MONTHS_IN_A_YEAR = 12


def worst_first(sends: Iterable[Send]) -> list[Send]:
    """By people lost beyond expectation; then without one; then without a rate."""

    def rank(send: Send) -> tuple[int, float, str]:
        if not send.is_judged:
            return (2, 0.0, send.campaign_key)
        if send.excess_unsubscribe_count is None:
            return (1, -(send.unsubscribe_rate_pct or 0.0), send.campaign_key)
        return (0, -send.excess_unsubscribe_count, send.campaign_key)

    return sorted(sends, key=rank)


def costliest(sends: Iterable[Send]) -> list[Send]:
    """The sends that stand out, the most people first."""
    return worst_first(send for send in sends if send.is_standing_out)


@dataclass(frozen=True)
class Stream:
    """Sends that are compared with each other, in the order of sending."""

    stream_id: str
    source: str
    account: str
    sends: tuple[Send, ...]
    trend: StreamTrend | None = None
    points: tuple[TrendPoint, ...] = ()

    @property
    def name(self) -> str:
        """The stream without the source and account before it."""
        return self.stream_id.removeprefix(f"{self.source}/{self.account}/")

    @property
    def is_plain(self) -> bool:
        """Whether its sends each have a day: no flow and no receipts."""
        return self.sends[-1].send_type in PLAIN_SEND_TYPES

    @property
    def judged(self) -> list[Send]:
        """The sends that have a rate."""
        return [send for send in self.sends if send.is_judged]

    @property
    def dated(self) -> list[Send]:
        """The sends that have a place in time."""
        return [send for send in self.sends if send.sent_at is not None]

    @property
    def delivered_count(self) -> int:
        """Mails delivered by the judged sends."""
        return sum(send.delivered_count or 0 for send in self.judged)

    @property
    def unsubscribe_count(self) -> int:
        """People lost by the judged sends."""
        return sum(send.unsubscribe_count or 0 for send in self.judged)

    @property
    def standing_out(self) -> list[Send]:
        """Sends above what was to be expected, the most people first."""
        return costliest(self.sends)

    @property
    def drift_status(self) -> str | None:
        """What the newest send adds up to with those before it."""
        return self.points[-1].drift_status if self.points else None


def streams(frames: Frames) -> list[Stream]:
    """Every stream: ordinary sends before flows, the most mail first."""
    groups: defaultdict[str, list[Send]] = defaultdict(list)
    for send in frames.sends:
        groups[send.stream_id].append(send)
    points: defaultdict[str, list[TrendPoint]] = defaultdict(list)
    for point in sorted(frames.trend_points, key=lambda row: row.mailing_number):
        points[point.stream_id].append(point)
    trends = {trend.stream_id: trend for trend in frames.stream_trends}
    found = [
        Stream(
            stream_id,
            members[0].source,
            members[0].account,
            tuple(sorted(members, key=_send_order)),
            trends.get(stream_id),
            tuple(points[stream_id]),
        )
        for stream_id, members in groups.items()
    ]
    return sorted(
        found,
        key=lambda stream: (
            not stream.is_plain,
            -stream.delivered_count,
            stream.stream_id,
        ),
    )


def diagnosis_of(send: Send | None, diagnoses: Iterable[Diagnosis]) -> Diagnosis | None:
    """The first finding that names a send."""
    if send is None:
        return None
    return next(
        (
            row
            for row in diagnoses
            if (row.stream_id, row.campaign_id) == (send.stream_id, send.campaign_id)
        ),
        None,
    )


def rising(trends: Iterable[StreamTrend]) -> list[StreamTrend]:
    """Streams that rose and stayed up, the strongest proof of a higher level first."""
    return sorted(
        (trend for trend in trends if trend.is_rising),
        key=lambda trend: (-(trend.unsubscribe_ratio_low or 0.0), trend.stream_id),
    )


def _send_order(send: Send) -> tuple[datetime, str]:
    return (send.sent_at or datetime.min, send.campaign_key)


@dataclass(frozen=True)
class ReasonCount:
    """One reason over all lists of a period.

    Attributes:
        of_answered: among those who answered and could name it; of nobody where the
            mart pools reasons that few people gave.
    """

    reason: str
    label: str
    count: int
    is_answered: bool
    of_answered: Share
    of_all: Share


@dataclass(frozen=True)
class ReasonTotals:
    """Why people left in one period, over everything given."""

    counts: list[ReasonCount]
    opt_out_count: int
    answered_count: int
    with_text_count: int
    one_click_count: int

    @property
    def answers(self) -> list[ReasonCount]:
        """The answered reasons, the most frequent first."""
        return [count for count in self.counts if count.is_answered]

    @property
    def silences(self) -> list[ReasonCount]:
        """Those that were not asked or did not answer."""
        return [count for count in self.counts if not count.is_answered]

    @property
    def main(self) -> ReasonCount | None:
        """The most frequent answer that says something."""
        said = (count for count in self.answers if count.reason not in VAGUE_REASONS)
        return next(said, None)


VAGUE_REASONS = (
    *("other", "unclassified", "unmapped"),
    *("unspecified_disinterest", "suppressed"),
)
"""Answers that no cure follows from; they are shown but never called the main one."""


def reason_totals(reasons: Iterable[Reason]) -> ReasonTotals:
    """Sum reasons of one period over lists.

    A reason is divided by those who could name it. Where nobody of a list named it, the
    mart does not say whether they could; all its answers count then, so that a share
    is never too large.
    """
    labels: dict[str, str] = {}
    answered: dict[str, bool] = {}
    counts: Counter[str] = Counter()
    periods: defaultdict[tuple[object, ...], list[Reason]] = defaultdict(list)
    for row in reasons:
        labels[row.reason] = row.reason_label or row.reason.replace("_", " ")
        answered[row.reason] = row.is_answered is not False
        counts[row.reason] += row.reason_count
        periods[_period(row)].append(row)
    whole = sum(counts.values())
    said = {period: _answered_count(rows) for period, rows in periods.items()}
    offered = {
        reason: sum(
            next(
                (row.offered_answered_count for row in rows if row.reason == reason),
                None,
            )
            or said[period]
            for period, rows in periods.items()
        )
        for reason, is_answered in answered.items()
        if is_answered and reason != "suppressed"
    }
    return ReasonTotals(
        counts=[
            ReasonCount(
                reason,
                labels[reason],
                count,
                answered[reason],
                of_answered=Share(count, offered.get(reason, 0)),
                of_all=Share(count, whole),
            )
            for reason, count in sorted(
                counts.items(), key=lambda item: (-item[1], item[0])
            )
        ],
        opt_out_count=whole,
        answered_count=sum(said.values()),
        with_text_count=sum(
            rows[0].answered_with_text_count or 0 for rows in periods.values()
        ),
        one_click_count=sum(rows[0].one_click_count or 0 for rows in periods.values()),
    )


def _period(row: Reason) -> tuple[object, ...]:
    """What the repeated counts of a row are of."""
    return (
        *(row.source, row.account, row.list, row.period_kind),
        *(row.period_start, row.campaign_id, row.variant),
    )


def _answered_count(rows: Sequence[Reason]) -> int:
    """How many answered; the mart says it beside every reason."""
    told = rows[0].answered_count
    if told is not None:
        return told
    return sum(row.reason_count for row in rows if row.is_answered)


def reasons_by_list(reasons: Iterable[Reason]) -> list[tuple[str, ReasonTotals]]:
    """Each list's totals, the most opt-outs first."""
    groups: defaultdict[tuple[str, str, str], list[Reason]] = defaultdict(list)
    for row in reasons:
        groups[row.list, row.source, row.account].append(row)
    found = [(key, reason_totals(rows)) for key, rows in groups.items()]
    found.sort(key=lambda item: (-item[1].opt_out_count, item[0]))
    return [
        (f"{name} ({source} · {account})", totals)
        for (name, source, account), totals in found
    ]


def reasons_by_campaign(
    reasons: Iterable[Reason],
) -> dict[tuple[str, str, str | None, str | None], ReasonTotals]:
    """Each campaign's totals, by source, account, campaign and variant."""
    groups: defaultdict[tuple[str, str, str | None, str | None], list[Reason]]
    groups = defaultdict(list)
    for row in reasons:
        groups[row.source, row.account, row.campaign_id, row.variant].append(row)
    return {key: reason_totals(rows) for key, rows in groups.items()}


@dataclass(frozen=True)
class ListHistory:
    """The months of a list, or of an account as a whole, in order."""

    source: str
    account: str
    list: str
    months: tuple[DecayMonth, ...]
    summary: DecaySummary | None = None

    @property
    def annual_loss(self) -> DecaySummary | None:
        """What it loses in a year; None where too few whole months tell it."""
        if self.summary and self.summary.annual_attrition_pct is not None:
            return self.summary
        return None

    @property
    def contacts(self) -> int:
        """How many there are at the end."""
        return self.months[-1].contacts_at_end

    @property
    def known_months(self) -> tuple[DecayMonth, ...]:
        """The months since the first recorded loss.

        Before it only those who stayed are known: their sign-up dates tell of growth,
        and nobody tells of losses. That is not a month without a loss.
        """
        first = next(
            (place for place, month in enumerate(self.months) if month.lost_count), None
        )
        return () if first is None else self.months[first:]


@dataclass(frozen=True)
class AccountHistory:
    """An account as a whole and each of its lists, the largest first."""

    whole: ListHistory
    lists: tuple[ListHistory, ...]


def histories(
    decay: Iterable[DecayMonth], summaries: Iterable[DecaySummary] = ()
) -> list[AccountHistory]:
    """Every account that keeps lists, the most contacts first."""
    groups: defaultdict[tuple[str, str, str], list[DecayMonth]] = defaultdict(list)
    for row in decay:
        groups[row.source, row.account, row.list].append(row)
    years = {(row.source, row.account, row.list): row for row in summaries}
    found = [
        ListHistory(
            *key,
            months=tuple(sorted(rows, key=lambda row: row.month)),
            summary=years.get(key),
        )
        for key, rows in groups.items()
    ]
    found.sort(key=lambda history: (-history.contacts, history.list))
    accounts = [
        AccountHistory(
            whole,
            tuple(
                part
                for part in found
                if (part.source, part.account) == (whole.source, whole.account)
                and part.list != ALL_LISTS
            ),
        )
        for whole in found
        if whole.list == ALL_LISTS
    ]
    return accounts


def reference(bands: Sequence[Band]) -> float | None:
    """The yearly loss that is commonly expected, in percent."""
    return next((band.upper_pct for band in bands if band.kind == "decay"), None)


def by_account(rows: Iterable[AccountRow]) -> dict[tuple[str, str], list[AccountRow]]:
    """Rows of each source and account."""
    groups: defaultdict[tuple[str, str], list[AccountRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.account].append(row)
    return dict(groups)


def by_list(rows: Iterable[ListRow]) -> dict[tuple[str, str, str], list[ListRow]]:
    """Rows of each list."""
    groups: defaultdict[tuple[str, str, str], list[ListRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.account, row.list].append(row)
    return dict(groups)
