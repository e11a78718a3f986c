"""Rows of the marts that tell mailbox providers apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ComplaintRate:
    """Complaints at one provider: a stream's month, or an account's thirty days."""

    source: str
    account: str
    stream_id: str | None
    period_kind: str
    period_start: date | None
    mailbox_provider: str
    delivered_count: int | None
    feed_covered_delivered_count: int | None
    complaint_count: int | None
    complaint_rate_pct: float | None
    complaint_rate_low_pct: float | None
    complaint_rate_high_pct: float | None
    is_lower_bound: bool | None
    is_red_flag: bool | None
    is_confirmed: bool | None
    is_above_limit: bool | None


@dataclass(frozen=True)
class ProviderWeeks:
    """Mail of an account to one provider: four weeks, all streams together."""

    source: str
    account: str
    mailbox_provider: str
    is_newest: bool
    attempted_count: int | None
    delivered_count: int | None
    hard_bounce_count: int | None
    block_count: int | None
    deferred_count: int | None
    unsubscribe_count: int | None
    complaint_count: int | None
