with

reason_options as (
    select * from {{ source('context', 'reason_options') }}
),

renamed as (
    select
        source,
        option_set,
        reason
    from reason_options
)

select * from renamed
