with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

sends as (
    select
        send_key,
        campaign_key,
        source,
        account,
        campaign_id,
        variant,
        stream_id,
        contact_key,

        mailbox_provider,
        message_id,
        outcome,
        bounce_class,
        drop_reason,
        last_load,

        open_count,
        human_open_count,
        click_count,
        human_click_count,

        is_delivered,
        is_delivery_inferred,
        is_bounced,
        is_dropped,
        is_pending,
        is_deferred,
        is_opened,
        is_human_opened,
        is_clicked,
        is_opted_out,
        is_topic_opted_out,
        is_complained,

        sent_at,
        delivered_at,
        delivered_again_at,
        bounced_at,
        first_opened_at,
        first_human_opened_at,
        first_clicked_at,
        opted_out_at,
        complained_at,
        first_event_at as first_seen_at
    from int_sends_resolved
)

select * from sends
