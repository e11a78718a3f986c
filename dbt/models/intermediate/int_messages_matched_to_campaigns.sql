with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

-- Only messages somebody asks about: naming every message of the history would cost as
-- much as counting it.
sought_messages as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.message_id
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    where
        stg_message_events.message_id is not null
        and (event_types.is_opt_out or stg_message_events.campaign_id is null)
    group by all
),

message_campaigns as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.message_id,
        stg_message_events.campaign_id,
        stg_message_events.variant
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    inner join sought_messages
        on
            stg_message_events.source = sought_messages.source
            and stg_message_events.account = sought_messages.account
            and stg_message_events.message_id = sought_messages.message_id
    where
        event_types.creates_send
        and stg_message_events.campaign_id is not null
    group by all
),

numbered_campaigns as (
    select
        source,
        account,
        message_id,
        campaign_id,
        variant,

        row_number() over (
            partition by source, account, message_id
            order by campaign_id, variant
        ) as campaign_number
    from message_campaigns
),

matched_messages as (
    select
        source,
        account,
        message_id,
        campaign_id,
        variant
    from numbered_campaigns
    where campaign_number = 1
)

select * from matched_messages
