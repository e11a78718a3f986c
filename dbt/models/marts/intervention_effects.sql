with

intervention_windows as (
    select * from {{ ref('intervention_windows') }}
),

intervention_arms as (
    select * from {{ ref('intervention_arms') }}
),

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

change_kinds as (
    select * from {{ ref('change_kinds') }}
),

intervention_verdicts as (
    select * from {{ ref('intervention_verdicts') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

judged_controls as (
    select
        arms.effect_key,
        arms.stream_id,

        dim_streams.stream_name,

        arms.degrees_of_freedom,
        arms.before_event_count,
        arms.before_exposure_count,
        arms.after_event_count,
        arms.after_exposure_count,

        arms.log_change,
        arms.log_variance,
        arms.slope,
        arms.slope_variance,

        abs(arms.pre_trend_z) <= {{ var('intervention_pre_trend_z') }} as is_parallel
    from intervention_arms as arms
    left join dim_streams
        on arms.stream_id = dim_streams.stream_id
    where arms.arm = 'control' and arms.is_enough
),

-- How far streams without a change drift apart: DerSimonian and Laird 1986. The changed
-- one would have drifted as well.
control_spreads as (
    select
        effect_key,

        count(*) as control_count,

        sum(1e0 / log_variance) as weight_sum,
        sum(1e0 / pow(log_variance, 2)) as squared_weight_sum,
        sum(pow(log_change, 2) / log_variance)
        - pow(sum(log_change / log_variance), 2) / sum(1e0 / log_variance)
            as chi_square
    from judged_controls
    where is_parallel
    group by all
),

control_drifts as (
    select
        effect_key,

        case
            when control_count >= 2
                then greatest(
                    0e0,
                    (chi_square - (control_count - 1))
                    / (weight_sum - squared_weight_sum / weight_sum)
                )
            else 0e0
        end as drift_variance
    from control_spreads
),

weighted_controls as (
    select
        controls.effect_key,

        controls.stream_name,

        controls.degrees_of_freedom,
        controls.before_event_count,
        controls.before_exposure_count,
        controls.after_event_count,
        controls.after_exposure_count,

        controls.log_change,
        controls.log_variance,
        controls.slope,
        controls.slope_variance,
        control_drifts.drift_variance,
        1e0 / (controls.log_variance + control_drifts.drift_variance) as weight
    from judged_controls as controls
    inner join control_drifts
        on controls.effect_key = control_drifts.effect_key
    where controls.is_parallel
),

pooled_controls as (
    select
        effect_key,

        string_agg(stream_name, ', ' order by stream_name) as control_streams,

        count(*) as control_count,
        sum(before_event_count) as before_event_count,
        sum(before_exposure_count) as before_exposure_count,
        sum(after_event_count) as after_event_count,
        sum(after_exposure_count) as after_exposure_count,

        sum(weight * log_change) / sum(weight) as log_change,
        1e0 / sum(weight) as log_variance,
        max(drift_variance) as drift_variance,
        -- The share of each in the variance of the mean, for Satterthwaite.
        sum(pow(weight, 4) * pow(log_variance, 2) / degrees_of_freedom)
        / pow(sum(weight), 4) as squared_variance_share,
        sum(weight * slope) / sum(weight) as slope,
        sum(pow(weight, 2) * slope_variance) / pow(sum(weight), 2) as slope_variance
    from weighted_controls
    group by all
),

refuted_controls as (
    select
        effect_key,

        string_agg(stream_name, ', ' order by stream_name) as refuted_streams
    from judged_controls
    where not is_parallel
    group by all
),

compared as (
    select
        windows.effect_key,
        windows.change_key,
        windows.source,
        windows.account,
        windows.stream_id,

        windows.stream_name,
        windows.list,
        windows.kind,
        windows.measure,
        windows.unit,
        case
            when windows.unit = 'signup_week' then 'cohorts'
            when controls.effect_key is not null then 'difference_in_differences'
            else 'before_after'
        end as method,
        controls.control_streams,
        refuted_controls.refuted_streams,

        windows.simultaneous_change_count,
        coalesce(controls.control_count, 0) as control_stream_count,
        cast(coalesce(arms.before_unit_count, 0) as bigint) as before_unit_count,
        cast(coalesce(arms.after_unit_count, 0) as bigint) as after_unit_count,
        cast(coalesce(arms.left_out_unit_count, 0) as bigint) as left_out_unit_count,
        arms.before_event_count,
        arms.before_exposure_count,
        arms.after_event_count,
        arms.after_exposure_count,
        controls.before_event_count as control_before_event_count,
        controls.before_exposure_count as control_before_exposure_count,
        controls.after_event_count as control_after_event_count,
        controls.after_exposure_count as control_after_exposure_count,

        coalesce(controls.log_change, 0e0) as control_log_change,
        arms.log_change - coalesce(controls.log_change, 0e0) as log_effect,
        arms.log_variance
        + coalesce(controls.log_variance, 0e0)
        + coalesce(controls.drift_variance, 0e0) as effect_variance,
        pow(arms.log_variance + coalesce(controls.log_variance, 0e0), 2) / (
            pow(arms.log_variance, 2) / arms.degrees_of_freedom
            + coalesce(controls.squared_variance_share, 0e0)
        ) as degrees_of_freedom,
        arms.dispersion_cv2,
        (arms.slope - coalesce(controls.slope, 0e0)) / sqrt(
            arms.slope_variance + coalesce(controls.slope_variance, 0e0)
        ) as pre_trend_z,

        coalesce(arms.is_enough, false) as is_enough,
        windows.is_known,
        windows.is_cut,

        windows.changed_at,
        windows.before_from_at,
        windows.after_until_at,
        case
            when windows.unit = 'signup_week'
                then {{ dbt.dateadd(
                    'day', var('signup_window_days'), 'windows.after_until_at'
                ) }}
            else windows.after_until_at
        end as decided_at
    from intervention_windows as windows
    left join intervention_arms as arms
        on windows.effect_key = arms.effect_key and arms.arm = 'treated'
    left join pooled_controls as controls
        on windows.effect_key = controls.effect_key and coalesce(arms.is_enough, false)
    left join refuted_controls
        on windows.effect_key = refuted_controls.effect_key
),

estimated as (
    select
        effect_key,
        change_key,
        source,
        account,
        stream_id,

        stream_name,
        list,
        kind,
        measure,
        unit,
        method,
        control_streams,
        refuted_streams,

        simultaneous_change_count,
        control_stream_count,
        before_unit_count,
        after_unit_count,
        left_out_unit_count,
        before_event_count,
        before_exposure_count,
        after_event_count,
        after_exposure_count,
        control_before_event_count,
        control_before_exposure_count,
        control_after_event_count,
        control_after_exposure_count,

        case
            when is_enough
                then
                    100e0
                    * greatest(before_event_count, 0.5e0)
                    / before_exposure_count
                    * exp(control_log_change)
        end as expected_after_rate_pct,
        case when is_enough then log_effect end as log_effect,
        case when is_enough then sqrt(effect_variance) end as standard_error,
        case
            when is_enough
                then
                    sqrt(effect_variance)
                    * {{ student_quantile_975('degrees_of_freedom') }}
        end as half_width,
        dispersion_cv2,
        pre_trend_z,

        is_enough,
        is_known,
        is_cut,
        abs(pre_trend_z) <= {{ var('intervention_pre_trend_z') }}
            as is_pre_trend_parallel,
        decided_at > (select dim_runs.now_at from dim_runs) as is_open,

        changed_at,
        before_from_at,
        after_until_at,
        decided_at
    from compared
),

effects as (
    select
        effect_key,
        change_key,
        source,
        account,
        stream_id,

        stream_name,
        list,
        kind,
        measure,
        unit,
        method,
        control_streams,
        refuted_streams,

        simultaneous_change_count,
        control_stream_count,
        before_unit_count,
        after_unit_count,
        left_out_unit_count,
        before_event_count,
        before_exposure_count,
        after_event_count,
        after_exposure_count,
        control_before_event_count,
        control_before_exposure_count,
        control_after_event_count,
        control_after_exposure_count,

        expected_after_rate_pct,
        100e0 * (exp(log_effect) - 1e0) as effect_pct,
        100e0 * (exp(log_effect - half_width) - 1e0) as effect_low_pct,
        100e0 * (exp(log_effect + half_width) - 1e0) as effect_high_pct,
        100e0 * (1e0 - exp(
            -1e0 * half_width - {{ normal_quantile_80() }} * standard_error
        )) as minimum_detectable_effect_pct,
        dispersion_cv2,
        pre_trend_z,

        case
            when not is_known then 'unknown_stream'
            when
                not is_enough
                and is_open
                and before_unit_count >= {{ var('intervention_minimum_units') }}
                then 'too_early'
            when not is_enough then 'too_little_mail'
            when not is_pre_trend_parallel then 'not_proven'
            when log_effect + half_width < 0 then 'worked'
            when log_effect - half_width > 0 then 'backfired'
            else 'not_proven'
        end as verdict,

        is_enough,
        is_known,
        is_cut,
        is_pre_trend_parallel,
        is_open,

        changed_at,
        before_from_at,
        after_until_at,
        decided_at
    from estimated
),

intervention_effects as (
    select
        effects.change_key,
        effects.source,
        effects.account,
        effects.stream_id,
        effects.list,
        (select dim_runs.build_id from dim_runs) as build_id,

        effects.stream_name,
        effects.kind,
        change_kinds.label as change_label,
        dim_changes.note,
        effects.method,
        effects.measure,
        effects.unit,
        effects.verdict,
        intervention_verdicts.label as verdict_label,
        concat_ws(
            ' ',
            'Observational: nobody drew lots, so whatever else changed at that time is'
            || ' in the figure.',
            case
                when effects.is_known then null
                when effects.list is not null then 'No list has this name.'
                else 'Nothing was ever sent to a stream of this name.'
            end,
            case
                when effects.is_known and not effects.is_enough
                    then
                        'At least {{ var('intervention_minimum_units') }} '
                        || replace(effects.unit, '_', ' ')
                        || 's before and after are needed; there are '
                        || {{ count_in_words('effects.before_unit_count') }}
                        || ' and '
                        || {{ count_in_words('effects.after_unit_count') }}
                        || '.'
            end,
            case
                when not effects.is_enough then null
                when effects.method = 'cohorts'
                    then
                        'People who joined after it are compared with people who joined'
                        || ' before it, who may have come for another reason.'
                when effects.method = 'before_after' and effects.refuted_streams <> ''
                    then
                        'Nothing tells what would have happened anyway: '
                        || effects.refuted_streams
                        || ' moved otherwise before the change already.'
                when effects.method = 'before_after'
                    then
                        'Nothing tells what would have happened anyway: no stream'
                        || ' without a change of its own had enough mail.'
                when effects.refuted_streams <> ''
                    then
                        'Not compared with '
                        || effects.refuted_streams
                        || ', which moved otherwise before the change already.'
            end,
            case
                when effects.is_enough and effects.control_stream_count = 1
                    then
                        'With one stream to compare, what moved that stream alone is in'
                        || ' the figure as well.'
            end,
            case
                when effects.is_enough and not effects.is_pre_trend_parallel
                    then
                        'Its rate was '
                        || case
                            when effects.pre_trend_z < 0 then 'falling' else 'rising'
                        end
                        || case
                            when effects.control_stream_count > 0
                                then ' against theirs'
                            else ''
                        end
                        || ' before the change already, so the difference proves'
                        || ' nothing.'
            end,
            case
                when effects.is_enough and effects.is_open
                    then
                        'Interim until '
                        || cast(cast(effects.decided_at as date) as varchar)
                        || ': looked at every week, luck is mistaken for an effect more'
                        || ' often.'
            end,
            case
                when effects.is_cut
                    then
                        'Another change cuts the comparison to the time from '
                        || cast(cast(effects.before_from_at as date) as varchar)
                        || ' to '
                        || cast(cast(effects.after_until_at as date) as varchar)
                        || '.'
            end,
            case
                when effects.simultaneous_change_count > 0
                    then
                        'Another change holds from the same day on: the effects of both'
                        || ' are one figure.'
            end,
            case
                when effects.left_out_unit_count > 0
                    then
                        'Left out as far above the others: '
                        || {{ count_in_words('effects.left_out_unit_count') }}
                        || ' '
                        || replace(effects.unit, '_', ' ')
                        || case
                            when effects.left_out_unit_count > 1 then 's.' else '.'
                        end
            end,
            change_kinds.caveat
        ) as caveat,
        case effects.verdict
            when 'worked' then change_kinds.advice_worked
            when 'backfired' then change_kinds.advice_backfired
            when 'not_proven' then change_kinds.advice_not_proven
            else intervention_verdicts.advice
        end as advice,
        effects.control_streams,
        case
            when
                change_kinds.claim_low_pct is null
                or change_kinds.claim_high_pct is null
                or effects.effect_pct is null
                then 'unknown'
            when effects.effect_low_pct > change_kinds.claim_high_pct then 'smaller'
            when effects.effect_high_pct < change_kinds.claim_low_pct then 'larger'
            when
                effects.effect_low_pct >= change_kinds.claim_low_pct
                and effects.effect_high_pct <= change_kinds.claim_high_pct
                then 'inside'
            else 'compatible'
        end as claim_position,
        change_kinds.claim_source,

        effects.control_stream_count,
        effects.before_unit_count,
        effects.after_unit_count,
        effects.left_out_unit_count,
        cast(effects.before_event_count as bigint) as before_event_count,
        cast(effects.before_exposure_count as bigint) as before_exposure_count,
        cast(effects.after_event_count as bigint) as after_event_count,
        cast(effects.after_exposure_count as bigint) as after_exposure_count,
        cast(effects.control_before_event_count as bigint)
            as control_before_event_count,
        cast(effects.control_before_exposure_count as bigint)
            as control_before_exposure_count,
        cast(effects.control_after_event_count as bigint) as control_after_event_count,
        cast(effects.control_after_exposure_count as bigint)
            as control_after_exposure_count,
        {{ people_kept('effects.effect_pct') }} as people_kept_count,
        {{ people_kept('effects.effect_high_pct') }} as people_kept_low_count,
        {{ people_kept('effects.effect_low_pct') }} as people_kept_high_count,

        {{ rate_pct('effects.before_event_count', 'effects.before_exposure_count') }}
            as before_rate_pct,
        {{ rate_pct('effects.after_event_count', 'effects.after_exposure_count') }}
            as after_rate_pct,
        {{ rate_pct(
            'effects.control_before_event_count',
            'effects.control_before_exposure_count'
        ) }} as control_before_rate_pct,
        {{ rate_pct(
            'effects.control_after_event_count', 'effects.control_after_exposure_count'
        ) }} as control_after_rate_pct,
        effects.expected_after_rate_pct,
        effects.effect_pct,
        effects.effect_low_pct,
        effects.effect_high_pct,
        effects.expected_after_rate_pct * effects.effect_pct / 100e0
            as rate_difference_pct,
        effects.expected_after_rate_pct * effects.effect_low_pct / 100e0
            as rate_difference_low_pct,
        effects.expected_after_rate_pct * effects.effect_high_pct / 100e0
            as rate_difference_high_pct,
        effects.minimum_detectable_effect_pct,
        change_kinds.claim_low_pct,
        change_kinds.claim_high_pct,
        effects.dispersion_cv2,
        effects.pre_trend_z,

        effects.is_pre_trend_parallel,
        effects.is_open,

        effects.changed_at,
        effects.before_from_at,
        effects.after_until_at,
        effects.decided_at
    from effects
    inner join dim_changes
        on effects.change_key = dim_changes.change_key
    inner join change_kinds
        on effects.kind = change_kinds.kind
    inner join intervention_verdicts
        on effects.verdict = intervention_verdicts.verdict
)

select * from intervention_effects
