"""What is read of the published marts, and in which order.

Reading only: what follows from the rows is in ``findings`` and the chapters.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from dagster_project.report.rows.changes import Intervention, RePermission, Week
from dagster_project.report.rows.content import (
    AudienceRate,
    ClickedKind,
    ContentMonth,
    PromotionalRun,
    UnusualSend,
)
from dagster_project.report.rows.leaving import (
    Afterwards,
    Breach,
    Method,
    Reason,
    WayOut,
)
from dagster_project.report.rows.lists import (
    Calibration,
    CohortAge,
    DecayMonth,
    DecaySummary,
    FrequencyBucket,
    FrequencyEffect,
    Hygiene,
    Segment,
    SignupSource,
)
from dagster_project.report.rows.mailboxes import ComplaintRate, ProviderWeeks
from dagster_project.report.rows.sends import (
    Band,
    Constant,
    Diagnosis,
    FlowMonth,
    Send,
    StreamTrend,
    TrendPoint,
)
from dagster_project.report.rows.trust import (
    Conservation,
    FailedCheck,
    Freshness,
    LoadedFile,
    Question,
    Revision,
    RevisionCount,
    Trust,
)
from dagster_project.warehouse import read_only

Row = TypeVar("Row")

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

# The newest twelve months of a mart that counts month by month.
_NEWEST_YEAR = "month > (select max(month) from {mart}) - interval 12 month"

_METHODS = f"""(
    select
        source, account, opt_out_method,
        sum(opt_out_count)::bigint as opt_out_count,
        sum(suspect_automated_count)::bigint as suspect_automated_count
    from opt_out_methods
    where {_NEWEST_YEAR.format(mart="opt_out_methods")}
    group by all
    having sum(opt_out_count) > 0
)"""

# Every method of a stream's month repeats the counts of that month.
_WAYS_OUT = f"""(
    select
        source, account, stream_id,
        sum(stream_opt_out_count)::bigint as opt_out_count,
        sum(one_click_count)::bigint as one_click_count,
        sum(complaint_count)::bigint as complaint_count
    from (
        select distinct
            source, account, stream_id, month,
            stream_opt_out_count, one_click_count, complaint_count
        from opt_out_methods
        where {_NEWEST_YEAR.format(mart="opt_out_methods")}
    )
    group by all
)"""

# A count that is unknown in one month is unknown in the sum.
_AFTERWARDS = f"""(
    select
        source, account, list,
        sum(opt_out_count)::bigint as opt_out_count,
        sum(resubscribed_count)::bigint as resubscribed_count,
        sum(opted_down_count)::bigint as opted_down_count,
        sum(channel_known_count)::bigint as channel_known_count,
        sum(reachable_count)::bigint as reachable_count,
        case
            when count(channel_click_count) = count(*)
                then sum(channel_click_count)::bigint
        end as channel_click_count
    from after_opt_out
    where {_NEWEST_YEAR.format(mart="after_opt_out")}
    group by all
)"""

_NEWEST_WEEKS = "week > (select max(week) from weekly_review) - interval 26 week"

# Every kind of link repeats how many clicked anything in the month.
_CLICKED_KINDS = f"""(
    select
        kinds.source, kinds.account, kinds.stream_id, kinds.url_kind,
        sum(kinds.clicker_count)::bigint as clicker_count,
        any_value(whole.any_clicker_count)::bigint as any_clicker_count,
        sum(kinds.click_count)::bigint as click_count,
        sum(kinds.campaign_count)::bigint as campaign_count
    from link_clicks as kinds
    inner join (
        select stream_id, sum(any_clicker_count) as any_clicker_count
        from (
            select distinct stream_id, month, any_clicker_count
            from link_clicks
            where {_NEWEST_YEAR.format(mart="link_clicks")}
        )
        group by all
    ) as whole
        on kinds.stream_id = whole.stream_id
    where {_NEWEST_YEAR.format(mart="link_clicks")}
    group by all
)"""

# The marts follow every list and signup month; the page draws whole accounts.
_COHORTS = """
    list = '(all)' and (
        is_all_months and (signup_source = '(all)' or opt_in_method = '(all)')
        or signup_source = '(all)' and opt_in_method = '(all)'
        and age_months in (1, 3, 6, 12)
    )
