with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

int_messages_matched_to_campaigns as (
    select * from {{ ref('int_messages_matched_to_campaigns') }}
),

-- Programs that try every link are not people. A redelivered copy repeats the key of
-- its event.
clicks as (
    select
        source,
        account,
        event_key,

        min(campaign_id) as campaign_id,
        min(variant) as variant,
        min(message_id) as message_id,
        min(contact_key) as contact_key,

        min(url_kind) as url_kind,

        min(occurred_at) as clicked_at
    from stg_message_events
    where event_type = 'clicked' and url_kind is not null
    group by all
    having not coalesce(bool_or(is_machine), false)
),

-- To the same message as every other event of it, see int_sends_grouped_from_events.
located_clicks as (
    select
        clicks.source,
        clicks.account,
        coalesce(clicks.campaign_id, messages.campaign_id) as campaign_id,
        coalesce(messages.variant, clicks.variant) as variant,
        case
            when coalesce(clicks.campaign_id, messages.campaign_id) is null
                then clicks.message_id
        end as lone_message_id,
        clicks.contact_key,

        clicks.url_kind,

        clicks.clicked_at
    from clicks
    left join int_messages_matched_to_campaigns as messages
        on
            clicks.source = messages.source
            and clicks.account = messages.account
            and clicks.message_id = messages.message_id
            and clicks.campaign_id is null
),

link_clicks as (
    select
        {{ hash_key([
            'source', 'account', 'campaign_id', 'variant', 'lone_message_id',
            'contact_key', 'url_kind',
        ]) }} as link_click_key,
        {{ hash_key([
            'source', 'account', 'campaign_id', 'variant', 'lone_message_id',
            'contact_key',
        ]) }} as send_key,
        source,
        account,
        campaign_id,
        variant,
        contact_key,

        url_kind,

        count(*) as click_count,

        min(clicked_at) as first_clicked_at,
        max(clicked_at) as last_clicked_at
    from located_clicks
    group by
        source,
        account,
        campaign_id,
        variant,
        lone_message_id,
        contact_key,
        url_kind
)

select * from link_clicks
