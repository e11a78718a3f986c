with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

complaints as (
    select
        send_key as complaint_key,
        source,
        account,
        contact_key,
        mailbox_provider,
        campaign_key,
        campaign_id,
        variant,
        stream_id,

        is_opted_out or is_topic_opted_out as also_unsubscribed,

        complained_at
    from int_sends_resolved
    where is_complained
)

select * from complaints
