with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

severity_bands as (
    select
        band,
        lower_pct,
        upper_pct,
        is_lower_inclusive,
        is_upper_inclusive
    from benchmark_bands
    where kind = 'severity'
),

complaint_bands as (
    select
        band,
        lower_pct,
        upper_pct,
        is_lower_inclusive,
        is_upper_inclusive
    from benchmark_bands
    where kind = 'complaint'
),

-- An excluded campaign keeps its counts in sight and loses every rate.
rate_bases as (
    select
        campaign_key,
        case
            when human_open_count is not null then 'human'
            when unique_open_count is not null then 'all'
            else 'unknown'
        end as open_basis,

        case when not is_excluded then delivered_count end as base_count,
        coalesce(human_open_count, unique_open_count) as open_count
    from fct_campaigns
),

rated_campaigns as (
    select
        fct_campaigns.campaign_key,
        fct_campaigns.stream_id,
        fct_campaigns.campaign_id,
        fct_campaigns.variant,
        fct_campaigns.maturity,
        rate_bases.open_basis,
        severity_bands.band as observed_band,

        {{ rate_pct('fct_campaigns.unsubscribe_count', 'rate_bases.base_count') }}
            as unsubscribe_rate_pct,
        {{ wilson_low_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count'
        ) }} as unsubscribe_rate_low_pct,
        {{ wilson_high_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count'
        ) }} as unsubscribe_rate_high_pct,
        {{ rate_pct('fct_campaigns.complaint_count', 'rate_bases.base_count') }}
            as complaint_rate_pct,
        {{ rate_pct('fct_campaigns.human_open_count', 'rate_bases.base_count') }}
            as human_open_rate_pct,
        {{ rate_pct('rate_bases.open_count', 'rate_bases.base_count') }}
            as open_rate_pct,
        {{ rate_pct('fct_campaigns.unique_click_count', 'rate_bases.base_count') }}
            as click_rate_pct,
        -- More clicks than opens (images off) means the opens undercount: no share.
        case
            when
                not fct_campaigns.is_excluded
                and fct_campaigns.unique_click_count <= rate_bases.open_count
                then {{ rate_pct(
                    'fct_campaigns.unique_click_count', 'rate_bases.open_count'
                ) }}
        end as click_to_open_pct,

        case
            when rate_bases.base_count > 0 and fct_campaigns.complaint_count is not null
                then complaint_bands.band is not null
        end as is_complaint_red_flag
    from fct_campaigns
    inner join rate_bases
        on fct_campaigns.campaign_key = rate_bases.campaign_key
    left join severity_bands
        on {{ is_in_band(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count', 'severity_bands'
        ) }}
    left join complaint_bands
        on {{ is_in_band(
            'fct_campaigns.complaint_count', 'rate_bases.base_count', 'complaint_bands'
        ) }}
),

-- The variants of a campaign are one send of its stream.
stream_sends as (
    select
        stream_id,
        campaign_id,

        min(sent_at) as sent_at
    from fct_campaigns
    where sent_at is not null
    group by all
),

sends_in_order as (
    select
        stream_id,
        campaign_id,
        sent_at,

        row_number() over (
            partition by stream_id
            order by sent_at asc, campaign_id asc
        ) as send_number,
        lag(sent_at) over (
            partition by stream_id
            order by sent_at asc, campaign_id asc
        ) as previous_sent_at
    from stream_sends
),

-- Only a settled rate of a sound campaign may say what is usual for its stream.
campaigns_in_order as (
    select
        rated_campaigns.campaign_key,
        rated_campaigns.stream_id,
        rated_campaigns.variant,

        sends_in_order.send_number,
        rated_campaigns.unsubscribe_rate_pct,
        cast(
            {{ dbt.datediff(
                'sends_in_order.previous_sent_at', 'sends_in_order.sent_at', 'day'
            ) }} as bigint
        ) as days_since_previous_send,

        rated_campaigns.maturity = 'final'
        and rated_campaigns.unsubscribe_rate_pct is not null as is_baseline
    from rated_campaigns
    inner join sends_in_order
        on
            rated_campaigns.stream_id = sends_in_order.stream_id
            and rated_campaigns.campaign_id = sends_in_order.campaign_id
),

