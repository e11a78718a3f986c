with

opt_out_breaches as (
    select * from {{ ref('opt_out_breaches') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

opt_out_latency as (
    select
        opt_out_breaches.source,
        opt_out_breaches.account,
        opt_out_breaches.campaign_id,
        opt_out_breaches.variant,
        opt_out_breaches.stream_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        opt_out_breaches.rule_broken,
        opt_out_breaches.basis,
        opt_out_breaches.opt_out_scope,
        dim_campaigns.campaign_name,

        count(*) as mail_count,
        count(distinct opt_out_breaches.contact_key) as people_count,

        max(opt_out_breaches.hours_after_opt_out) as hours_after_opt_out,
        median(opt_out_breaches.hours_after_opt_out) as median_hours_after_opt_out,
        max(opt_out_breaches.business_days_after_opt_out)
            as business_days_after_opt_out,

        min(opt_out_breaches.delivered_at) as first_delivered_at,
        max(opt_out_breaches.delivered_at) as last_delivered_at
    from opt_out_breaches
    left join dim_campaigns
        on
            opt_out_breaches.source = dim_campaigns.source
            and opt_out_breaches.account = dim_campaigns.account
            and opt_out_breaches.campaign_id = dim_campaigns.campaign_id
            and opt_out_breaches.variant = dim_campaigns.variant
    group by all
)

select * from opt_out_latency
