with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
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

-- Where two sources differ on the same industry, only what both rule out is unusual.
industry_intervals as (
    select
        lower(industry) as industry,
        string_agg(source, '; ' order by source) as benchmark_source,

        min(lower_pct) as lower_pct,
        max(upper_pct) as upper_pct
    from benchmark_bands
    where kind = 'industry'
    group by all
),

-- An excluded campaign keeps its counts in sight and is judged by none of them.
judged_campaigns as (
    select
        campaign_key,
        source,
        account,

        lower(industry) as industry,

        unsubscribe_count,
        complaint_count,
        delivered_count
    from fct_campaigns
    where not is_excluded and delivered_count > 0
),

compared_campaigns as (
    select
        judged_campaigns.campaign_key,

        coalesce(own_industry.benchmark_source, any_industry.benchmark_source)
            as benchmark_source,

        judged_campaigns.unsubscribe_count,
        judged_campaigns.delivered_count,

        coalesce(own_industry.lower_pct, any_industry.lower_pct) as lower_pct,
        coalesce(own_industry.upper_pct, any_industry.upper_pct) as upper_pct,
        {{ wilson_high_pct(
            'judged_campaigns.unsubscribe_count', 'judged_campaigns.delivered_count'
        ) }} as unsubscribe_rate_high_pct
    from judged_campaigns
    left join industry_intervals as own_industry
        on judged_campaigns.industry = own_industry.industry
    left join industry_intervals as any_industry
        on any_industry.industry = 'all'
    where judged_campaigns.unsubscribe_count is not null
),

positions as (
    select
        campaign_key,

        case
            when {{ is_rate_above(
                'unsubscribe_count', 'delivered_count', 'upper_pct'
            ) }} then 'above'
            when unsubscribe_rate_high_pct < lower_pct then 'below'
            when benchmark_source is not null then 'within'
            else 'unknown'
        end as industry_position,
        benchmark_source,

        (lower_pct + upper_pct) / 2e0 as benchmark_rate_pct
    from compared_campaigns
),

proven_edges as (
    select
        judged_campaigns.campaign_key,

        arg_max(severity_bands.band, severity_bands.lower_pct) as confirmed_band
    from judged_campaigns
    inner join severity_bands
        on
            severity_bands.lower_pct > 0
            and {{ is_rate_above(
                'judged_campaigns.unsubscribe_count',
                'judged_campaigns.delivered_count',
                'severity_bands.lower_pct'
            ) }}
    group by all
),

campaign_bands as (
    select
        judged_campaigns.campaign_key,
        judged_campaigns.source,
        judged_campaigns.account,

        severity_bands.band as observed_band,
        case
            when severity_bands.band is not null
                then coalesce(proven_edges.confirmed_band, 'not_proven')
        end as confirmed_band,
        coalesce(positions.industry_position, 'unknown') as industry_position,
        positions.benchmark_source,

        positions.benchmark_rate_pct,

        case
            when judged_campaigns.complaint_count is not null
                then complaint_bands.band is not null
        end as is_complaint_red_flag,
        case
            when judged_campaigns.complaint_count is not null
                then coalesce({{ is_rate_above(
                    'judged_campaigns.complaint_count',
                    'judged_campaigns.delivered_count',
                    'complaint_bands.lower_pct'
                ) }}, false)
        end as is_complaint_confirmed
    from judged_campaigns
    left join severity_bands
        on {{ is_in_band(
            'judged_campaigns.unsubscribe_count',
            'judged_campaigns.delivered_count',
            'severity_bands'
        ) }}
    left join complaint_bands
        on {{ is_in_band(
            'judged_campaigns.complaint_count',
            'judged_campaigns.delivered_count',
            'complaint_bands'
        ) }}
    left join proven_edges
        on judged_campaigns.campaign_key = proven_edges.campaign_key
    left join positions
        on judged_campaigns.campaign_key = positions.campaign_key
)

select * from campaign_bands
