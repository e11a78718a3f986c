"""Rows of the marts about sends, streams and what they are judged with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

UNPROVEN = "unproven"
"""A rate above the healthy ones of so little mail that luck could make it."""

SPIKES = ("watch", "alert", "strong")
"""Words of ``spike_status`` for a send above its own past, from faint to loud."""

RISES = ("step", "climb", "undetermined_rise")
"""Words of ``shape`` for a stream that rose and stayed up."""

PLAIN_SEND_TYPES = ("campaign", "ab_variant", "resend")
"""Sends with a day of their own; a flow or a receipt goes out all the time."""


@dataclass(frozen=True)
class Send:
    """One campaign x variant: its rate, its counts and what was to be expected."""

    campaign_key: str
    source: str
    account: str
    campaign_id: str
    variant: str
    stream_id: str
    campaign_name: str | None
    subject: str | None
    send_type: str | None
    delivered_count_basis: str | None
    maturity: str | None
    exclusion_reason: str | None
    open_basis: str | None
    observed_band: str | None
    confirmed_band: str | None
    spike_status: str | None
    grade_context: str | None
    industry: str | None
    industry_position: str | None
    benchmark_source: str | None
    vendor_rate_denominator: str | None
    delivered_count: int | None
    unsubscribe_count: int | None
    topic_opt_out_count: int | None
    complaint_count: int | None
    suspect_automated_count: int | None
    excess_unsubscribe_count: int | None
    excess_low_count: int | None
    excess_high_count: int | None
    baseline_campaign_count: int | None
    days_since_previous_send: int | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None
    expected_rate_pct: float | None
    complaint_rate_pct: float | None
    open_rate_pct: float | None
    click_rate_pct: float | None
    spike_z: float | None
    expected_complete_share: float | None
    is_excluded: bool
    is_complaint_red_flag: bool | None
    is_complaint_confirmed: bool | None
    is_post_gap: bool | None
    sent_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it: the campaign's name, else its subject, else its id."""
        name = self.campaign_name or self.subject or self.campaign_id
        return f"{name} · {self.variant}" if self.variant else name

    @property
    def is_judged(self) -> bool:
        """Whether it has a rate at all."""
        return self.unsubscribe_rate_pct is not None

    @property
    def is_contradictory(self) -> bool:
        """Whether its own counts exclude it; one without a delivered count has none."""
        return self.is_excluded and self.delivered_count is not None

    @property
    def is_provisional(self) -> bool:
        """Whether its counts may still move."""
        return self.maturity == "provisional"

    @property
    def judged_band(self) -> str | None:
        """The band that is proven; healthy where nothing worse is even seen."""
        if self.confirmed_band != "not_proven":
            return self.confirmed_band
        return "healthy" if self.observed_band == "healthy" else UNPROVEN

    @property
    def is_standing_out(self) -> bool:
        """Whether it lies above what its stream's own past leads to expect."""
        return self.spike_status in SPIKES


@dataclass(frozen=True)
class TrendPoint:
    """One campaign, its variants together, in the control chart of its stream."""

    stream_id: str
    campaign_id: str
    mailing_number: int
    drift_status: str | None
    control_low_pct: float | None
    control_high_pct: float | None
    sent_at: datetime | None


@dataclass(frozen=True)
class StreamTrend:
    """Where one stream is going."""

    stream_id: str
    source: str
    account: str
    shape: str
    persistent_band: str | None
    unsubscribe_direction: str | None
    open_direction: str | None
    click_direction: str | None
    complaint_direction: str | None
    hard_bounce_direction: str | None
    campaigns_used: int | None
    effect_pct: float | None
    mann_kendall_z: float | None
    theil_sen_slope: float | None
    autocorrelation: float | None
    unsubscribe_ratio: float | None
    unsubscribe_ratio_low: float | None
    unsubscribe_ratio_high: float | None
    open_ratio: float | None
    click_ratio: float | None
    complaint_ratio: float | None
    hard_bounce_ratio: float | None
    is_basis_mixed: bool | None
    shape_started_at: datetime | None

    @property
    def is_rising(self) -> bool:
        """Whether it has risen and not come back."""
        return self.shape in RISES


@dataclass(frozen=True)
class Diagnosis:
    """One finding that holds for a campaign, or for a stream where it names none."""

    rank: int
    source: str
    account: str
    stream_id: str
    campaign_id: str | None
    campaign_name: str | None
    finding: str
    finding_label: str | None
    confidence: str | None
    evidence: str | None
    recommended_action: str | None
    action_source: str | None
    people_lost_count: int | None
    people_lost_low_count: int | None
    people_lost_high_count: int | None
    sent_at: datetime | None


@dataclass(frozen=True)
class FlowMonth:
    """One message of a flow in one month."""

    source: str
    account: str
    stream_id: str
    stream_name: str | None
    campaign_id: str | None
    campaign_name: str | None
    subject: str | None
    variant: str
    month: date
    observed_band: str | None
    delivered_count: int | None
    unsubscribe_count: int | None
    unsubscribe_rate_pct: float | None
    unsubscribe_rate_low_pct: float | None
    unsubscribe_rate_high_pct: float | None
    is_excluded: bool

    @property
    def name(self) -> str:
        """What people call the message."""
        name = self.campaign_name or self.subject or self.campaign_id
        name = name or "without a message's name"
        return f"{name} · {self.variant}" if self.variant else name


@dataclass(frozen=True)
class Constant:
    """One constant that judges, beside what the data at hand would say."""

    constant_name: str
    description: str
    unit: str
    source: str
    value_in_use: float | None
    own_estimate: float | None
    campaign_count: int | None
    stream_count: int | None
    is_assumption: bool | None


@dataclass(frozen=True)
class Band:
    """One stretch of rates that somebody calls by a name."""

    kind: str
    lower_pct: float | None
    is_lower_inclusive: bool | None
    upper_pct: float | None
    is_upper_inclusive: bool | None
    band: str
    source: str
    conflict_note: str | None
    is_contradicted: bool
