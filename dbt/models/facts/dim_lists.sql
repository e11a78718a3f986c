with

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

list_mentions as (
    select
        source,
        account,
        list,
        is_whole_list,
        exported_at
    from int_contact_statuses_ordered
    union all
    select
        source,
        account,
        list,
        false as is_whole_list,
        cast(null as timestamp) as exported_at
    from int_opt_outs_rolled_up
    where list is not null
),

lists as (
    select
        {{ hash_key(['source', 'account', 'list']) }} as list_key,
        source,
        account,
        list,

        count(distinct exported_at) as snapshot_count,
        count(distinct case when is_whole_list then exported_at end)
            as full_snapshot_count,

        min(exported_at) as first_snapshot_at,
        max(exported_at) as last_snapshot_at
    from list_mentions
    group by all
)

select * from lists
