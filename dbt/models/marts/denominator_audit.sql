with

fct_denominator_checks as (
    select * from {{ ref('fct_denominator_checks') }}
),

denominator_checks as (
    select * from {{ ref('denominator_checks') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

denominator_audit as (
    select
        fct_denominator_checks.check_key,
        fct_denominator_checks.campaign_key,
        fct_denominator_checks.source,
        fct_denominator_checks.account,
        fct_denominator_checks.campaign_id,
        fct_denominator_checks.variant,
        fct_denominator_checks.check_name,
        (select dim_runs.build_id from dim_runs) as build_id,

        fct_denominator_checks.verdict,
        fct_denominator_checks.exclusion_reason,
        denominator_checks.label,
        denominator_checks.explanation,
        denominator_checks.advice,

        fct_denominator_checks.left_value,
        fct_denominator_checks.right_value,
        fct_denominator_checks.difference,
        fct_denominator_checks.tolerance,

        fct_denominator_checks.is_excluded
    from fct_denominator_checks
    left join denominator_checks
        on fct_denominator_checks.check_name = denominator_checks.check_name
)

select * from denominator_audit
