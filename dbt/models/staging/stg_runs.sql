with

run_context as (
    select * from {{ source('context', 'run_context') }}
),

renamed as (
    select
        build_id,

        now_at
    from run_context
)

select * from renamed
