with

fct_link_clicks as (
    select * from {{ ref('fct_link_clicks') }}
),

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- A click belongs to the month its mail was sent in, as the mail delivered does.
dated_sends as (
    select
        send_key,
        source,
        account,
        stream_id,
        cast(
            date_trunc(
                'month', coalesce(sent_at, delivered_at, bounced_at, first_seen_at)
            ) as date
        ) as month,

        is_delivered
    from fct_sends
),

dated_clicks as (
    select
        dated_sends.source,
        dated_sends.account,
        dated_sends.stream_id,
        dated_sends.month,
        fct_link_clicks.url_kind,

        fct_link_clicks.campaign_id,
        fct_link_clicks.contact_key,

        fct_link_clicks.click_count
    from fct_link_clicks
    inner join dated_sends
        on fct_link_clicks.send_key = dated_sends.send_key
),

clicked_kinds as (
    select
        source,
        account,
        stream_id,
        month,
        url_kind,

        count(distinct campaign_id) as campaign_count,
        count(distinct contact_key) as clicker_count,
        cast(sum(click_count) as bigint) as click_count
    from dated_clicks
    group by all
),

clicked_months as (
    select
        source,
        account,
        stream_id,
        month,

        count(distinct contact_key) as any_clicker_count
    from dated_clicks
    group by all
),

delivered_months as (
    select
        source,
        account,
        stream_id,
        month,

        count(*) as delivered_count
    from dated_sends
    where is_delivered
    group by all
),

link_clicks as (
    select
        clicked_kinds.source,
        clicked_kinds.account,
        clicked_kinds.stream_id,
        clicked_kinds.month,
        clicked_kinds.url_kind,
        (select dim_runs.build_id from dim_runs) as build_id,

        clicked_kinds.campaign_count,
        clicked_kinds.clicker_count,
        clicked_months.any_clicker_count,
        clicked_kinds.click_count,
        delivered_months.delivered_count,

        {{ rate_pct(
            'clicked_kinds.clicker_count', 'clicked_months.any_clicker_count'
        ) }} as click_share_pct
    from clicked_kinds
    inner join clicked_months
        on
            clicked_kinds.source = clicked_months.source
            and clicked_kinds.account = clicked_months.account
            and clicked_kinds.stream_id = clicked_months.stream_id
            and clicked_kinds.month = clicked_months.month
    left join delivered_months
        on
            clicked_kinds.source = delivered_months.source
            and clicked_kinds.account = delivered_months.account
            and clicked_kinds.stream_id = delivered_months.stream_id
            and clicked_kinds.month = delivered_months.month
)

select * from link_clicks
