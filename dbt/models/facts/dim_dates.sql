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

dates as (
    select
        date_day,

        cast(date_trunc('month', date_day) as date) as month,
        cast(date_trunc('quarter', date_day) as date) as quarter,
        year(date_day) as year,
        isoyear(date_day) as iso_year,
        weekofyear(date_day) as iso_week,
        isodow(date_day) as weekday
    from days
)

select * from dates
