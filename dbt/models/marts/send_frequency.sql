with

contact_week_cells as (
    select * from {{ ref('contact_week_cells') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- Where several systems mail the people of one list, their promises add up; the word of
-- the account that keeps the list stands for all.
promises as (
    select
        list_source as source,
        list_account as account,

        coalesce(
            max(
                case
                    when source = list_source and account = list_account
                        then promised_per_week
                end
            ),
            sum(cast(promised_per_week as decimal(18, 6)))
        ) as promised_per_week
    from dim_sources
    where list_account is not null
    group by list_source, list_account
),

-- A stratum holds the people of its steps of engagement, some of them in several: at
-- least as many as its largest step.
strata as (
    select
        source,
        account,
        list,
        frequency_bucket,
        engagement_stratum,
        tenure_stratum,

        max(contact_count) as least_contact_count,
        sum(contact_weeks) as contact_weeks,
        sum(delivered_count) as delivered_count,
        sum(opt_out_count) as opt_out_count,
        sum(complaint_count) as complaint_count
    from contact_week_cells
    group by all
),

cells as (
    select
        source,
        account,
        list,
        frequency_bucket,
        case
            when least_contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else engagement_stratum
        end as engagement_stratum,
        case
            when least_contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else tenure_stratum
        end as tenure_stratum,

        cast(sum(contact_weeks) as bigint) as contact_weeks,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(opt_out_count) as bigint) as opt_out_count,
        cast(sum(complaint_count) as bigint) as complaint_count
    from strata
    group by all
),

send_frequency as (
    select
        cells.source,
        cells.account,
        cells.list,
        cells.frequency_bucket,
        cells.engagement_stratum,
        cells.tenure_stratum,
        (select dim_runs.build_id from dim_runs) as build_id,

        cells.contact_weeks,
        cells.delivered_count,
        cells.opt_out_count,
        cells.complaint_count,
        cast(promises.promised_per_week as double) as promised_per_week,
        1e0 * cells.delivered_count / cells.contact_weeks as mails_per_week,
        1e0 * cells.delivered_count / cells.contact_weeks
        / cast(promises.promised_per_week as double) as promised_ratio,

        {{ rate_pct('cells.opt_out_count', 'cells.contact_weeks') }}
            as weekly_hazard_pct,
        {{ wilson_low_pct('cells.opt_out_count', 'cells.contact_weeks') }}
            as weekly_hazard_low_pct,
        {{ wilson_high_pct('cells.opt_out_count', 'cells.contact_weeks') }}
            as weekly_hazard_high_pct,
        case
            when cells.opt_out_count <= cells.delivered_count
                then {{ rate_pct('cells.opt_out_count', 'cells.delivered_count') }}
        end as per_send_rate_pct
    from cells
    left join promises
        on
            cells.source = promises.source
            and cells.account = promises.account
)

select * from send_frequency
