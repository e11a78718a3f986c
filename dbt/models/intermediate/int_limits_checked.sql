with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

limits as (
    select
        campaign_key,
        'delivered_not_above_sent' as check_name,
        delivered_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'bounces_not_above_sent' as check_name,
        bounce_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unsubscribes_not_above_delivered' as check_name,
        unsubscribe_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'complaints_not_above_delivered' as check_name,
        complaint_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_opens_not_above_delivered' as check_name,
        greatest(unique_open_count, human_open_count) as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_clicks_not_above_delivered' as check_name,
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

        left_value,
        right_value,
        cast(0 as double) as tolerance
    from limits
)

select * from limit_checks
