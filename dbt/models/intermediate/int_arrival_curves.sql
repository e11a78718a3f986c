with

int_opt_out_arrivals_counted as (
    select * from {{ ref('int_opt_out_arrivals_counted') }}
),

int_opt_outs_observed as (
    select * from {{ ref('int_opt_outs_observed') }}
),

lag_cells as (
    select * from {{ ref('lag_cells') }}
),

observed_campaigns as (
    select
        source,
        account,

        last_observed_cell,

        count(*) as campaign_count
    from int_opt_outs_observed
    group by all
),

-- Campaigns watched equally long are added up first: the curve needs no more.
observed_arrivals as (
    select
        observed.source,
        observed.account,

        arrivals.lag_cell,
        observed.last_observed_cell,

        sum(arrivals.opt_out_count) as opt_out_count
    from int_opt_out_arrivals_counted as arrivals
    inner join int_opt_outs_observed as observed
        on
            arrivals.campaign_key = observed.campaign_key
            and arrivals.lag_cell <= observed.last_observed_cell
    group by all
),

account_cells as (
    select
        observed_campaigns.source,
        observed_campaigns.account,

        lag_cells.lag_cell,
        lag_cells.lag_end_hours,

        sum(observed_campaigns.campaign_count) as campaign_count
    from observed_campaigns
    inner join lag_cells
        on observed_campaigns.last_observed_cell >= lag_cells.lag_cell
    group by all
),

counted_cells as (
    select
        cells.source,
        cells.account,

        cells.lag_cell,
        cells.lag_end_hours,

        cells.campaign_count,
        coalesce(
            sum(arrivals.opt_out_count) filter (
                where arrivals.lag_cell = cells.lag_cell
            ),
            0
        ) as opt_out_count,
        coalesce(sum(arrivals.opt_out_count), 0) as arrived_count
    from account_cells as cells
    left join observed_arrivals as arrivals
        on
            cells.source = arrivals.source
            and cells.account = arrivals.account
            and cells.lag_cell >= arrivals.lag_cell
            and cells.lag_cell <= arrivals.last_observed_cell
    group by all
),

-- Of what arrived until the end of a cell, the part that came within it: the youngest
-- campaigns teach the early cells without waiting for their end.
cell_hazards as (
    select
        source,
        account,

        lag_cell,
        lag_end_hours,

        cast(campaign_count as bigint) as campaign_count,
        cast(opt_out_count as bigint) as opt_out_count,
        cast(arrived_count as bigint) as arrived_count,
        cast(opt_out_count as double) / nullif(arrived_count, 0) as hazard
    from counted_cells
),

-- Nothing had arrived before a hazard of 1, whose logarithm does not exist.
arrival_curves as (
    select
        source,
        account,

        lag_cell,
        lag_end_hours,

        campaign_count,
        opt_out_count,
        arrived_count,

        hazard,
        case
            when
                last_value(arrived_count) over (
                    partition by source, account
                    order by lag_cell asc
                    rows between unbounded preceding and unbounded following
                ) = 0
                then null
            when max(hazard) over later_cells >= 1 then 0.0e0
            else
                coalesce(
                    exp(
                        sum(
                            case when hazard < 1 then ln(1 - hazard) end
                        ) over later_cells
                    ),
                    1.0e0
                )
        end as arrived_share
    from cell_hazards
    window later_cells as (
        partition by source, account
        order by lag_cell asc
        rows between 1 following and unbounded following
    )
)

select * from arrival_curves
