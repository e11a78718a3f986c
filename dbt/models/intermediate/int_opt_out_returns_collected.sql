with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_opt_out_records_collected as (
    select * from {{ ref('int_opt_out_records_collected') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

opted_out_contacts as (
    select
        source,
        account,
        contact_key
    from int_opt_out_records_collected
    group by all
),

event_returns as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.contact_key,
        stg_message_events.list,
        nullif(stg_message_events.opt_out_scope, 'unknown') as opt_out_scope,
        stg_message_events.opt_out_scope_id,

        stg_message_events.occurred_at as returned_at
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    inner join opted_out_contacts
        on
            stg_message_events.source = opted_out_contacts.source
            and stg_message_events.account = opted_out_contacts.account
            and stg_message_events.contact_key = opted_out_contacts.contact_key
    where event_types.ends_opt_out
),

neighboured_statuses as (
    select
        statuses.source,
        statuses.account,
        statuses.list,
        statuses.contact_key,

        statuses.is_on_list,
        lag(statuses.is_on_list) over (
            partition by
                statuses.source,
                statuses.account,
                statuses.list,
                statuses.contact_key
            order by statuses.status_number
        ) as was_on_list,

        statuses.opted_in_at,
        statuses.status_changed_at,
        statuses.exported_at
    from int_contact_statuses_ordered as statuses
    inner join opted_out_contacts
        on
            statuses.source = opted_out_contacts.source
            and statuses.account = opted_out_contacts.account
            and statuses.contact_key = opted_out_contacts.contact_key
),

-- Back on the list: by the date of the opt-in or of the status where the export has
-- one, else when an export first shows it.
snapshot_returns as (
    select
        source,
        account,
        list,
        contact_key,
        unnest([
            opted_in_at,
            status_changed_at,
            case when not was_on_list then exported_at end
        ]) as returned_at
    from neighboured_statuses
    where is_on_list
),

returns as (
    select
        source,
        account,
        contact_key,
        list,
        opt_out_scope,
        opt_out_scope_id,
        returned_at
    from event_returns
    union all
    select
        source,
        account,
        contact_key,
        list,
        'list' as opt_out_scope,
        cast(null as string) as opt_out_scope_id,
        returned_at
    from snapshot_returns
    where returned_at is not null
)

select * from returns