numbered_campaigns as (
    select
        campaign_key,
        stream_id,
        days_since_previous_send,
        unsubscribe_rate_pct,
        is_baseline,

        coalesce(
            sum(case when is_baseline then 1 else 0 end) over (
                partition by stream_id
                order by send_number
                range between unbounded preceding and 1 preceding
            ), 0
        ) as earlier_baseline_count,
        row_number() over (
            partition by stream_id, is_baseline
            order by send_number asc, variant asc
        ) as baseline_number
    from campaigns_in_order
),

previous_sends as (
    select
        numbered_campaigns.campaign_key,
        numbered_campaigns.days_since_previous_send,

        count(baseline_campaigns.unsubscribe_rate_pct) as previous_send_count,
        median(baseline_campaigns.unsubscribe_rate_pct) as previous_rate_median_pct
    from numbered_campaigns
    left join numbered_campaigns as baseline_campaigns
        on
            numbered_campaigns.stream_id = baseline_campaigns.stream_id
            and baseline_campaigns.is_baseline
            and numbered_campaigns.earlier_baseline_count
            >= baseline_campaigns.baseline_number
            and numbered_campaigns.earlier_baseline_count
            - {{ var('baseline_campaign_limit') }}
            < baseline_campaigns.baseline_number
    group by all
),

campaign_unsubscribe_rates as (
    select
        fct_campaigns.campaign_key,
        fct_campaigns.source,
        fct_campaigns.account,
        fct_campaigns.campaign_id,
        fct_campaigns.variant,
        fct_campaigns.stream_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        fct_campaigns.campaign_name,
        fct_campaigns.subject,
        fct_campaigns.audience,
        fct_campaigns.content_category,
        fct_campaigns.send_type,
        fct_campaigns.industry,
        fct_campaigns.delivered_count_basis,
        fct_campaigns.maturity,
        fct_campaigns.exclusion_reason,
        rated_campaigns.open_basis,
        rated_campaigns.observed_band,
        cast(null as varchar) as confirmed_band,
        'insufficient_data' as spike_status,
        'unknown' as industry_position,
        cast(null as varchar) as benchmark_source,
        fct_campaigns.vendor_rate_base,
        fct_campaigns.vendor_rate_denominator,

        fct_campaigns.sent_count,
        fct_campaigns.attempted_count,
        fct_campaigns.delivered_count,
        fct_campaigns.unsubscribe_count,
        fct_campaigns.topic_opt_out_count,
        fct_campaigns.complaint_count,
        fct_campaigns.hard_bounce_count,
        fct_campaigns.soft_bounce_count,
        fct_campaigns.block_count,
        fct_campaigns.dropped_count,
        fct_campaigns.pending_count,
        fct_campaigns.unique_open_count,
        fct_campaigns.human_open_count,
        fct_campaigns.unique_click_count,
        fct_campaigns.suspect_automated_count,
        fct_campaigns.inferred_delivered_count,
        cast(null as bigint) as excess_unsubscribe_count,
        previous_sends.days_since_previous_send,
        coalesce(previous_sends.previous_send_count, 0) as previous_send_count,

        rated_campaigns.unsubscribe_rate_pct,
        rated_campaigns.unsubscribe_rate_low_pct,
        rated_campaigns.unsubscribe_rate_high_pct,
        previous_sends.previous_rate_median_pct,
        cast(null as double) as shrunken_rate_pct,
        cast(null as double) as expected_rate_pct,
        rated_campaigns.complaint_rate_pct,
        rated_campaigns.human_open_rate_pct,
        rated_campaigns.open_rate_pct,
        rated_campaigns.click_rate_pct,
        rated_campaigns.click_to_open_pct,
        cast(null as double) as gap_share_pct,
        fct_campaigns.vendor_unsubscribe_rate_pct,
        fct_campaigns.vendor_unsubscribe_rate_half_unit_pct,
        cast(null as double) as spike_z,
        cast(null as double) as expected_complete_share,
        fct_campaigns.revenue,

        fct_campaigns.is_excluded,
        rated_campaigns.is_complaint_red_flag,
        cast(null as boolean) as is_complaint_confirmed,
        cast(null as boolean) as is_post_gap,

        fct_campaigns.sent_at,
        fct_campaigns.exported_at
    from fct_campaigns
    inner join rated_campaigns
        on fct_campaigns.campaign_key = rated_campaigns.campaign_key
    left join previous_sends
        on fct_campaigns.campaign_key = previous_sends.campaign_key
)

select * from campaign_unsubscribe_rates
