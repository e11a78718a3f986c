"""Rows of the marts that say what is behind the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
