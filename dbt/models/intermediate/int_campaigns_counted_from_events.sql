with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

counted_sends as (
    select
        campaign_key,
        source,
        account,

        count(*) as sent_count,
        count(*) filter (where is_delivered) as delivered_count,
        count(*) filter (where is_delivery_inferred) as inferred_delivered_count,
        count(delivered_at) as delivered_event_count,
        count(*) filter (where bounce_class = 'hard') as hard_bounce_count,
        count(*) filter (where bounce_class = 'soft') as soft_bounce_count,
        count(*) filter (where bounce_class = 'block') as block_count,
        count(*) filter (where is_bounced) as bounce_count,
        count(*) filter (where is_dropped) as dropped_count,
        count(*) filter (where is_failed) as failed_count,
        count(*) filter (where is_pending) as pending_count,
        count(*) filter (where is_complained) as complaint_count,
        count(*) filter (where is_opened) as unique_open_count,
        count(*) filter (where is_human_opened) as human_open_count,
        count(*) filter (where is_human_opened is null) as unknown_open_count,
        count(*) filter (where is_opened and is_human_opened is not null)
            as judged_open_count,
        count(*) filter (where is_clicked) as unique_click_count
    from int_sends_resolved
    where campaign_key is not null
    group by all
),

-- No open in a whole account means that nobody measures them, not that nobody opens.
-- No bounce means that its export tells none.
tracked_sends as (
    select
        campaign_key,

        sent_count,
        delivered_count,
        inferred_delivered_count,
        delivered_event_count,
        case
            when sum(bounce_count) over sender > 0 then hard_bounce_count
        end as hard_bounce_count,
        case
            when sum(bounce_count) over sender > 0 then soft_bounce_count
        end as soft_bounce_count,
        case when sum(bounce_count) over sender > 0 then block_count end as block_count,
        case
            when sum(bounce_count) over sender > 0 then bounce_count
        end as bounce_count,
        dropped_count,
        failed_count,
        pending_count,
        complaint_count,
        case
            when sum(unique_open_count) over sender > 0 then unique_open_count
        end as unique_open_count,
        case
            when sum(judged_open_count) over sender > 0 and unknown_open_count = 0
                then human_open_count
        end as human_open_count,
        case
            when sum(unique_click_count) over sender > 0 then unique_click_count
        end as unique_click_count
    from counted_sends
    window sender as (partition by source, account)
),

-- Counted from the opt-outs themselves, because the recipients of a campaign that has
-- only totals are unknown.
counted_opt_outs as (
    select
        campaign_key,

        count(distinct contact_key) filter (where is_headline_scope)
            as unsubscribe_count,
        count(distinct contact_key) filter (where not is_headline_scope)
            as topic_opt_out_count,
        count(distinct contact_key) filter (
            where is_headline_scope and is_suspect_automated
        ) as suspect_automated_count
    from int_opt_outs_rolled_up
    where is_by_recipient and campaign_key is not null
    group by all
),

counted_campaigns as (
    select
        coalesce(tracked_sends.campaign_key, counted_opt_outs.campaign_key)
            as campaign_key,

        tracked_sends.sent_count,
        tracked_sends.delivered_count,
        tracked_sends.inferred_delivered_count,
        tracked_sends.delivered_event_count,
        tracked_sends.hard_bounce_count,
        tracked_sends.soft_bounce_count,
        tracked_sends.block_count,
        tracked_sends.bounce_count,
        tracked_sends.dropped_count,
        tracked_sends.failed_count,
        tracked_sends.pending_count,
        coalesce(counted_opt_outs.unsubscribe_count, 0) as unsubscribe_count,
        coalesce(counted_opt_outs.topic_opt_out_count, 0) as topic_opt_out_count,
        coalesce(counted_opt_outs.suspect_automated_count, 0)
            as suspect_automated_count,
        tracked_sends.complaint_count,
        tracked_sends.unique_open_count,
        tracked_sends.human_open_count,
        tracked_sends.unique_click_count
    from tracked_sends
    full outer join counted_opt_outs
        on tracked_sends.campaign_key = counted_opt_outs.campaign_key
)

select * from counted_campaigns
