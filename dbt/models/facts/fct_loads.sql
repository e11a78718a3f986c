with

int_loads_dated as (
    select * from {{ ref('int_loads_dated') }}
)

select * from int_loads_dated
