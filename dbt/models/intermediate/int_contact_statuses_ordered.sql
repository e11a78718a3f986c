with

stg_contact_snapshots as (
    select * from {{ ref('stg_contact_snapshots') }}
),

contact_statuses as (
    select * from {{ ref('contact_statuses') }}
),

snapshot_scopes as (
    select * from {{ ref('snapshot_scopes') }}
),

exit_causes as (
    select * from {{ ref('exit_causes') }}
),

-- The cause an export states outright says more than the status beside it.
explained_statuses as (
    select
        stg_contact_snapshots.source,
        stg_contact_snapshots.account,
        stg_contact_snapshots.list,
        stg_contact_snapshots.contact_key,
        stg_contact_snapshots.mailbox_provider,
        stg_contact_snapshots.status,
        stg_contact_snapshots.snapshot_scope,
        case
            when
                contact_statuses.exit_cause is not null
                then coalesce(
                    nullif(stg_contact_snapshots.exit_cause, 'unknown'),
                    contact_statuses.exit_cause
                )
        end as exit_cause,
        stg_contact_snapshots.signup_source,
        stg_contact_snapshots.opt_in_method,
        stg_contact_snapshots.opt_out_scope,
        stg_contact_snapshots.opt_out_method,
        stg_contact_snapshots.initiator,
        stg_contact_snapshots.reason,
        stg_contact_snapshots.reason_basis,
        stg_contact_snapshots.reason_rule,
        stg_contact_snapshots.reason_labels,
        stg_contact_snapshots.reason_language,
        stg_contact_snapshots.reason_option_set,
        stg_contact_snapshots.opt_out_campaign_id,
        stg_contact_snapshots.load,

        stg_contact_snapshots.record_number,
        stg_contact_snapshots.item_number,
        stg_contact_snapshots.reason_length,
        exit_causes.rank as exit_rank,

        contact_statuses.is_on_list,
        coalesce(snapshot_scopes.is_whole_list, false) as is_whole_list,

        stg_contact_snapshots.opted_in_at,
        stg_contact_snapshots.status_changed_at,
        stg_contact_snapshots.exported_at
    from stg_contact_snapshots
    inner join contact_statuses
        on stg_contact_snapshots.status = contact_statuses.status
    left join snapshot_scopes
        on stg_contact_snapshots.snapshot_scope = snapshot_scopes.scope
    left join exit_causes
        on
            coalesce(
                nullif(stg_contact_snapshots.exit_cause, 'unknown'),
                contact_statuses.exit_cause
            ) = exit_causes.cause
),

-- One export may hold a contact twice, say in two spellings. Standing on the list comes
-- first, then the ways out with the strongest cause in front.
ordered_statuses as (
    select
        source,
        account,
        list,
        contact_key,
        mailbox_provider,
        status,
        snapshot_scope,
        exit_cause,
        signup_source,
        opt_in_method,
        opt_out_scope,
        opt_out_method,
        initiator,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        opt_out_campaign_id,
        load,

        reason_length,
        row_number() over contact as status_number,

        is_on_list,
        is_whole_list,
        lead(is_on_list) over contact as is_next_on_list,

        opted_in_at,
        status_changed_at,
        exported_at,
        lead(exported_at) over contact as next_exported_at
    from explained_statuses
    window contact as (
        partition by source, account, list, contact_key
        order by
            exported_at asc,
            is_on_list desc,
            exit_rank asc nulls first,
            load asc,
            record_number asc,
            item_number asc
    )
),

-- Gone by one line and there by another of the same export is gone.
consistent_statuses as (
    select
        source,
        account,
        list,
        contact_key,
        mailbox_provider,
        status,
        snapshot_scope,
        exit_cause,
        signup_source,
        opt_in_method,
        opt_out_scope,
        opt_out_method,
        initiator,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        opt_out_campaign_id,
        load,

        reason_length,
        status_number,

        is_on_list,
        is_whole_list,
        coalesce(
            cast(next_exported_at as date) > cast(exported_at as date), true
        ) as is_last_of_day,

        opted_in_at,
        status_changed_at,
        exported_at,
        next_exported_at
    from ordered_statuses
    where
        not is_on_list
        or is_next_on_list is null
        or is_next_on_list
        or next_exported_at is distinct from exported_at
)

select * from consistent_statuses
