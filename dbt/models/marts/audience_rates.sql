with

audience_cells as (
    select * from {{ ref('audience_cells') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- How long a handful of people were there may tell who they are.
pooled_cells as (
    select
        source,
        account,
        audience,
        content_category,
        case
            when contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else tenure
        end as tenure,

        max(send_count) as send_count,
        {{ complete_sum('contact_count') }} as contact_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        {{ complete_sum('complaint_count') }} as complaint_count
    from audience_cells
    group by all
),

audience_rates as (
    select
        source,
        account,
        audience,
        content_category,
        tenure,
        (select dim_runs.build_id from dim_runs) as build_id,

        send_count,
        contact_count,
        delivered_count,
        unsubscribe_count,
        complaint_count,

        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as unsubscribe_rate_pct,
        {{ wilson_low_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_high_pct,
        {{ rate_pct('complaint_count', 'delivered_count') }} as complaint_rate_pct
    from pooled_cells
)

select * from audience_rates
