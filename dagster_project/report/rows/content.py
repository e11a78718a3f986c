"""Rows of the marts about what was sent to whom, and what was unusual about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class UnusualSend:
    """What was unusual about one send, its variants together."""

    source: str
    account: str
    stream_id: str
    campaign_id: str
    campaign_name: str | None
    subject: str | None
    unusual: str
    unusual_count: int
    sent_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.campaign_name or self.subject or self.campaign_id


@dataclass(frozen=True)
class ContentMonth:
    """Sends of a stream about one thing in one month."""

    source: str
    account: str
    stream_id: str
    month: date
    content_category: str
    is_promotional: bool | None
    send_count: int
    delivered_count: int | None
    unsubscribe_count: int | None


@dataclass(frozen=True)
class PromotionalRun:
    """Sends of a stream by how many promotions in a row they end."""

    source: str
    account: str
    stream_id: str
    run_bucket: int
    send_count: int
    delivered_count: int | None
    unsubscribe_count: int | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None
    ratio_to_none: float | None
    ratio_to_none_low: float | None
    ratio_to_none_high: float | None


@dataclass(frozen=True)
class AudienceRate:
    """Mail to one audience about one thing, by how long its people have been there."""

    source: str
    account: str
    audience: str
    content_category: str
    tenure: str
    send_count: int | None
    contact_count: int | None
    delivered_count: int | None
    unsubscribe_count: int | None
    complaint_count: int | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None


@dataclass(frozen=True)
class ClickedKind:
    """Who clicked one kind of link of a stream, its newest twelve months together."""

    source: str
    account: str
    stream_id: str
    url_kind: str
    clicker_count: int
    any_clicker_count: int | None
    click_count: int | None
    campaign_count: int | None
