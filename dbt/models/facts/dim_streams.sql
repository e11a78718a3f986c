with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

stream_mail as (
    select
        stream_id,
        source,
        account,
        stream_name,
        send_type,
        campaign_key,
        sent_at
    from int_campaigns_united
    union all
    select
        stream_id,
        source,
        account,
        stream_name,
        send_type,
        campaign_key,
        coalesce(sent_at, first_event_at) as sent_at
    from int_sends_resolved
    where campaign_key is null
),

streams as (
    select
        stream_id,
        source,
        account,
        min(stream_name) as stream_name,

        min(send_type) as send_type,

        count(campaign_key) as campaign_count,

        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at
    from stream_mail
    group by all
)

select * from streams
