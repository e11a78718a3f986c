with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

int_messages_matched_to_campaigns as (
    select * from {{ ref('int_messages_matched_to_campaigns') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

bounce_classes as (
    select * from {{ ref('bounce_classes') }}
),

-- An opt-out event is no proof that a message existed, so it creates no send.
send_events as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.campaign_id,
        stg_message_events.variant,
        stg_message_events.message_id,
        stg_message_events.contact_key,
        stg_message_events.event_key,
        case
            when stg_message_events.campaign_id is null
                then stg_message_events.message_id
        end as unmatched_message_id,

        stg_message_events.event_type,
        stg_message_events.mailbox_provider,
        case
            when stg_message_events.campaign_id is null
                then coalesce(
                    stg_message_events.stream,
                    stg_message_events.audience,
                    stg_message_events.list
                )
        end as stream_name,
        case
            when stg_message_events.campaign_id is null
                then stg_message_events.send_type
        end as send_type,
        stg_message_events.bounce_class,
        stg_message_events.drop_reason,
        stg_message_events.load,

        stg_message_events.is_machine,
        event_types.is_repeatable,

        stg_message_events.occurred_at
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    where event_types.creates_send
),

-- Sent, delivered, bounced and the like are a minimum, a maximum or a flag, which a
-- redelivered copy cannot change: it repeats the key of its event. Only what may truly
-- repeat has to lose its copies, and removing them from every event would cost more
-- than everything else here.
single_events as (
    select
        source,
        account,
        campaign_id,
        variant,
        message_id,
        contact_key,
        event_key,
        unmatched_message_id,
        event_type,
        mailbox_provider,
        stream_name,
        send_type,
        bounce_class,
        drop_reason,
        load,
        load as first_load,
        is_machine,
        occurred_at
    from send_events
    where not is_repeatable
    union all
    select
        source,
        account,
        min(campaign_id) as campaign_id,
        min(variant) as variant,
        min(message_id) as message_id,
        min(contact_key) as contact_key,
        event_key,
        min(unmatched_message_id) as unmatched_message_id,
        min(event_type) as event_type,
        min(mailbox_provider) as mailbox_provider,
        min(stream_name) as stream_name,
        min(send_type) as send_type,
        cast(null as string) as bounce_class,
        cast(null as string) as drop_reason,
        max(load) as load,
        min(load) as first_load,
        bool_or(is_machine) as is_machine,
        min(occurred_at) as occurred_at
    from send_events
    where is_repeatable
    group by source, account, event_key
),

-- An event that names no campaign takes the one another event of its message names.
-- Mail that belongs to no campaign is told apart by message.
located_events as (
    select
        single_events.source,
        single_events.account,
        coalesce(
            single_events.campaign_id, int_messages_matched_to_campaigns.campaign_id
        ) as campaign_id,
        coalesce(
            int_messages_matched_to_campaigns.variant, single_events.variant
        ) as variant,
        single_events.contact_key,
        single_events.message_id,
        single_events.event_key,
        case
            when int_messages_matched_to_campaigns.campaign_id is null
                then single_events.unmatched_message_id
        end as lone_message_id,

        single_events.event_type,
        single_events.mailbox_provider,
        single_events.stream_name,
        single_events.send_type,
        single_events.drop_reason,
        single_events.load,
        single_events.first_load,

        case
            when single_events.event_type = 'bounced'
                then coalesce(bounce_classes.rank, unknown_bounce_class.rank)
        end as bounce_rank,

        single_events.is_machine,
        int_messages_matched_to_campaigns.campaign_id is not null
            as is_campaign_lent,

        single_events.occurred_at
    from single_events
    left join int_messages_matched_to_campaigns
        on
            single_events.source = int_messages_matched_to_campaigns.source
            and single_events.account = int_messages_matched_to_campaigns.account
            and single_events.unmatched_message_id
            = int_messages_matched_to_campaigns.message_id
    left join bounce_classes
        on single_events.bounce_class = bounce_classes.bounce_class
    inner join bounce_classes as unknown_bounce_class
        on unknown_bounce_class.bounce_class = 'unknown'
),

grouped_events as (
    select
        source,
        account,
        campaign_id,
        variant,
        contact_key,
        lone_message_id,

        min(message_id) as message_id,
        max(message_id) as last_message_id,
        min(event_key) filter (
            where event_type = 'delivered'
        ) as first_delivered_event_key,
        max(event_key) filter (
            where event_type = 'delivered'
        ) as last_delivered_event_key,
        min(mailbox_provider) as mailbox_provider,
        min(stream_name) as stream_name,
        min(send_type) as send_type,
        min(drop_reason) filter (where event_type = 'dropped') as drop_reason,
        max(load) as last_load,
        min(first_load) filter (
            where event_type in ('delivered', 'autoreplied')
        ) as delivered_load,
        min(first_load) filter (where event_type = 'bounced') as bounced_load,
        min(first_load) filter (
            where event_type in ('opened', 'clicked', 'complained')
        ) as proven_load,

        count(*) filter (where event_type = 'opened') as open_count,
        count(*) filter (
            where event_type = 'opened' and not is_machine
        ) as human_open_count,
        count(*) filter (
            where event_type = 'opened' and is_machine is null
        ) as unknown_open_count,
        count(*) filter (where event_type = 'clicked') as click_count,
        count(*) filter (
            where event_type = 'clicked' and not is_machine
        ) as human_click_count,
        count(*) filter (
            where event_type = 'clicked' and is_machine is null
        ) as unknown_click_count,
        min(bounce_rank) as bounce_rank,

        bool_and(is_campaign_lent) filter (
            where event_type = 'sent'
        ) as is_sent_event_unnamed,
        bool_and(is_campaign_lent) filter (
            where event_type = 'delivered'
        ) as is_delivered_event_unnamed,

        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        min(occurred_at) filter (where event_type = 'sent') as sent_at,
        min(occurred_at) filter (where event_type = 'delivered') as delivered_at,
        max(occurred_at) filter (
            where event_type = 'delivered'
        ) as last_delivered_at,
        max(occurred_at) filter (
            where event_type in ('delivered', 'autoreplied')
        ) as last_accepted_at,
        max(occurred_at) filter (where event_type = 'bounced') as bounced_at,
        min(occurred_at) filter (where event_type = 'dropped') as dropped_at,
        min(occurred_at) filter (where event_type = 'failed') as failed_at,
        min(occurred_at) filter (where event_type = 'deferred') as deferred_at,
        min(occurred_at) filter (where event_type = 'opened') as first_opened_at,
        min(occurred_at) filter (
            where event_type = 'opened' and not is_machine
        ) as first_human_opened_at,
        min(occurred_at) filter (where event_type = 'clicked') as first_clicked_at,
        min(occurred_at) filter (where event_type = 'complained') as complained_at
    from located_events
    group by all
),

-- What the delivery events say by themselves. A hard bounce is the end whenever it
-- comes; after any other bounce only a later acceptance counts. NULL is undecided.
decided_sends as (
    select
        {{ hash_key([
            'grouped_events.source', 'grouped_events.account',
            'grouped_events.campaign_id', 'grouped_events.variant',
            'grouped_events.lone_message_id', 'grouped_events.contact_key',
        ]) }} as send_key,
        case
            when grouped_events.campaign_id is not null
                then {{ hash_key([
                    'grouped_events.source', 'grouped_events.account',
                    'grouped_events.campaign_id', 'grouped_events.variant',
                ]) }}
        end as campaign_key,
        grouped_events.source,
        grouped_events.account,
        grouped_events.campaign_id,
        grouped_events.variant,
        grouped_events.contact_key,
        grouped_events.message_id,

        grouped_events.mailbox_provider,
        grouped_events.stream_name,
        grouped_events.send_type,
        case
            when bounce_classes.bounce_class = 'hard' then 'bounced'
            when
                grouped_events.bounced_at is not null
                and (
                    grouped_events.last_accepted_at is null
                    or grouped_events.last_accepted_at <= grouped_events.bounced_at
                )
                then 'bounced'
            when grouped_events.last_accepted_at is not null then 'delivered'
            when grouped_events.dropped_at is not null then 'dropped'
        end as decided_outcome,
        case
            when grouped_events.failed_at is not null then 'failed'
            when grouped_events.deferred_at is not null then 'deferred'
            else 'sent'
        end as undecided_outcome,
        bounce_classes.bounce_class,
        grouped_events.drop_reason,
        grouped_events.last_load,
        grouped_events.delivered_load,
        grouped_events.bounced_load,
        grouped_events.proven_load,

        grouped_events.open_count,
        grouped_events.human_open_count,
        grouped_events.unknown_open_count,
        grouped_events.click_count,
        grouped_events.human_click_count,
        grouped_events.unknown_click_count,
        {{ seconds_between(
            'grouped_events.delivered_at', 'grouped_events.last_delivered_at'
        ) }} as seconds_between_deliveries,

        coalesce(
            grouped_events.first_opened_at,
            grouped_events.first_clicked_at,
            grouped_events.complained_at
        ) is not null as is_delivery_proven,
        coalesce(
            grouped_events.first_delivered_event_key
            <> grouped_events.last_delivered_event_key,
            false
        ) as is_delivered_again,
        coalesce(
            grouped_events.message_id <> grouped_events.last_message_id, false
        ) as has_several_messages,
        grouped_events.deferred_at is not null as is_deferred,
        coalesce(grouped_events.is_sent_event_unnamed, false)
            as is_sent_event_unnamed,
        coalesce(grouped_events.is_delivered_event_unnamed, false)
            as is_delivered_event_unnamed,

        grouped_events.first_event_at,
        grouped_events.last_event_at,
        grouped_events.sent_at,
        grouped_events.delivered_at,
        case
            when grouped_events.last_delivered_at > grouped_events.delivered_at
                then grouped_events.last_delivered_at
        end as delivered_again_at,
        grouped_events.bounced_at,
        grouped_events.first_opened_at,
        grouped_events.first_human_opened_at,
        grouped_events.first_clicked_at,
        grouped_events.complained_at
    from grouped_events
    left join bounce_classes
        on grouped_events.bounce_rank = bounce_classes.rank
)

select * from decided_sends
