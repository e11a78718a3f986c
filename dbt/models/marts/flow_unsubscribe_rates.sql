with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

severity_bands as (
    select
        band,
        lower_pct,
        upper_pct,
        is_lower_inclusive,
        is_upper_inclusive
    from benchmark_bands
    where kind = 'severity'
),

-- Triggered mail never shares a stream with other mail.
flows as (
    select
        dim_streams.source,
        dim_streams.account,
        dim_streams.stream_id,

        dim_streams.stream_name,
        dim_streams.send_type,

        coalesce(dim_sources.settle_days, {{ var('default_settle_days') }})
            as settle_days
    from dim_streams
    inner join send_types
        on dim_streams.send_type = send_types.send_type
    left join dim_sources
        on
            dim_streams.source = dim_sources.source
            and dim_streams.account = dim_sources.account
    where send_types.is_triggered
),

-- No open in a whole account means that nobody measures them, not that nobody opens.
measured_accounts as (
    select
        source,
        account,

        bool_or(is_opened) as has_opens,
        bool_or(is_opened and is_human_opened is not null) as has_judged_opens,
        bool_or(is_clicked) as has_clicks
    from fct_sends
    group by all
),

dated_sends as (
    select
        source,
        account,
        stream_id,
        campaign_key,
        campaign_id,
        variant,

        is_delivered,
        delivered_at is not null as has_delivered_event,
        is_opened,
        is_human_opened,
        is_clicked,
        is_opted_out,
        is_topic_opted_out,
        is_complained,

        cast(
            date_trunc('month', coalesce(sent_at, delivered_at, first_seen_at)) as date
        ) as month
    from fct_sends
),

-- Who opted out, opened or clicked counts in the month of the mail, not of the answer.
counted_months as (
    select
        flows.source,
        flows.account,
        flows.stream_id,
        dated_sends.campaign_key,
        dated_sends.campaign_id,
        dated_sends.variant,
        dated_sends.month,

        count(*) filter (where dated_sends.is_delivered) as delivered_count,
        count(*) filter (where dated_sends.has_delivered_event)
            as delivered_event_count,
        count(*) filter (where dated_sends.is_opted_out) as unsubscribe_count,
        count(*) filter (where dated_sends.is_topic_opted_out) as topic_opt_out_count,
        count(*) filter (where dated_sends.is_complained) as complaint_count,
        count(*) filter (where dated_sends.is_opened) as unique_open_count,
        count(*) filter (where dated_sends.is_human_opened) as human_open_count,
        count(*) filter (where dated_sends.is_human_opened is null)
            as unknown_open_count,
        count(*) filter (where dated_sends.is_clicked) as unique_click_count
    from flows
    inner join dated_sends
        on flows.stream_id = dated_sends.stream_id
    group by all
),

-- Mail without a campaign was never checked as one: its delivered events are all that
-- is known of it.
event_months as (
    select
        counted_months.stream_id,
        counted_months.campaign_id,
        counted_months.variant,
        counted_months.month,

        case
            when counted_months.campaign_key is not null
                then fct_campaigns.delivered_count_basis
            when counted_months.delivered_event_count > 0 then 'events'
            else 'unavailable'
        end as delivered_count_basis,
        case
            when
                {{ seconds_between(
                    "counted_months.month + interval '1 month'", 'dim_runs.now_at'
                ) }}
                >= 86400 * coalesce(fct_campaigns.settle_days, flows.settle_days)
                then 'final'
            else 'provisional'
        end as maturity,
        case
            when counted_months.campaign_key is not null
                then fct_campaigns.exclusion_reason
            when counted_months.delivered_event_count = 0
                then 'delivered_count_is_known'
        end as exclusion_reason,

        case
            when
                counted_months.campaign_key is not null
                or counted_months.delivered_event_count > 0
                then counted_months.delivered_count
        end as delivered_count,
        counted_months.unsubscribe_count,
        counted_months.topic_opt_out_count,
        counted_months.complaint_count,
        case
            when measured_accounts.has_opens then counted_months.unique_open_count
        end as unique_open_count,
        case
            when
                measured_accounts.has_judged_opens
                and counted_months.unknown_open_count = 0
                then counted_months.human_open_count
        end as human_open_count,
        case
            when measured_accounts.has_clicks then counted_months.unique_click_count
        end as unique_click_count,

        case
            when counted_months.campaign_key is not null then fct_campaigns.is_excluded
            else counted_months.delivered_event_count = 0
        end as is_excluded
    from counted_months
    inner join flows
        on counted_months.stream_id = flows.stream_id
    inner join measured_accounts
        on
            counted_months.source = measured_accounts.source
            and counted_months.account = measured_accounts.account
    left join fct_campaigns
        on counted_months.campaign_key = fct_campaigns.campaign_key
    cross join dim_runs
    where
        counted_months.campaign_key is null
        or fct_campaigns.delivered_count_basis = 'events'
),

