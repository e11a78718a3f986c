with

changes as (
    select * from {{ source('context', 'changes') }}
),

renamed as (
    select
        change_number,
        source,
        account,
        stream,
        list,

        kind,
        note,

        is_compared_by_itself,

        changed_date,
        changed_at
    from changes
)

select * from renamed
