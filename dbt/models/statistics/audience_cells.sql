with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

mailings as (
    select * from {{ ref('mailings') }}
),

sound_campaigns as (
    select
        fct_campaigns.campaign_key,
        mailings.mailing_key,
        fct_campaigns.source,
        fct_campaigns.account,

        coalesce(fct_campaigns.audience, '(unknown)') as audience,
        coalesce(fct_campaigns.content_category, '(unknown)') as content_category,

        fct_campaigns.delivered_count,
        fct_campaigns.unsubscribe_count,
        fct_campaigns.complaint_count,

        fct_campaigns.delivered_count_basis = 'events' as has_single_messages
    from fct_campaigns
    inner join mailings
        on
            fct_campaigns.stream_id = mailings.stream_id
            and fct_campaigns.campaign_id = mailings.campaign_id
    where
        not fct_campaigns.is_excluded
        and fct_campaigns.delivered_count > 0
        and fct_campaigns.unsubscribe_count between 0 and fct_campaigns.delivered_count
),

-- Since when somebody is there at least, and whether that is the day they joined.
joinings as (
    select
        source,
        account,
        contact_key,

        coalesce(
            min(entered_at) = min(entered_at) filter (where is_entry_known), false
        ) as is_entry_known,

        min(entered_at) as entered_at
    from fct_list_spells
    group by all
),

aged_messages as (
    select
        fct_sends.campaign_key,
        fct_sends.contact_key,

        joinings.is_entry_known,
        fct_sends.is_opted_out,
        fct_sends.is_complained,

        {{ seconds_between(
            'joinings.entered_at', 'coalesce(fct_sends.delivered_at, fct_sends.sent_at)'
        ) }} / 86400e0 as days_on_list
    from fct_sends
    inner join sound_campaigns
        on fct_sends.campaign_key = sound_campaigns.campaign_key
    inner join dim_sources
        on
            fct_sends.source = dim_sources.source
            and fct_sends.account = dim_sources.account
    left join joinings
        on
            dim_sources.list_source = joinings.source
            and dim_sources.list_account = joinings.account
            and fct_sends.contact_key = joinings.contact_key
    where sound_campaigns.has_single_messages and fct_sends.is_delivered
),

-- Who was there before anybody saw it is new for nobody. Mail from before somebody
-- joined went to a list that no file tells of.
messages as (
    select
        campaign_key,
        contact_key,

        case
            when days_on_list >= {{ var('settled_days') }} then 'settled'
            when not is_entry_known or days_on_list < 0 then '(unknown)'
            when days_on_list >= {{ var('newcomer_days') }} then 'settling'
            when days_on_list >= 0 then 'new'
            else '(unknown)'
        end as tenure,

        is_opted_out,
        is_complained
    from aged_messages
),

counted_messages as (
    select
        campaign_key,

        tenure,

        count(*) as delivered_count,
        count(case when is_opted_out then 1 end) as unsubscribe_count,
        count(case when is_complained then 1 end) as complaint_count
    from messages
    group by all
),

campaign_tenures as (
    select
        sound_campaigns.source,
        sound_campaigns.account,
        sound_campaigns.mailing_key,

        sound_campaigns.audience,
        sound_campaigns.content_category,
        counted_messages.tenure,

        counted_messages.delivered_count,
        counted_messages.unsubscribe_count,
        case
            when sound_campaigns.complaint_count is not null
                then counted_messages.complaint_count
        end as complaint_count,

        true as has_single_messages
    from sound_campaigns
    inner join counted_messages
        on sound_campaigns.campaign_key = counted_messages.campaign_key
    where sound_campaigns.has_single_messages
    union all
    select
        source,
        account,
        mailing_key,
        audience,
        content_category,
        '(unknown)' as tenure,
        delivered_count,
        unsubscribe_count,
        complaint_count,
        false as has_single_messages
    from sound_campaigns
    where not has_single_messages
),

audience_tenures as (
    select
        source,
        account,
        mailing_key,
        audience,
        content_category,
        tenure,
        delivered_count,
        unsubscribe_count,
        complaint_count,
        has_single_messages
    from campaign_tenures
    union all
    select
        source,
        account,
        mailing_key,
        '(all)' as audience,
        content_category,
        tenure,
        delivered_count,
        unsubscribe_count,
        complaint_count,
        has_single_messages
    from campaign_tenures
),

people as (
    select
        sound_campaigns.source,
        sound_campaigns.account,
        messages.contact_key,

        sound_campaigns.audience,
        sound_campaigns.content_category,
        messages.tenure
    from messages
    inner join sound_campaigns
        on messages.campaign_key = sound_campaigns.campaign_key
    group by all
),

counted_people as (
    select
        source,
        account,
        audience,
        content_category,
        tenure,
        count(contact_key) as contact_count
    from people
    group by all
    union all
    select
        source,
        account,
        '(all)' as audience,
        content_category,
        tenure,
        count(distinct contact_key) as contact_count
    from people
    group by all
),

counted_mail as (
    select
        source,
        account,
        audience,
        content_category,
        tenure,

        count(distinct mailing_key) as send_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        {{ complete_sum('complaint_count') }} as complaint_count,

        bool_and(has_single_messages) as has_single_messages
    from audience_tenures
    group by all
),

audience_cells as (
    select
        counted_mail.source,
        counted_mail.account,
        counted_mail.audience,
        counted_mail.content_category,
        counted_mail.tenure,

        counted_mail.send_count,
        case when counted_mail.has_single_messages then counted_people.contact_count end
            as contact_count,
        counted_mail.delivered_count,
        counted_mail.unsubscribe_count,
        counted_mail.complaint_count
    from counted_mail
    left join counted_people
        on
            counted_mail.source = counted_people.source
            and counted_mail.account = counted_people.account
            and counted_mail.audience = counted_people.audience
            and counted_mail.content_category = counted_people.content_category
            and counted_mail.tenure = counted_people.tenure
)

select * from audience_cells
