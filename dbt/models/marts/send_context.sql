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

send_groups as (
    select * from {{ ref('send_groups') }}
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

-- Recipients of whom somebody knows since when they have been on the list.
known_recipients as (
    select
        dim_campaigns.stream_id,
        dim_campaigns.campaign_id,

        cast(coalesce(sum(
            case when send_groups.is_newcomer then send_groups.delivered_count end
        ), 0) as bigint) as new_contact_count,
        cast(sum(send_groups.delivered_count) as bigint) as contact_known_count
    from send_groups
    inner join dim_campaigns
        on send_groups.campaign_key = dim_campaigns.campaign_key
    where send_groups.is_newcomer is not null
    group by all
),

newcomers as (
    select
        mailings.mailing_key,
        mailings.stream_id,

        mailings.mailing_number,

        known_recipients.new_contact_count,
        known_recipients.contact_known_count,

        {{ rate_pct(
            'known_recipients.new_contact_count', 'known_recipients.contact_known_count'
        ) }} as share_new_contacts_pct
    from mailings
    left join known_recipients
        on
            mailings.stream_id = known_recipients.stream_id
            and mailings.campaign_id = known_recipients.campaign_id
),

compared_newcomers as (
    select
        mailing_key,

        new_contact_count,
        contact_known_count,

        share_new_contacts_pct,
        case
            when
                count(share_new_contacts_pct) over earlier_mailings
                >= {{ var('minimum_history') }}
                then median(share_new_contacts_pct) over earlier_mailings
        end as usual_share_new_contacts_pct
    from newcomers
    window earlier_mailings as (
        partition by stream_id
        order by mailing_number
        rows between {{ var('baseline_campaign_limit') }} preceding and 1 preceding
    )
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
        coalesce(
            newcomers.contact_known_count
            >= {{ var('many_new_contacts_minimum_count') }}
            and newcomers.share_new_contacts_pct
            >= newcomers.usual_share_new_contacts_pct
            + {{ var('many_new_contacts_points') }}
            and newcomers.share_new_contacts_pct
            >= {{ var('many_new_contacts_ratio') }}
            * newcomers.usual_share_new_contacts_pct,
            false
        ) as is_many_new_contacts,
        times.is_unusual_weekday,
        times.is_unusual_hour,

        mailings.sent_at
    from mailings
    inner join mailing_contents as contents
        on mailings.mailing_key = contents.mailing_key
    inner join mailing_times as times
        on mailings.mailing_key = times.mailing_key
    inner join compared_newcomers as newcomers
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
        case
            when is_many_new_contacts
                then concat(
                    {{ number_in_words('share_new_contacts_pct', 0) }},
                    ' % of the recipients joined in the last',
                    ' {{ var("newcomer_days") }} days, usually ',
                    {{ number_in_words('usual_share_new_contacts_pct', 0) }}, ' %'
                )
        end as newcomer_words,
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
            words.newcomer_words,
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
