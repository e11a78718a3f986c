with

mailings as (
    select * from {{ ref('mailings') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

gap_multipliers as (
    select * from {{ ref('gap_multipliers') }}
),

mailings_after_gaps as (
    select
        judged_measures.mailing_key,
        judged_measures.source,
        judged_measures.account,
        judged_measures.stream_id,
        judged_measures.campaign_id,

        judged_measures.maturity,
        judged_measures.mailing_number,
        judged_measures.grade_context,
        judged_measures.history_count,

        judged_measures.event_count,
        judged_measures.trial_count,
        mailings.days_since_previous_mailing,

        mailings.gap_share_pct,
        judged_measures.baseline_rate,
        judged_measures.gap_multiplier,
        judged_measures.expected_count,
        judged_measures.spike_z,
        judged_measures.exposed_count * judged_measures.baseline_rate as usual_count,
        greatest(
            judged_measures.predictive_cv2 - gap_multipliers.gap_log_variance,
            {{ var('dispersion_floor') }}e0
        ) as usual_cv2,

        judged_measures.sent_at
    from judged_measures
    inner join mailings
        on judged_measures.mailing_key = mailings.mailing_key
    inner join gap_multipliers
        on judged_measures.mailing_key = gap_multipliers.mailing_key
    where
        judged_measures.measure = 'unsubscribe'
        and judged_measures.mailings_since_gap = 0
),

-- The mailings in which the effect of the gap wears off, until another gap begins.
recoveries as (
    select
        mailings_after_gaps.mailing_key,

        string_agg(
            concat(
                {{ number_in_words(
                    'later.event_count / nullif('
                    'later.exposed_count * later.baseline_rate, 0)', 1
                ) }},
                ' times'
            ),
            ', then '
            order by later.mailing_number
        ) as recovery
    from mailings_after_gaps
    inner join judged_measures as later
        on
            mailings_after_gaps.stream_id = later.stream_id
            and later.measure = 'unsubscribe'
            and later.mailings_since_gap
            = later.mailing_number - mailings_after_gaps.mailing_number
            and later.mailings_since_gap > 0
    group by all
),

-- The baseline says what the mailing would have cost without the pause.
costs as (
    select
        mailing_key,

        {{ negative_binomial_z('event_count', 'usual_count', 'usual_cv2') }} as usual_z,
        {{ negative_binomial_point(
            '(-1e0 * ' ~ normal_quantile_975() ~ ')', 'usual_count', 'usual_cv2'
        ) }} as usual_low_count,
        {{ negative_binomial_point(
            normal_quantile_975(), 'usual_count', 'usual_cv2'
        ) }} as usual_high_count
    from mailings_after_gaps
),

gap_evidence as (
    select
        gaps.mailing_key,
        gaps.source,
        gaps.account,
        gaps.stream_id,
        gaps.campaign_id,

        gaps.grade_context,
        case
            when gaps.history_count < {{ var('minimum_history') }} then 'low_confidence'
            when
                gaps.maturity = 'final'
                and costs.usual_z >= {{ var('spike_alert_z') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ',
            coalesce(
                {{ number_in_words('gaps.gap_share_pct', 0) }}
                || ' % of the recipients had no mail of this stream for '
                || '{{ var('gap_days') }} days',
                gaps.days_since_previous_mailing || ' days since the mailing before'
            ),
            concat(
                {{ count_in_words('gaps.event_count') }}, ' opt-outs of ',
                {{ count_in_words('gaps.trial_count') }}, ' delivered; usual ',
                {{ number_in_words('gaps.usual_count', 1) }}, ', after a gap ',
                {{ number_in_words('gaps.expected_count', 1) }}, ' (',
                {{ number_in_words('gaps.gap_multiplier', 1) }}, ' times)'
            ),
            case
                when gaps.grade_context = 'above_gap_expectation'
                    then
                        'above even that, z '
                        || {{ number_in_words('gaps.spike_z', 1) }}
                else 'no more than a gap explains'
            end,
            coalesce(
                'the next mailings: ' || recoveries.recovery || ' the usual rate',
                'recovery not seen yet'
            )
        ) as evidence,

        gaps.event_count,
        gaps.gap_share_pct,
        gaps.gap_multiplier,
        gaps.usual_count,
        gaps.usual_cv2,
        costs.usual_low_count,
        costs.usual_high_count,
        costs.usual_z,

        gaps.sent_at
    from mailings_after_gaps as gaps
    inner join costs
        on gaps.mailing_key = costs.mailing_key
    left join recoveries
        on gaps.mailing_key = recoveries.mailing_key
    where gaps.event_count > gaps.usual_count
)

select * from gap_evidence
