with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- What goes out all the time has no day to be compared by.
single_sends as (
    select
        {{ hash_key(['fct_campaigns.stream_id', 'fct_campaigns.campaign_id']) }}
            as mailing_key,
        fct_campaigns.source,
        fct_campaigns.account,
        fct_campaigns.stream_id,
        fct_campaigns.campaign_id,

        fct_campaigns.campaign_name,
        fct_campaigns.subject,
        fct_campaigns.send_type,
        fct_campaigns.audience,
        fct_campaigns.content_category,
        fct_campaigns.industry,
        fct_campaigns.maturity,

        fct_campaigns.sent_count,
        fct_campaigns.attempted_count,
        fct_campaigns.delivered_count,
        fct_campaigns.unsubscribe_count,
        fct_campaigns.unique_open_count,
        fct_campaigns.human_open_count,
        fct_campaigns.unique_click_count,
        fct_campaigns.complaint_count,
        fct_campaigns.hard_bounce_count,
        fct_campaigns.suspect_automated_count,
        fct_campaigns.recipient_count,
        fct_campaigns.lapsed_recipient_count,
        fct_campaigns.first_time_recipient_count,
        fct_campaigns.expected_complete_share,

        not fct_campaigns.is_excluded
        and fct_campaigns.delivered_count > 0
        and fct_campaigns.unsubscribe_count between 0 and fct_campaigns.delivered_count
            as is_sound,

        fct_campaigns.sent_at
    from fct_campaigns
    left join send_types
        on fct_campaigns.send_type = send_types.send_type
    where
        fct_campaigns.sent_at is not null
        and not coalesce(send_types.is_repeated, false)
),

sent_mailings as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        campaign_id,

        min(campaign_name) as campaign_name,
        min(subject) as subject,
        min(send_type) as send_type,
        min(audience) as audience,
        min(content_category) as content_category,
        min(industry) as industry,
        max(maturity) as maturity,

        count(*) as variant_count,

        min(sent_at) as sent_at
    from single_sends
    group by all
),

-- A count that one of the variants does not know is unknown of all.
counted_mailings as (
    select
        mailing_key,

        {{ complete_sum('sent_count') }} as sent_count,
        {{ complete_sum('attempted_count') }} as attempted_count,
        {{ complete_sum('delivered_count') }} as delivered_count,
        {{ complete_sum('unsubscribe_count') }} as unsubscribe_count,
        {{ complete_sum('unique_open_count') }} as unique_open_count,
        {{ complete_sum('human_open_count') }} as human_open_count,
        {{ complete_sum('unique_click_count') }} as click_count,
        {{ complete_sum('complaint_count') }} as complaint_count,
        {{ complete_sum('hard_bounce_count') }} as hard_bounce_count,
        {{ complete_sum('suspect_automated_count') }} as suspect_automated_count,
        {{ complete_sum('recipient_count') }} as recipient_count,
        {{ complete_sum('lapsed_recipient_count') }} as lapsed_recipient_count,
        {{ complete_sum('first_time_recipient_count') }} as first_time_recipient_count,

        min(expected_complete_share) as expected_complete_share
    from single_sends
    where is_sound
    group by all
),

mailings_in_order as (
    select
        mailing_key,
        sent_at,

        row_number() over stream_order as mailing_number,
        cast({{ dbt.datediff(
            'lag(sent_at) over stream_order', 'sent_at', 'day'
        ) }} as bigint) as days_since_previous_mailing
    from sent_mailings
    window stream_order as (
        partition by stream_id
        order by sent_at asc, campaign_id asc
    )
),

-- Whom the mail reached decides, where single recipients are known: a stream may pause
-- while its people get other mail, and go on while these people have heard nothing.
gaps as (
    select
        mailings_in_order.mailing_key,
        mailings_in_order.mailing_number,

        mailings_in_order.days_since_previous_mailing,

        {{ rate_pct(
            'counted_mailings.lapsed_recipient_count',
            'counted_mailings.recipient_count'
        ) }} as gap_share_pct
    from mailings_in_order
    left join counted_mailings
        on mailings_in_order.mailing_key = counted_mailings.mailing_key
),

judged_gaps as (
    select
        mailing_key,
        mailing_number,

        days_since_previous_mailing,

        gap_share_pct,

        mailing_number > 1 and coalesce(
            gap_share_pct >= {{ var('post_gap_share_pct') }},
            days_since_previous_mailing >= {{ var('gap_days') }}
        ) as is_post_gap
    from gaps
),

mailings as (
    select
        sent_mailings.mailing_key,
        sent_mailings.source,
        sent_mailings.account,
        sent_mailings.stream_id,
        sent_mailings.campaign_id,

        sent_mailings.campaign_name,
        sent_mailings.subject,
        sent_mailings.send_type,
        sent_mailings.audience,
        sent_mailings.content_category,
        sent_mailings.industry,
        case
            when counted_mailings.human_open_count is not null then 'human'
            when counted_mailings.unique_open_count is not null then 'all'
            else 'unknown'
        end as open_basis,
        sent_mailings.maturity,
        judged_gaps.mailing_number,
        sent_mailings.variant_count,
        max(case when judged_gaps.is_post_gap then judged_gaps.mailing_number end)
            over earlier_and_this_mailing as newest_gap_number,

        counted_mailings.sent_count,
        counted_mailings.attempted_count,
        counted_mailings.delivered_count,
        counted_mailings.unsubscribe_count,
        coalesce(counted_mailings.human_open_count, counted_mailings.unique_open_count)
            as open_count,
        counted_mailings.human_open_count,
        counted_mailings.click_count,
        counted_mailings.complaint_count,
        counted_mailings.hard_bounce_count,
        counted_mailings.suspect_automated_count,
        counted_mailings.recipient_count,
        counted_mailings.lapsed_recipient_count,
        counted_mailings.first_time_recipient_count,
        judged_gaps.days_since_previous_mailing,

        judged_gaps.gap_share_pct,
        counted_mailings.expected_complete_share,

        counted_mailings.mailing_key is not null as is_sound,
        judged_gaps.is_post_gap,

        sent_mailings.sent_at
    from sent_mailings
    inner join judged_gaps
        on sent_mailings.mailing_key = judged_gaps.mailing_key
    left join counted_mailings
        on sent_mailings.mailing_key = counted_mailings.mailing_key
    window earlier_and_this_mailing as (
        partition by sent_mailings.stream_id
        order by judged_gaps.mailing_number
        rows between unbounded preceding and current row
    )
),

-- A gap moves the mailing after it and its next two: none of them says what is usual.
mailings_beside_gaps as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        campaign_id,

        campaign_name,
        subject,
        send_type,
        audience,
        content_category,
        industry,
        open_basis,
        maturity,
        mailing_number,
        variant_count,
        case
            when
                mailing_number - newest_gap_number
                <= {{ var('gap_recovery_mailings') }}
                then mailing_number - newest_gap_number
        end as mailings_since_gap,

        sent_count,
        attempted_count,
        delivered_count,
        unsubscribe_count,
        open_count,
        human_open_count,
        click_count,
        complaint_count,
        hard_bounce_count,
        suspect_automated_count,
        recipient_count,
        lapsed_recipient_count,
        first_time_recipient_count,
        days_since_previous_mailing,

        gap_share_pct,
        expected_complete_share,

        is_sound,
        is_post_gap,
        is_sound
        and maturity = 'final'
        and coalesce(
            mailing_number - newest_gap_number > {{ var('gap_recovery_mailings') }},
            true
        ) as is_usual,

        sent_at
    from mailings
)

select * from mailings_beside_gaps
