with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

-- Events of one campaign agree on what it is called; where they do not, the smallest
-- text wins, so that the order of arrival cannot matter.
described_campaigns as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.campaign_id,
        stg_message_events.variant,

        min(stg_message_events.campaign_name) as campaign_name,
        min(stg_message_events.subject) as subject,
        min(stg_message_events.stream) as stream,
        min(stg_message_events.audience) as audience,
        min(stg_message_events.list) as list,
        min(stg_message_events.tags) as tags,
        min(stg_message_events.send_type) as send_type,
        min(stg_message_events.load) as first_load
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    where
        event_types.creates_send
        and stg_message_events.campaign_id is not null
    group by all
)

select * from described_campaigns
