with

source_export_fields as (
    select * from {{ source('context', 'source_export_fields') }}
),

renamed as (
    select
        source,
        export,
        field,

        column_name
    from source_export_fields
)

select * from renamed
