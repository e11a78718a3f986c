with

contact_snapshots as (
    select * from {{ source('landing', 'contact_snapshots') }}
),

renamed as (
    select
        source,
        account,
        list,
        contact_key,

        mailbox_provider,
        status,
        coalesce(snapshot_scope, 'unknown') as snapshot_scope,
        signup_source,
        opt_in_method,
        exit_cause,
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
        other_channels,
        load,

        record_number,
        item_number,
        reason_length,

        opted_in_at,
        confirmed_at,
        status_changed_at,
        exported_at
    from contact_snapshots
)

select * from renamed
