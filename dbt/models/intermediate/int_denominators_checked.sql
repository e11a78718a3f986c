with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_outcomes_checked_against_sent as (
    select * from {{ ref('int_outcomes_checked_against_sent') }}
),

int_limits_checked as (
    select * from {{ ref('int_limits_checked') }}
),

int_bases_checked_against_each_other as (
    select * from {{ ref('int_bases_checked_against_each_other') }}
),

int_event_counts_checked as (
    select * from {{ ref('int_event_counts_checked') }}
),

int_send_times_checked as (
    select * from {{ ref('int_send_times_checked') }}
),

int_vendor_rates_checked as (
    select * from {{ ref('int_vendor_rates_checked') }}
),

denominator_checks as (
    select * from {{ ref('denominator_checks') }}
),

-- No delivered count is no contradiction, and no rate either.
delivered_count_checks as (
    select
        campaign_key,
        'delivered_count_is_known' as check_name,

        case
            when delivered_count is null then 'unknown'
            else 'reconciled'
        end as verdict,

        delivered_count as left_value,
        cast(null as bigint) as right_value,
        cast(null as double) as tolerance
    from int_campaigns_put_on_one_basis
),

checks as (
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from delivered_count_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_outcomes_checked_against_sent
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_limits_checked
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_bases_checked_against_each_other
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_event_counts_checked
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_send_times_checked
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from int_vendor_rates_checked
),

judged_checks as (
    select
        checks.campaign_key,
        checks.check_name,

        checks.verdict,

        denominator_checks.rank as check_rank,
        checks.left_value,
        checks.right_value,
        checks.tolerance,

        coalesce(
            denominator_checks.is_excluding
            and (
                checks.verdict = 'broken'
                or (
                    checks.verdict = 'unknown'
                    and denominator_checks.is_excluding_when_unknown
                )
            ),
            false
        ) as is_excluded
    from checks
    left join denominator_checks
        on checks.check_name = denominator_checks.check_name
)

select * from judged_checks
