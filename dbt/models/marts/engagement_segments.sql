with

engagement_cells as (
    select * from {{ ref('engagement_cells') }}
),

engagement_tiers as (
    select * from {{ ref('engagement_tiers') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- A handful of people who behave alike may be known by it.
pooled_cells as (
    select
        source,
        account,
        list,
        month,
        basis,
        case
            when contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else tier
        end as tier,

        cast(sum(contact_count) as bigint) as contact_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(opt_out_count) as bigint) as opt_out_count,
        cast(sum(complaint_count) as bigint) as complaint_count,
        cast(sum(hard_bounce_count) as bigint) as hard_bounce_count,

        max(last_mailed_at) as last_mailed_at
    from engagement_cells
    group by all
),

dated_cells as (
    select
        source,
        account,
        list,
        month,
        basis,
        tier,

        contact_count,
        sum(contact_count) over (partition by source, account, list, month, basis)
            as list_contact_count,
        delivered_count,
        unsubscribe_count,
        opt_out_count,
        complaint_count,
        hard_bounce_count,
        {{ seconds_between(
            'cast(month as timestamp)',
            'least(
                cast(' ~ dbt.dateadd('month', 1, 'month') ~ ' as timestamp),
                last_mailed_at
            )'
        ) }} / 86400e0 as observed_days,

        last_mailed_at >= {{ dbt.dateadd('month', 1, 'month') }} as is_complete_month
    from pooled_cells
),

mailed_cells as (
    select
        source,
        account,
        list,
        month,
        basis,
        tier,

        contact_count,
        list_contact_count,
        delivered_count,
        unsubscribe_count,
        opt_out_count,
        complaint_count,
        hard_bounce_count,
        case
            when observed_days >= {{ var('cadence_minimum_days') }}
                then 28e0 * delivered_count / contact_count / observed_days
        end as mails_per_contact_28d,

        is_complete_month
    from dated_cells
),

engagement_segments as (
    select
        cells.source,
        cells.account,
        cells.list,
        cells.month,
        cells.basis,
        cells.tier,
        (select dim_runs.build_id from dim_runs) as build_id,

        engagement_tiers.label as tier_label,
        engagement_tiers.advice,
        engagement_tiers.rank as tier_rank,

        cells.contact_count,
        cast(cells.list_contact_count as bigint) as list_contact_count,
        cells.delivered_count,
        cells.unsubscribe_count,
        cells.opt_out_count,
        cells.complaint_count,
        cells.hard_bounce_count,
        cells.mails_per_contact_28d,
        engagement_tiers.suggested_mails_28d,

        {{ rate_pct('cells.contact_count', 'cells.list_contact_count') }}
            as share_of_list_pct,
        {{ rate_pct('cells.unsubscribe_count', 'cells.delivered_count') }}
            as unsubscribe_rate_pct,
        {{ wilson_low_pct('cells.unsubscribe_count', 'cells.delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('cells.unsubscribe_count', 'cells.delivered_count') }}
            as unsubscribe_rate_high_pct,
        {{ rate_pct('cells.complaint_count', 'cells.delivered_count') }}
            as complaint_rate_pct,
        {{ rate_pct('cells.opt_out_count', 'cells.contact_count') }}
            as opt_out_per_100_contacts,

        cells.mails_per_contact_28d
        > {{ var('cadence_tolerance_ratio') }}e0 * engagement_tiers.suggested_mails_28d
            as is_over_cadence,
        cells.is_complete_month
    from mailed_cells as cells
    left join engagement_tiers
        on cells.tier = engagement_tiers.tier
)

select * from engagement_segments
