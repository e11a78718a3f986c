with

intervention_units as (
    select * from {{ ref('intervention_units') }}
),

cells as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,

        count(*) as unit_count,
        count(*) filter (where is_left_out) as left_out_unit_count,
        count(*) filter (where not is_left_out) as kept_count,
        sum(event_count) filter (where not is_left_out) as event_count,
        sum(exposure_count) filter (where not is_left_out) as exposure_count,
        sum(pow(exposure_count, 2)) filter (where not is_left_out)
            as squared_exposure_count,
        sum(pow(event_count, 2) / exposure_count) filter (where not is_left_out)
            as squared_event_share
    from intervention_units
    group by all
),

-- Pearson's chi-square about the rate of the cell, as in measure_baselines: what it has
-- above its degrees of freedom is variation between the units. Its scale is what one
-- of squared variation would add.
scattered_cells as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,

        unit_count,
        left_out_unit_count,
        kept_count,
        event_count,
        exposure_count,
        squared_exposure_count,
        squared_event_share,

        (event_count + 0.5e0) / (exposure_count + 1e0) as rate
    from cells
),

tested_cells as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,

        unit_count,
        left_out_unit_count,
        kept_count,
        event_count,
        exposure_count,

        squared_exposure_count / pow(exposure_count, 2) as concentration,
        -- No event at all counts as half of one.
        ln(greatest(event_count, 0.5e0) / exposure_count) as log_rate,
        1e0 / (event_count + 0.5e0) - 1e0 / (exposure_count + 1e0) as luck_variance,
        (
            squared_event_share
            - 2e0 * rate * event_count
            + pow(rate, 2) * exposure_count
        ) / (rate * (1e0 - rate)) as chi_square,
        greatest(
            exposure_count
            - squared_exposure_count / exposure_count
            - (kept_count - 1),
            0e0
        ) * rate / (1e0 - rate) as chi_square_scale
    from scattered_cells
    where kept_count > 0
),

-- Both cells of a stream vary alike: the change moves the level.
streams as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,

        sum(kept_count) - 2 as degrees_of_freedom,
        sum(left_out_unit_count) as left_out_unit_count,
        max(case when period = 'before' then kept_count end) as before_unit_count,
        max(case when period = 'after' then kept_count end) as after_unit_count,
        max(case when period = 'before' then event_count end) as before_event_count,
        max(case when period = 'before' then exposure_count end)
            as before_exposure_count,
        max(case when period = 'after' then event_count end) as after_event_count,
        max(case when period = 'after' then exposure_count end)
            as after_exposure_count,

        sum(case when period = 'after' then log_rate else -1e0 * log_rate end)
            as log_change,
        sum(luck_variance) as luck_variance,
        sum(concentration) as concentration,
        (sum(chi_square) - (sum(kept_count) - count(*)))
        / nullif(sum(chi_square_scale), 0) as raw_dispersion,
        2e0 / nullif(sum(kept_count) - count(*), 0) * pow(
            {{ var('dispersion_prior') }}e0
            + sum(kept_count) / (sum(event_count) + 0.5e0), 2
        ) as raw_variance
    from tested_cells
    group by all
),

-- Less variation than is assumed must be shown by many units; more is believed at once,
-- for an interval that is too narrow is the worse mistake.
dispersions as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,

        degrees_of_freedom,
        left_out_unit_count,
        before_unit_count,
        after_unit_count,
        before_event_count,
        before_exposure_count,
        after_event_count,
        after_exposure_count,

        log_change,
        luck_variance,
        concentration,
        greatest(
            {{ var('dispersion_floor') }}e0,
            coalesce(raw_dispersion, 0e0),
            coalesce(
                {{ var('dispersion_prior') }}e0
                + {{ var('dispersion_prior_variance') }}e0
                / ({{ var('dispersion_prior_variance') }}e0 + raw_variance)
                * (raw_dispersion - {{ var('dispersion_prior') }}e0),
                {{ var('dispersion_prior') }}e0
            )
        ) as dispersion_cv2
    from streams
),

-- Units before the change, the surer ones with more weight, on a straight line.
weighted_units as (
    select
        units.effect_key,
        units.stream_id,

        units.weeks_from_change,
        units.log_rate,
        1e0 / (1e0 / (units.event_count + 0.5e0) + dispersions.dispersion_cv2)
            as weight
    from intervention_units as units
    inner join dispersions
        on
            units.effect_key = dispersions.effect_key
            and units.stream_id is not distinct from dispersions.stream_id
    where units.period = 'before' and not units.is_left_out
),

line_sums as (
    select
        effect_key,
        stream_id,

        sum(weight) as weight_sum,
        sum(weight * weeks_from_change) as week_sum,
        sum(weight * log_rate) as rate_sum,
        sum(weight * weeks_from_change * log_rate) as product_sum,
        sum(weight * pow(weeks_from_change, 2)) as squared_week_sum
    from weighted_units
    group by all
    having count(*) >= 3
),

lines as (
    select
        effect_key,
        stream_id,

        (product_sum - week_sum * rate_sum / weight_sum)
        / nullif(squared_week_sum - pow(week_sum, 2) / weight_sum, 0) as slope,
        1e0 / nullif(squared_week_sum - pow(week_sum, 2) / weight_sum, 0)
            as slope_variance
    from line_sums
),

streams_with_lines as (
    select
        dispersions.effect_key,
        dispersions.change_key,
        dispersions.stream_id,
        dispersions.arm,

        dispersions.degrees_of_freedom,
        dispersions.left_out_unit_count,
        dispersions.before_unit_count,
        dispersions.after_unit_count,
        dispersions.before_event_count,
        dispersions.before_exposure_count,
        dispersions.after_event_count,
        dispersions.after_exposure_count,

        dispersions.log_change,
        dispersions.luck_variance
        + dispersions.dispersion_cv2 * dispersions.concentration as log_variance,
        dispersions.dispersion_cv2,
        lines.slope,
        lines.slope_variance,

        coalesce(
            dispersions.before_unit_count >= {{ var('intervention_minimum_units') }}
            and dispersions.after_unit_count
            >= {{ var('intervention_minimum_units') }},
            false
        ) as is_enough
    from dispersions
    left join lines
        on
            dispersions.effect_key = lines.effect_key
            and dispersions.stream_id is not distinct from lines.stream_id
),

intervention_arms as (
    select
        streams.effect_key,
        streams.change_key,
        streams.stream_id,
        streams.arm,

        streams.degrees_of_freedom,
        streams.left_out_unit_count,
        streams.before_unit_count,
        streams.after_unit_count,
        streams.before_event_count,
        streams.before_exposure_count,
        streams.after_event_count,
        streams.after_exposure_count,

        streams.log_change,
        streams.log_variance,
        streams.dispersion_cv2,
        streams.slope,
        streams.slope_variance,
        (changed_streams.slope - streams.slope) / sqrt(
            changed_streams.slope_variance + streams.slope_variance
        ) as pre_trend_z,

        streams.is_enough
    from streams_with_lines as streams
    left join streams_with_lines as changed_streams
        on
            streams.arm = 'control'
            and streams.effect_key = changed_streams.effect_key
            and changed_streams.arm = 'treated'
)

select * from intervention_arms
