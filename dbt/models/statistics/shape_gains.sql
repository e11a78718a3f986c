with

shape_points as (
    select * from {{ ref('shape_points') }}
),

series as (
    select
        stream_id,
        measure,

        count(*) as campaign_count,
        (sum(event_count) + 0.5e0) / (sum(trial_count) + 1e0) as pooled_rate,
        median((event_count + 0.5e0) / (trial_count + 1e0)) as median_rate
    from shape_points
    group by all
    having count(*) >= {{ var('shape_minimum_campaigns') }}
),

log_rates as (
    select
        shape_points.source,
        shape_points.account,
        shape_points.stream_id,
        shape_points.measure,
        shape_points.point_number,
        shape_points.mailings_since_gap,

        series.campaign_count,
        ln(
            (shape_points.event_count + 0.5e0)
            / (shape_points.trial_count + 0.5e0 / series.pooled_rate)
        ) as log_rate,
        1e0 / (series.median_rate * shape_points.trial_count + 0.5e0) as luck_variance
    from shape_points
    inner join series
        on
            shape_points.stream_id = series.stream_id
            and shape_points.measure = series.measure
),

-- Differences of neighbours, so that neither a step nor a climb widens the noise.
differences as (
    select
        stream_id,
        measure,
        campaign_count,
        luck_variance,

        abs(
            log_rate - lag(log_rate) over (
                partition by stream_id, measure
                order by point_number
            )
        ) as log_difference
    from log_rates
),

measured_differences as (
    select
        stream_id,
        measure,
        campaign_count,

        median(log_difference) as median_difference,
        avg(luck_variance) as mean_luck_variance
    from differences
    group by all
),

own_noise as (
    select
        stream_id,
        measure,
        campaign_count,

        greatest(
            0e0,
            pow({{ normal_deviation_per_median() }} * median_difference, 2) / 2e0
            - mean_luck_variance
        ) as own_variance
    from measured_differences
),

-- Few differences say little: they lean on what is usual.
noise as (
    select
        stream_id,
        measure,

        greatest(
            {{ var('dispersion_floor') }}e0,
            (
                (campaign_count - 1e0) * own_variance
                + {{ var('dispersion_prior_campaigns') }}e0
                * {{ var('dispersion_prior') }}e0
            ) / (campaign_count - 1e0 + {{ var('dispersion_prior_campaigns') }}e0)
        ) as noise_variance
    from own_noise
),

weighted_points as (
    select
        log_rates.source,
        log_rates.account,
        log_rates.stream_id,
        log_rates.measure,
        log_rates.point_number,
        log_rates.mailings_since_gap,
        log_rates.campaign_count,
        log_rates.log_rate,

        1e0 / (log_rates.luck_variance + noise.noise_variance) as weight
    from log_rates
    inner join noise
        on
            log_rates.stream_id = noise.stream_id
            and log_rates.measure = noise.measure
),

centred_points as (
    select
        source,
        account,
        stream_id,
        measure,
        point_number,
        mailings_since_gap,
        campaign_count,
        weight,

        sum(weight) over whole_series as total_weight,
        weight * (
            log_rate
            - sum(weight * log_rate) over whole_series / sum(weight) over whole_series
        ) as pull
    from weighted_points
    window whole_series as (partition by stream_id, measure)
),

-- Every regressor is 0 before its point, and from there on 1, a ramp or a decay: sums
-- over the rest of the series make the fit of all its points at once.
rest_sums as (
    select
        source,
        account,
        stream_id,
        measure,
        point_number,
        mailings_since_gap,
        campaign_count,
        weight,
        total_weight,
        pull,

        sum(weight) over rest as rest_weight,
        sum(pull) over rest as rest_pull,
        sum(point_number * weight) over rest as ramp_weight,
        sum(point_number * point_number * weight) over rest as ramp_square_weight,
        sum(point_number * pull) over rest as ramp_pull,
        sum(pow({{ var('gap_decay') }}e0, point_number) * weight) over rest
            as decay_weight,
        sum(pow({{ var('gap_decay') }}e0, 2 * point_number) * weight) over rest
            as decay_square_weight,
        sum(pow({{ var('gap_decay') }}e0, point_number) * pull) over rest as decay_pull
    from centred_points
    window
        rest as (
            partition by stream_id, measure
            order by point_number
            rows between current row and unbounded following
        )
),

