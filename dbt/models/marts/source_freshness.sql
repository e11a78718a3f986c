with

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- A duplicate came, even if it brought nothing new; a refused file did not arrive as
-- what it should have been.
arrival_days as (
    select
        source,
        account,
        exports as export,

        count(*) as file_count,

        cast(exported_at as date) as arrival_date,
        max(exported_at) as last_exported_at
    from fct_loads
    where
        state in ('loaded', 'duplicate')
        and exports is not null
        and exported_at is not null
    group by all
),

followed_days as (
    select
        source,
        account,
        export,

        file_count,
        cast(
            {{ dbt.datediff(
                'lag(arrival_date) over arrivals', 'arrival_date', 'day'
            ) }} as bigint
        ) as gap_days,

        arrival_date,
        last_exported_at
    from arrival_days
    window arrivals as (
        partition by source, account, export order by arrival_date
    )
),

cadences as (
    select
        source,
        account,
        export,

        cast(sum(file_count) as bigint) as file_count,
        count(*) as arrival_day_count,
        count(gap_days) as gap_count,
        median(gap_days) as usual_gap_days,
        max(gap_days) as longest_gap_days,

        max(arrival_date) as last_arrival_date,
        max(last_exported_at) as last_exported_at
    from followed_days
    group by all
),

-- Late is measured against the source's own past, the longest pause included: who
-- exports by the quarter is not late after two months.
allowances as (
    select
        cadences.source,
        cadences.account,
        cadences.export,

        cadences.file_count,
        cadences.arrival_day_count,
        cast(cadences.usual_gap_days as double) as usual_gap_days,
        cadences.longest_gap_days,
        cast(
            greatest(
                {{ dbt.datediff(
                    'cadences.last_arrival_date', 'dim_runs.now_at', 'day'
                ) }},
                0
            ) as bigint
        ) as days_since_last,
        case
            when cadences.gap_count >= {{ var('freshness_minimum_gaps') }}
                then cast(
                    greatest(
                        cadences.longest_gap_days,
                        {{ var('freshness_gap_factor') }} * cadences.usual_gap_days
                    ) as double
                )
        end as allowed_gap_days,

        cadences.last_arrival_date,
        cadences.last_exported_at
    from cadences
    cross join dim_runs
),

source_freshness as (
    select
        source,
        account,
        export,
        (select dim_runs.build_id from dim_runs) as build_id,

        case
            when days_since_last > allowed_gap_days then 'late'
            when days_since_last <= allowed_gap_days then 'on_time'
            else 'unknown'
        end as freshness,

        file_count,
        arrival_day_count,
        usual_gap_days,
        longest_gap_days,
        days_since_last,
        allowed_gap_days,

        days_since_last > allowed_gap_days as is_late,

        last_exported_at,
        cast(
            {{ dbt.dateadd(
                'day',
                'cast(floor(allowed_gap_days) as bigint) + 1',
                'last_arrival_date'
            ) }} as timestamp
        ) as expected_by_at
    from allowances
)

select * from source_freshness
