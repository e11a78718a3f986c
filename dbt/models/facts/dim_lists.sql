with

int_list_snapshots_judged as (
    select * from {{ ref('int_list_snapshots_judged') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

list_mentions as (
    select
        source,
        account,
        list,
        resolved_scope,
        export_count,
        false as has_members,
        first_exported_at,
        exported_at
    from int_list_snapshots_judged
    union all
    select
        source,
        account,
        list,
        cast(null as string) as resolved_scope,
        0 as export_count,
        false as has_members,
        cast(null as timestamp) as first_exported_at,
        cast(null as timestamp) as exported_at
    from int_opt_outs_rolled_up
    where list is not null
    union all
    select
        source,
        account,
        list,
        cast(null as string) as resolved_scope,
        0 as export_count,
        not is_only_return as has_members,
        cast(null as timestamp) as first_exported_at,
        cast(null as timestamp) as exported_at
    from int_list_spells_built
    where entered_at is not null
),

lists as (
    select
        {{ hash_key(['source', 'account', 'list']) }} as list_key,
        source,
        account,
        list,

        cast(sum(export_count) as bigint) as snapshot_count,
        cast(
            sum(case when resolved_scope = 'full' then export_count else 0 end)
            as bigint
        ) as full_snapshot_count,

        bool_or(has_members) as has_members,

        min(first_exported_at) as first_snapshot_at,
        max(exported_at) as last_snapshot_at
    from list_mentions
    group by all
)

select * from lists
