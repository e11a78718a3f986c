with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

-- Anything but leaving that a person did with mail: chose among it, or went where the
-- sender can be followed without it. Programs that try every link are not people.
numbered_choices as (
    select
        source,
        account,
        event_key,
        contact_key,
        list,
        case
            when event_type = 'preference_changed' then 'preference_changed'
            else 'channel_clicked'
        end as choice,

        row_number() over (
            partition by source, account, event_key
            order by load, record_number, item_number
        ) as copy_number,

        occurred_at
    from stg_message_events
    where
        event_type = 'preference_changed'
        or event_type = 'clicked'
        and url_kind = 'channel'
        and not coalesce(is_machine, false)
),

other_choices as (
    select
        {{ hash_key(['source', 'account', 'event_key']) }} as choice_key,
        source,
        account,
        contact_key,
        list,

        choice,

        occurred_at as chosen_at
    from numbered_choices
    where copy_number = 1
)

select * from other_choices
