with

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

source_exports as (
    select
        {{ hash_key(['source', 'export']) }} as source_export_key,
        source,
        export,

        source_kind,
        title,
        landing_table,
        fields,
        event_types,
        required_columns,

        export_rank
    from stg_source_exports
)

select * from source_exports
