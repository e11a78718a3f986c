with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

-- A mailing that is no history stands between the one before it and the one after it.
ordered_mailings as (
    select
        mailing_measures.mailing_key,
        mailing_measures.source,
        mailing_measures.account,
        mailing_measures.stream_id,

        mailing_measures.history_number,
        mailing_measures.earlier_history_count,
        mailing_measures.earlier_history_count
        + case when mailing_measures.is_history then 1 else 0 end
            as passed_history_count,

        judged_measures.spike_z
    from mailing_measures
    inner join judged_measures
        on
            mailing_measures.mailing_key = judged_measures.mailing_key
            and mailing_measures.measure = judged_measures.measure
    where mailing_measures.measure = 'unsubscribe'
),

spikes as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        earlier_history_count,
        passed_history_count
    from ordered_mailings
    where spike_z >= {{ var('spike_watch_z') }}
),

-- What comes before and after a send says whether its rate was the send's own.
spike_neighbours as (
    select
        spikes.mailing_key,
        spikes.source,
        spikes.account,
        spikes.stream_id,

        count(
            case
                when
                    neighbours.history_number <= spikes.earlier_history_count
                    and neighbours.spike_z >= {{ var('spike_watch_z') }}
                    then 1
            end
        ) as earlier_high_count,
        count(
            case when neighbours.history_number > spikes.passed_history_count then 1 end
        ) as later_count,
        count(
            case
                when
                    neighbours.history_number > spikes.passed_history_count
                    and neighbours.spike_z < {{ var('spike_watch_z') }}
                    then 1
            end
        ) as later_normal_count
    from spikes
    left join ordered_mailings as neighbours
        on
            spikes.stream_id = neighbours.stream_id
            and spikes.mailing_key <> neighbours.mailing_key
            and spikes.earlier_history_count - {{ var('spike_later_campaigns') }}
            < neighbours.history_number
            and spikes.passed_history_count + {{ var('spike_later_campaigns') }}
            >= neighbours.history_number
    group by all
)

select * from spike_neighbours
