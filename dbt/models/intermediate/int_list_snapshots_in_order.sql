with

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

-- An audience is often exported as several files of one sitting, a file per status, so
-- absence is judged by the day of the export and not by its second.
list_snapshots as (
    select
        source,
        account,
        list,

        cast(exported_at as date) as exported_date,

        max(exported_at) as exported_at,
        max(exported_at) filter (where is_whole_list) as whole_list_exported_at
    from int_contact_statuses_ordered
    group by all
),

followed_snapshots as (
    select
        source,
        account,
        list,

        exported_date,

        exported_at,
        whole_list_exported_at,
        min(whole_list_exported_at) over (
            partition by source, account, list
            order by exported_date
            rows between 1 following and unbounded following
        ) as next_whole_list_exported_at
    from list_snapshots
)

select * from followed_snapshots
