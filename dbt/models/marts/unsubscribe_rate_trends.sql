with

mailings as (
    select * from {{ ref('mailings') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

drift_signals as (
    select * from {{ ref('drift_signals') }}
),

false_discovery_rates as (
    select * from {{ ref('false_discovery_rates') }}
),

control_limits as (
    select * from {{ ref('control_limits') }}
),

stream_autocorrelations as (
    select * from {{ ref('stream_autocorrelations') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- Every measure of a mailing beside the others, each against its own past.
measure_scores as (
    select
        mailing_key,

        max(case when measure = 'human_open' then spike_z end) as human_open_z,
        max(case when measure in ('human_open', 'any_open') then spike_z end) as open_z,
        max(case when measure = 'click' then spike_z end) as click_z,
        max(case when measure = 'complaint' then spike_z end) as complaint_z,
        max(case when measure = 'hard_bounce' then spike_z end) as hard_bounce_z
    from judged_measures
    group by all
),

unsubscribe_rate_trends as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        mailings.campaign_name,
        mailings.maturity,
        mailings.open_basis,
        mailings.mailing_number,
        coalesce(judged.spike_status, 'insufficient_data') as spike_status,
        case
            when drift_signals.cusum is null then 'insufficient_data'
            when drift_signals.cusum <= {{ var('drift_limit') }} then 'none'
            when
                stream_autocorrelations.autocorrelation
                > {{ var('autocorrelation_limit') }}
                then 'watch'
            else 'alert'
        end as drift_status,

        mailings.delivered_count,
        mailings.unsubscribe_count,
        coalesce(judged.history_count, 0) as baseline_campaign_count,

        {{ rate_pct('mailings.unsubscribe_count', 'mailings.delivered_count') }}
            as unsubscribe_rate_pct,
        100e0 * judged.baseline_rate as baseline_rate_pct,
        100e0 * judged.expected_rate as expected_rate_pct,
        100e0 * control_limits.centre_rate as control_centre_pct,
        100e0 * control_limits.laney_low as control_low_pct,
        100e0 * control_limits.laney_high as control_high_pct,
        judged.spike_z,
        false_discovery_rates.q_value as spike_q_value,
        drift_signals.drift_z,
        drift_signals.cusum,
        drift_signals.ewma,
        measure_scores.human_open_z,
        measure_scores.open_z,
        measure_scores.click_z,
        measure_scores.complaint_z,
        measure_scores.hard_bounce_z,

        mailings.is_sound,
        mailings.is_post_gap,
        drift_signals.cusum > {{ var('drift_limit') }} as is_cusum_alarm,

        mailings.sent_at
    from mailings
    left join judged_measures as judged
        on
            mailings.mailing_key = judged.mailing_key
            and judged.measure = 'unsubscribe'
    left join drift_signals
        on mailings.mailing_key = drift_signals.mailing_key
    left join false_discovery_rates
        on
            mailings.mailing_key = false_discovery_rates.mailing_key
            and false_discovery_rates.measure = 'unsubscribe'
    left join control_limits
        on mailings.mailing_key = control_limits.mailing_key
    left join stream_autocorrelations
        on mailings.stream_id = stream_autocorrelations.stream_id
    left join measure_scores
        on mailings.mailing_key = measure_scores.mailing_key
)

select * from unsubscribe_rate_trends