-- Totals know no single message: all of them stand in the month the flow began.
reported_months as (
    select
        fct_campaigns.stream_id,
        fct_campaigns.campaign_id,
        fct_campaigns.variant,
        cast(date_trunc('month', fct_campaigns.sent_at) as date) as month,

        fct_campaigns.delivered_count_basis,
        fct_campaigns.maturity,
        fct_campaigns.exclusion_reason,

        fct_campaigns.delivered_count,
        fct_campaigns.unsubscribe_count,
        fct_campaigns.topic_opt_out_count,
        fct_campaigns.complaint_count,
        fct_campaigns.unique_open_count,
        fct_campaigns.human_open_count,
        fct_campaigns.unique_click_count,

        fct_campaigns.is_excluded
    from fct_campaigns
    inner join flows
        on fct_campaigns.stream_id = flows.stream_id
    where
        fct_campaigns.delivered_count_basis <> 'events'
        and fct_campaigns.sent_at is not null
),

flow_months as (
    select
        stream_id,
        campaign_id,
        variant,
        month,

        delivered_count_basis,
        maturity,
        exclusion_reason,

        delivered_count,
        unsubscribe_count,
        topic_opt_out_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,

        is_excluded
    from event_months
    union all
    select
        stream_id,
        campaign_id,
        variant,
        month,

        delivered_count_basis,
        maturity,
        exclusion_reason,

        delivered_count,
        unsubscribe_count,
        topic_opt_out_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,

        is_excluded
    from reported_months
),

-- A month of mail may hold fewer deliveries than answers, where some of it bounced
-- after it was opened: that is no rate.
based_months as (
    select
        stream_id,
        campaign_id,
        variant,
        month,

        delivered_count_basis,
        maturity,
        exclusion_reason,
        case
            when human_open_count is not null then 'human'
            when unique_open_count is not null then 'all'
            else 'unknown'
        end as open_basis,

        delivered_count,
        case
            when not is_excluded and unsubscribe_count <= delivered_count
                then delivered_count
        end as unsubscribe_base_count,
        case
            when not is_excluded and complaint_count <= delivered_count
                then delivered_count
        end as complaint_base_count,
        case
            when
                not is_excluded
                and coalesce(human_open_count, unique_open_count) <= delivered_count
                then delivered_count
        end as open_base_count,
        case
            when not is_excluded and unique_click_count <= delivered_count
                then delivered_count
        end as click_base_count,
        unsubscribe_count,
        topic_opt_out_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        coalesce(human_open_count, unique_open_count) as open_count,
        unique_click_count,

        is_excluded
    from flow_months
),

flow_unsubscribe_rates as (
    select
        flows.source,
        flows.account,
        flows.stream_id,
        based_months.campaign_id,
        based_months.variant,
        based_months.month,
        (select dim_runs.build_id from dim_runs) as build_id,

        flows.stream_name,
        flows.send_type,
        dim_campaigns.campaign_name,
        dim_campaigns.subject,
        based_months.delivered_count_basis,
        based_months.maturity,
        based_months.exclusion_reason,
        based_months.open_basis,
        severity_bands.band as observed_band,

        based_months.delivered_count,
        based_months.unsubscribe_count,
        based_months.topic_opt_out_count,
        based_months.complaint_count,
        based_months.unique_open_count,
        based_months.human_open_count,
        based_months.unique_click_count,

        {{ rate_pct(
            'based_months.unsubscribe_count', 'based_months.unsubscribe_base_count'
        ) }} as unsubscribe_rate_pct,
        {{ wilson_low_pct(
            'based_months.unsubscribe_count', 'based_months.unsubscribe_base_count'
        ) }} as unsubscribe_rate_low_pct,
        {{ wilson_high_pct(
            'based_months.unsubscribe_count', 'based_months.unsubscribe_base_count'
        ) }} as unsubscribe_rate_high_pct,
        {{ rate_pct(
            'based_months.complaint_count', 'based_months.complaint_base_count'
        ) }} as complaint_rate_pct,
        {{ rate_pct('based_months.open_count', 'based_months.open_base_count') }}
            as open_rate_pct,
        {{ rate_pct(
            'based_months.unique_click_count', 'based_months.click_base_count'
        ) }} as click_rate_pct,

        based_months.is_excluded
    from based_months
    inner join flows
        on based_months.stream_id = flows.stream_id
    left join dim_campaigns
        on
            flows.source = dim_campaigns.source
            and flows.account = dim_campaigns.account
            and based_months.campaign_id = dim_campaigns.campaign_id
            and based_months.variant = dim_campaigns.variant
    left join severity_bands
        on {{ is_in_band(
            'based_months.unsubscribe_count',
            'based_months.unsubscribe_base_count',
            'severity_bands'
        ) }}
)

select * from flow_unsubscribe_rates
