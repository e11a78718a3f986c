with

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

lag_cells as (
    select * from {{ ref('lag_cells') }}
),

-- A person leaves a campaign once, whatever scopes follow.
first_opt_outs as (
    select
        campaign_key,
        contact_key,

        min(opted_out_at) as opted_out_at
    from int_opt_outs_rolled_up
    where
        is_by_recipient
        and is_headline_scope
        and campaign_key is not null
    group by all
),

-- Mail goes out over a while, and clocks differ: an opt-out from before the send came
-- with it.
late_opt_outs as (
    select
        first_opt_outs.campaign_key,

        {{ seconds_between(
            'campaigns.sent_at',
            'greatest(campaigns.sent_at, first_opt_outs.opted_out_at)'
        ) }} as lag_seconds
    from first_opt_outs
    inner join int_campaigns_united as campaigns
        on first_opt_outs.campaign_key = campaigns.campaign_key
    where
        campaigns.has_delivered_events
        and first_opt_outs.opted_out_at is not null
),

counted_arrivals as (
    select
        late_opt_outs.campaign_key,

        lag_cells.lag_cell,

        count(*) as opt_out_count
    from late_opt_outs
    inner join lag_cells
        on
            late_opt_outs.lag_seconds >= 3600 * lag_cells.lag_start_hours
            and late_opt_outs.lag_seconds < 3600 * lag_cells.lag_end_hours
    group by all
)

select * from counted_arrivals
