with

snapshot_declarations as (
    select * from {{ source('context', 'snapshot_declarations') }}
),

renamed as (
    select
        source,
        account,
        list,

        scope,

        exported_date
    from snapshot_declarations
)

select * from renamed
