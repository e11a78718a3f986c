with

cohort_members as (
    select * from {{ ref('cohort_members') }}
),

survival_curves as (
    select * from {{ ref('survival_curves') }}
),

incidence_curves as (
    select * from {{ ref('incidence_curves') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

cohorts as (
    select
        cohort_key,
        source,
        account,
        list,
        signup_month,
        signup_source,
        opt_in_method,

        is_all_months,

        coalesce(sum(member_count) filter (where entry_age is not null), 0)
            as cohort_contact_count,
        coalesce(sum(member_count) filter (where entry_age is null), 0)
            as undated_contact_count
    from cohort_members
    group by all
),

incidences as (
    select
        cohort_key,

        age,

        sum(incidence) filter (where exit_cause = 'unsubscribe') as unsubscribe,
        sum(incidence) filter (where exit_cause = 'complaint') as complaint,
        sum(incidence) filter (where exit_cause = 'hard_bounce') as hard_bounce,
        sum(incidence) filter (where exit_cause = 'validation_removal') as validation,
        sum(incidence) filter (where exit_cause = 'sunset') as sunset,
        sum(incidence) filter (where exit_cause = 'deleted') as deleted,
        sum(incidence) filter (where exit_cause = 'unknown') as unknown
    from incidence_curves
    group by all
),

-- The log-minus-log interval stays within 0 and 100. It has no value while nobody, or
-- when everybody, has left: there the smallest group that was ever watched decides.
curves as (
    select
        cohort_key,

        age,

        at_risk_count,
        exit_count,
        minimum_at_risk_count,

        case when is_observed_from_start then survival end as survival,
        case
            when survival > 0 and survival < 1 and is_observed_from_start
                then
                    {{ normal_quantile_975() }} * standard_error
                    / (survival * abs(ln(survival)))
        end as log_log_half_width,

        is_observed_from_start
    from survival_curves
),

cohort_retention as (
    select
        cohorts.source,
        cohorts.account,
        cohorts.list,
        cohorts.signup_month,
        cohorts.signup_source,
        cohorts.opt_in_method,
        curves.age as age_months,
        (select dim_runs.build_id from dim_runs) as build_id,

        cast(cohorts.cohort_contact_count as bigint) as cohort_contact_count,
        case
            when cohorts.is_all_months
                then cast(cohorts.undated_contact_count as bigint)
        end as undated_contact_count,
        curves.at_risk_count,
        curves.exit_count,

        {{ rate_pct('curves.exit_count', 'curves.at_risk_count') }} as exit_rate_pct,
        {{ wilson_low_pct('curves.exit_count', 'curves.at_risk_count') }}
            as exit_rate_low_pct,
        {{ wilson_high_pct('curves.exit_count', 'curves.at_risk_count') }}
            as exit_rate_high_pct,
        100e0 * curves.survival as survival_pct,
        case
            when curves.survival = 1 then {{ wilson_low_pct(
                'curves.minimum_at_risk_count', 'curves.minimum_at_risk_count'
            ) }}
            when curves.survival = 0 then 0e0
            else 100e0 * power(curves.survival, exp(curves.log_log_half_width))
        end as survival_low_pct,
        case
            when curves.survival = 1 then 100e0
            when curves.survival = 0
                then {{ wilson_high_pct('0', 'curves.minimum_at_risk_count') }}
            else 100e0 * power(curves.survival, exp(-1e0 * curves.log_log_half_width))
        end as survival_high_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.unsubscribe, 0e0)
        end as cumulative_unsubscribe_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.complaint, 0e0)
        end as cumulative_complaint_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.hard_bounce, 0e0)
        end as cumulative_hard_bounce_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.validation, 0e0)
        end as cumulative_validation_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.sunset, 0e0)
        end as cumulative_sunset_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.deleted, 0e0)
        end as cumulative_deleted_pct,
        case
            when curves.is_observed_from_start
                then 100e0 * coalesce(incidences.unknown, 0e0)
        end as cumulative_unknown_pct,

        cohorts.is_all_months,
        curves.is_observed_from_start
    from curves
    inner join cohorts
        on curves.cohort_key = cohorts.cohort_key
    left join incidences
        on
            curves.cohort_key = incidences.cohort_key
            and curves.age = incidences.age
)

select * from cohort_retention
