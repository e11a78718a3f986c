with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_campaigns_aged as (
    select * from {{ ref('int_campaigns_aged') }}
),

int_campaigns_counted_from_events as (
    select * from {{ ref('int_campaigns_counted_from_events') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

totals as (
    select
        campaign_key,

        delivered_how,

        sent_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        {{ bounces_of_totals() }} as bounce_count,
        dropped_count,
        deferred_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count
    from int_campaign_stats_narrowed_to_newest
),

delivered_totals as (
    select
        campaign_key,

        {{ delivered_of_totals() }} as delivered_count,
        case
            when delivered_how = 'recipients_minus_bounces'
                then 'recipients_minus_bounces'
            else 'reported'
        end as delivered_count_basis
    from totals
),

-- A campaign has one basis: numerator and denominator never come from two.
based_campaigns as (
    select
        campaigns.campaign_key,

        case
            when campaigns.has_delivered_events then 'events'
            when delivered_totals.delivered_count is not null
                then delivered_totals.delivered_count_basis
            else 'unavailable'
        end as delivered_count_basis,
        ages.maturity,

        delivered_totals.delivered_count,
        ages.settle_days,
        ages.settle_seconds,
        ages.expected_complete_share,

        ages.is_counted_from_events
    from int_campaigns_united as campaigns
    inner join int_campaigns_aged as ages
        on campaigns.campaign_key = ages.campaign_key
    left join delivered_totals
        on campaigns.campaign_key = delivered_totals.campaign_key
),

used_counts as (
    select
        campaigns.campaign_key,

        campaigns.delivered_count_basis,
        campaigns.maturity,

        campaigns.settle_days,
        campaigns.settle_seconds,
        campaigns.expected_complete_share,
        events.sent_count,
        events.sent_count - events.dropped_count as attempted_count,
        case
            when campaigns.delivered_count_basis = 'events' then events.delivered_count
        end as delivered_count,
        events.unsubscribe_count,
        events.topic_opt_out_count,
        events.complaint_count,
        events.hard_bounce_count,
        events.soft_bounce_count,
        events.block_count,
        events.bounce_count,
        events.dropped_count,
        events.failed_count,
        events.pending_count,
        events.unique_open_count,
        events.human_open_count,
        events.unique_click_count,
        events.suspect_automated_count,
        events.inferred_delivered_count
    from based_campaigns as campaigns
    inner join int_campaigns_counted_from_events as events
        on campaigns.campaign_key = events.campaign_key
    where campaigns.is_counted_from_events
    union all
    select
        campaigns.campaign_key,

        campaigns.delivered_count_basis,
        campaigns.maturity,

        campaigns.settle_days,
        campaigns.settle_seconds,
        campaigns.expected_complete_share,
        totals.sent_count,
        totals.sent_count - totals.dropped_count as attempted_count,
        campaigns.delivered_count,
        totals.unsubscribe_count,
        cast(null as bigint) as topic_opt_out_count,
        totals.complaint_count,
        totals.hard_bounce_count,
        totals.soft_bounce_count,
        totals.block_count,
        totals.bounce_count,
        totals.dropped_count,
        cast(null as bigint) as failed_count,
        totals.deferred_count as pending_count,
        totals.unique_open_count,
        totals.human_open_count,
        totals.unique_click_count,
        cast(null as bigint) as suspect_automated_count,
        cast(null as bigint) as inferred_delivered_count
    from based_campaigns as campaigns
    inner join totals
        on campaigns.campaign_key = totals.campaign_key
    where not campaigns.is_counted_from_events
)

select * from used_counts
