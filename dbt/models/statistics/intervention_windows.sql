with

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

dim_change_streams as (
    select * from {{ ref('dim_change_streams') }}
),

change_kinds as (
    select * from {{ ref('change_kinds') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

changed_streams as (
    select
        dim_changes.change_key,
        dim_change_streams.source,
        dim_change_streams.account,
        dim_change_streams.stream_id,

        coalesce(dim_streams.stream_name, dim_change_streams.declared_stream)
            as stream_name,
        dim_changes.list,
        dim_changes.kind,
        change_kinds.measure,
        change_kinds.unit,

        dim_changes.is_compared_by_itself,
        dim_change_streams.is_unknown,

        dim_changes.changed_at
    from dim_change_streams
    inner join dim_changes
        on dim_change_streams.change_key = dim_changes.change_key
    inner join change_kinds
        on dim_changes.kind = change_kinds.kind
    left join dim_streams
        on dim_change_streams.stream_id = dim_streams.stream_id
    where dim_change_streams.arm = 'treated'
),

-- Mail from before another change, or from after it, tells of that one too.
streams_beside_changes as (
    select
        this_change.change_key,
        this_change.source,
        this_change.account,
        this_change.stream_id,

        this_change.stream_name,
        this_change.list,
        this_change.kind,
        this_change.measure,
        this_change.unit,

        this_change.is_compared_by_itself,
        this_change.is_unknown,

        this_change.changed_at,

        count(*) filter (
            where
            other_change.changed_at = this_change.changed_at
            and other_change.change_key <> this_change.change_key
        ) as simultaneous_change_count,
        max(other_change.changed_at) filter (
            where other_change.changed_at < this_change.changed_at
        ) as previous_changed_at,
        min(other_change.changed_at) filter (
            where other_change.changed_at > this_change.changed_at
        ) as next_changed_at
    from changed_streams as this_change
    left join changed_streams as other_change
        on this_change.stream_id = other_change.stream_id
    group by all
),

-- Who joins is the matter of the account that keeps the lists, once, whichever of its
-- streams are named, and also before it mails anybody.
joined_accounts as (
    select
        streams.change_key,
        coalesce(dim_sources.list_source, dim_sources.source, streams.source)
            as source,
        coalesce(dim_sources.list_account, dim_sources.account, streams.account)
            as account,

        streams.list as declared_list,
        dim_lists.list,
        streams.kind,
        streams.measure,
        streams.unit,

        streams.is_compared_by_itself,

        streams.changed_at,

        max(streams.simultaneous_change_count) as simultaneous_change_count,
        bool_or(dim_sources.list_account is not null) as has_lists,
        max(streams.previous_changed_at) as previous_changed_at,
        min(streams.next_changed_at) as next_changed_at
    from streams_beside_changes as streams
    left join dim_sources
        on
            coalesce(streams.source, dim_sources.source) = dim_sources.source
            and coalesce(streams.account, dim_sources.account) = dim_sources.account
    left join dim_lists
        on
            dim_sources.list_source = dim_lists.source
            and dim_sources.list_account = dim_lists.account
            and lower(trim(streams.list)) = lower(trim(dim_lists.list))
    where streams.unit = 'signup_week' and not streams.is_unknown
    group by all
),

-- Of the accounts that could be meant, those that keep the list, or any.
accounts_of_the_change as (
    select
        change_key,
        source,
        account,

        declared_list,
        list,
        kind,
        measure,
        unit,

        simultaneous_change_count,

        is_compared_by_itself,
        case
            when list is not null then 3
            when has_lists then 2
            else 1
        end as fit,
        max(
            case
                when list is not null then 3
                when has_lists then 2
                else 1
            end
        ) over (partition by change_key) as best_fit,

        changed_at,
        previous_changed_at,
        next_changed_at
    from joined_accounts
),

changed_units as (
    select
        change_key,
        source,
        account,
        stream_id,

        stream_name,
        cast(null as varchar) as list,
        kind,
        measure,
        unit,

        simultaneous_change_count,

        is_compared_by_itself,
        not is_unknown as is_known,

        changed_at,
        previous_changed_at,
        next_changed_at
    from streams_beside_changes
    where unit <> 'signup_week' or is_unknown
    union all
    select
        change_key,
        source,
        account,
        cast(null as varchar) as stream_id,

        cast(null as varchar) as stream_name,
        coalesce(list, declared_list) as list,
        kind,
        measure,
        unit,

        simultaneous_change_count,

        is_compared_by_itself,
        declared_list is null or list is not null as is_known,

        changed_at,
        previous_changed_at,
        next_changed_at
    from accounts_of_the_change
    where fit = best_fit
),

limited_units as (
    select
        {{ hash_key([
            'change_key', 'source', 'account', 'stream_id', 'list', 'stream_name',
        ]) }} as effect_key,
        change_key,
        source,
        account,
        stream_id,

        stream_name,
        list,
        kind,
        measure,
        unit,

        simultaneous_change_count,

        is_compared_by_itself,
        is_known,

        changed_at,
        {{ dbt.dateadd('day', '-' ~ var('intervention_days'), 'changed_at') }}
            as first_before_at,
        previous_changed_at,
        {{ dbt.dateadd('day', var('intervention_days'), 'changed_at') }}
            as last_after_at,
        next_changed_at
    from changed_units
),

intervention_windows as (
    select
        effect_key,
        change_key,
        source,
        account,
        stream_id,

        stream_name,
        list,
        kind,
        measure,
        unit,

        simultaneous_change_count,

        is_compared_by_itself,
        is_known,
        coalesce(previous_changed_at > first_before_at, false)
        or coalesce(next_changed_at < last_after_at, false) as is_cut,

        changed_at,
        greatest(first_before_at, coalesce(previous_changed_at, first_before_at))
            as before_from_at,
        least(last_after_at, coalesce(next_changed_at, last_after_at))
            as after_until_at
    from limited_units
)

select * from intervention_windows
