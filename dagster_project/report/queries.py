"""Rows of the published marts, as the page needs them.

Reading only: what follows from the rows is in ``findings``. A column that is NULL stays
None all the way to the page, where it is said to be unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from dagster_project.warehouse import read_only

Row = TypeVar("Row")

ALL_LISTS = "(all)"
"""The name under which a mart sums the lists of an account."""

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
class FailedCheck:
    """A check that excluded a campaign, or broke without excluding it.

    An excluding check need not be broken: a delivered count that nobody tells cannot
    contradict anything.
    """

    campaign_key: str
    check_name: str
    label: str | None
    explanation: str | None
    advice: str | None
    verdict: str | None
    left_value: int | None
    right_value: int | None
    difference: int | None
    tolerance: float | None
    is_excluded: bool


@dataclass(frozen=True)
class Trust:
    """What is behind the numbers of one source and account."""

    source: str
    account: str
    source_kind: str | None
    campaign_count: int | None
    reconciled_campaign_count: int | None
    excluded_campaign_count: int | None
    unknown_campaign_count: int | None
    provisional_campaign_count: int | None
    inferred_delivered_count: int | None
    unlinked_bounce_count: int | None
    file_count: int | None
    refused_file_count: int | None
    withdrawn_file_count: int | None
    record_count: int | None
    rejected_record_count: int | None
    unmapped_record_count: int | None
    excluded_share_pct: float | None
    rejected_share_pct: float | None
    unmapped_share_pct: float | None
    late_export_count: int | None
    opt_out_record_count: int | None
    unattributed_opt_out_count: int | None
    is_conserved: bool | None


@dataclass(frozen=True)
class Freshness:
    """One export of a source and account, and the rhythm it comes in."""

    source: str
    account: str
    export: str
    file_count: int | None
    usual_gap_days: float | None
    days_since_last: float | None
    allowed_gap_days: float | None
    is_late: bool | None
    freshness: str | None
    last_exported_at: datetime | None
    expected_by_at: datetime | None


@dataclass(frozen=True)
class Question:
    """One question, and whether the files of a source and account answer it."""

    source: str
    account: str
    question: str
    question_text: str | None
    is_answerable: bool
    why_not: str | None
    file_to_export: str | None


@dataclass(frozen=True)
class Revision:
    """One count of a campaign that a later file changed."""

    revision_key: str
    campaign_key: str
    source: str
    account: str
    campaign_id: str
    variant: str
    measure: str
    change_kind: str | None
    load: str | None
    file_name: str | None
    old_value: int | None
    new_value: int | None
    difference: int | None
    old_rate_pct: float | None
    new_rate_pct: float | None
    rate_difference_pct: float | None
    is_after_final: bool | None
    exported_at: datetime | None


@dataclass(frozen=True)
class RevisionCount:
    """How many changes there are of a kind; a file's changes of a campaign are one."""

    is_after_final: bool
    is_rate_moved: bool
    change_count: int


@dataclass(frozen=True)
class Conservation:
    """Where the opt-out records of one source and account went."""

    source: str
    account: str
    raw_count: int
    attributed_count: int
    repeat_count: int
    not_by_recipient_count: int
    unattributed_count: int
    rejected_count: int
    is_conserved: bool


@dataclass(frozen=True)
class LoadedFile:
    """One judged file."""

    load: str
    source: str | None
    account: str | None
    state: str | None
    file_name: str | None
    refusal_reason: str | None
    refusal_detail: str | None
    ignored_columns: str | None
    defaults_used: str | None
    record_count: int | None
    rejected_count: int | None
    unmapped_count: int | None
    exported_at: datetime | None


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


@dataclass(frozen=True)
class Frames:
    """Everything the page is made of."""

    build_id: str | None
    sends: list[Send]
    trend_points: list[TrendPoint]
    stream_trends: list[StreamTrend]
    diagnoses: list[Diagnosis]
    flow_months: list[FlowMonth]
    reasons: list[Reason]
    decay: list[DecayMonth]
    failed_checks: list[FailedCheck]
    conservation: list[Conservation]
    trust: list[Trust]
    freshness: list[Freshness]
    questions: list[Question]
    revisions: list[Revision]
    revision_counts: list[RevisionCount]
    files: list[LoadedFile]
    bands: list[Band]
    constants: list[Constant]


# A period of the last twelve months exists for every month; only the newest is shown.
_NEWEST_REASONS = """
    period_kind != 'rolling_12_months' or period_start = (
        select max(period_start) from opt_out_reasons
        where period_kind = 'rolling_12_months'
    )
"""

