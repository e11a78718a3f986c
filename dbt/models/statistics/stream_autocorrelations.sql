with

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

neighbouring_scores as (
    select
        source,
        account,
        stream_id,

        spike_z,
        lag(spike_z) over (
            partition by stream_id
            order by mailing_number
        ) as previous_spike_z
    from judged_measures
    where measure = 'unsubscribe' and spike_z is not null
),

stream_autocorrelations as (
    select
        source,
        account,
        stream_id,

        count(previous_spike_z) as pair_count,

        case
            when
                count(previous_spike_z) >= {{ var('autocorrelation_minimum_pairs') }}
                and stddev_pop(spike_z) filter (where previous_spike_z is not null) > 0
                and stddev_pop(previous_spike_z) > 0
                then corr(spike_z, previous_spike_z)
        end as autocorrelation
    from neighbouring_scores
    group by all
)

select * from stream_autocorrelations
