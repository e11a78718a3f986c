with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

stg_runs as (
    select * from {{ ref('stg_runs') }}
),

holidays as (
    select * from {{ ref('holidays') }}
),

moments as (
    select min(sent_at) as happened_at
    from int_campaigns_united
    union all
    select min(coalesce(entered_at, left_at)) as happened_at
    from int_list_spells_built
    union all
    select min(opted_out_at) as happened_at
    from int_opt_outs_rolled_up
    union all
    select now_at as happened_at
    from stg_runs
),

bounds as (
    select
        date_trunc('year', min(happened_at)) as first_at,
        date_trunc('year', max(happened_at)) + interval '1 year' as end_at
    from moments
),

days as (
    select cast(unnest(range(first_at, end_at, interval '1 day')) as date) as date_day
    from bounds
),

holiday_dates as (
    select holiday_date
    from holidays
    group by all
),

worked_days as (
    select
        days.date_day,

        isodow(days.date_day) <= 5 and holiday_dates.holiday_date is null
            as is_business_day
    from days
    left join holiday_dates
        on days.date_day = holiday_dates.holiday_date
),

dates as (
    select
        date_day,

        cast(date_trunc('month', date_day) as date) as month,
        cast(date_trunc('quarter', date_day) as date) as quarter,
        year(date_day) as year,
        isoyear(date_day) as iso_year,
        weekofyear(date_day) as iso_week,
        isodow(date_day) as weekday,
        cast(
            sum(case when is_business_day then 1 else 0 end) over (
                order by date_day
                rows between unbounded preceding and current row
            ) as bigint
        ) as business_day_number,

        is_business_day
    from worked_days
)

select * from dates