_FAILED = "is_excluded or verdict = 'broken'"

_NEWEST_FLOW_MONTHS = """(
    select * from flow_unsubscribe_rates
    where month > (select max(month) from flow_unsubscribe_rates) - interval 3 month
)"""

SHOWN_CHANGES = 20
"""Changes shown of each kind: after final, and while the send still settled."""

# What one file changed about one campaign is one change. A rate that was lost comes
# first, then the largest movement; counts that moved no rate come last.
_REVISIONS_MEASURED = """
    select
        *,
        coalesce(is_after_final, false) as is_late_change,
        coalesce(rate_difference_pct, 0) != 0
        or (old_rate_pct is null) != (new_rate_pct is null) as has_moved,
        case
            when old_rate_pct is not null and new_rate_pct is null then 1000
            else coalesce(abs(rate_difference_pct), 0)
        end as movement
    from rate_revisions
"""
_CHANGES = f"""
    select
        campaign_key, load, exported_at,
        bool_or(is_late_change) as is_after_final,
        bool_or(has_moved) as is_rate_moved,
        max(movement) as movement
    from ({_REVISIONS_MEASURED})
    group by all
"""
_LARGEST_REVISIONS = f"""(
    select revisions.*
    from rate_revisions as revisions
    inner join (
        select
            *,
            row_number() over (
                partition by is_after_final
                order by movement desc, exported_at desc, campaign_key, load
            ) as place
        from ({_CHANGES})
        where is_rate_moved
    ) as changes
        on revisions.campaign_key = changes.campaign_key
        and revisions.load is not distinct from changes.load
        and revisions.exported_at is not distinct from changes.exported_at
    where changes.place <= {SHOWN_CHANGES}
)"""
_REVISION_COUNTS = f"""(
    select is_after_final, is_rate_moved, count(*) as change_count
    from ({_CHANGES})
    group by all
)"""


class OutdatedMartsError(Exception):
    """The published marts are those of an earlier version. The text says what to do."""


def read_frames(marts: Path) -> Frames:
    """Read what the page needs; every order is total, so that equal marts read equal.

    Raises:
        FileNotFoundError: when nothing has been published yet.
        OutdatedMartsError: when what is published lacks what this version reads.
    """
    if not marts.is_file():
        raise FileNotFoundError(
            f"There are no published marts at {marts}. Run `optout run` first."
        )
    with read_only(marts) as connection:
        # The file is named like the schema, so that `marts.<table>` is ambiguous.
        (database,) = connection.execute("select current_database()").fetchall()[0]
        connection.execute(f'use "{database}".marts')

        def read(row: type[Row], mart: str, where: str = "true") -> list[Row]:
            return _read(connection, row, mart, where)

        return Frames(
            build_id=_build_id(connection),
            sends=read(Send, "campaign_unsubscribe_rates"),
            trend_points=read(TrendPoint, "unsubscribe_rate_trends"),
            stream_trends=read(StreamTrend, "stream_trends"),
            diagnoses=read(Diagnosis, "campaign_diagnoses"),
            flow_months=read(FlowMonth, _NEWEST_FLOW_MONTHS),
            reasons=read(Reason, "opt_out_reasons", _NEWEST_REASONS),
            decay=read(DecayMonth, "list_decay_monthly"),
            failed_checks=read(FailedCheck, "denominator_audit", _FAILED),
            conservation=read(Conservation, "opt_out_conservation"),
            trust=read(Trust, "source_trust"),
            freshness=read(Freshness, "source_freshness"),
            questions=read(Question, "coverage"),
            revisions=read(Revision, _LARGEST_REVISIONS),
            revision_counts=read(RevisionCount, _REVISION_COUNTS),
            files=read(LoadedFile, "load_ledger"),
            bands=read(Band, "benchmarks"),
            constants=read(Constant, "stat_calibration"),
        )


def _read(connection: Any, row: type[Row], mart: str, where: str) -> list[Row]:
    columns = ", ".join(f'"{field.name}"' for field in fields(row))  # type: ignore[arg-type]
    question = f"select {columns} from {mart} where {where} order by all"
    try:
        rows = connection.execute(question).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException) as missing:
        raise OutdatedMartsError(
            "The published marts were made by another version. Run `optout run` to"
            " make them again."
        ) from missing
    return [row(*values) for values in rows]


def _build_id(connection: Any) -> str | None:
    for mart in ("load_ledger", "campaign_unsubscribe_rates", "list_decay_monthly"):
        found = connection.execute(f"select any_value(build_id) from {mart}").fetchone()
        if found and found[0]:
            return str(found[0])
    return None
