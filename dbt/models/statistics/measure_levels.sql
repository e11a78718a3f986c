with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

history as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        event_count,
        trial_count,

        sent_at,

        max(history_number) over (partition by stream_id, measure) as newest_number
    from mailing_measures
    where is_history
),

recent_levels as (
    select
        source,
        account,
        stream_id,
        measure,
        newest_number - {{ var('level_recent_campaigns') }} as earlier_number,

        sum(event_count) as recent_event_count,
        sum(trial_count) as recent_trial_count,
        -- Few large sends among small ones are fewer than they look.
        sum(cast(trial_count as double) * trial_count)
        / (cast(sum(trial_count) as double) * sum(trial_count)) as size_concentration,

        min(sent_at) as recent_since_at
    from history
    where history_number > newest_number - {{ var('level_recent_campaigns') }}
    group by all
),

paired_levels as (
    select
        recent_levels.source,
        recent_levels.account,
        recent_levels.stream_id,
        recent_levels.measure,

        recent_levels.recent_event_count,
        recent_levels.recent_trial_count,
        measure_baselines.history_count as earlier_history_count,
        measure_baselines.kept_event_count as earlier_event_count,
        measure_baselines.kept_trial_count as earlier_trial_count,
        (recent_levels.recent_event_count + measure_baselines.kept_event_count + 0.5e0)
        / (recent_levels.recent_trial_count + measure_baselines.kept_trial_count + 1e0)
            as pooled_rate,
        1e0 / (recent_levels.recent_event_count + 0.5e0)
        + measure_baselines.cv2 * recent_levels.size_concentration as recent_variance,
        measure_baselines.predictive_cv2 - measure_baselines.cv2 as earlier_variance,

        recent_levels.recent_since_at
    from recent_levels
    inner join measure_baselines
        on
            recent_levels.stream_id = measure_baselines.stream_id
            and recent_levels.measure = measure_baselines.measure
            and recent_levels.earlier_number = measure_baselines.history_number
    where
        measure_baselines.history_count >= {{ var('minimum_history') }}
        -- Two times nothing is no level.
        and recent_levels.recent_event_count + measure_baselines.kept_event_count > 0
),

compared_levels as (
    select
        source,
        account,
        stream_id,
        measure,
        recent_event_count,
        recent_trial_count,
        earlier_history_count,
        earlier_event_count,
        earlier_trial_count,
        recent_since_at,

        ln(
            (recent_event_count + 0.5e0)
            / (recent_trial_count + 0.5e0 / pooled_rate)
        ) - ln(
            (earlier_event_count + 0.5e0)
            / (earlier_trial_count + 0.5e0 / pooled_rate)
        ) as log_ratio,
        sqrt(recent_variance + earlier_variance) as log_deviation
    from paired_levels
),

measured_levels as (
    select
        source,
        account,
        stream_id,
        measure,
        recent_event_count,
        recent_trial_count,
        earlier_history_count,
        earlier_event_count,
        earlier_trial_count,
        recent_since_at,

        exp(log_ratio) as ratio,
        exp(log_ratio - {{ normal_quantile_95() }} * log_deviation) as ratio_low,
        -- Counts that jump from nobody to everybody give no upper end.
        nullif(
            exp(log_ratio + {{ normal_quantile_95() }} * log_deviation),
            cast('infinity' as double)
        ) as ratio_high,
        log_ratio / log_deviation as level_z
    from compared_levels
),

measure_levels as (
    select
        source,
        account,
        stream_id,
        measure,

        case
            when
                level_z <= -{{ var('level_z') }}
                and ratio <= {{ var('level_ratio_low') }}e0
                then 'falling'
            when
                level_z >= {{ var('level_z') }}
                and ratio >= {{ var('level_ratio_high') }}e0
                then 'rising'
            when
                ratio_low >= {{ var('level_ratio_low') }}e0
                and ratio_high <= {{ var('level_ratio_high') }}e0
                then 'stable'
            else 'unknown'
        end as direction,

        recent_event_count,
        recent_trial_count,
        earlier_history_count,
        earlier_event_count,
        earlier_trial_count,
        {{ rate_pct('recent_event_count', 'recent_trial_count') }} as recent_rate_pct,
        {{ rate_pct('earlier_event_count', 'earlier_trial_count') }}
            as earlier_rate_pct,
        ratio,
        ratio_low,
        ratio_high,
        level_z,

        recent_since_at
    from measured_levels
)

select * from measure_levels
