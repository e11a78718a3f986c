with

rejected_records as (
    select * from {{ source('landing', 'rejected_records') }}
),

renamed as (
    select
        source,
        account,

        event_type,
        load,

        record_number,
        item_number
    from rejected_records
)

select * from renamed
