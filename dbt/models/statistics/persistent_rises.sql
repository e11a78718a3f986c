with

stream_shapes as (
    select * from {{ ref('stream_shapes') }}
),

stream_autocorrelations as (
    select * from {{ ref('stream_autocorrelations') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

drift_signals as (
    select * from {{ ref('drift_signals') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

judged_shapes as (
    select
        source,
        account,
        stream_id,

        shape_mailing_key,
        shape,
        campaigns_used,

        effect_pct,
        greatest(gain_step, gain_climb, 0e0) as gain,

        shape in ('step', 'climb', 'undetermined_rise') as is_rise,

        shape_started_at
    from stream_shapes
    where measure = 'unsubscribe' and shape <> 'insufficient_data'
),

-- The gain is a chi-square of one upward regressor, the best of as many as there are
-- mailings: its tail times their number.
shape_tests as (
    select
        stream_id,

        least(1e0, campaigns_used * {{ normal_upper_tail('sqrt(gain)') }}) as p_value
    from judged_shapes
),

ranked_tests as (
    select
        stream_id,
        p_value,

        row_number() over (order by p_value asc, stream_id asc) as p_rank,
        count(*) over () as test_count
    from shape_tests
),

false_discoveries as (
    select
        stream_id,
        p_value,

        least(1e0, min(p_value * test_count / p_rank) over (
            order by p_rank
            rows between current row and unbounded following
        )) as q_value
    from ranked_tests
),

-- A rise makes its own mailings alike. Whether they were so before tells the noise,
-- where there were enough of them; else the whole stream does.
neighbours_before as (
    select
        judged_measures.stream_id,

        judged_measures.spike_z,
        lag(judged_measures.spike_z) over (
            partition by judged_measures.stream_id
            order by judged_measures.mailing_number
        ) as previous_spike_z
    from judged_measures
    inner join judged_shapes
        on
            judged_measures.stream_id = judged_shapes.stream_id
            and judged_measures.sent_at < judged_shapes.shape_started_at
    where
        judged_measures.measure = 'unsubscribe'
        and judged_measures.spike_z is not null
        and judged_shapes.is_rise
),

autocorrelations_before as (
    select
        stream_id,

        case
            when
                stddev_pop(spike_z) filter (where previous_spike_z is not null) > 0
                and stddev_pop(previous_spike_z) > 0
                then corr(spike_z, previous_spike_z)
        end as autocorrelation
    from neighbours_before
    group by all
    having count(previous_spike_z) >= {{ var('autocorrelation_minimum_pairs') }}
),

autocorrelations as (
    select
        judged_shapes.stream_id,

        coalesce(
            autocorrelations_before.autocorrelation,
            stream_autocorrelations.autocorrelation
        ) as autocorrelation
    from judged_shapes
    left join autocorrelations_before
        on judged_shapes.stream_id = autocorrelations_before.stream_id
    left join stream_autocorrelations
        on judged_shapes.stream_id = stream_autocorrelations.stream_id
),

newest_drifts as (
    select
        stream_id,
        cusum,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as recency
    from drift_signals
    where cusum is not null
),

-- Two in a row: one evaluation alone is no alarm.
alarms as (
    select
        stream_id,

        max(case when recency = 1 then cusum end) as cusum,
        min(cusum) as least_cusum
    from newest_drifts
    where recency <= 2
    group by all
),

usual_before as (
    select
        judged_shapes.stream_id,

        measure_baselines.history_count,
        measure_baselines.kept_count,
        measure_baselines.kept_event_count,
        measure_baselines.baseline_rate,
        measure_baselines.cv2
    from judged_shapes
    inner join mailing_measures
        on
            judged_shapes.shape_mailing_key = mailing_measures.mailing_key
            and mailing_measures.measure = 'unsubscribe'
    inner join measure_baselines
        on
            mailing_measures.stream_id = measure_baselines.stream_id
            and mailing_measures.measure = measure_baselines.measure
            and mailing_measures.earlier_history_count
            = measure_baselines.history_number
    where judged_shapes.is_rise
),

mailings_since as (
    select
        judged_shapes.stream_id,

        count(*) as mailing_count,
        cast(sum(mailing_measures.event_count) as bigint) as event_count,
        sum(mailing_measures.exposed_count) as exposed_count
    from judged_shapes
    inner join mailing_measures
        on
            judged_shapes.stream_id = mailing_measures.stream_id
            and mailing_measures.measure = 'unsubscribe'
            and judged_shapes.shape_started_at <= mailing_measures.sent_at
    where judged_shapes.is_rise
    group by all
),

-- How many would have left since then at the rate before: luck, ordinary variation of
-- the mailings since, and what is not known of the rate before.
excesses as (
    select
        mailings_since.stream_id,

        mailings_since.mailing_count,
        mailings_since.event_count,
        usual_before.history_count,

        mailings_since.exposed_count * usual_before.baseline_rate as expected_count,
        sqrt(
            mailings_since.exposed_count * usual_before.baseline_rate
            + pow(mailings_since.exposed_count * usual_before.baseline_rate, 2) * (
                usual_before.cv2 / mailings_since.mailing_count
                + usual_before.cv2 / usual_before.kept_count
                + 1e0 / (usual_before.kept_event_count + 0.5e0)
            )
        ) as expected_deviation
    from mailings_since
    inner join usual_before
        on mailings_since.stream_id = usual_before.stream_id
    where usual_before.kept_count > 0
),

judged_rises as (
    select
        judged_shapes.source,
        judged_shapes.account,
        judged_shapes.stream_id,

        judged_shapes.shape,
        judged_shapes.campaigns_used,

        excesses.mailing_count,
        excesses.event_count,

        excesses.expected_count,
        excesses.expected_deviation,
        judged_shapes.effect_pct,
        false_discoveries.p_value,
        false_discoveries.q_value,
        autocorrelations.autocorrelation,
        alarms.cusum,

        false_discoveries.q_value < {{ var('false_discovery_level') }}
            as is_significant,
        coalesce(alarms.least_cusum > {{ var('drift_limit') }}, false)
        and coalesce(
            autocorrelations.autocorrelation <= {{ var('autocorrelation_limit') }}e0,
            true
        ) as is_alarm,

        judged_shapes.shape_started_at
    from judged_shapes
    inner join false_discoveries
        on judged_shapes.stream_id = false_discoveries.stream_id
    left join autocorrelations
        on judged_shapes.stream_id = autocorrelations.stream_id
    left join alarms
        on judged_shapes.stream_id = alarms.stream_id
    left join excesses
        on judged_shapes.stream_id = excesses.stream_id
    where judged_shapes.is_rise
),

-- The shape alone is found in one stable stream of 25. It lasts when it is no chance of
-- many streams, or when the sum of drifts agrees; it is certain when both hold.
persistent_rises as (
    select
        source,
        account,
        stream_id,

        shape,
        concat_ws(
            '; ',
            concat(
                shape, ' since ', cast(cast(shape_started_at as date) as varchar), ': ',
                {{ count_in_words('event_count') }}, ' opt-outs in ', mailing_count,
                ' mailings, ', {{ number_in_words('expected_count', 1) }},
                ' expected at the rate before'
            ),
            concat(
                'q ', {{ number_in_words('q_value', 3) }}, ' over ', campaigns_used,
                ' mailings'
            ),
            'cusum ' || {{ number_in_words('cusum', 1) }},
            case
                when autocorrelation > {{ var('autocorrelation_limit') }}e0
                    then
                        'mailings follow each other (autocorrelation '
                        || {{ number_in_words('autocorrelation', 2) }}
                        || '), so the sum is only watched'
            end
        ) as rise_evidence,

        event_count,

        expected_count,
        expected_deviation,
        p_value,
        q_value,
        autocorrelation,
        cusum,

        is_significant
        and is_alarm
        and campaigns_used >= {{ var('climb_minimum_campaigns') }} as is_confirmed,

        shape_started_at
    from judged_rises
    where is_significant or is_alarm
)

select * from persistent_rises
