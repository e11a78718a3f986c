with

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

ordered_mailings as (
    select
        mailing_measures.mailing_key,
        mailing_measures.source,
        mailing_measures.account,
        mailing_measures.stream_id,

        mailing_measures.history_number,
        mailing_measures.earlier_history_count
        + case when mailing_measures.is_history then 1 else 0 end as passed_history_count,

        judged_measures.spike_z
    from mailing_measures
    inner join judged_measures
        on
            mailing_measures.mailing_key = judged_measures.mailing_key
            and mailing_measures.measure = judged_measures.measure
    where mailing_measures.measure = 'unsubscribe'
),

-- What comes after a send says whether its rate was the send's own or has stayed.
later_mailings as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,

        count(later.mailing_key) as later_mailing_count,
        count(case when later.spike_z < {{ var('spike_watch_z') }} then 1 end)
            as later_normal_count,

        max(later.spike_z) as later_highest_z
    from ordered_mailings as mailings
    left join ordered_mailings as later
        on
            mailings.stream_id = later.stream_id
            and mailings.passed_history_count < later.history_number
            and mailings.passed_history_count + {{ var('spike_later_campaigns') }}
            >= later.history_number
    where mailings.spike_z >= {{ var('spike_watch_z') }}
    group by all
)

select * from later_mailings
