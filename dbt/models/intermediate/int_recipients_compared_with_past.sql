with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

delivered_sends as (
    select
        sends.campaign_key,
        sends.stream_id,
        sends.contact_key,
        coalesce(sends.campaign_id, sends.send_key) as mail_id,

        coalesce(sends.delivered_at, sends.sent_at, sends.first_event_at) as mailed_at
    from int_sends_resolved as sends
    left join send_types
        on sends.send_type = send_types.send_type
    where
        sends.is_delivered
        and not coalesce(send_types.is_repeated, false)
),

first_deliveries as (
    select
        stream_id,
        mail_id,

        min(mailed_at) as first_mailed_at
    from delivered_sends
    group by all
),

numbered_mails as (
    select
        stream_id,
        mail_id,

        row_number() over (
            partition by stream_id
            order by first_mailed_at asc, mail_id asc
        ) as mail_number
    from first_deliveries
),

-- The variants of one campaign share its number, so that nobody's earlier mail is
-- another variant of the same campaign.
preceded_sends as (
    select
        sends.campaign_key,

        sends.mailed_at,
        max(sends.mailed_at) over (
            partition by sends.stream_id, sends.contact_key
            order by numbered_mails.mail_number
            range between unbounded preceding and 1 preceding
        ) as previous_mailed_at
    from delivered_sends as sends
    inner join numbered_mails
        on
            sends.stream_id = numbered_mails.stream_id
            and sends.mail_id = numbered_mails.mail_id
),

compared_recipients as (
    select
        campaign_key,

        count(*) as recipient_count,
        count(*) filter (
            where {{ seconds_between('previous_mailed_at', 'mailed_at') }}
            >= 86400 * {{ var('gap_days') }}
        ) as lapsed_recipient_count,
        count(previous_mailed_at) as mailed_before_count
    from preceded_sends
    where campaign_key is not null
    group by all
),

stream_campaigns as (
    select
        campaigns.stream_id,
        campaigns.campaign_id,

        bool_or(campaigns.has_delivered_events) as has_delivered_events,

        min(campaigns.sent_at) as sent_at
    from int_campaigns_united as campaigns
    left join send_types
        on campaigns.send_type = send_types.send_type
    where not coalesce(send_types.is_repeated, false)
    group by all
),

-- Who got a campaign that only totals tell of is unknown, and so is what its recipients
-- had got before the next one.
campaign_pasts as (
    select
        stream_id,
        campaign_id,

        sent_at,
        max(case when not has_delivered_events then sent_at end) over (
            partition by stream_id
            order by sent_at asc, campaign_id asc
            rows between unbounded preceding and 1 preceding
        ) as unknown_mailed_at
    from stream_campaigns
    where sent_at is not null
),

judged_recipients as (
    select
        recipients.campaign_key,

        recipients.recipient_count,
        case
            when
                {{ seconds_between('pasts.unknown_mailed_at', 'pasts.sent_at') }}
                < 86400 * {{ var('gap_days') }}
                then null
            when
                pasts.unknown_mailed_at is not null
                and recipients.mailed_before_count = 0
                then null
            else recipients.lapsed_recipient_count
        end as lapsed_recipient_count,
        case
            when pasts.unknown_mailed_at is null
                then recipients.recipient_count - recipients.mailed_before_count
        end as first_time_recipient_count
    from compared_recipients as recipients
    inner join int_campaigns_united as campaigns
        on recipients.campaign_key = campaigns.campaign_key
    left join campaign_pasts as pasts
        on
            campaigns.stream_id = pasts.stream_id
            and campaigns.campaign_id = pasts.campaign_id
    where campaigns.has_delivered_events
)

select * from judged_recipients
