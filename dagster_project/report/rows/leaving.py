"""Rows of the marts that say how and why people left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Reason:
    """Opt-outs of one list, period and reason."""

    source: str
    account: str
    list: str
    period_kind: str
    period_start: date | None
    campaign_id: str | None
    variant: str | None
    reason: str
    reason_label: str | None
    asked_count: int | None
    answered_count: int | None
    answered_with_text_count: int | None
    one_click_count: int | None
    reason_count: int
    offered_answered_count: int | None
    is_answered: bool | None


@dataclass(frozen=True)
class Method:
    """Opt-outs of an account by one way out, its newest twelve months together."""

    source: str
    account: str
    opt_out_method: str
    opt_out_count: int
    suspect_automated_count: int | None


@dataclass(frozen=True)
class WayOut:
    """What people of one stream found: a way out, or the spam button."""

    source: str
    account: str
    stream_id: str
    opt_out_count: int
    one_click_count: int
    complaint_count: int


@dataclass(frozen=True)
class Afterwards:
    """What people did after they left a list, its newest twelve months together."""

    source: str
    account: str
    list: str
    opt_out_count: int
    resubscribed_count: int
    opted_down_count: int
    channel_known_count: int
    reachable_count: int | None
    channel_click_count: int | None


@dataclass(frozen=True)
class Breach:
    """Mail of one send that arrived after an opt-out, by the rule it broke."""

    source: str
    account: str
    campaign_id: str | None
    variant: str | None
    stream_id: str | None
    campaign_name: str | None
    rule_broken: str
    opt_out_scope: str | None
    mail_count: int
    people_count: int
    hours_after_opt_out: float | None
    median_hours_after_opt_out: float | None
    business_days_after_opt_out: int | None
    first_delivered_at: datetime | None

    @property
    def name(self) -> str:
        """What people call the send."""
        name = self.campaign_name or self.campaign_id or "mail of no campaign"
        return f"{name} · {self.variant}" if self.variant else name
