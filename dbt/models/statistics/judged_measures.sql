with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

gap_multipliers as (
    select * from {{ ref('gap_multipliers') }}
),

-- A rise that lasts would soon be its own past: drift is measured against a history
-- that ended some mailings ago.
compared_measures as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,

        mailings.measure,
        mailings.maturity,
        mailings.mailing_number,
        mailings.mailings_since_gap,
        coalesce(baselines.history_count, 0) as history_count,

        mailings.event_count,
        mailings.trial_count,
        mailings.exposed_count,

        mailings.expected_complete_share,
        baselines.baseline_rate,
        coalesce(gap_multipliers.gap_multiplier, 1e0) as gap_multiplier,
        mailings.exposed_count
        * baselines.baseline_rate
        * coalesce(gap_multipliers.gap_multiplier, 1e0) as expected_count,
        baselines.predictive_cv2
        + coalesce(gap_multipliers.gap_log_variance, 0e0) as predictive_cv2,
        case
            when earlier_baselines.history_count >= {{ var('minimum_history') }}
                then
                    mailings.exposed_count
                    * earlier_baselines.baseline_rate
                    * coalesce(gap_multipliers.gap_multiplier, 1e0)
        end as drift_expected_count,
        earlier_baselines.predictive_cv2
        + coalesce(gap_multipliers.gap_log_variance, 0e0) as drift_cv2,

        mailings.sent_at
    from mailing_measures as mailings
    left join measure_baselines as baselines
        on
            mailings.stream_id = baselines.stream_id
            and mailings.measure = baselines.measure
            and mailings.earlier_history_count = baselines.history_number
    left join measure_baselines as earlier_baselines
        on
            mailings.stream_id = earlier_baselines.stream_id
            and mailings.measure = earlier_baselines.measure
            and mailings.earlier_history_count - {{ var('drift_history_lag') }}
            = earlier_baselines.history_number
    left join gap_multipliers
        on
            mailings.mailing_key = gap_multipliers.mailing_key
            and mailings.measure = 'unsubscribe'
),

tested_measures as (
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
        history_count,

        event_count,
        trial_count,
        exposed_count,

        expected_complete_share,
        baseline_rate,
        gap_multiplier,
        -- Engines differ in what the lesser of NULL and 1 is.
        case
            when baseline_rate is not null
                then least(1e0, baseline_rate * gap_multiplier)
        end as expected_rate,
        expected_count,
        predictive_cv2,
        {{ negative_binomial_point(
            '(-1e0 * ' ~ normal_quantile_975() ~ ')', 'expected_count', 'predictive_cv2'
        ) }} as expected_low_count,
        {{ negative_binomial_point(
            normal_quantile_975(), 'expected_count', 'predictive_cv2'
        ) }} as expected_high_count,
        case
            when history_count >= {{ var('minimum_history') }}
                then {{ negative_binomial_z(
                    'event_count', 'expected_count', 'predictive_cv2'
                ) }}
        end as spike_z,
        case
            when drift_expected_count is not null
                then least(
                    {{ var('drift_z_limit') }}e0,
                    greatest(
                        -{{ var('drift_z_limit') }}e0,
                        {{ negative_binomial_z(
                            'event_count', 'drift_expected_count', 'drift_cv2'
                        ) }}
                    )
                )
        end as drift_z,

        sent_at
    from compared_measures
),

assessed_measures as (
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
        history_count,

        event_count,
        trial_count,
        exposed_count,

        expected_complete_share,
        baseline_rate,
        gap_multiplier,
        expected_rate,
        expected_count,
        predictive_cv2,
        expected_low_count,
        expected_high_count,
        spike_z,
        {{ normal_upper_tail('spike_z') }} as spike_p_value,
        drift_z,

        spike_z is not null
        and expected_count >= {{ var('assessable_expected_count') }} as is_assessable,
        maturity = 'final'
        or coalesce(
            expected_complete_share >= {{ var('judgeable_arrived_share') }}, false
        ) as is_ripe,

        sent_at
    from tested_measures
),

-- Enough seen is a spike at any age; that there is none, only ripe counts can say.
judged_measures as (
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
        case
            when not is_assessable then 'insufficient_data'
            when spike_z >= {{ var('spike_strong_z') }} then 'strong'
            when spike_z >= {{ var('spike_alert_z') }} then 'alert'
            when spike_z >= {{ var('spike_watch_z') }} then 'watch'
            when not is_ripe then 'insufficient_data'
            else 'none'
        end as spike_status,
        case
            when measure = 'unsubscribe' and mailings_since_gap = 0
                then
                    case
                        when spike_z >= {{ var('spike_watch_z') }}
                            then 'above_gap_expectation'
                        else 'post_gap_expected'
                    end
        end as grade_context,
        history_count,

        event_count,
        trial_count,
        exposed_count,

        expected_complete_share,
        baseline_rate,
        gap_multiplier,
        expected_rate,
        expected_count,
        predictive_cv2,
        expected_low_count,
        expected_high_count,
        spike_z,
        spike_p_value,
        drift_z,

        is_assessable,

        sent_at
    from assessed_measures
)

select * from judged_measures
