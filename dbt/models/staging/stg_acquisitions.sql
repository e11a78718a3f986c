with

acquisitions as (
    select * from {{ source('context', 'acquisitions') }}
),

renamed as (
    select
        source,
        account,
        lower(trim(signup_source)) as signup_source,

        opt_in_method
    from acquisitions
)

select * from renamed
