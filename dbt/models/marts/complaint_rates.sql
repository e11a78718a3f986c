with

mailbox_days as (
    select * from {{ ref('mailbox_days') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

complaint_feeds as (
    select * from {{ ref('complaint_feeds') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

edges as (
    select
        max(case when kind = 'complaint' then lower_pct end) as red_flag_pct,
        max(case when kind = 'complaint_limit' then lower_pct end) as limit_pct
    from benchmark_bands
    where kind in ('complaint', 'complaint_limit')
),

-- No complaint in a whole account means that its export tells none.
mailing_accounts as (
    select
        source,
        account,

        sum(complaint_count) > 0 as has_complaints,

        max(mailed_date) as last_mailed_date
    from mailbox_days
    group by all
),

dated_days as (
    select
        days.source,
        days.account,
        days.stream_id,
        days.mailbox_provider,

        days.delivered_count,
        days.complaint_count,

        coalesce(complaint_feeds.has_feed, false) as is_covered,
        coalesce(complaint_feeds.has_feed, true) as may_be_covered,
        accounts.has_complaints,

        days.mailed_date,
        accounts.last_mailed_date
    from mailbox_days as days
    inner join mailing_accounts as accounts
        on
            days.source = accounts.source
            and days.account = accounts.account
    left join complaint_feeds
        on days.mailbox_provider = complaint_feeds.mailbox_provider
),

periods as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        'month' as period_kind,
        delivered_count,
        complaint_count,
        is_covered,
        may_be_covered,
        has_complaints,
        cast(date_trunc('month', mailed_date) as date) as month,
        cast(date_trunc('month', mailed_date) as date) as period_start
    from dated_days
    union all
    select
        source,
        account,
        '(all)' as stream_id,
        mailbox_provider,
        'rolling_{{ var("complaint_window_days") }}_days'
            as period_kind,
        delivered_count,
        complaint_count,
        is_covered,
        may_be_covered,
        has_complaints,
        cast(null as date) as month,
        cast(
            last_mailed_date + interval '1 day'
            - interval '{{ var("complaint_window_days") }} days' as date
        ) as period_start
    from dated_days
    where
        mailed_date
        > last_mailed_date - interval '{{ var("complaint_window_days") }} days'
),

provider_periods as (
    select
        source,
        account,
        stream_id,
        month,
        period_kind,
        period_start,
        mailbox_provider,
        delivered_count,
        complaint_count,
        is_covered,
        may_be_covered,
        has_complaints
    from periods
    union all
    select
        source,
        account,
        stream_id,
        month,
        period_kind,
        period_start,
        '(all)' as mailbox_provider,
        delivered_count,
        complaint_count,
        is_covered,
        may_be_covered,
        has_complaints
    from periods
),

-- A provider without a feed per address tells of no complaint, however many there are.
-- Of others nobody knows: their complaints are counted and called a lower bound.
counted_periods as (
    select
        source,
        account,
        stream_id,
        month,
        period_kind,
        period_start,
        mailbox_provider,

        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(case when may_be_covered then delivered_count else 0 end) as bigint)
            as feed_covered_delivered_count,
        cast(sum(case when has_complaints then complaint_count end) as bigint)
            as complaint_count,
        cast(
            sum(
                case
                    when has_complaints and may_be_covered then complaint_count
                    when has_complaints then 0
                end
            ) as bigint
        ) as feed_covered_complaint_count,

        sum(case when is_covered then 0 else delivered_count end) > 0 as is_lower_bound
    from provider_periods
    group by all
    having sum(delivered_count) > 0
),

rated_periods as (
    select
        source,
        account,
        stream_id,
        month,
        period_kind,
        period_start,
        mailbox_provider,

        delivered_count,
        feed_covered_delivered_count,
        complaint_count,
        feed_covered_complaint_count,

        {{ rate_pct('feed_covered_complaint_count', 'feed_covered_delivered_count') }}
            as complaint_rate_pct,
        {{ wilson_low_pct(
            'feed_covered_complaint_count', 'feed_covered_delivered_count'
        ) }} as complaint_rate_low_pct,
        {{ wilson_high_pct(
            'feed_covered_complaint_count', 'feed_covered_delivered_count'
        ) }} as complaint_rate_high_pct,

        is_lower_bound
    from counted_periods
),

complaint_rates as (
    select
        rated_periods.source,
        rated_periods.account,
        rated_periods.stream_id,
        rated_periods.month,
        rated_periods.period_kind,
        rated_periods.period_start,
        rated_periods.mailbox_provider,
        (select dim_runs.build_id from dim_runs) as build_id,

        rated_periods.delivered_count,
        rated_periods.feed_covered_delivered_count,
        rated_periods.complaint_count,
        rated_periods.feed_covered_complaint_count,

        rated_periods.complaint_rate_pct,
        rated_periods.complaint_rate_low_pct,
        rated_periods.complaint_rate_high_pct,

        rated_periods.is_lower_bound,
        case
            when rated_periods.complaint_rate_pct is not null
                then
                    100 * rated_periods.feed_covered_complaint_count
                    > edges.red_flag_pct * rated_periods.feed_covered_delivered_count
        end as is_red_flag,
        case
            when rated_periods.complaint_rate_pct is not null
                then {{ is_rate_above(
                    'rated_periods.feed_covered_complaint_count',
                    'rated_periods.feed_covered_delivered_count',
                    'edges.red_flag_pct'
                ) }}
        end as is_confirmed,
        case
            when rated_periods.complaint_rate_pct is not null
                then
                    100 * rated_periods.feed_covered_complaint_count
                    > edges.limit_pct * rated_periods.feed_covered_delivered_count
        end as is_above_limit
    from rated_periods
    cross join edges
)

select * from complaint_rates
