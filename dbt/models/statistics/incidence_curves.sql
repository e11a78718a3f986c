with

cohort_members as (
    select * from {{ ref('cohort_members') }}
),

survival_curves as (
    select * from {{ ref('survival_curves') }}
),

exits as (
    select
        cohort_key,
        exit_cause,

        exit_age as age,

        sum(member_count) as exit_count
    from cohort_members
    where exit_age > entry_age and exit_cause is not null
    group by all
),

cohort_causes as (
    select
        cohort_key,
        exit_cause
    from exits
    group by all
),

survivals_before as (
    select
        cohort_key,

        age,

        at_risk_count,

        lag(survival, 1, 1e0) over (
            partition by cohort_key order by age
        ) as survival_before
    from survival_curves
),

-- Aalen-Johansen: whoever is lost to a cause was first spared by all of them.
incidence_curves as (
    select
        survivals_before.cohort_key,
        cohort_causes.exit_cause,

        survivals_before.age,

        cast(coalesce(exits.exit_count, 0) as bigint) as exit_count,

        sum(
            survivals_before.survival_before * coalesce(exits.exit_count, 0)
            / survivals_before.at_risk_count
        ) over (
            partition by survivals_before.cohort_key, cohort_causes.exit_cause
            order by survivals_before.age
            rows between unbounded preceding and current row
        ) as incidence
    from survivals_before
    inner join cohort_causes
        on survivals_before.cohort_key = cohort_causes.cohort_key
    left join exits
        on
            survivals_before.cohort_key = exits.cohort_key
            and survivals_before.age = exits.age
            and cohort_causes.exit_cause = exits.exit_cause
)

select * from incidence_curves
