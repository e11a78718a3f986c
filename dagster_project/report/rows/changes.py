"""Rows of the marts about what the sender changed, and week by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Week:
    """One account in one week: what its sends cost, and what to do about it."""

    source: str
    account: str
    week: date
    finding_1: str | None
    finding_2: str | None
    finding_3: str | None
    recommended_action: str | None
    action_source: str | None
    open_interventions: str | None
    decided_interventions: str | None
    send_count: int
    delivered_count: int | None
    unsubscribe_count: int | None
    excess_unsubscribe_count: int | None
    excess_low_count: int | None
    excess_high_count: int | None
    revenue: Decimal | None
    revenue_per_lost_contact: float | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None
    is_newest_week: bool | None
    is_provisional: bool | None

    @property
    def findings(self) -> list[str]:
        """What was found, the most people first."""
        told = (self.finding_1, self.finding_2, self.finding_3)
        return [text for text in told if text]


@dataclass(frozen=True)
class Intervention:
    """What one declared change did to one stream, or to those who joined after it."""

    change_key: str
    source: str | None
    account: str | None
    stream_id: str | None
    list: str | None
    stream_name: str | None
    kind: str
    change_label: str | None
    note: str | None
    method: str | None
    measure: str | None
    unit: str | None
    verdict: str
    caveat: str | None
    advice: str | None
    control_streams: str | None
    claim_position: str | None
    claim_source: str | None
    before_unit_count: int | None
    after_unit_count: int | None
    before_event_count: int | None
    before_exposure_count: int | None
    after_event_count: int | None
    after_exposure_count: int | None
    people_kept_count: int | None
    people_kept_low_count: int | None
    people_kept_high_count: int | None
    before_rate_pct: float | None
    after_rate_pct: float | None
    expected_after_rate_pct: float | None
    effect_pct: float | None
    effect_low_pct: float | None
    effect_high_pct: float | None
    minimum_detectable_effect_pct: float | None
    claim_low_pct: float | None
    claim_high_pct: float | None
    is_open: bool | None
    changed_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True)
class RePermission:
    """What became of the people who were asked whether they still want mail."""

    source: str
    account: str
    stream_id: str
    note: str | None
    asked_count: int | None
    reconfirmed_count: int | None
    opted_out_count: int | None
    complained_count: int | None
    silent_count: int | None
    silent_mailed_since_count: int | None
    reconfirmed_pct: float | None
    reconfirmed_low_pct: float | None
    reconfirmed_high_pct: float | None
    is_open: bool | None
    changed_at: datetime | None
