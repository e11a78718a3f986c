with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_campaigns_counted_from_events as (
    select * from {{ ref('int_campaigns_counted_from_events') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_recipients_compared_with_past as (
    select * from {{ ref('int_recipients_compared_with_past') }}
),

int_denominators_checked as (
    select * from {{ ref('int_denominators_checked') }}
),

int_vendor_rates_explained as (
    select * from {{ ref('int_vendor_rates_explained') }}
),

exclusions as (
    select
        campaign_key,

        string_agg(check_name, ', ' order by check_rank) as exclusion_reason
    from int_denominators_checked
    where is_excluded
    group by all
),

campaigns as (
    select
        campaigns.campaign_key,
        campaigns.source,
        campaigns.account,
        campaigns.campaign_id,
        campaigns.variant,
        campaigns.stream_id,

        campaigns.campaign_name,
        campaigns.subject,
        campaigns.audience,
        campaigns.content_category,
        campaigns.send_type,
        campaigns.industry,
        bases.delivered_count_basis,
        bases.maturity,
        exclusions.exclusion_reason,
        totals.vendor_rate_base,
        vendor_rates.vendor_rate_denominator,
        campaigns.first_load,
        campaigns.last_load,

        bases.sent_count,
        bases.attempted_count,
        bases.delivered_count,
        bases.unsubscribe_count,
        bases.topic_opt_out_count,
        bases.complaint_count,
        bases.hard_bounce_count,
        bases.soft_bounce_count,
        bases.block_count,
        bases.bounce_count,
        bases.dropped_count,
        bases.failed_count,
        bases.pending_count,
        bases.unique_open_count,
        bases.human_open_count,
        bases.unique_click_count,
        bases.suspect_automated_count,
        bases.inferred_delivered_count,

        recipients.recipient_count,
        recipients.lapsed_recipient_count,
        recipients.first_time_recipient_count,

        events.sent_count as events_sent_count,
        events.delivered_count as events_delivered_count,
        events.hard_bounce_count as events_hard_bounce_count,
        events.soft_bounce_count as events_soft_bounce_count,
        events.block_count as events_block_count,
        events.bounce_count as events_bounce_count,
        events.dropped_count as events_dropped_count,
        events.failed_count as events_failed_count,
        events.pending_count as events_pending_count,
        events.unsubscribe_count as events_unsubscribe_count,
        events.topic_opt_out_count as events_topic_opt_out_count,
        events.complaint_count as events_complaint_count,
        events.unique_open_count as events_unique_open_count,
        events.human_open_count as events_human_open_count,
        events.unique_click_count as events_unique_click_count,

        totals.sent_count as reported_sent_count,
        totals.delivered_count as reported_delivered_count,
        totals.hard_bounce_count as reported_hard_bounce_count,
        totals.soft_bounce_count as reported_soft_bounce_count,
        totals.block_count as reported_block_count,
        totals.bounce_count as reported_bounce_count,
        totals.dropped_count as reported_dropped_count,
        totals.deferred_count as reported_deferred_count,
        totals.unsubscribe_count as reported_unsubscribe_count,
        totals.complaint_count as reported_complaint_count,
        totals.unique_open_count as reported_unique_open_count,
        totals.human_open_count as reported_human_open_count,
        totals.unique_click_count as reported_unique_click_count,

        coalesce(totals.snapshot_count, 0) as snapshot_count,
        cast(bases.settle_days as bigint) as settle_days,
        cast(bases.settle_seconds as bigint) as settle_seconds,
        bases.expected_complete_share,
        totals.revenue,

        totals.vendor_unsubscribe_rate_pct,
        totals.vendor_unsubscribe_rate_half_unit_pct,

        exclusions.campaign_key is not null as is_excluded,

        campaigns.sent_at,
        totals.exported_at
    from int_campaigns_united as campaigns
    inner join int_campaigns_put_on_one_basis as bases
        on campaigns.campaign_key = bases.campaign_key
    left join int_campaigns_counted_from_events as events
        on campaigns.campaign_key = events.campaign_key
    left join int_campaign_stats_narrowed_to_newest as totals
        on campaigns.campaign_key = totals.campaign_key
    left join int_recipients_compared_with_past as recipients
        on campaigns.campaign_key = recipients.campaign_key
    left join int_vendor_rates_explained as vendor_rates
        on campaigns.campaign_key = vendor_rates.campaign_key
    left join exclusions
        on campaigns.campaign_key = exclusions.campaign_key
)

select * from campaigns
