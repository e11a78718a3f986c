with

list_validations as (
    select * from {{ source('landing', 'list_validations') }}
),

renamed as (
    select
        source,
        account,
        contact_key,
        provider,
        channel,
        job_id,

        mailbox_provider,
        validation_status,
        validation_reason,
        risk,
        verified_at_basis,
        load,

        record_number,
        item_number,
        score,

        is_deliverable,
        is_role,
        is_disposable,
        is_catch_all,
        is_spamtrap,
        is_abuse,
        is_free,
        is_mailbox_full,
        is_typo,
        is_mapped,

        verified_at
    from list_validations
)

select * from renamed
