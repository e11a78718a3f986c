with

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

-- Complaints, bounces, imports and administrators have causes, not reasons.
recipient_opt_outs as (
    select
        source,
        account,
        coalesce(list, '(unknown)') as list,
        campaign_key,
        primary_reason as reason,

        cast(date_trunc('month', opted_out_at) as date) as month
    from fct_opt_outs
    where is_by_recipient
),

month_reasons as (
    select
        source,
        account,
        list,
        reason,
        month,

        count(*) as reason_count
    from recipient_opt_outs
    group by all
),

-- One window of twelve months ends with every month up to the run's own.
rolling_windows as (
    select
        cast({{ dbt.dateadd('month', -11, 'dim_dates.month') }} as date)
            as period_start,
        dim_dates.month as last_month
    from dim_dates
    inner join dim_runs
        on dim_dates.month <= dim_runs.now_at
    where dim_dates.date_day = dim_dates.month
),

rolling_reasons as (
    select
        month_reasons.source,
        month_reasons.account,
        month_reasons.list,
        month_reasons.reason,
        rolling_windows.period_start,

        cast(sum(month_reasons.reason_count) as bigint) as reason_count
    from month_reasons
    inner join rolling_windows
        on
            month_reasons.month between rolling_windows.period_start
            and rolling_windows.last_month
    group by all
),

campaign_reasons as (
    select
        recipient_opt_outs.source,
        recipient_opt_outs.account,
        recipient_opt_outs.list,
        recipient_opt_outs.reason,
        dim_campaigns.campaign_id,
        dim_campaigns.variant,
        cast(dim_campaigns.sent_at as date) as period_start,

        count(*) as reason_count
    from recipient_opt_outs
    inner join dim_campaigns
        on recipient_opt_outs.campaign_key = dim_campaigns.campaign_key
    group by all
),

period_reasons as (
    select
        source,
        account,
        list,
        'month' as period_kind,
        month as period_start,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as variant,
        reason,
        reason_count
    from month_reasons
    union all
    select
        source,
        account,
        list,
        'rolling_12_months' as period_kind,
        period_start,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as variant,
        reason,
        reason_count
    from rolling_reasons
    union all
    select
        source,
        account,
        list,
        'campaign' as period_kind,
        period_start,
        campaign_id,
        variant,
        reason,
        reason_count
    from campaign_reasons
),

-- Nobody can answer a question that was not put, and declining it is not an answer.
classified_reasons as (
    select
        period_reasons.source,
        period_reasons.account,
        period_reasons.list,
        period_reasons.period_kind,
        period_reasons.period_start,
        period_reasons.campaign_id,
        period_reasons.variant,
        period_reasons.reason,
        opt_out_reason_words.label as reason_label,
        opt_out_reason_words.seed_cause,

        period_reasons.reason_count,
        case
            when period_reasons.reason = 'not_asked' then 0
            else period_reasons.reason_count
        end as asked_count,
        case
            when opt_out_reason_words.is_answered then period_reasons.reason_count
            else 0
        end as answered_count,

        coalesce(opt_out_reason_words.is_answered, false) as is_answered
    from period_reasons
    left join opt_out_reason_words
        on period_reasons.reason = opt_out_reason_words.reason
),

reasons_with_totals as (
    select
        source,
        account,
        list,
        period_kind,
        period_start,
        campaign_id,
        variant,
        reason,
        reason_label,
        seed_cause,

        reason_count,
        cast(sum(reason_count) over list_period as bigint) as opt_out_count,
        cast(sum(asked_count) over list_period as bigint) as asked_count,
        cast(sum(answered_count) over list_period as bigint) as answered_count,

        is_answered
    from classified_reasons
    window list_period as (
        partition by
            source, account, list, period_kind, period_start, campaign_id, variant
    )
),

opt_out_reasons as (
    select
        source,
        account,
        list,
        period_kind,
        period_start,
        campaign_id,
        variant,
        reason,
        (select dim_runs.build_id from dim_runs) as build_id,

        reason_label,
        seed_cause,

        opt_out_count,
        asked_count,
        answered_count,
        reason_count,

        {{ rate_pct('reason_count', 'opt_out_count') }} as share_of_all_pct,
        case
            when is_answered then {{ rate_pct('reason_count', 'answered_count') }}
        end as share_of_answered_pct,
        case
            when is_answered
                then {{ wilson_low_pct('reason_count', 'answered_count') }}
        end as share_of_answered_low_pct,
        case
            when is_answered
                then {{ wilson_high_pct('reason_count', 'answered_count') }}
        end as share_of_answered_high_pct,

        is_answered
    from reasons_with_totals
)

select * from opt_out_reasons
