with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

-- Opens or bounces alone name a few of the people who were mailed, and what contradicts
-- itself is in no sum.
counted_mails as (
    select
        fct_sends.source,
        fct_sends.account,
        fct_sends.stream_id,

        coalesce(fct_sends.mailbox_provider, '(unknown)') as mailbox_provider,
        fct_sends.outcome,
        fct_sends.bounce_class,

        fct_sends.is_delivered,
        fct_sends.is_bounced,
        fct_sends.is_deferred,
        fct_sends.is_opened,
        fct_sends.is_human_opened,
        fct_sends.is_clicked,
        fct_sends.is_opted_out,
        fct_sends.is_topic_opted_out,
        fct_sends.is_complained,

        cast(coalesce(fct_sends.sent_at, fct_sends.first_seen_at) as date)
            as mailed_date
    from fct_sends
    left join fct_campaigns
        on fct_sends.campaign_key = fct_campaigns.campaign_key
    where
        case
            when fct_sends.campaign_key is null
                then
                    fct_sends.sent_at is not null
                    or fct_sends.delivered_at is not null
            else
                not fct_campaigns.is_excluded
                and fct_campaigns.events_delivered_count is not null
        end
),

mailbox_days as (
    select
        source,
        account,
        stream_id,

        mailbox_provider,

        count(*) as sent_count,
        count(*) filter (where outcome not in ('dropped', 'failed')) as attempted_count,
        count(*) filter (where is_delivered) as delivered_count,
        count(*) filter (where is_bounced) as bounce_count,
        count(*) filter (where bounce_class = 'hard') as hard_bounce_count,
        count(*) filter (where bounce_class = 'soft') as soft_bounce_count,
        count(*) filter (where bounce_class = 'block') as block_count,
        count(*) filter (where is_deferred) as deferred_count,
        count(*) filter (where is_delivered and is_opened) as open_count,
        count(*) filter (where is_delivered and is_human_opened) as human_open_count,
        count(*) filter (where is_delivered and is_human_opened is null)
            as unjudged_count,
        count(*) filter (
            where is_opened and is_human_opened is not null
        ) as judged_open_count,
        count(*) filter (where is_delivered and is_clicked) as click_count,
        count(*) filter (where is_delivered and is_opted_out) as unsubscribe_count,
        count(*) filter (where is_delivered and is_topic_opted_out)
            as topic_opt_out_count,
        count(*) filter (where is_delivered and is_complained) as complaint_count,

        mailed_date
    from counted_mails
    group by all
)

select * from mailbox_days
