with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_outcomes_checked_against_sent as (
    select * from {{ ref('int_outcomes_checked_against_sent') }}
),

int_bases_checked_against_each_other as (
    select * from {{ ref('int_bases_checked_against_each_other') }}
),

int_vendor_rates_explained as (
    select * from {{ ref('int_vendor_rates_explained') }}
),

limits as (
    select
        campaign_key,
        'delivered_not_above_sent' as check_name,
        2 as check_rank,
        delivered_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'bounces_not_above_sent' as check_name,
        3 as check_rank,
        bounce_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unsubscribes_not_above_delivered' as check_name,
        4 as check_rank,
        unsubscribe_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'complaints_not_above_delivered' as check_name,
        5 as check_rank,
        complaint_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_opens_not_above_delivered' as check_name,
        6 as check_rank,
        greatest(unique_open_count, human_open_count) as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_clicks_not_above_delivered' as check_name,
        7 as check_rank,
        unique_click_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
),

limit_checks as (
    select
        campaign_key,
        check_name,

        case
            when left_value > right_value then 'broken'
            when left_value <= right_value then 'reconciled'
            else 'unknown'
        end as verdict,

        check_rank,
        left_value,
        right_value,
        cast(0 as double) as tolerance,

        true as is_excluding
    from limits
),

-- A rate on another denominator is the vendor's business as long as we know which.
vendor_rate_checks as (
    select
        campaign_key,
        'vendor_rate_explained' as check_name,

        case
            when vendor_rate_denominator = 'unexplained' then 'broken'
            else 'reconciled'
        end as verdict,

        11 as check_rank,
        unsubscribe_count as left_value,
        denominator_count as right_value,
        vendor_unsubscribe_rate_half_unit_pct as tolerance,

        false as is_excluding
    from int_vendor_rates_explained
),

checks as (
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from int_outcomes_checked_against_sent
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from limit_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from int_bases_checked_against_each_other
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from vendor_rate_checks
),

judged_checks as (
    select
        campaign_key,
        check_name,

        verdict,

        check_rank,
        left_value,
        right_value,
        tolerance,

        verdict = 'broken' and is_excluding as is_excluded
    from checks
)

select * from judged_checks