"""

_FREQUENCIES = """(
    select
        source, account, list, frequency_bucket,
        sum(contact_weeks)::bigint as contact_weeks,
        sum(delivered_count)::bigint as delivered_count,
        sum(opt_out_count)::bigint as opt_out_count,
        max(promised_per_week) as promised_per_week
    from send_frequency
    group by all
)"""

# A month that is not over shows too little mail; it stands in for nothing better.
_NEWEST_SEGMENTS = """(
    select segments.*
    from engagement_segments as segments
    inner join (
        select
            source, account,
            coalesce(
                max(month) filter (where is_complete_month), max(month)
            ) as month
        from engagement_segments
        group by all
    ) as newest
        on segments.source = newest.source
        and segments.account = newest.account
        and segments.month = newest.month
)"""

_NEWEST_COMPLAINT_RATES = """
    period_kind = 'rolling_30_days'
    or month = (
        select max(month) from complaint_rates where period_kind = 'month'
    )
"""

_PROVIDER_WEEKS = """(
    select
        source, account, mailbox_provider,
        week > (select max(week) from mailbox_provider_health) - interval 4 week
            as is_newest,
        sum(attempted_count)::bigint as attempted_count,
        sum(delivered_count)::bigint as delivered_count,
        sum(hard_bounce_count)::bigint as hard_bounce_count,
        sum(block_count)::bigint as block_count,
        sum(deferred_count)::bigint as deferred_count,
        sum(unsubscribe_count)::bigint as unsubscribe_count,
        sum(complaint_count)::bigint as complaint_count
    from mailbox_provider_health
    where week > (select max(week) from mailbox_provider_health) - interval 8 week
    group by all
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


@dataclass(frozen=True)
class Frames:
    """Everything the page is made of."""

    build_id: str | None
    weeks: list[Week]
    interventions: list[Intervention]
    re_permissions: list[RePermission]
    sends: list[Send]
    unusual_sends: list[UnusualSend]
    content_months: list[ContentMonth]
    promotional_runs: list[PromotionalRun]
    audience_rates: list[AudienceRate]
    clicked_kinds: list[ClickedKind]
    trend_points: list[TrendPoint]
    stream_trends: list[StreamTrend]
    diagnoses: list[Diagnosis]
    flow_months: list[FlowMonth]
    reasons: list[Reason]
    methods: list[Method]
    ways_out: list[WayOut]
    afterwards: list[Afterwards]
    breaches: list[Breach]
    decay: list[DecayMonth]
    decay_summaries: list[DecaySummary]
    cohorts: list[CohortAge]
    signup_sources: list[SignupSource]
    frequencies: list[FrequencyBucket]
    frequency_effects: list[FrequencyEffect]
    segments: list[Segment]
    hygiene: list[Hygiene]
    calibrations: list[Calibration]
    complaint_rates: list[ComplaintRate]
    provider_weeks: list[ProviderWeeks]
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
            weeks=read(Week, "weekly_review", _NEWEST_WEEKS),
            interventions=read(Intervention, "intervention_effects"),
            re_permissions=read(RePermission, "re_permission_outcomes"),
            sends=read(Send, "campaign_unsubscribe_rates"),
            unusual_sends=read(UnusualSend, "send_context", "unusual_count > 0"),
            content_months=read(
                ContentMonth, "content_mix", _NEWEST_YEAR.format(mart="content_mix")
            ),
            promotional_runs=read(PromotionalRun, "promotional_runs"),
            audience_rates=read(AudienceRate, "audience_rates"),
            clicked_kinds=read(ClickedKind, _CLICKED_KINDS),
            trend_points=read(TrendPoint, "unsubscribe_rate_trends"),
            stream_trends=read(StreamTrend, "stream_trends"),
            diagnoses=read(Diagnosis, "campaign_diagnoses"),
            flow_months=read(FlowMonth, _NEWEST_FLOW_MONTHS),
            reasons=read(Reason, "opt_out_reasons", _NEWEST_REASONS),
            methods=read(Method, _METHODS),
            ways_out=read(WayOut, _WAYS_OUT),
            afterwards=read(Afterwards, _AFTERWARDS),
            breaches=read(Breach, "opt_out_latency"),
            decay=read(DecayMonth, "list_decay_monthly"),
            decay_summaries=read(DecaySummary, "list_decay_summary"),
            cohorts=read(CohortAge, "cohort_retention", _COHORTS),
            signup_sources=read(SignupSource, "signup_sources"),
            frequencies=read(FrequencyBucket, _FREQUENCIES),
            frequency_effects=read(FrequencyEffect, "send_frequency_effect"),
            segments=read(Segment, _NEWEST_SEGMENTS),
            hygiene=read(Hygiene, "list_hygiene"),
            calibrations=read(Calibration, "validation_calibration"),
            complaint_rates=read(
                ComplaintRate, "complaint_rates", _NEWEST_COMPLAINT_RATES
            ),
            provider_weeks=read(ProviderWeeks, _PROVIDER_WEEKS),
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
