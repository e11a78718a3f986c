with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_loads_dated as (
    select * from {{ ref('int_loads_dated') }}
),

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

stg_runs as (
    select * from {{ ref('stg_runs') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

lag_cells as (
    select * from {{ ref('lag_cells') }}
),

-- What happened after the newest export of events nobody has told yet.
account_watermarks as (
    select
        loads.source,
        loads.account,

        max(loads.exported_at) as exported_at
    from int_loads_dated as loads
    inner join stg_source_exports
        on
            loads.source = stg_source_exports.source
            and loads.exports = stg_source_exports.export
    where
        loads.state = 'loaded'
        and loads.exported_at is not null
        and stg_source_exports.landing_table = 'message_events'
    group by all
),

watched_campaigns as (
    select
        campaigns.campaign_key,
        campaigns.source,
        campaigns.account,
        campaigns.campaign_id,

        {{ seconds_between(
            'campaigns.sent_at', 'least(stg_runs.now_at, watermarks.exported_at)'
        ) }} as observed_seconds
    from int_campaigns_united as campaigns
    inner join account_watermarks as watermarks
        on
            campaigns.source = watermarks.source
            and campaigns.account = watermarks.account
    left join send_types
        on campaigns.send_type = send_types.send_type
    cross join stg_runs
    where
        campaigns.has_delivered_events
        and not coalesce(send_types.is_repeated, false)
),

observed_campaigns as (
    select
        watched_campaigns.campaign_key,
        watched_campaigns.source,
        watched_campaigns.account,
        watched_campaigns.campaign_id,

        max(lag_cells.lag_cell) as last_observed_cell
    from watched_campaigns
    inner join lag_cells
        on watched_campaigns.observed_seconds >= 3600 * lag_cells.lag_end_hours
    group by all
),

horizon as (
    select max(lag_cell) as last_cell from lag_cells
),

-- Few campaigns would teach the curve their own accidents.
taught_accounts as (
    select
        observed_campaigns.source,
        observed_campaigns.account
    from observed_campaigns
    inner join horizon
        on observed_campaigns.last_observed_cell = horizon.last_cell
    group by all
    having
        count(distinct observed_campaigns.campaign_id)
        >= {{ var('arrival_minimum_campaigns') }}
),

teaching_campaigns as (
    select
        observed_campaigns.campaign_key,
        observed_campaigns.source,
        observed_campaigns.account,

        observed_campaigns.last_observed_cell
    from observed_campaigns
    inner join taught_accounts
        on
            observed_campaigns.source = taught_accounts.source
            and observed_campaigns.account = taught_accounts.account
)

select * from teaching_campaigns
