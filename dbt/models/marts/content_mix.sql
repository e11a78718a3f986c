with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_contents as (
    select * from {{ ref('mailing_contents') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

told_mailings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,
        cast(date_trunc('month', mailings.sent_at) as date) as month,

        coalesce(mailings.content_category, '(unknown)') as content_category,
        mailings.open_basis,
        mailings.maturity,

        mailings.delivered_count,
        mailings.unsubscribe_count,
        mailings.complaint_count,
        mailings.open_count,
        mailings.click_count,

        mailing_contents.is_promotional,
        mailings.is_sound
    from mailings
    inner join mailing_contents
        on mailings.mailing_key = mailing_contents.mailing_key
),

sent_contents as (
    select
        source,
        account,
        stream_id,
        month,
        content_category,

        count(*) as send_count,

        bool_or(is_promotional) as is_promotional
    from told_mailings
    group by all
),

-- What is left out of the rates was sent all the same: it counts in the mix.
counted_contents as (
    select
        source,
        account,
        stream_id,
        month,
        content_category,

        case
            when min(open_basis) = max(open_basis) then min(open_basis)
            else 'mixed'
        end as open_basis,

        count(*) as counted_send_count,
        count(*) filter (where maturity = 'provisional') as provisional_send_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        {{ complete_sum('complaint_count') }} as complaint_count,
        {{ complete_sum('open_count') }} as open_count,
        {{ complete_sum('click_count') }} as unique_click_count
    from told_mailings
    where is_sound
    group by all
),

mixed_contents as (
    select
        sent_contents.source,
        sent_contents.account,
        sent_contents.stream_id,
        sent_contents.month,
        sent_contents.content_category,

        coalesce(counted_contents.open_basis, 'unknown') as open_basis,

        sent_contents.send_count,
        case
            when sent_contents.is_promotional then sent_contents.send_count
            when not sent_contents.is_promotional then 0
        end as promotional_send_count,
        case
            when sent_contents.is_promotional is not null then sent_contents.send_count
        end as known_send_count,
        coalesce(counted_contents.counted_send_count, 0) as counted_send_count,
        coalesce(counted_contents.provisional_send_count, 0) as provisional_send_count,
        counted_contents.delivered_count,
        counted_contents.unsubscribe_count,
        counted_contents.complaint_count,
        case
            when counted_contents.open_basis <> 'mixed' then counted_contents.open_count
        end as open_count,
        counted_contents.unique_click_count,

        sent_contents.is_promotional
    from sent_contents
    left join counted_contents
        on
            sent_contents.source = counted_contents.source
            and sent_contents.account = counted_contents.account
            and sent_contents.stream_id = counted_contents.stream_id
            and sent_contents.month = counted_contents.month
            and sent_contents.content_category = counted_contents.content_category
),

contents_in_months as (
    select
        source,
        account,
        stream_id,
        month,
        content_category,

        open_basis,

        send_count,
        promotional_send_count,
        counted_send_count,
        provisional_send_count,
        cast(sum(send_count) over stream_month as bigint) as stream_send_count,
        cast(sum(known_send_count) over stream_month as bigint)
            as stream_known_send_count,
        cast(sum(promotional_send_count) over stream_month as bigint)
            as stream_promotional_send_count,
        delivered_count,
        unsubscribe_count,
        complaint_count,
        open_count,
        unique_click_count,

        is_promotional
    from mixed_contents
    window stream_month as (partition by source, account, stream_id, month)
),

content_mix as (
    select
        source,
        account,
        stream_id,
        month,
        content_category,
        (select dim_runs.build_id from dim_runs) as build_id,

        open_basis,

        send_count,
        promotional_send_count,
        counted_send_count,
        provisional_send_count,
        stream_send_count,
        stream_known_send_count,
        stream_promotional_send_count,
        delivered_count,
        unsubscribe_count,
        complaint_count,
        open_count,
        unique_click_count,

        {{ rate_pct('send_count', 'stream_send_count') }} as share_of_sends_pct,
        {{ rate_pct('stream_promotional_send_count', 'stream_known_send_count') }}
            as promotional_share_pct,
        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as unsubscribe_rate_pct,
        {{ wilson_low_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_high_pct,
        {{ rate_pct('complaint_count', 'delivered_count') }} as complaint_rate_pct,
        -- More clicks than opens (images off) means the opens undercount: no share.
        case
            when unique_click_count <= open_count
                then {{ rate_pct('unique_click_count', 'open_count') }}
        end as click_to_open_pct,

        is_promotional
    from contents_in_months
)

select * from content_mix
