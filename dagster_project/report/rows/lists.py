"""Rows of the marts about the lists and the people on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

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


@dataclass(frozen=True)
class DecaySummary:
    """What one list, or ``(all)`` of an account, loses in a year."""

    source: str
    account: str
    list: str
    first_month: date | None
    last_month: date | None
    month_count: int | None
    contacts_at_end: int | None
    lost_from_start_count: int | None
    lost_voluntary_from_start_count: int | None
    monthly_attrition_pct: float | None
    annual_attrition_pct: float | None
    annual_attrition_low_pct: float | None
    annual_attrition_high_pct: float | None
    voluntary_annual_attrition_pct: float | None
    half_life_months: float | None
    reference_pct: float | None
    reference_source: str | None
    reference_position: str | None
    is_extrapolated: bool | None
    is_attrition_lower_bound: bool | None


@dataclass(frozen=True)
class CohortAge:
    """People who joined alike, so many months after they joined."""

    source: str
    account: str
    list: str
    signup_month: date | None
    signup_source: str
    opt_in_method: str
    age_months: int
    cohort_contact_count: int
    at_risk_count: int | None
    exit_count: int | None
    exit_rate_pct: float | None
    survival_pct: float | None
    survival_low_pct: float | None
    survival_high_pct: float | None
    cumulative_unsubscribe_pct: float | None
    cumulative_complaint_pct: float | None
    cumulative_hard_bounce_pct: float | None
    cumulative_validation_pct: float | None
    cumulative_sunset_pct: float | None
    cumulative_deleted_pct: float | None
    cumulative_unknown_pct: float | None
    is_all_months: bool
    is_observed_from_start: bool | None


@dataclass(frozen=True)
class SignupSource:
    """People who came the same way, and how they took the first mail."""

    source: str
    account: str
    signup_source: str
    opt_in_method: str
    acquisition: str | None
    contact_count: int
    first_send_contact_count: int | None
    first_send_opt_out_count: int | None
    first_send_opt_out_rate_pct: float | None
    first_send_opt_out_rate_low_pct: float | None
    first_send_opt_out_rate_high_pct: float | None
    first_send_complaint_rate_pct: float | None
    first_send_hard_bounce_rate_pct: float | None
    ninety_day_contact_count: int | None
    ninety_day_opt_out_count: int | None
    ninety_day_complaint_count: int | None
    ninety_day_hard_bounce_count: int | None
    ninety_day_opt_out_rate_pct: float | None
    ninety_day_opt_out_rate_low_pct: float | None
    ninety_day_opt_out_rate_high_pct: float | None
    ninety_day_complaint_rate_pct: float | None
    ninety_day_hard_bounce_rate_pct: float | None
    opt_out_ratio: float | None
    opt_out_ratio_low: float | None
    opt_out_ratio_high: float | None
    is_suspected_bulk: bool | None


@dataclass(frozen=True)
class FrequencyBucket:
    """Weeks in which people got so many mails, all strata of a list together."""

    source: str
    account: str
    list: str
    frequency_bucket: str
    contact_weeks: int
    delivered_count: int | None
    opt_out_count: int
    promised_per_week: float | None


@dataclass(frozen=True)
class FrequencyEffect:
    """Whether more mail makes more people of a list leave, alike with alike."""

    source: str
    account: str
    list: str
    reference_buckets: str | None
    compared_buckets: str | None
    crude_ratio_per_send: float | None
    crude_ratio_per_week: float | None
    effect_ratio: float | None
    effect_ratio_low: float | None
    effect_ratio_high: float | None
    stratum_count: int | None
    untold_campaign_count: int | None
    verdict: str | None


@dataclass(frozen=True)
class Segment:
    """People of a list who read alike, in its newest month."""

    source: str
    account: str
    list: str
    month: date
    basis: str
    tier: str
    tier_label: str | None
    tier_rank: int | None
    advice: str | None
    contact_count: int
    delivered_count: int | None
    unsubscribe_count: int | None
    complaint_count: int | None
    hard_bounce_count: int | None
    mails_per_contact_28d: float | None
    suggested_mails_28d: float | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None
    opt_out_per_100_contacts: float | None
    complaint_rate_pct: float | None
    is_over_cadence: bool | None


@dataclass(frozen=True)
class Hygiene:
    """People of a list whose addresses have one verdict and risk."""

    source: str
    account: str
    list: str
    validation_status: str
    risk: str | None
    contact_count: int
    share_pct: float | None
    stale_count: int | None
    role_count: int | None
    disposable_count: int | None
    catch_all_count: int | None
    spamtrap_count: int | None
    newest_verified_at: datetime | None


@dataclass(frozen=True)
class Calibration:
    """What became of mail to addresses with one verdict of a provider."""

    source: str
    account: str
    provider: str
    validation_status: str
    verdict_age: str
    verdict_age_rank: int | None
    contact_count: int | None
    attempted_count: int
    hard_bounce_count: int
    hard_bounce_rate_pct: float | None
    hard_bounce_rate_low_pct: float | None
    hard_bounce_rate_high_pct: float | None
