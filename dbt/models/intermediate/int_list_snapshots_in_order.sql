with

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

stg_snapshot_declarations as (
    select * from {{ ref('stg_snapshot_declarations') }}
),

stg_loads as (
    select * from {{ ref('stg_loads') }}
),

-- A contact stands where its last line of the day puts it.
loaded_exports as (
    select
        source,
        account,
        list,
        load,

        count(*) filter (where is_on_list and is_last_of_day) as contact_count,

        bool_or(is_whole_list) as is_whole_list,
        bool_and(snapshot_scope = 'segment') as is_segment,

        cast(exported_at as date) as exported_date,

        exported_at
    from int_contact_statuses_ordered
    group by all
),

-- An audience is often exported as several files of one sitting, a file per status, so
-- absence is judged by the day of the export and not by its second.
list_snapshots as (
    select
        source,
        account,
        list,

        case
            when bool_or(is_whole_list) then 'full'
            when bool_and(is_segment) then 'segment'
            else 'unknown'
        end as claimed_scope,

        cast(sum(contact_count) as bigint) as contact_count,
        count(distinct exported_at) as export_count,

        exported_date,

        min(exported_at) as first_exported_at,
        max(exported_at) as exported_at,
        coalesce(
            max(exported_at) filter (where is_whole_list), max(exported_at)
        ) as whole_list_exported_at
    from loaded_exports
    group by all
),

files_of_the_day as (
    select
        source,
        account,
        list,
        exported_date,
        load
    from loaded_exports
    group by all
),

numbered_files as (
    select
        files_of_the_day.source,
        files_of_the_day.account,
        files_of_the_day.list,
        files_of_the_day.exported_date,
        files_of_the_day.load,
        stg_loads.file_name,

        row_number() over (
            partition by
                files_of_the_day.source,
                files_of_the_day.account,
                files_of_the_day.list,
                files_of_the_day.exported_date
            order by files_of_the_day.load
        ) as file_number
    from files_of_the_day
    inner join stg_loads
        on files_of_the_day.load = stg_loads.load
),

named_files as (
    select
        source,
        account,
        list,
        exported_date,

        string_agg(file_name, ', ' order by load) as file_names
    from numbered_files
    where file_number <= {{ var('named_files_limit') }}
    group by all
),

-- The owner's word about one list counts before a word about all of that day.
declared_snapshots as (
    select
        list_snapshots.source,
        list_snapshots.account,
        list_snapshots.list,

        list_snapshots.claimed_scope,
        coalesce(of_the_list.scope, of_the_day.scope) as declared_scope,
        named_files.file_names,

        list_snapshots.contact_count,
        list_snapshots.export_count,

        coalesce(
            of_the_list.scope, of_the_day.scope, list_snapshots.claimed_scope
        ) = 'full' as is_taken_as_whole,

        list_snapshots.exported_date,

        list_snapshots.first_exported_at,
        list_snapshots.exported_at,
        list_snapshots.whole_list_exported_at
    from list_snapshots
    left join stg_snapshot_declarations as of_the_list
        on
            list_snapshots.source = of_the_list.source
            and list_snapshots.account = of_the_list.account
            and list_snapshots.list = of_the_list.list
            and list_snapshots.exported_date = of_the_list.exported_date
    left join stg_snapshot_declarations as of_the_day
        on
            list_snapshots.source = of_the_day.source
            and list_snapshots.account = of_the_day.account
            and of_the_day.list is null
            and list_snapshots.exported_date = of_the_day.exported_date
    left join named_files
        on
            list_snapshots.source = named_files.source
            and list_snapshots.account = named_files.account
            and list_snapshots.list = named_files.list
            and list_snapshots.exported_date = named_files.exported_date
),

neighboured_snapshots as (
    select
        source,
        account,
        list,

        claimed_scope,
        declared_scope,
        file_names,

        contact_count,
        export_count,

        is_taken_as_whole,

        exported_date,
        max(case when is_taken_as_whole then exported_date end) over (
            partition by source, account, list
            order by exported_date
            rows between unbounded preceding and 1 preceding
        ) as previous_whole_date,
        min(case when is_taken_as_whole then exported_date end) over (
            partition by source, account, list
            order by exported_date
            rows between 1 following and unbounded following
        ) as next_whole_date,

        first_exported_at,
        exported_at,
        whole_list_exported_at
    from declared_snapshots
)

select * from neighboured_snapshots
