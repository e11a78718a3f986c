with

loads as (
    select * from {{ source('context', 'loads') }}
),

renamed as (
    select
        load,
        source,
        account,

        exports,
        state,
        file_name,
        content_sha256,
        refusal_reason,
        refusal_detail,
        ignored_columns,
        defaults_used,
        duplicate_of,

        byte_count,
        record_count,
        loaded_count,
        duplicate_count,
        rejected_count,
        skipped_count,
        row_count,
        unmapped_count,

        is_confirmed,

        exported_at,
        landed_at,
        first_seen_at
    from loads
)

select * from renamed
