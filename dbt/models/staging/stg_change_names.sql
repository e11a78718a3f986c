with

change_names as (
    select * from {{ source('context', 'change_names') }}
),

renamed as (
    select
        change_number,
        names,
        trim(name) as name
    from change_names
)

select * from renamed
