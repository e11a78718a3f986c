with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

send_types as (
    select * from {{ ref('send_types') }}
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

-- Mail of a kind that nobody described is judged like any campaign.
dated_campaigns as (
    select
        fct_campaigns.campaign_key,
        fct_campaigns.source,
        fct_campaigns.account,
        fct_campaigns.stream_id,

        coalesce(send_types.is_headline, true) as is_headline,

        cast(date_trunc('month', fct_campaigns.sent_at) as date) as month
    from fct_campaigns
    left join send_types
        on fct_campaigns.send_type = send_types.send_type
    where fct_campaigns.sent_at is not null
),

-- A headline campaign counts in its own stream and in the `(all)` of its account.
stream_campaigns as (
    select
        campaign_key,
        source,
        account,
        stream_id,
        is_headline,
        month
    from dated_campaigns
    union all
    select
        campaign_key,
        source,
        account,
        '(all)' as stream_id,
        is_headline,
        month
    from dated_campaigns
    where is_headline
),

-- A month sums only campaigns whose rate can exist, so that every opt-out in a
-- numerator has its deliveries in the denominator. The same holds for each further
-- measure.
sound_campaigns as (
    select
        campaign_key,
        delivered_count_basis,
        maturity,

        sent_count,
        delivered_count,
        unsubscribe_count,
        topic_opt_out_count,
        complaint_count,
        case when complaint_count is not null then delivered_count end
            as complaint_base_count,
        human_open_count,
        case when human_open_count is not null then delivered_count end
            as human_open_base_count,
        unique_click_count,
        case when unique_click_count is not null then delivered_count end
            as click_base_count
    from fct_campaigns
    where
        not is_excluded
        and delivered_count is not null
        and unsubscribe_count is not null
),

stream_months as (
    select
        stream_campaigns.source,
        stream_campaigns.account,
        stream_campaigns.stream_id,
        stream_campaigns.month,

        count(sound_campaigns.campaign_key) as campaign_count,
        count(*) - count(sound_campaigns.campaign_key) as uncounted_campaign_count,
        count(*) filter (where sound_campaigns.maturity = 'provisional')
            as provisional_campaign_count,
        count(sound_campaigns.sent_count) as sent_known_campaign_count,
        cast(sum(sound_campaigns.sent_count) as bigint) as sent_count,
        cast(sum(sound_campaigns.delivered_count) as bigint) as delivered_count,
        cast(sum(sound_campaigns.unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(sound_campaigns.topic_opt_out_count) as bigint) as topic_opt_out_count,
        cast(sum(sound_campaigns.complaint_count) as bigint) as complaint_count,
        cast(sum(sound_campaigns.complaint_base_count) as bigint)
            as complaint_base_count,
        cast(sum(sound_campaigns.human_open_count) as bigint) as human_open_count,
        cast(sum(sound_campaigns.human_open_base_count) as bigint)
            as human_open_base_count,
        cast(sum(sound_campaigns.unique_click_count) as bigint) as unique_click_count,
        cast(sum(sound_campaigns.click_base_count) as bigint) as click_base_count,

        bool_and(stream_campaigns.is_headline) as is_headline,
        min(sound_campaigns.delivered_count_basis)
        != max(sound_campaigns.delivered_count_basis) as is_basis_mixed
    from stream_campaigns
    left join sound_campaigns
        on stream_campaigns.campaign_key = sound_campaigns.campaign_key
    group by all
),

unsubscribe_rates_monthly as (
    select
        stream_months.source,
        stream_months.account,
        stream_months.stream_id,
        stream_months.month,
        (select dim_runs.build_id from dim_runs) as build_id,

        severity_bands.band as observed_band,

        stream_months.campaign_count,
        stream_months.uncounted_campaign_count,
        stream_months.provisional_campaign_count,
        case
            when stream_months.sent_known_campaign_count = stream_months.campaign_count
                then stream_months.sent_count
        end as sent_count,
        stream_months.delivered_count,
        stream_months.unsubscribe_count,
        stream_months.topic_opt_out_count,
        stream_months.complaint_count,
        stream_months.complaint_base_count,
        stream_months.human_open_count,
        stream_months.human_open_base_count,
        stream_months.unique_click_count,
        stream_months.click_base_count,

        {{ rate_pct(
            'stream_months.unsubscribe_count', 'stream_months.delivered_count'
        ) }} as unsubscribe_rate_pct,
        {{ wilson_low_pct(
            'stream_months.unsubscribe_count', 'stream_months.delivered_count'
        ) }} as unsubscribe_rate_low_pct,
        {{ wilson_high_pct(
            'stream_months.unsubscribe_count', 'stream_months.delivered_count'
        ) }} as unsubscribe_rate_high_pct,
        {{ rate_pct(
            'stream_months.complaint_count', 'stream_months.complaint_base_count'
        ) }} as complaint_rate_pct,
        {{ rate_pct(
            'stream_months.human_open_count', 'stream_months.human_open_base_count'
        ) }} as human_open_rate_pct,
        {{ rate_pct(
            'stream_months.unique_click_count', 'stream_months.click_base_count'
        ) }} as click_rate_pct,

        stream_months.is_headline,
        coalesce(stream_months.is_basis_mixed, false) as is_basis_mixed
    from stream_months
    left join severity_bands
        on {{ is_in_band(
            'stream_months.unsubscribe_count',
            'stream_months.delivered_count',
            'severity_bands'
        ) }}
)

select * from unsubscribe_rates_monthly
