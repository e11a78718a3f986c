with

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

int_opt_out_records_collected as (
    select * from {{ ref('int_opt_out_records_collected') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

stg_list_validations as (
    select * from {{ ref('stg_list_validations') }}
),

sightings as (
    select
        contact_key,
        mailbox_provider,
        first_event_at as first_seen_at,
        last_event_at as last_seen_at
    from int_sends_grouped_from_events
    union all
    select
        contact_key,
        mailbox_provider,
        occurred_at as first_seen_at,
        occurred_at as last_seen_at
    from int_opt_out_records_collected
    union all
    select
        contact_key,
        mailbox_provider,
        least(opted_in_at, exported_at) as first_seen_at,
        exported_at as last_seen_at
    from int_contact_statuses_ordered
    union all
    select
        contact_key,
        mailbox_provider,
        verified_at as first_seen_at,
        verified_at as last_seen_at
    from stg_list_validations
),

contacts as (
    select
        contact_key,

        min(mailbox_provider) as mailbox_provider,

        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from sightings
    where contact_key is not null
    group by all
)

select * from contacts
