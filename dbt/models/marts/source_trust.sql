with

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

fct_denominator_checks as (
    select * from {{ ref('fct_denominator_checks') }}
),

fct_bounces as (
    select * from {{ ref('fct_bounces') }}
),

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

source_freshness as (
    select * from {{ ref('source_freshness') }}
),

opt_out_conservation as (
    select * from {{ ref('opt_out_conservation') }}
),

denominator_checks as (
    select * from {{ ref('denominator_checks') }}
),

confirmed_campaigns as (
    select fct_denominator_checks.campaign_key
    from fct_denominator_checks
    inner join denominator_checks
        on fct_denominator_checks.check_name = denominator_checks.check_name
    where
        denominator_checks.is_confirming
        and fct_denominator_checks.verdict in ('reconciled', 'within_tolerance')
    group by all
),

-- Nobody can contradict a count that no export gives, so unknown goes before excluded.
judged_campaigns as (
    select
        fct_campaigns.source,
        fct_campaigns.account,

        case
            when fct_campaigns.delivered_count is null then 'unknown'
            when fct_campaigns.is_excluded then 'excluded'
            when confirmed_campaigns.campaign_key is not null then 'reconciled'
            else 'unconfirmed'
        end as standing,

        fct_campaigns.inferred_delivered_count,

        fct_campaigns.maturity = 'provisional' as is_provisional
    from fct_campaigns
    left join confirmed_campaigns
        on fct_campaigns.campaign_key = confirmed_campaigns.campaign_key
),

campaign_counts as (
    select
        source,
        account,

        count(*) as campaign_count,
        count(*) filter (where standing = 'reconciled') as reconciled_campaign_count,
        count(*) filter (where standing = 'unconfirmed') as unconfirmed_campaign_count,
        count(*) filter (where standing = 'excluded') as excluded_campaign_count,
        count(*) filter (where standing = 'unknown') as unknown_campaign_count,
        count(*) filter (where is_provisional) as provisional_campaign_count,
        cast(coalesce(sum(inferred_delivered_count), 0) as bigint)
            as inferred_delivered_count
    from judged_campaigns
    group by all
),

bounce_counts as (
    select
        source,
        account,

        count(*) as unlinked_bounce_count
    from fct_bounces
    where not is_linked
    group by all
),

-- One record may become several rows, each with a word nobody knows: it is one record.
-- The same content again is no other file: it changes no figure.
file_counts as (
    select
        source,
        account,

        count(*) as file_count,
        count(*) filter (where state = 'refused') as refused_file_count,
        count(*) filter (where state = 'withdrawn') as withdrawn_file_count,
        cast(sum(record_count) filter (where state = 'loaded') as bigint)
            as record_count,
        cast(sum(rejected_count) filter (where state = 'loaded') as bigint)
            as rejected_record_count,
        cast(
            sum(least(unmapped_count, record_count)) filter (where state = 'loaded')
            as bigint
        ) as unmapped_record_count
    from fct_loads
    where state <> 'duplicate'
    group by all
),

late_exports as (
    select
        source,
        account,

        count(*) as late_export_count
    from source_freshness
    where is_late
    group by all
),

source_counts as (
    select
        dim_sources.source,
        dim_sources.account,

        dim_sources.source_kind,

        coalesce(campaign_counts.campaign_count, 0) as campaign_count,
        coalesce(campaign_counts.reconciled_campaign_count, 0)
            as reconciled_campaign_count,
        coalesce(campaign_counts.unconfirmed_campaign_count, 0)
            as unconfirmed_campaign_count,
        coalesce(campaign_counts.excluded_campaign_count, 0) as excluded_campaign_count,
        coalesce(campaign_counts.unknown_campaign_count, 0) as unknown_campaign_count,
        coalesce(campaign_counts.provisional_campaign_count, 0)
            as provisional_campaign_count,
        coalesce(campaign_counts.inferred_delivered_count, 0)
            as inferred_delivered_count,
        coalesce(bounce_counts.unlinked_bounce_count, 0) as unlinked_bounce_count,
        coalesce(file_counts.file_count, 0) as file_count,
        coalesce(file_counts.refused_file_count, 0) as refused_file_count,
        coalesce(file_counts.withdrawn_file_count, 0) as withdrawn_file_count,
        coalesce(file_counts.record_count, 0) as record_count,
        coalesce(file_counts.rejected_record_count, 0) as rejected_record_count,
        coalesce(file_counts.unmapped_record_count, 0) as unmapped_record_count,
        coalesce(late_exports.late_export_count, 0) as late_export_count,
        opt_out_conservation.raw_count as opt_out_record_count,
        opt_out_conservation.unattributed_count as unattributed_opt_out_count,

        opt_out_conservation.is_conserved
    from dim_sources
    inner join opt_out_conservation
        on
            dim_sources.source = opt_out_conservation.source
            and dim_sources.account = opt_out_conservation.account
    left join campaign_counts
        on
            dim_sources.source = campaign_counts.source
            and dim_sources.account = campaign_counts.account
    left join bounce_counts
        on
            dim_sources.source = bounce_counts.source
            and dim_sources.account = bounce_counts.account
    left join file_counts
        on
            dim_sources.source = file_counts.source
            and dim_sources.account = file_counts.account
    left join late_exports
        on
            dim_sources.source = late_exports.source
            and dim_sources.account = late_exports.account
),

source_trust as (
    select
        source,
        account,
        (select dim_runs.build_id from dim_runs) as build_id,

        source_kind,

        campaign_count,
        reconciled_campaign_count,
        unconfirmed_campaign_count,
        excluded_campaign_count,
        unknown_campaign_count,
        provisional_campaign_count,
        inferred_delivered_count,
        unlinked_bounce_count,
        file_count,
        refused_file_count,
        withdrawn_file_count,
        record_count,
        rejected_record_count,
        unmapped_record_count,
        late_export_count,
        opt_out_record_count,
        unattributed_opt_out_count,

        {{ rate_pct('excluded_campaign_count', 'campaign_count') }}
            as excluded_share_pct,
        {{ rate_pct('rejected_record_count', 'record_count') }} as rejected_share_pct,
        {{ rate_pct('unmapped_record_count', 'record_count') }} as unmapped_share_pct,

        is_conserved
    from source_counts
)

select * from source_trust
