with

int_loads_dated as (
    select * from {{ ref('int_loads_dated') }}
),

int_refused_files_missing as (
    select * from {{ ref('int_refused_files_missing') }}
),

loads as (
    select
        int_loads_dated.load,
        int_loads_dated.source,
        int_loads_dated.account,

        int_loads_dated.exports,
        int_loads_dated.state,
        int_loads_dated.file_name,
        int_loads_dated.content_sha256,
        int_loads_dated.refusal_reason,
        int_loads_dated.refusal_detail,
        int_loads_dated.ignored_columns,
        int_loads_dated.defaults_used,
        int_loads_dated.duplicate_of,

        int_loads_dated.byte_count,
        int_loads_dated.record_count,
        int_loads_dated.loaded_count,
        int_loads_dated.duplicate_count,
        int_loads_dated.rejected_count,
        int_loads_dated.skipped_count,
        int_loads_dated.row_count,
        int_loads_dated.unmapped_count,

        int_loads_dated.is_confirmed,
        int_refused_files_missing.load is not null as is_missing,

        int_loads_dated.exported_at,
        int_loads_dated.landed_at,
        int_loads_dated.first_seen_at
    from int_loads_dated
    left join int_refused_files_missing
        on int_loads_dated.load = int_refused_files_missing.load
)

select * from loads
