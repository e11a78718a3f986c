with

mailings as (
    select * from {{ ref('mailings') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

false_discovery_rates as (
    select * from {{ ref('false_discovery_rates') }}
),

spike_evidence as (
    select * from {{ ref('spike_evidence') }}
),

gap_evidence as (
    select * from {{ ref('gap_evidence') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

complaint_limits as (
    select
        lower_pct,
        upper_pct,
        is_lower_inclusive,
        is_upper_inclusive,

        cast(lower_pct as double) / 100e0 as lower_rate
    from benchmark_bands
    where kind = 'complaint'
),

-- An address that does not exist is nobody lost: the people are those who left besides.
bounce_spikes as (
    select
        bounces.mailing_key,

        case
            when
                bounces.maturity = 'final'
                and bounces.spike_z >= {{ var('spike_alert_z') }}
                and false_discovery_rates.q_value < {{ var('false_discovery_level') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ',
            concat(
                {{ count_in_words('bounces.event_count') }}, ' hard bounces of ',
                {{ count_in_words('bounces.trial_count') }}, ' attempted (',
                {{ number_in_words(
                    rate_pct('bounces.event_count', 'bounces.trial_count'), 2
                ) }},
                ' %), ', {{ number_in_words('bounces.expected_count', 1) }},
                ' expected (95 %: ',
                {{ number_in_words('bounces.expected_low_count', 0) }}, ' to ',
                {{ number_in_words('bounces.expected_high_count', 0) }}, '); z ',
                {{ number_in_words('bounces.spike_z', 1) }}
            ),
            'complaints ' || {{ count_in_words('mailings.complaint_count') }},
            spike_evidence.spike_evidence
        ) as evidence,

        unsubscribes.event_count - unsubscribes.expected_count as lost_count,
        unsubscribes.event_count - unsubscribes.expected_high_count as lost_low_count,
        unsubscribes.event_count - unsubscribes.expected_low_count as lost_high_count,
        bounces.spike_z as statistic,
        {{ negative_binomial_upper_tail(
            'bounces.event_count', 'bounces.expected_count', 'bounces.predictive_cv2'
        ) }} as p_value
    from judged_measures as bounces
    inner join mailings
        on bounces.mailing_key = mailings.mailing_key
    left join false_discovery_rates
        on
            bounces.mailing_key = false_discovery_rates.mailing_key
            and bounces.measure = false_discovery_rates.measure
    left join judged_measures as unsubscribes
        on
            bounces.mailing_key = unsubscribes.mailing_key
            and unsubscribes.measure = 'unsubscribe'
    left join spike_evidence
        on bounces.mailing_key = spike_evidence.mailing_key
    where
        bounces.measure = 'hard_bounce'
        and bounces.is_assessable
        and bounces.spike_z >= {{ var('spike_watch_z') }}
),

-- A spike may have several causes, or none that shows. Where it went to other people
-- than usual or to bad addresses, or machines made it, the content is not accused.
spike_findings as (
    select
        mailing_key,
        'unusual_audience' as finding,
        spike_confidence as confidence,
        concat_ws('; ', audience_evidence, spike_evidence) as evidence
    from spike_evidence
    where is_unusual_audience
    union all
    select
        mailing_key,
        'unusual_content' as finding,
        spike_confidence as confidence,
        concat_ws('; ', category_evidence, spike_evidence) as evidence
    from spike_evidence
    where is_unusual_content
    union all
    select
        mailing_key,
        'promotional_run' as finding,
        spike_confidence as confidence,
        concat_ws('; ', run_evidence, spike_evidence) as evidence
    from spike_evidence
    where is_promotional_run
    union all
    select
        mailing_key,
        'tracking_artefact' as finding,
        spike_confidence as confidence,
        concat(
            {{ count_in_words('suspect_automated_count') }},
            ' opt-outs within seconds of delivery; without them z ',
            {{ number_in_words('spike_z_of_people', 1) }}, '; ', spike_evidence
        ) as evidence
    from spike_evidence
    where is_tracking_artefact
    union all
    select
        mailing_key,
        'subject_promises_body_disappoints' as finding,
        spike_confidence_on_opens as confidence,
        concat_ws('; ', spike_evidence, response_evidence) as evidence
    from spike_evidence
    where is_promise_broken
    union all
    select
        spike_evidence.mailing_key,
        'content_disappoints' as finding,
        spike_evidence.spike_confidence_on_opens as confidence,
        concat_ws(
            '; ', spike_evidence.spike_evidence, spike_evidence.response_evidence
        ) as evidence
    from spike_evidence
    left join bounce_spikes
        on spike_evidence.mailing_key = bounce_spikes.mailing_key
    where spike_evidence.is_content_disappointing and bounce_spikes.mailing_key is null
    union all
    select
        spike_evidence.mailing_key,
        'content_of_one_send' as finding,
        spike_evidence.spike_confidence_on_opens as confidence,
        concat_ws(
            '; ',
            spike_evidence.spike_evidence,
            spike_evidence.response_evidence,
            spike_evidence.later_evidence
        ) as evidence
    from spike_evidence
    left join bounce_spikes
        on spike_evidence.mailing_key = bounce_spikes.mailing_key
    where spike_evidence.is_content_of_one_send and bounce_spikes.mailing_key is null
),

explained_spikes as (
    select mailing_key
    from spike_findings
    union all
    select mailing_key
    from bounce_spikes
),

-- A rise that lasts is told of its stream, once.
unexplained_spikes as (
    select
        spike_evidence.mailing_key,
        spike_evidence.spike_confidence as confidence,
        concat_ws(
            '; ',
            spike_evidence.spike_evidence,
            spike_evidence.response_evidence,
            spike_evidence.later_evidence
        ) as evidence,
        spike_evidence.is_unconfirmed
    from spike_evidence
    left join explained_spikes
        on spike_evidence.mailing_key = explained_spikes.mailing_key
    where explained_spikes.mailing_key is null and not spike_evidence.is_in_rise
),

all_spike_findings as (
    select
        mailing_key,
        finding,
        confidence,
        evidence
    from spike_findings
    union all
    select
        mailing_key,
        'spike_unconfirmed' as finding,
        confidence,
        evidence
    from unexplained_spikes
    where is_unconfirmed
    union all
    select
        mailing_key,
        'undetermined_spike' as finding,
        confidence,
        evidence
    from unexplained_spikes
    where not is_unconfirmed
),

-- A gap is no excuse: nobody reports mail as spam because it was rare. One complaint of
-- a few hundred is above the limit and says nothing.
flagged_complaints as (
    select
        mailings.mailing_key,
        mailings.maturity,

        mailings.complaint_count,
        mailings.delivered_count,

        {{ rate_pct('mailings.complaint_count', 'mailings.delivered_count') }}
            as complaint_rate_pct,
        mailings.delivered_count * complaint_limits.lower_rate as allowed_count,
        {{ wilson_low_pct('mailings.complaint_count', 'mailings.delivered_count') }}
            as complaint_rate_low_pct,
        {{ wilson_high_pct('mailings.complaint_count', 'mailings.delivered_count') }}
            as complaint_rate_high_pct,
        {{ binomial_upper_tail(
            'mailings.complaint_count',
            'mailings.delivered_count',
            'complaint_limits.lower_rate'
        ) }} as p_value
    from mailings
    inner join complaint_limits
        on {{ is_in_band(
            'mailings.complaint_count', 'mailings.delivered_count', 'complaint_limits'
        ) }}
    where mailings.is_sound and mailings.complaint_count <= mailings.delivered_count
),

complaint_findings as (
    select
        flagged_complaints.mailing_key,

        case
            when flagged_complaints.p_value < {{ var('confirmation_level') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ',
            concat(
                {{ count_in_words('flagged_complaints.complaint_count') }},
                ' complaints of ',
                {{ count_in_words('flagged_complaints.delivered_count') }},
                ' delivered (',
                {{ number_in_words('flagged_complaints.complaint_rate_pct', 3) }},
                ' %; 95 %: ',
                {{ number_in_words('flagged_complaints.complaint_rate_low_pct', 3) }},
                ' to ',
                {{ number_in_words('flagged_complaints.complaint_rate_high_pct', 3) }},
                '), ',
                {{ number_in_words('flagged_complaints.allowed_count', 1) }},
                ' at the limit'
            ),
            'expected from its own past '
            || {{ number_in_words('complaints.expected_count', 1) }}
            || ', z ' || {{ number_in_words('complaints.spike_z', 1) }}
        ) as evidence,

        flagged_complaints.complaint_count - flagged_complaints.allowed_count
            as lost_count,
        flagged_complaints.delivered_count
        * flagged_complaints.complaint_rate_low_pct
        / 100e0
        - flagged_complaints.allowed_count as lost_low_count,
        flagged_complaints.delivered_count
        * flagged_complaints.complaint_rate_high_pct
        / 100e0
        - flagged_complaints.allowed_count as lost_high_count,
        flagged_complaints.complaint_rate_pct as statistic,
        flagged_complaints.p_value
    from flagged_complaints
    left join judged_measures as complaints
        on
            flagged_complaints.mailing_key = complaints.mailing_key
            and complaints.measure = 'complaint'
    where
        flagged_complaints.p_value < {{ var('probable_level') }}
        or complaints.is_assessable and complaints.spike_z >= {{ var('spike_watch_z') }}
),

campaign_findings as (
    select
        all_spike_findings.mailing_key,
        all_spike_findings.finding,
        all_spike_findings.confidence,
        all_spike_findings.evidence,
        spike_evidence.event_count - spike_evidence.expected_count as lost_count,
        spike_evidence.event_count - spike_evidence.expected_high_count
            as lost_low_count,
        spike_evidence.event_count - spike_evidence.expected_low_count
            as lost_high_count,
        spike_evidence.spike_z as statistic,
        'spike_z' as statistic_name,
        spike_evidence.exact_p_value as p_value
    from all_spike_findings
    inner join spike_evidence
        on all_spike_findings.mailing_key = spike_evidence.mailing_key
    union all
    select
        mailing_key,
        'gap' as finding,
        confidence,
        evidence,
        event_count - usual_count as lost_count,
        event_count - usual_high_count as lost_low_count,
        event_count - usual_low_count as lost_high_count,
        gap_multiplier as statistic,
        'gap_multiplier' as statistic_name,
        {{ negative_binomial_upper_tail('event_count', 'usual_count', 'usual_cv2') }}
            as p_value
    from gap_evidence
    union all
    select
        mailing_key,
        'complaints_above_limit' as finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        'complaint_rate_pct' as statistic_name,
        p_value
    from complaint_findings
    union all
    select
        mailing_key,
        'list_quality' as finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        'hard_bounce_z' as statistic_name,
        p_value
    from bounce_spikes
)

select * from campaign_findings
