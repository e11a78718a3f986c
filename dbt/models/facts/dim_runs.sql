with

stg_runs as (
    select * from {{ ref('stg_runs') }}
)

select * from stg_runs
