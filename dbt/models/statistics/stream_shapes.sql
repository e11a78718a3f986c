with

shape_points as (
    select * from {{ ref('shape_points') }}
),

shape_gains as (
    select * from {{ ref('shape_gains') }}
),

series as (
    select
        source,
        account,
        stream_id,
        measure,

        count(*) as campaigns_used,
        median(trial_count)
        * median((event_count + 0.5e0) / (trial_count + 1e0)) as median_expected_count
    from shape_points
    group by all
),

gains_by_shape as (
    select
        stream_id,
        measure,

        max(case when shape = 'isolated_spike' then gain end) as gain_isolated_spike,
        max(case when shape = 'step' then gain end) as gain_step,
        max(case when shape = 'climb' then gain end) as gain_climb,
        max(case when shape = 'post_gap' then gain end) as gain_post_gap,
        coalesce(max(case when shape = 'step' then gain - gate end) > 0, false)
            as is_step_above_gate
    from shape_gains
    group by all
),

-- The highest gain wins, not the highest excess over its gate: the excess calls one
-- step in five a climb.
ranked_shapes as (
    select
        stream_id,
        measure,
        shape,

        row_number() over (
            partition by stream_id, measure
            order by round(gain + preference, 6) desc, shape_order asc
        ) as shape_rank
    from shape_gains
    where gain > gate
),

judged_series as (
    select
        series.source,
        series.account,
        series.stream_id,
        series.measure,

        case
            when series.campaigns_used < {{ var('shape_minimum_campaigns') }} then null
            when ranked_shapes.shape is null then 'stable'
            when
                ranked_shapes.shape in ('step', 'climb')
                and abs(gains_by_shape.gain_step - gains_by_shape.gain_climb)
                <= {{ var('shape_tie_gain') }}
                then 'undetermined_rise'
            else ranked_shapes.shape
        end as best_shape,

        series.campaigns_used,
        series.median_expected_count,
        gains_by_shape.gain_isolated_spike,
        gains_by_shape.gain_step,
        gains_by_shape.gain_climb,
        gains_by_shape.gain_post_gap
    from series
    left join gains_by_shape
        on
            series.stream_id = gains_by_shape.stream_id
            and series.measure = gains_by_shape.measure
    left join ranked_shapes
        on
            series.stream_id = ranked_shapes.stream_id
            and series.measure = ranked_shapes.measure
            and ranked_shapes.shape_rank = 1
),

-- What the best fit may be called, by the campaigns that stand behind it.
published_series as (
    select
        judged_series.source,
        judged_series.account,
        judged_series.stream_id,
        judged_series.measure,

        judged_series.best_shape,
        case
            when
                judged_series.best_shape is null
                or judged_series.median_expected_count
                < {{ var('assessable_expected_count') }}
                then 'insufficient_data'
            when
                judged_series.best_shape = 'isolated_spike'
                and spikes.point_number
                >= judged_series.campaigns_used - {{ var('spike_later_campaigns') }}
                then 'spike_unconfirmed'
            when
                judged_series.best_shape = 'step'
                and judged_series.campaigns_used < {{ var('step_minimum_campaigns') }}
                then 'undetermined_rise'
            when
                judged_series.best_shape = 'climb'
                and judged_series.campaigns_used < {{ var('climb_minimum_campaigns') }}
                then 'undetermined_rise'
            else judged_series.best_shape
        end as shape,

        judged_series.campaigns_used,
        judged_series.median_expected_count,
        judged_series.gain_isolated_spike,
        judged_series.gain_step,
        judged_series.gain_climb,
        judged_series.gain_post_gap
    from judged_series
    left join shape_gains as spikes
        on
            judged_series.stream_id = spikes.stream_id
            and judged_series.measure = spikes.measure
            and spikes.shape = 'isolated_spike'
),

-- A ramp begins with the first campaign above its foot. Of a rise without a name the
-- size is that of a step: later against earlier.
described_series as (
    select
        published_series.source,
        published_series.account,
        published_series.stream_id,
        published_series.measure,
        published_series.best_shape,
        published_series.shape,
        published_series.campaigns_used,
        published_series.median_expected_count,
        published_series.gain_isolated_spike,
        published_series.gain_step,
        published_series.gain_climb,
        published_series.gain_post_gap,

        shape_gains.effect_log,
        case
            when published_series.shape = 'climb' then shape_gains.point_number + 1
            else shape_gains.point_number
        end as start_number
    from published_series
    left join shape_gains
        on
            published_series.stream_id = shape_gains.stream_id
            and published_series.measure = shape_gains.measure
            and shape_gains.shape = case published_series.shape
                when 'undetermined_rise' then 'step'
                when 'spike_unconfirmed' then 'isolated_spike'
                else published_series.shape
            end
),

stream_shapes as (
    select
        described_series.source,
        described_series.account,
        described_series.stream_id,
        described_series.measure,

        shape_points.mailing_key as shape_mailing_key,
        described_series.best_shape,
        described_series.shape,

        described_series.campaigns_used,
        described_series.median_expected_count,
        described_series.gain_isolated_spike,
        described_series.gain_step,
        described_series.gain_climb,
        described_series.gain_post_gap,
        100e0 * (exp(described_series.effect_log) - 1e0) as effect_pct,

        shape_points.sent_at as shape_started_at
    from described_series
    left join shape_points
        on
            described_series.stream_id = shape_points.stream_id
            and described_series.measure = shape_points.measure
            and described_series.start_number = shape_points.point_number
)

select * from stream_shapes
