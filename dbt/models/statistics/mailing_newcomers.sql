with

mailings as (
    select * from {{ ref('mailings') }}
),

send_groups as (
    select * from {{ ref('send_groups') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
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
        mailings.source,
        mailings.account,
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
        source,
        account,
        stream_id,

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

judged_newcomers as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        new_contact_count,
        contact_known_count,

        share_new_contacts_pct,
        usual_share_new_contacts_pct,

        coalesce(
            contact_known_count >= {{ var('many_new_contacts_minimum_count') }}
            and share_new_contacts_pct
            >= usual_share_new_contacts_pct + {{ var('many_new_contacts_points') }}
            and share_new_contacts_pct
            >= {{ var('many_new_contacts_ratio') }} * usual_share_new_contacts_pct,
            false
        ) as is_many_new_contacts
    from compared_newcomers
),

mailing_newcomers as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        case
            when is_many_new_contacts
                then concat(
                    {{ number_in_words('share_new_contacts_pct', 0) }},
                    ' % of the recipients joined in the last',
                    ' {{ var("newcomer_days") }} days, usually ',
                    {{ number_in_words('usual_share_new_contacts_pct', 0) }}, ' %'
                )
        end as newcomer_evidence,

        new_contact_count,
        contact_known_count,

        share_new_contacts_pct,
        usual_share_new_contacts_pct,

        is_many_new_contacts
    from judged_newcomers
)

select * from mailing_newcomers
