with

stg_contact_snapshots as (
    select * from {{ ref('stg_contact_snapshots') }}
),

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

initiators as (
    select * from {{ ref('initiators') }}
),

-- Whom somebody else put back on a list has confirmed nothing.
confirmations as (
    select
        source,
        account,
        contact_key,
        list,

        'confirmed' as confirmation,

        confirmed_at
    from stg_contact_snapshots
    where confirmed_at is not null and contact_key is not null
    group by all
    union all
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.contact_key,
        stg_message_events.list,

        stg_message_events.event_type as confirmation,

        stg_message_events.occurred_at as confirmed_at
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    left join initiators
        on stg_message_events.initiator = initiators.initiator
    where
        event_types.ends_opt_out
        and stg_message_events.contact_key is not null
        and coalesce(initiators.is_by_recipient, true)
    group by all
),

keyed_confirmations as (
    select
        {{ hash_key([
            'source',
            'account',
            'contact_key',
            'list',
            'confirmation',
            'confirmed_at',
        ]) }} as confirmation_key,
        source,
        account,
        contact_key,
        list,

        confirmation,

        confirmed_at
    from confirmations
)

select * from keyed_confirmations
