with

signup_cells as (
    select * from {{ ref('signup_cells') }}
),

opt_in_methods as (
    select * from {{ ref('opt_in_methods') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- A handful of people who came the same way may be known by it.
sized_cells as (
    select
        source,
        account,
        signup_source,
        opt_in_method,
        signup_month,

        contact_count,
        burst_contact_count,
        first_send_contact_count,
        first_send_opt_out_count,
        first_send_complaint_count,
        first_send_hard_bounce_count,
        ninety_day_contact_count,
        ninety_day_opt_out_count,
        ninety_day_complaint_count,
        ninety_day_hard_bounce_count,
        sum(contact_count) over (
            partition by source, account, signup_source, opt_in_method
        ) as source_contact_count
    from signup_cells
),

pooled_cells as (
    select
        source,
        account,
        case
            when source_contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else signup_source
        end as signup_source,
        case
            when source_contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else opt_in_method
        end as opt_in_method,
        signup_month,

        cast(sum(contact_count) as bigint) as contact_count,
        cast(sum(burst_contact_count) as bigint) as burst_contact_count,
        cast(sum(first_send_contact_count) as bigint) as first_send_contact_count,
        cast(sum(first_send_opt_out_count) as bigint) as first_send_opt_out_count,
        cast(sum(first_send_complaint_count) as bigint) as first_send_complaint_count,
        cast(sum(first_send_hard_bounce_count) as bigint)
            as first_send_hard_bounce_count,
        cast(sum(ninety_day_contact_count) as bigint) as ninety_day_contact_count,
        cast(sum(ninety_day_opt_out_count) as bigint) as ninety_day_opt_out_count,
        cast(sum(ninety_day_complaint_count) as bigint) as ninety_day_complaint_count,
        cast(sum(ninety_day_hard_bounce_count) as bigint)
            as ninety_day_hard_bounce_count
    from sized_cells
    group by all
),

compared_cells as (
    select
        source,
        account,
        signup_source,
        opt_in_method,

        contact_count,
        burst_contact_count,
        first_send_contact_count,
        first_send_opt_out_count,
        first_send_complaint_count,
        first_send_hard_bounce_count,
        ninety_day_contact_count,
        ninety_day_opt_out_count,
        ninety_day_complaint_count,
        ninety_day_hard_bounce_count,
        sum(ninety_day_contact_count) over signup_month - ninety_day_contact_count
            as other_contact_count,
        sum(ninety_day_opt_out_count) over signup_month - ninety_day_opt_out_count
            as other_opt_out_count
    from pooled_cells
    window signup_month as (partition by source, account, signup_month)
),

-- A month of signups is compared with itself only: it met the same mail. A month in
-- which everybody came the same way compares nothing.
sources_with_ratios as (
    select
        source,
        account,
        signup_source,
        opt_in_method,

        cast(sum(contact_count) as bigint) as contact_count,
        cast(sum(burst_contact_count) as bigint) as burst_contact_count,
        cast(sum(first_send_contact_count) as bigint) as first_send_contact_count,
        cast(sum(first_send_opt_out_count) as bigint) as first_send_opt_out_count,
        cast(sum(first_send_complaint_count) as bigint) as first_send_complaint_count,
        cast(sum(first_send_hard_bounce_count) as bigint)
            as first_send_hard_bounce_count,
        cast(sum(ninety_day_contact_count) as bigint) as ninety_day_contact_count,
        cast(sum(ninety_day_opt_out_count) as bigint) as ninety_day_opt_out_count,
        cast(sum(ninety_day_complaint_count) as bigint) as ninety_day_complaint_count,
        cast(sum(ninety_day_hard_bounce_count) as bigint)
            as ninety_day_hard_bounce_count,
        cast(
            coalesce(
                sum(other_contact_count) filter (where ninety_day_contact_count > 0), 0
            ) as bigint
        ) as other_contact_count,
        cast(
            coalesce(
                sum(other_opt_out_count) filter (where ninety_day_contact_count > 0), 0
            ) as bigint
        ) as other_opt_out_count,

        {{ mantel_haenszel_ratio(
            'ninety_day_opt_out_count', 'ninety_day_contact_count',
            'other_opt_out_count', 'other_contact_count'
        ) }} as opt_out_ratio,
        {{ mantel_haenszel_ratio_variance(
            'ninety_day_opt_out_count',
            'nullif(ninety_day_contact_count, 0)',
            'other_opt_out_count',
            'nullif(other_contact_count, 0)'
        ) }} as log_variance
    from compared_cells
    group by all
),

signup_sources as (
    select
        sources.source,
        sources.account,
        sources.signup_source,
        sources.opt_in_method,
        (select dim_runs.build_id from dim_runs) as build_id,

        opt_in_methods.acquisition,

        sources.contact_count,
        sources.burst_contact_count,
        sources.first_send_contact_count,
        sources.first_send_opt_out_count,
        sources.first_send_complaint_count,
        sources.first_send_hard_bounce_count,
        sources.ninety_day_contact_count,
        sources.ninety_day_opt_out_count,
        sources.ninety_day_complaint_count,
        sources.ninety_day_hard_bounce_count,
        sources.other_contact_count,
        sources.other_opt_out_count,

        {{ rate_pct('first_send_opt_out_count', 'first_send_contact_count') }}
            as first_send_opt_out_rate_pct,
        {{ wilson_low_pct('first_send_opt_out_count', 'first_send_contact_count') }}
            as first_send_opt_out_rate_low_pct,
        {{ wilson_high_pct('first_send_opt_out_count', 'first_send_contact_count') }}
            as first_send_opt_out_rate_high_pct,
        {{ rate_pct('first_send_complaint_count', 'first_send_contact_count') }}
            as first_send_complaint_rate_pct,
        {{ rate_pct('first_send_hard_bounce_count', 'first_send_contact_count') }}
            as first_send_hard_bounce_rate_pct,
        {{ rate_pct('ninety_day_opt_out_count', 'ninety_day_contact_count') }}
            as ninety_day_opt_out_rate_pct,
        {{ wilson_low_pct('ninety_day_opt_out_count', 'ninety_day_contact_count') }}
            as ninety_day_opt_out_rate_low_pct,
        {{ wilson_high_pct('ninety_day_opt_out_count', 'ninety_day_contact_count') }}
            as ninety_day_opt_out_rate_high_pct,
        {{ rate_pct('ninety_day_complaint_count', 'ninety_day_contact_count') }}
            as ninety_day_complaint_rate_pct,
        {{ rate_pct('ninety_day_hard_bounce_count', 'ninety_day_contact_count') }}
            as ninety_day_hard_bounce_rate_pct,
        sources.opt_out_ratio,
        case
            when sources.opt_out_ratio > 0
                then
                    sources.opt_out_ratio
                    * exp(
                        -1e0
                        * {{ normal_quantile_975() }}
                        * sqrt(sources.log_variance)
                    )
        end as opt_out_ratio_low,
        case
            when sources.opt_out_ratio > 0
                then
                    sources.opt_out_ratio
                    * exp({{ normal_quantile_975() }} * sqrt(sources.log_variance))
        end as opt_out_ratio_high,

        case
            when sources.signup_source <> 'suppressed'
                then
                    100 * sources.burst_contact_count
                    >= {{ var('bulk_source_share_pct') }} * sources.contact_count
        end as is_suspected_bulk
    from sources_with_ratios as sources
    left join opt_in_methods
        on sources.opt_in_method = opt_in_methods.method
)

select * from signup_sources
