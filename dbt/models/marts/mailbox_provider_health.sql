with

mailbox_days as (
    select * from {{ ref('mailbox_days') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- No bounce, open, click or complaint in a whole account means that its export tells
-- none.
measured_accounts as (
    select
        source,
        account,

        sum(bounce_count) > 0 as has_bounces,
        sum(deferred_count) > 0 as has_deferrals,
        sum(open_count) > 0 as has_opens,
        sum(judged_open_count) > 0 as has_judged_opens,
        sum(click_count) > 0 as has_clicks,
        sum(complaint_count) > 0 as has_complaints
    from mailbox_days
    group by all
),

provider_weeks as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        cast(date_trunc('week', mailed_date) as date) as week,

        cast(sum(sent_count) as bigint) as sent_count,
        cast(sum(attempted_count) as bigint) as attempted_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(hard_bounce_count) as bigint) as hard_bounce_count,
        cast(sum(soft_bounce_count) as bigint) as soft_bounce_count,
        cast(sum(block_count) as bigint) as block_count,
        cast(sum(deferred_count) as bigint) as deferred_count,
        cast(sum(open_count) as bigint) as open_count,
        cast(sum(human_open_count) as bigint) as human_open_count,
        sum(unjudged_count) as unjudged_count,
        cast(sum(click_count) as bigint) as click_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(topic_opt_out_count) as bigint) as topic_opt_out_count,
        cast(sum(complaint_count) as bigint) as complaint_count
    from mailbox_days
    group by all
),

known_weeks as (
    select
        weeks.source,
        weeks.account,
        weeks.stream_id,
        weeks.week,

        weeks.mailbox_provider,
        case
            when accounts.has_judged_opens and weeks.unjudged_count = 0 then 'human'
            when accounts.has_opens then 'all'
            else 'unknown'
        end as open_basis,

        weeks.sent_count,
        weeks.attempted_count,
        weeks.delivered_count,
        case when accounts.has_bounces then weeks.hard_bounce_count end
            as hard_bounce_count,
        case when accounts.has_bounces then weeks.soft_bounce_count end
            as soft_bounce_count,
        case when accounts.has_bounces then weeks.block_count end as block_count,
        case when accounts.has_deferrals then weeks.deferred_count end
            as deferred_count,
        case when accounts.has_opens then weeks.open_count end as unique_open_count,
        case
            when accounts.has_judged_opens and weeks.unjudged_count = 0
                then weeks.human_open_count
        end as human_open_count,
        case when accounts.has_clicks then weeks.click_count end as unique_click_count,
        weeks.unsubscribe_count,
        weeks.topic_opt_out_count,
        case when accounts.has_complaints then weeks.complaint_count end
            as complaint_count
    from provider_weeks as weeks
    inner join measured_accounts as accounts
        on
            weeks.source = accounts.source
            and weeks.account = accounts.account
),

mailbox_provider_health as (
    select
        source,
        account,
        stream_id,
        week,
        mailbox_provider,
        (select dim_runs.build_id from dim_runs) as build_id,

        open_basis,

        sent_count,
        attempted_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        deferred_count,
        unique_open_count,
        human_open_count,
        unique_click_count,
        unsubscribe_count,
        topic_opt_out_count,
        complaint_count,

        {{ rate_pct('delivered_count', 'attempted_count') }} as delivered_pct,
        {{ rate_pct('hard_bounce_count', 'attempted_count') }} as hard_bounce_rate_pct,
        {{ rate_pct('soft_bounce_count', 'attempted_count') }} as soft_bounce_rate_pct,
        {{ rate_pct('block_count', 'attempted_count') }} as block_rate_pct,
        {{ rate_pct('deferred_count', 'attempted_count') }} as deferred_pct,
        {{ rate_pct(
            "case open_basis when 'human' then human_open_count"
            " else unique_open_count end",
            'delivered_count'
        ) }} as open_rate_pct,
        {{ rate_pct('unique_click_count', 'delivered_count') }} as click_rate_pct,
        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as unsubscribe_rate_pct,
        {{ wilson_low_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_high_pct
    from known_weeks
)

select * from mailbox_provider_health
