with

source_exports as (
    select * from {{ source('context', 'source_exports') }}
),

renamed as (
    select
        source,
        export,

        source_kind,
        title,
        lands as landing_table,
        fields,
        event_types,
        required_columns,

        export_rank
    from source_exports
)

select * from renamed
