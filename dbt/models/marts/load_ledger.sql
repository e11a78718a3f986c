with

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

load_ledger as (
    select
        fct_loads.load,
        fct_loads.source,
        fct_loads.account,
        (select dim_runs.build_id from dim_runs) as build_id,

        fct_loads.exports,
        fct_loads.state,
        fct_loads.file_name,
        fct_loads.content_sha256,
        fct_loads.refusal_reason,
        fct_loads.refusal_detail,
        fct_loads.ignored_columns,
        fct_loads.defaults_used,
        fct_loads.duplicate_of,

        fct_loads.byte_count,
        fct_loads.record_count,
        fct_loads.loaded_count,
        fct_loads.duplicate_count,
        fct_loads.rejected_count,
        fct_loads.skipped_count,
        fct_loads.row_count,
        fct_loads.unmapped_count,

        fct_loads.exported_at,
        fct_loads.landed_at,
        fct_loads.first_seen_at
    from fct_loads
)

select * from load_ledger
