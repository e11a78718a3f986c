with

stg_list_validations as (
    select * from {{ ref('stg_list_validations') }}
),

numbered_verdicts as (
    select
        {{ hash_key([
            'source', 'account', 'provider', 'channel', 'job_id', 'contact_key',
        ]) }} as validation_key,
        source,
        account,
        contact_key,
        mailbox_provider,
        provider,
        channel,
        job_id,

        validation_status,
        validation_reason,
        risk,
        verified_at_basis,
        load,

        score,
        row_number() over (
            partition by source, account, provider, channel, job_id, contact_key
            order by
                verified_at desc nulls last,
                load desc,
                record_number desc,
                item_number desc
        ) as recency,

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
    from stg_list_validations
),

newest_verdicts as (
    select
        validation_key,
        source,
        account,
        contact_key,
        mailbox_provider,
        provider,
        channel,
        job_id,

        validation_status,
        validation_reason,
        risk,
        verified_at_basis,
        load,

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
    from numbered_verdicts
    where recency = 1
)

select * from newest_verdicts
