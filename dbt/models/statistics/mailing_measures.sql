with

mailings as (
    select * from {{ ref('mailings') }}
),

measures as (
    select * from {{ ref('measures') }}
),

-- Opens by people and opens by whatever opens are two series: neither is the other's
-- past.
measured_mailings as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,

        measures.measure,
        mailings.maturity,
        mailings.mailing_number,
        mailings.mailings_since_gap,

        case measures.measure
            when 'unsubscribe' then mailings.unsubscribe_count
            when 'human_open' then mailings.human_open_count
            when 'any_open'
                then case when mailings.open_basis = 'all' then mailings.open_count end
            when 'click' then mailings.click_count
            when 'complaint' then mailings.complaint_count
            when 'hard_bounce' then mailings.hard_bounce_count
        end as event_count,
        case measures.measure
            when 'hard_bounce'
                then coalesce(mailings.attempted_count, mailings.sent_count)
            else mailings.delivered_count
        end as trial_count,

        mailings.expected_complete_share,

        mailings.is_usual as is_history,

        mailings.sent_at
    from mailings
    cross join measures
    where mailings.is_sound
),

-- A young mailing had only a part of its time: it is tested as if that part of its
-- mail had been delivered. Arrivals are learned of opt-outs alone.
mailing_measures as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        campaign_id,

        measure,
        maturity,
        mailing_number,
        mailings_since_gap,
        count(case when is_history then 1 end) over earlier_mailings
            as earlier_history_count,
        case
            when is_history
                then 1 + count(case when is_history then 1 end) over earlier_mailings
        end as history_number,

        event_count,
        trial_count,
        trial_count * case
            when measure = 'unsubscribe' then coalesce(expected_complete_share, 1e0)
            else 1e0
        end as exposed_count,

        expected_complete_share,

        is_history,

        sent_at
    from measured_mailings
    where event_count between 0 and trial_count and trial_count > 0
    window earlier_mailings as (
        partition by stream_id, measure
        order by mailing_number
        rows between unbounded preceding and 1 preceding
    )
)

select * from mailing_measures
