with

stg_loads as (
    select * from {{ ref('stg_loads') }}
)

select * from stg_loads
