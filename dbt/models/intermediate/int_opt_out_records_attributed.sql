with

int_opt_out_records_collected as (
    select * from {{ ref('int_opt_out_records_collected') }}
),

int_messages_matched_to_campaigns as (
    select * from {{ ref('int_messages_matched_to_campaigns') }}
),

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

matched_records as (
    select
        records.record_key,
        records.source,
        records.account,
        records.contact_key,
        records.campaign_id,
        records.variant,
        records.message_id,
        messages.campaign_id as message_campaign_id,
        messages.variant as message_variant,

        records.is_inferable,

        records.occurred_at
    from int_opt_out_records_collected as records
    left join int_messages_matched_to_campaigns as messages
        on
            records.source = messages.source
            and records.account = messages.account
            and records.message_id = messages.message_id
),

-- One pass over the mail of those who opted out: their messages are few, the mail of
-- everybody is not.
own_sends as (
    select
        matched_records.record_key,
        sends.send_key,
        sends.campaign_key,
        sends.campaign_id,
        sends.variant,

        case
            when
                sends.campaign_id = matched_records.message_campaign_id
                and sends.variant = matched_records.message_variant
                then 'message_id'
            when
                sends.campaign_id is null
                and sends.message_id = matched_records.message_id
                then 'message_id'
            when sends.campaign_id = matched_records.campaign_id then 'campaign_id'
            when
                matched_records.is_inferable
                and (
                    sends.decided_outcome = 'delivered'
                    or sends.decided_outcome is null and sends.is_delivery_proven
                )
                and coalesce(sends.delivered_at, sends.sent_at, sends.first_event_at)
                between matched_records.occurred_at
                - interval '{{ var("attribution_window_days") }} days'
                and matched_records.occurred_at
                then 'inferred'
        end as attribution,

        coalesce(sends.variant = matched_records.variant, false) as is_same_variant,

        sends.delivered_at,
        coalesce(sends.sent_at, sends.first_event_at) as mailed_at,
        coalesce(sends.delivered_at, sends.sent_at, sends.first_event_at)
            as arrived_at
    from matched_records
    inner join int_sends_grouped_from_events as sends
        on
            matched_records.source = sends.source
            and matched_records.account = sends.account
            and matched_records.contact_key = sends.contact_key
),

counted_campaigns as (
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant,

        count(*) over (partition by source, account, campaign_id) as variant_count,

        bool_or(has_recipients) over (
            partition by source, account, campaign_id
        ) as has_recipients,

        sent_at
    from int_campaigns_united
),

-- A campaign whose recipients are unknown takes the record's word for it; one whose
-- recipients are known takes only them.
unlisted_campaigns as (
    select
        matched_records.record_key,
        cast(null as string) as send_key,
        counted_campaigns.campaign_key,
        counted_campaigns.campaign_id,
        counted_campaigns.variant,

        'campaign_id' as attribution,

        counted_campaigns.variant = matched_records.variant as is_same_variant,

        cast(null as timestamp) as delivered_at,
        counted_campaigns.sent_at as mailed_at,
        counted_campaigns.sent_at as arrived_at
    from matched_records
    inner join counted_campaigns
        on
            matched_records.source = counted_campaigns.source
            and matched_records.account = counted_campaigns.account
            and matched_records.campaign_id = counted_campaigns.campaign_id
            and (
                matched_records.variant = counted_campaigns.variant
                or counted_campaigns.variant_count = 1
            )
    where not counted_campaigns.has_recipients
),

candidates as (
    select
        record_key,
        send_key,
        campaign_key,
        campaign_id,
        variant,
        attribution,
        is_same_variant,
        delivered_at,
        mailed_at,
        arrived_at
    from own_sends
    where attribution is not null
    union all
    select
        record_key,
        send_key,
        campaign_key,
        campaign_id,
        variant,
        attribution,
        is_same_variant,
        delivered_at,
        mailed_at,
        arrived_at
    from unlisted_campaigns
),

ranked_candidates as (
    select
        record_key,
        send_key,
        campaign_key,
        campaign_id,
        variant,
        attribution,

        row_number() over (
            partition by record_key
            order by
                case attribution
                    when 'message_id' then 1 when 'campaign_id' then 2 else 3
                end asc,
                send_key is null asc,
                is_same_variant desc,
                arrived_at desc nulls last,
                send_key asc,
                campaign_key asc
        ) as candidate_rank,

        delivered_at,
        mailed_at
    from candidates
),

attributed_records as (
    select
        records.record_key,
        records.source,
        records.account,
        records.contact_key,
        records.list,
        records.opt_out_scope,
        records.opt_out_scope_id,
        mail.send_key,
        mail.campaign_key,
        mail.campaign_id,
        mail.variant,

        coalesce(mail.attribution, 'none') as attribution,
        records.recorded_from,
        records.mailbox_provider,
        records.opt_out_method,
        records.initiator,
        records.cause,
        records.reason,
        records.reason_basis,
        records.reason_rule,
        records.reason_labels,
        records.reason_language,
        records.reason_option_set,
        records.first_load,

        records.reason_length,

        coalesce(mail.attribution in ('message_id', 'campaign_id'), false)
            as is_named,
        records.is_by_recipient,
        records.is_answered,

        records.occurred_at,
        records.restates_from_at,
        records.restates_until_at,
        mail.delivered_at,
        mail.mailed_at
    from int_opt_out_records_collected as records
    left join ranked_candidates as mail
        on
            records.record_key = mail.record_key
            and mail.candidate_rank = 1
)

select * from attributed_records
