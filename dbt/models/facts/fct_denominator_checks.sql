with

int_denominators_checked as (
    select * from {{ ref('int_denominators_checked') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

denominator_checks as (
    select
        {{ hash_key(['checks.campaign_key', 'checks.check_name']) }} as check_key,
        checks.campaign_key,
        campaigns.source,
        campaigns.account,
        campaigns.campaign_id,
        campaigns.variant,
        checks.check_name,

        checks.verdict,
        case when checks.is_excluded then checks.check_name end as exclusion_reason,

        checks.left_value,
        checks.right_value,
        checks.left_value - checks.right_value as difference,
        checks.tolerance,

        checks.is_excluded
    from int_denominators_checked as checks
    inner join int_campaigns_united as campaigns
        on checks.campaign_key = campaigns.campaign_key
)

select * from denominator_checks
