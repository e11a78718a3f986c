"""Rows of the marts about the lists and the people on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

ALL_LISTS = "(all)"
"""The name under which a mart sums the lists of an account."""


@dataclass(frozen=True)
class DecayMonth:
    """One list, or ``(all)`` of an account, in one month."""

    source: str
    account: str
    list: str
    month: date
    contacts_at_start: int
    added_count: int | None
    opening_count: int | None
    lost_count: int | None
    lost_unsubscribe_count: int | None
    lost_hard_bounce_count: int | None
    lost_complaint_count: int | None
    lost_validation_count: int | None
    lost_sunset_count: int | None
    lost_deleted_count: int | None
    lost_unknown_count: int | None
    lost_from_start_count: int | None
    contacts_at_end: int
    monthly_attrition_pct: float | None
    annualised_attrition_pct: float | None
    is_attrition_lower_bound: bool | None
    is_complete_month: bool | None

    @property
    def joined_count(self) -> int:
        """Those who came; whoever stood in the first export was there before."""
        return (self.added_count or 0) - (self.opening_count or 0)
