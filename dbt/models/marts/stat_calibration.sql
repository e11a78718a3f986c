with

calibrated_constants as (
    select * from {{ ref('calibrated_constants') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

stream_autocorrelations as (
    select * from {{ ref('stream_autocorrelations') }}
),

fct_arrival_curves as (
    select * from {{ ref('fct_arrival_curves') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- The variables themselves, so that no number stands twice.
values_in_use as (
    select
        variables.constant_name,
        variables.value_in_use
    from (
        values
        ('dispersion_prior', {{ var('dispersion_prior') }}e0),
        ('dispersion_prior_variance', {{ var('dispersion_prior_variance') }}e0),
        ('baseline_campaign_limit', {{ var('baseline_campaign_limit') }}e0),
        ('minimum_history', {{ var('minimum_history') }}e0),
        ('assessable_expected_count', {{ var('assessable_expected_count') }}e0),
        ('history_outlier_z', {{ var('history_outlier_z') }}e0),
        ('shrinkage_dispersion_floor', {{ var('shrinkage_dispersion_floor') }}e0),
        ('spike_watch_z', {{ var('spike_watch_z') }}e0),
        ('spike_alert_z', {{ var('spike_alert_z') }}e0),
        ('spike_strong_z', {{ var('spike_strong_z') }}e0),
        ('drift_allowance', {{ var('drift_allowance') }}e0),
        ('drift_limit', {{ var('drift_limit') }}e0),
        ('ewma_weight', {{ var('ewma_weight') }}e0),
        ('autocorrelation_limit', {{ var('autocorrelation_limit') }}e0),
        ('gap_days', {{ var('gap_days') }}e0),
        ('post_gap_share_pct', {{ var('post_gap_share_pct') }}e0),
        ('gap_multiplier', {{ var('gap_multiplier') }}e0),
        ('gap_log_deviation', {{ var('gap_log_deviation') }}e0),
        ('gap_decay', {{ var('gap_decay') }}e0),
        ('default_settle_days', {{ var('default_settle_days') }}e0),
        ('final_arrived_share', {{ var('final_arrived_share') }}e0),
        ('suspect_automated_seconds', {{ var('suspect_automated_seconds') }}e0),
        ('shape_minimum_campaigns', {{ var('shape_minimum_campaigns') }}e0),
        ('climb_minimum_campaigns', {{ var('climb_minimum_campaigns') }}e0),
        ('step_minimum_campaigns', {{ var('step_minimum_campaigns') }}e0),
        ('level_z', {{ var('level_z') }}e0),
        ('confirmation_level', {{ var('confirmation_level') }}e0)
    ) as variables (constant_name, value_in_use)
),

-- Baselines of one stream share their mailings: each stream speaks once.
newest_baselines as (
    select
        stream_id,

        row_number() over (
            partition by stream_id
            order by history_number desc
        ) as recency,
        kept_count,

        raw_cv2,
        2e0 / nullif(kept_count - 1, 0) * pow(
            {{ var('dispersion_prior') }}e0 + kept_count / (kept_event_count + 0.5e0), 2
        ) as sampling_variance
    from measure_baselines
    where
        measure = 'unsubscribe'
        and kept_count >= {{ var('minimum_history') }}
        and raw_cv2 is not null
),

dispersions as (
    select
        sum(kept_count) as campaign_count,
        count(*) as stream_count,

        case when count(raw_cv2) > 0 then greatest(median(raw_cv2), 0e0) end
            as typical_dispersion,
        case
            when count(*) >= {{ var('calibration_minimum_streams') }}
                then greatest(var_samp(raw_cv2) - avg(sampling_variance), 0e0)
        end as dispersion_variance
    from newest_baselines
    where recency = 1
),

-- Judged by what the stream is used to, without any allowance for the gap.
mailings_after_gaps as (
    select
        stream_id,
        mailings_since_gap,

        ln((event_count + 0.5e0) / (exposed_count * baseline_rate + 0.5e0))
            as log_multiplier,
        1e0 / (1e0 / (expected_count + 0.5e0) + predictive_cv2) as precision_of_log
    from judged_measures
    where
        measure = 'unsubscribe'
        and mailings_since_gap in (0, 1)
        and maturity = 'final'
        and expected_count > 0
        and predictive_cv2 > 0
),

recoveries as (
    select
        mailings_since_gap,

        count(*) as campaign_count,
        count(distinct stream_id) as stream_count,

        sum(precision_of_log * log_multiplier) / sum(precision_of_log)
            as log_multiplier
    from mailings_after_gaps
    group by all
),

autocorrelations as (
    select
        sum(pair_count) as campaign_count,
        count(*) as stream_count,

        median(autocorrelation) as typical_autocorrelation
    from stream_autocorrelations
    where autocorrelation is not null
),

-- A curve counts as many campaigns as were watched to its end.
account_curves as (
    select
        source,
        account,

        min(campaign_count) as campaign_count,

        min(lag_end_hours) filter (
            where arrived_share >= {{ var('final_arrived_share') }}
        ) / 24e0 as days_to_final_share,
        max(arrived_share) filter (
            where lag_end_hours <= 24 * {{ var('default_settle_days') }}
        ) as share_at_settle_days
    from fct_arrival_curves
    where arrived_share is not null
    group by all
),

arrivals as (
    select
        sum(campaign_count) as campaign_count,

        median(days_to_final_share) as typical_days,
        median(share_at_settle_days) as typical_share
    from account_curves
    where campaign_count >= {{ var('arrival_minimum_campaigns') }}
),

estimates as (
    select
        'dispersion_prior' as constant_name,
        campaign_count,
        stream_count,
        typical_dispersion as estimate
    from dispersions
    union all
    select
        'dispersion_prior_variance' as constant_name,
        campaign_count,
        stream_count,
        dispersion_variance as estimate
    from dispersions
    union all
    select
        'gap_multiplier' as constant_name,
        campaign_count,
        stream_count,
        exp(log_multiplier) as estimate
    from recoveries
    where mailings_since_gap = 0
    union all
    select
        'gap_decay' as constant_name,
        next_mailings.campaign_count,
        next_mailings.stream_count,
        case
            when first_mailings.log_multiplier > 0
                then greatest(
                    next_mailings.log_multiplier / first_mailings.log_multiplier, 0e0
                )
        end as estimate
    from recoveries as next_mailings
    inner join recoveries as first_mailings
        on first_mailings.mailings_since_gap = 0
    where next_mailings.mailings_since_gap = 1
    union all
    select
        'autocorrelation_limit' as constant_name,
        campaign_count,
        stream_count,
        typical_autocorrelation as estimate
    from autocorrelations
    union all
    select
        'default_settle_days' as constant_name,
        campaign_count,
        cast(null as bigint) as stream_count,
        typical_days as estimate
    from arrivals
    union all
    select
        'final_arrived_share' as constant_name,
        campaign_count,
        cast(null as bigint) as stream_count,
        typical_share as estimate
    from arrivals
),

stat_calibration as (
    select
        constants.constant_name,
        (select dim_runs.build_id from dim_runs) as build_id,

        constants.description,
        constants.unit,
        constants.source,

        cast(estimates.campaign_count as bigint) as campaign_count,
        estimates.stream_count,

        values_in_use.value_in_use,
        case
            when
                estimates.campaign_count
                >= {{ var('calibration_minimum_campaigns') }}
                then estimates.estimate
        end as own_estimate,

        constants.is_assumption,

        (select dim_runs.now_at from dim_runs) as estimated_at
    from calibrated_constants as constants
    inner join values_in_use
        on constants.constant_name = values_in_use.constant_name
    left join estimates
        on constants.constant_name = estimates.constant_name
)

select * from stat_calibration
