with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_arrival_curves as (
    select * from {{ ref('int_arrival_curves') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

stg_runs as (
    select * from {{ ref('stg_runs') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Totals age until they were exported, events until now. A flow is sent anew all the
-- time, so that none of its ages says how many of its opt-outs have arrived.
dated_campaigns as (
    select
        campaigns.campaign_key,
        campaigns.source,
        campaigns.account,

        coalesce(
            totals.settle_days,
            stg_accounts.settle_days,
            {{ var('default_settle_days') }}
        ) as settle_days,

        campaigns.has_delivered_events or totals.campaign_key is null
            as is_counted_from_events,
        not coalesce(send_types.is_repeated, false) as is_sent_once,

        campaigns.sent_at,
        case
            when campaigns.has_delivered_events or totals.campaign_key is null
                then stg_runs.now_at
            else least(stg_runs.now_at, totals.exported_at)
        end as counted_until_at
    from int_campaigns_united as campaigns
    left join int_campaign_stats_narrowed_to_newest as totals
        on campaigns.campaign_key = totals.campaign_key
    left join stg_accounts
        on
            campaigns.source = stg_accounts.source
            and campaigns.account = stg_accounts.account
    left join send_types
        on campaigns.send_type = send_types.send_type
    cross join stg_runs
),

aged_campaigns as (
    select
        campaign_key,
        source,
        account,

        settle_days,

        is_counted_from_events,
        is_sent_once,

        {{ seconds_between('sent_at', 'counted_until_at') }} as age_seconds
    from dated_campaigns
),

curve_steps as (
    select
        source,
        account,

        3600 * lag(lag_end_hours, 1, 0) over earlier_cells as start_seconds,
        3600 * lag_end_hours as end_seconds,
        lag(arrived_share, 1, 0.0e0) over earlier_cells as start_share,
        arrived_share as end_share
    from int_arrival_curves
    where arrived_share is not null
    window earlier_cells as (partition by source, account order by lag_cell asc)
),

-- The age at which the final share has arrived, to the second; between the ends of two
-- cells a curve is straight.
learned_curves as (
    select
        source,
        account,

        max(end_seconds) as horizon_seconds,
        cast(
            ceil(
                min(
                    start_seconds
                    + (end_seconds - start_seconds)
                    * ({{ var('final_arrived_share') }} - start_share)
                    / nullif(end_share - start_share, 0)
                ) filter (
                    where end_share >= {{ var('final_arrived_share') }}
                    and start_share < {{ var('final_arrived_share') }}
                )
            ) as bigint
        ) as arrival_seconds
    from curve_steps
    group by all
),

completed_campaigns as (
    select
        campaigns.campaign_key,

        campaigns.settle_days,
        greatest(86400 * campaigns.settle_days, coalesce(curves.arrival_seconds, 0))
            as settle_seconds,
        campaigns.age_seconds,
        case
            when campaigns.age_seconds >= curves.horizon_seconds then 1.0e0
            when campaigns.age_seconds < 0 and curves.horizon_seconds > 0 then 0.0e0
            else
                steps.start_share
                + (steps.end_share - steps.start_share)
                * (campaigns.age_seconds - steps.start_seconds)
                / (steps.end_seconds - steps.start_seconds)
        end as expected_complete_share,

        campaigns.is_counted_from_events
    from aged_campaigns as campaigns
    left join learned_curves as curves
        on
            campaigns.source = curves.source
            and campaigns.account = curves.account
            and campaigns.is_sent_once
    left join curve_steps as steps
        on
            curves.source = steps.source
            and curves.account = steps.account
            and campaigns.age_seconds >= steps.start_seconds
            and campaigns.age_seconds < steps.end_seconds
),

settled_campaigns as (
    select
        campaign_key,

        case
            when age_seconds >= settle_seconds then 'final'
            else 'provisional'
        end as maturity,

        settle_days,
        settle_seconds,
        expected_complete_share,

        is_counted_from_events
    from completed_campaigns
)

select * from settled_campaigns
