with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

-- A bounce that came back alone, long after the send and without its campaign, still is
-- an address lost. It stays out of every campaign.
bounces as (
    select
        send_key as bounce_key,
        source,
        account,
        contact_key,
        mailbox_provider,
        campaign_key,
        campaign_id,
        variant,
        stream_id,

        bounce_class,

        campaign_id is not null
        or sent_at is not null
        or delivered_at is not null as is_linked,
        coalesce(delivered_at <= bounced_at, false) as is_after_delivery,

        bounced_at
    from int_sends_resolved
    where is_bounced
)

select * from bounces
