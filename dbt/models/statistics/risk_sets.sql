with

cohort_members as (
    select * from {{ ref('cohort_members') }}
),

watched_members as (
    select
        cohort_key,
        exit_cause,

        entry_age,
        exit_age,

        member_count
    from cohort_members
    where exit_age > entry_age
),

age_ranges as (
    select
        cohort_key,

        unnest(range(min(entry_age) + 1, max(exit_age) + 1)) as age
    from watched_members
    group by cohort_key
),

-- Whoever enters at an age is at risk in the month after it. Whoever leaves at an age,
-- or is watched until then, was at risk in the month before it.
changes as (
    select
        cohort_key,

        entry_age + 1 as age,

        member_count as at_risk_change,
        0 as exit_count
    from watched_members
    union all
    select
        cohort_key,

        exit_age + 1 as age,

        -1 * member_count as at_risk_change,
        0 as exit_count
    from watched_members
    union all
    select
        cohort_key,

        exit_age as age,

        0 as at_risk_change,
        member_count as exit_count
    from watched_members
    where exit_cause is not null
),

changes_by_age as (
    select
        cohort_key,

        age,

        sum(at_risk_change) as at_risk_change,
        sum(exit_count) as exit_count
    from changes
    group by all
),

ages as (
    select
        age_ranges.cohort_key,

        age_ranges.age,

        sum(coalesce(changes_by_age.at_risk_change, 0)) over (
            partition by age_ranges.cohort_key
            order by age_ranges.age
            rows between unbounded preceding and current row
        ) as at_risk_count,
        coalesce(changes_by_age.exit_count, 0) as exit_count
    from age_ranges
    left join changes_by_age
        on
            age_ranges.cohort_key = changes_by_age.cohort_key
            and age_ranges.age = changes_by_age.age
),

risk_sets as (
    select
        cohort_key,

        age,

        cast(at_risk_count as bigint) as at_risk_count,
        cast(exit_count as bigint) as exit_count
    from ages
    where at_risk_count > 0
)

select * from risk_sets