-- covariation: weighted sum of regressor x rate; regressor_sum and _square_sum: of it.
regressors as (
    select
        source,
        account,
        stream_id,
        measure,
        'isolated_spike' as shape,
        1 as shape_order,
        point_number,
        campaign_count,
        total_weight,
        pull as covariation,
        weight as regressor_sum,
        weight as regressor_square_sum
    from rest_sums
    where point_number >= {{ var('spike_earlier_campaigns') }}
    union all
    select
        source,
        account,
        stream_id,
        measure,
        'step' as shape,
        2 as shape_order,
        point_number,
        campaign_count,
        total_weight,
        rest_pull as covariation,
        rest_weight as regressor_sum,
        rest_weight as regressor_square_sum
    from rest_sums
    where
        point_number >= {{ var('step_campaigns') }}
        and point_number <= campaign_count - {{ var('step_campaigns') }}
    union all
    select
        source,
        account,
        stream_id,
        measure,
        'climb' as shape,
        3 as shape_order,
        point_number,
        campaign_count,
        total_weight,
        ramp_pull - point_number * rest_pull as covariation,
        ramp_weight - point_number * rest_weight as regressor_sum,
        ramp_square_weight
        - 2 * point_number * ramp_weight
        + point_number * point_number * rest_weight as regressor_square_sum
    from rest_sums
    where point_number <= campaign_count - {{ var('climb_campaigns') }}
    union all
    select
        source,
        account,
        stream_id,
        measure,
        'post_gap' as shape,
        4 as shape_order,
        point_number,
        campaign_count,
        total_weight,
        decay_pull / pow({{ var('gap_decay') }}e0, point_number) as covariation,
        decay_weight / pow({{ var('gap_decay') }}e0, point_number) as regressor_sum,
        decay_square_weight / pow({{ var('gap_decay') }}e0, 2 * point_number)
            as regressor_square_sum
    from rest_sums
    where mailings_since_gap = 0
),

regressor_variations as (
    select
        source,
        account,
        stream_id,
        measure,
        shape,
        shape_order,
        point_number,
        campaign_count,
        covariation,

        regressor_square_sum - regressor_sum * regressor_sum / total_weight as variation
    from regressors
),

-- Rounding keeps what is nothing, or equal, from being told apart by the last bits.
fits as (
    select
        source,
        account,
        stream_id,
        measure,
        shape,
        shape_order,
        point_number,
        campaign_count,

        case
            when
                covariation > 0
                and variation > 1e-12
                and covariation * covariation / variation > 1e-9
                then covariation * covariation / variation
            else 0e0
        end as gain,
        case when variation > 1e-12 then covariation / variation end as effect_log
    from regressor_variations
),

ranked_fits as (
    select
        source,
        account,
        stream_id,
        measure,
        shape,
        shape_order,
        point_number,
        campaign_count,
        gain,
        effect_log,

        row_number() over (
            partition by stream_id, measure, shape_order
            order by round(gain, 6) desc, point_number asc
        ) as fit_rank
    from fits
),

shape_gains as (
    select
        source,
        account,
        stream_id,
        measure,
        shape,

        shape_order,
        case when gain > 0 then point_number end as point_number,
        campaign_count,

        gain,
        case shape
            when 'isolated_spike'
                then
                    {{ var('spike_gate_slope') }}e0 * ln(campaign_count)
                    + {{ var('spike_gate_start') }}e0
            when 'step' then {{ var('step_gate_slope') }}e0 * ln(campaign_count)
            when 'climb'
                then
                    {{ var('climb_gate_slope') }}e0 * ln(campaign_count)
                    + {{ var('climb_gate_start') }}e0
            else {{ var('post_gap_gate') }}e0
        end as gate,
        case
            when shape = 'post_gap' then {{ var('post_gap_preference') }}e0
            else 0e0
        end as preference,
        case when gain > 0 then effect_log end as effect_log
    from ranked_fits
    where fit_rank = 1
)

select * from shape_gains
