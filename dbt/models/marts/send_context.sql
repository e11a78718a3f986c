with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_audiences as (
    select * from {{ ref('mailing_audiences') }}
),

mailing_contents as (
    select * from {{ ref('mailing_contents') }}
),

mailing_times as (
    select * from {{ ref('mailing_times') }}
),

mailing_newcomers as (
    select * from {{ ref('mailing_newcomers') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

contexts as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,

        mailings.campaign_name,
        mailings.subject,
        mailings.send_type,
        mailings.audience,
        mailings.content_category,
        contents.usual_category,
        contents.category_vs_usual,
        times.send_weekday,
        times.usual_weekdays,
        times.send_time_basis,
        case when audiences.is_unusual then audiences.audience_evidence end
            as audience_evidence,
        newcomers.newcomer_evidence,
        coalesce(dim_sources.timezone, 'UTC') as timezone,

        mailings.delivered_count,
        audiences.usual_delivered_count,
        mailings.days_since_previous_mailing,
        times.sends_28d,
        times.sends_prior_28d,
        newcomers.new_contact_count,
        newcomers.contact_known_count,
        contents.promotional_run_count,
        contents.longest_earlier_run_count,
        contents.earlier_count,
        contents.earlier_category_count,
        times.send_hour_local,
        times.usual_hour_local,

        audiences.audience_ratio as audience_vs_usual_ratio,
        times.frequency_ratio,
        newcomers.share_new_contacts_pct,
        newcomers.usual_share_new_contacts_pct,
        mailings.gap_share_pct,
        contents.category_share_pct,

        coalesce(audiences.is_unusual and audiences.is_new_audience, false)
            as is_new_audience,
        coalesce(audiences.is_unusual, false) as is_unusual_audience,
        times.is_frequency_up,
        mailings.is_post_gap,
        contents.category_vs_usual in ('new', 'unusual') as is_unusual_category,
        contents.is_promotional_run,
        newcomers.is_many_new_contacts,
        times.is_unusual_weekday,
        times.is_unusual_hour,

        mailings.sent_at
    from mailings
    inner join mailing_contents as contents
        on mailings.mailing_key = contents.mailing_key
    inner join mailing_times as times
        on mailings.mailing_key = times.mailing_key
    inner join mailing_newcomers as newcomers
        on mailings.mailing_key = newcomers.mailing_key
    left join mailing_audiences as audiences
        on mailings.mailing_key = audiences.mailing_key
    left join dim_sources
        on
            mailings.source = dim_sources.source
            and mailings.account = dim_sources.account
),

worded_contexts as (
    select
        mailing_key,

        case
            when is_post_gap
                then coalesce(
                    {{ number_in_words('gap_share_pct', 0) }}
                    || ' % of the recipients had no mail of this stream for '
                    || '{{ var("gap_days") }} days',
                    concat(
                        'the first of this stream after ',
                        days_since_previous_mailing, ' days'
                    )
                )
        end as gap_words,
        case when is_frequency_up then concat(
            sends_28d, ' sends of this stream in {{ var("frequency_days") }} days, ',
            sends_prior_28d, ' in the {{ var("frequency_days") }} before'
        ) end as frequency_words,
        case when is_unusual_category then concat(
            'about "', content_category, '", as ',
            case
                when category_vs_usual = 'new' then 'none before'
                when earlier_category_count = 0
                    then concat('none of the last ', earlier_count)
                else concat(earlier_category_count, ' of the last ', earlier_count)
            end,
            ' in this stream, usually "', usual_category, '"'
        ) end as category_words,
        case when is_promotional_run then concat(
            promotional_run_count, ' promotions in a row, before at most ',
            coalesce(longest_earlier_run_count, 0)
        ) end as promotion_words,
        case when is_unusual_weekday then concat(
            'sent on a ', send_weekday, ', usually ', usual_weekdays
        ) end as weekday_words,
        case when is_unusual_hour then concat(
            'sent at ', lpad(cast(send_hour_local as string), 2, '0'), ' h, usually ',
            lpad(cast(usual_hour_local as string), 2, '0'), ' h (', timezone, ')'
        ) end as hour_words
    from contexts
),

send_context as (
    select
        contexts.mailing_key,
        contexts.source,
        contexts.account,
        contexts.stream_id,
        contexts.campaign_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        contexts.campaign_name,
        contexts.subject,
        contexts.send_type,
        contexts.audience,
        contexts.content_category,
        contexts.usual_category,
        contexts.category_vs_usual,
        contexts.send_weekday,
        contexts.usual_weekdays,
        contexts.send_time_basis,
        nullif(concat_ws(
            '; ',
            contexts.audience_evidence,
            contexts.newcomer_evidence,
            words.gap_words,
            words.frequency_words,
            words.category_words,
            words.promotion_words,
            words.weekday_words,
            words.hour_words
        ), '') as unusual,

        cast(contexts.is_unusual_audience as bigint)
        + cast(contexts.is_many_new_contacts as bigint)
        + cast(contexts.is_post_gap as bigint)
        + cast(contexts.is_frequency_up as bigint)
        + cast(contexts.is_unusual_category as bigint)
        + cast(contexts.is_promotional_run as bigint)
        + cast(
            contexts.is_unusual_weekday or contexts.is_unusual_hour as bigint
        ) as unusual_count,
        contexts.delivered_count,
        contexts.usual_delivered_count,
        contexts.days_since_previous_mailing as days_since_previous_send,
        contexts.sends_28d,
        contexts.sends_prior_28d,
        contexts.new_contact_count,
        contexts.contact_known_count,
        contexts.promotional_run_count,
        contexts.send_hour_local,
        contexts.usual_hour_local,

        contexts.audience_vs_usual_ratio,
        contexts.frequency_ratio,
        contexts.share_new_contacts_pct,
        contexts.usual_share_new_contacts_pct,
        contexts.category_share_pct,

        contexts.is_new_audience,
        contexts.is_unusual_audience,
        contexts.is_many_new_contacts,
        contexts.is_post_gap,
        contexts.is_frequency_up,
        contexts.is_unusual_category,
        contexts.is_promotional_run,
        contexts.is_unusual_weekday or contexts.is_unusual_hour as is_unusual_send_time,

        contexts.sent_at
    from contexts
    inner join worded_contexts as words
        on contexts.mailing_key = words.mailing_key
)

select * from send_context
