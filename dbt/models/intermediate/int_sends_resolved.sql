-- A view: each fact and count reads a few of its columns, which costs less than writing
-- all of them a second time.
{{ config(materialized='view') }}

with

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Several scopes may end through one message; the message lost its reader once.
opted_out_sends as (
    select
        send_key,

        bool_or(is_headline_scope) as is_opted_out,
        bool_or(not is_headline_scope) as is_topic_opted_out,

        min(first_load) as opted_out_load,

        min(opted_out_at) as opted_out_at,
        min(opted_out_at) filter (
            where recorded_from = 'event'
        ) as event_opted_out_at
    from int_opt_outs_rolled_up
    where is_by_recipient and send_key is not null
    group by all
),

-- An open, a click, a complaint or an opt-out proves delivery where the campaign has
-- delivered events at all. Without any, its denominator is not counted from events.
concluded_sends as (
    select
        sends.send_key,
        sends.campaign_key,
        sends.source,
        sends.account,
        sends.campaign_id,
        sends.variant,
        coalesce(
            campaigns.stream_id,
            concat(
                sends.source,
                '/',
                sends.account,
                '/',
                coalesce(sends.stream_name, sends.account),
                case
                    when send_types.is_own_stream then concat('/', sends.send_type)
                    else ''
                end
            )
        ) as stream_id,
        sends.contact_key,
        sends.message_id,

        sends.mailbox_provider,
        coalesce(sends.stream_name, sends.account) as stream_name,
        coalesce(campaigns.send_type, sends.send_type, 'campaign') as send_type,
        case
            when sends.decided_outcome is not null then sends.decided_outcome
            when
                campaigns.has_delivered_events
                and (
                    sends.is_delivery_proven or opted_out_sends.send_key is not null
                )
                then 'delivered'
            else sends.undecided_outcome
        end as outcome,
        sends.bounce_class,
        sends.drop_reason,
        sends.last_load,
        coalesce(
            sends.delivered_load,
            least(sends.proven_load, opted_out_sends.opted_out_load)
        ) as delivered_load,
        sends.bounced_load,

        sends.open_count,
        case
            when sends.unknown_open_count = 0 then sends.human_open_count
        end as human_open_count,
        sends.click_count,
        case
            when sends.unknown_click_count = 0 then sends.human_click_count
        end as human_click_count,
        sends.seconds_between_deliveries,

        sends.open_count > 0 as is_opened,
        case
            when sends.human_open_count > 0 then true
            when sends.unknown_open_count = 0 then false
        end as is_human_opened,
        sends.click_count > 0 as is_clicked,
        coalesce(opted_out_sends.is_opted_out, false) as is_opted_out,
        coalesce(opted_out_sends.is_topic_opted_out, false) as is_topic_opted_out,
        sends.complained_at is not null as is_complained,
        sends.is_delivered_again,
        sends.has_several_messages,
        sends.is_deferred,
        sends.is_sent_event_unnamed,
        sends.is_delivered_event_unnamed,

        sends.first_event_at,
        sends.last_event_at,
        sends.sent_at,
        sends.delivered_at,
        sends.delivered_again_at,
        sends.bounced_at,
        sends.first_opened_at,
        sends.first_human_opened_at,
        sends.first_clicked_at,
        opted_out_sends.opted_out_at,
        sends.complained_at,
        least(
            sends.first_opened_at,
            sends.first_clicked_at,
            opted_out_sends.event_opted_out_at,
            sends.complained_at
        ) as first_responded_at
    from int_sends_grouped_from_events as sends
    left join int_campaigns_united as campaigns
        on sends.campaign_key = campaigns.campaign_key
    left join send_types
        on sends.send_type = send_types.send_type
    left join opted_out_sends
        on sends.send_key = opted_out_sends.send_key
),

flagged_sends as (
    select
        send_key,
        campaign_key,
        source,
        account,
        campaign_id,
        variant,
        stream_id,
        contact_key,
        message_id,

        mailbox_provider,
        stream_name,
        send_type,
        outcome,
        case when outcome = 'bounced' then bounce_class end as bounce_class,
        case when outcome = 'dropped' then drop_reason end as drop_reason,
        last_load,
        delivered_load,
        bounced_load,

        open_count,
        human_open_count,
        click_count,
        human_click_count,
        seconds_between_deliveries,

        outcome = 'delivered' as is_delivered,
        outcome = 'delivered' and delivered_at is null as is_delivery_inferred,
        outcome = 'bounced' as is_bounced,
        outcome = 'dropped' as is_dropped,
        outcome in ('deferred', 'sent') as is_pending,
        outcome = 'failed' as is_failed,
        is_opened,
        is_human_opened,
        is_clicked,
        is_opted_out,
        is_topic_opted_out,
        is_complained,
        is_delivered_again,
        has_several_messages,
        is_deferred,
        is_sent_event_unnamed,
        is_delivered_event_unnamed,

        first_event_at,
        last_event_at,
        sent_at,
        delivered_at,
        delivered_again_at,
        bounced_at,
        first_opened_at,
        first_human_opened_at,
        first_clicked_at,
        opted_out_at,
        complained_at,
        first_responded_at
    from concluded_sends
)

select * from flagged_sends
