"""Rows of the marts that say how and why people left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
    reason_count: int
    is_answered: bool | None
