with

risk_sets as (
    select * from {{ ref('risk_sets') }}
),

-- Where everybody at risk leaves the logarithm has no value: nobody is left, and the
-- variance has none either.
accumulated_risks as (
    select
        cohort_key,

        age,

        at_risk_count,
        exit_count,
        min(at_risk_count) over ages as minimum_at_risk_count,

        sum(
            case
                when exit_count < at_risk_count
                    then ln(1e0 - 1e0 * exit_count / at_risk_count)
            end
        ) over ages as log_survival,
        sum(
            case
                when exit_count < at_risk_count
                    then
                        1e0 * exit_count
                        / (1e0 * at_risk_count * (at_risk_count - exit_count))
            end
        ) over ages as relative_variance,

        count(*) over ages = age as is_watched_throughout,
        bool_or(exit_count = at_risk_count) over ages as is_nobody_left,
        count(*) filter (where exit_count = at_risk_count) over earlier_ages
            as earlier_end_count,
        lead(age) over (partition by cohort_key order by age) is null as is_last_age
    from risk_sets
    window
        ages as (
            partition by cohort_key
            order by age
            rows between unbounded preceding and current row
        ),
        earlier_ages as (
            partition by cohort_key
            order by age
            rows between unbounded preceding and 1 preceding
        )
),

-- Of those watched from the start all are gone, and yet others, seen later, are there:
-- too few were watched early for a curve.
survival_curves as (
    select
        cohort_key,

        age,

        at_risk_count,
        exit_count,
        minimum_at_risk_count,

        case when is_nobody_left then 0e0 else exp(log_survival) end as survival,
        case
            when is_nobody_left then 0e0
            else exp(log_survival) * sqrt(relative_variance)
        end as standard_error,

        is_watched_throughout
        and earlier_end_count = 0
        and (is_last_age or exit_count < at_risk_count) as is_observed_from_start
    from accumulated_risks
)

select * from survival_curves
