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

stream_evidence as (
    select * from {{ ref('stream_evidence') }}
),

persistent_rises as (
    select * from {{ ref('persistent_rises') }}
),

persistent_bands as (
    select * from {{ ref('persistent_bands') }}
),

newcomer_opt_outs as (
    select * from {{ ref('newcomer_opt_outs') }}
),

address_shares as (
    select * from {{ ref('address_shares') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

findings as (
    select * from {{ ref('findings') }}
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

severity_bands as (
    select
        band,
        lower_pct,

        cast(lower_pct as double) / 100e0 as lower_rate
    from benchmark_bands
    where kind = 'severity'
),

-- A spike may have several causes, or none that shows. Where it went to other people
-- than usual, or machines made it, the content is not accused.
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
        mailing_key,
        'content_of_one_send' as finding,
        spike_confidence_on_opens as confidence,
        concat_ws('; ', spike_evidence, response_evidence, later_evidence) as evidence
    from spike_evidence
    where is_content_of_one_send
),

-- Extra hard bounces are people lost, as are extra opt-outs of the same send.
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

        bounces.event_count
        - bounces.expected_count
        + coalesce(spike_evidence.event_count - spike_evidence.expected_count, 0e0)
            as lost_count,
        bounces.event_count
        - bounces.expected_high_count
        + coalesce(spike_evidence.event_count - spike_evidence.expected_high_count, 0e0)
            as lost_low_count,
        bounces.event_count
        - bounces.expected_low_count
        + coalesce(spike_evidence.event_count - spike_evidence.expected_low_count, 0e0)
            as lost_high_count,
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
    left join spike_evidence
        on bounces.mailing_key = spike_evidence.mailing_key
    where
        bounces.measure = 'hard_bounce'
        and bounces.is_assessable
        and bounces.spike_z >= {{ var('spike_watch_z') }}
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
        case
            when spike_evidence.is_unconfirmed then 'spike_unconfirmed'
            else 'undetermined_spike'
        end as finding,
        spike_evidence.spike_confidence as confidence,
        concat_ws(
            '; ',
            spike_evidence.spike_evidence,
            spike_evidence.response_evidence,
            spike_evidence.later_evidence
        ) as evidence
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
        finding,
        confidence,
        evidence
    from unexplained_spikes
),

-- A gap is no excuse: nobody reports mail as spam because it was rare.
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
            when
                flagged_complaints.p_value < {{ var('probable_level') }}
                or coalesce(
                    complaints.is_assessable
                    and complaints.spike_z >= {{ var('spike_watch_z') }},
                    false
                )
                then 'probable'
            else 'low_confidence'
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
),

-- Opens that include machines prove nothing: there the clicks decide, and where they do
-- not fall, what rests on opens is of low confidence.
rises as (
    select
        persistent_rises.source,
        persistent_rises.account,
        persistent_rises.stream_id,

        stream_evidence.click_direction,
        stream_evidence.frequency_direction,
        case
            when persistent_rises.is_confirmed then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ', persistent_rises.rise_evidence, stream_evidence.level_evidence
        ) as evidence,

        persistent_rises.event_count - persistent_rises.expected_count as lost_count,
        persistent_rises.event_count
        - persistent_rises.expected_count
        - {{ normal_quantile_975() }} * persistent_rises.expected_deviation
            as lost_low_count,
        persistent_rises.event_count
        - persistent_rises.expected_count
        + {{ normal_quantile_975() }} * persistent_rises.expected_deviation
            as lost_high_count,
        stream_evidence.unsubscribe_ratio as statistic,
        persistent_rises.p_value,

        stream_evidence.click_direction in ('falling', 'unknown')
        and (
            stream_evidence.open_direction = 'falling'
            or (
                stream_evidence.open_basis <> 'human'
                and stream_evidence.click_direction = 'falling'
            )
        ) as are_readers_fading,
        stream_evidence.open_basis <> 'human'
        and stream_evidence.click_direction <> 'falling' as rests_on_machine_opens,
        stream_evidence.click_direction = 'falling'
        and stream_evidence.open_direction <> 'rising' as are_readers_tired
    from persistent_rises
    inner join stream_evidence
        on persistent_rises.stream_id = stream_evidence.stream_id
),

rise_findings as (
    select
        source,
        account,
        stream_id,
        'fading_interest' as finding,
        case
            when rests_on_machine_opens then 'low_confidence'
            else confidence
        end as confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        p_value
    from rises
    where are_readers_fading and frequency_direction = 'stable'
    union all
    select
        source,
        account,
        stream_id,
        'fatigue' as finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        p_value
    from rises
    where are_readers_tired and frequency_direction = 'rising'
),

recent_complaints as (
    select
        stream_evidence.stream_id,

        stream_evidence.recent_complaint_count as complaint_count,
        stream_evidence.recent_complaint_base_count as delivered_count,

        stream_evidence.recent_complaint_base_count * complaint_limits.lower_rate
            as allowed_count,
        {{ binomial_upper_tail(
            'stream_evidence.recent_complaint_count',
            'stream_evidence.recent_complaint_base_count',
            'complaint_limits.lower_rate'
        ) }} as p_value
    from stream_evidence
    inner join complaint_limits
        on {{ is_in_band(
            'stream_evidence.recent_complaint_count',
            'stream_evidence.recent_complaint_base_count',
            'complaint_limits'
        ) }}
    where {{ is_rate_above(
        'stream_evidence.recent_complaint_count',
        'stream_evidence.recent_complaint_base_count',
        'complaint_limits.lower_pct'
    ) }}
),

reputation_findings as (
    select
        stream_evidence.source,
        stream_evidence.account,
        stream_evidence.stream_id,

        case
            when recent_complaints.stream_id is not null then 'confirmed'
            when stream_evidence.open_basis <> 'human' then 'low_confidence'
            when stream_evidence.lowest_relative_z <= -{{ var('spike_strong_z') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ',
            stream_evidence.provider_evidence,
            case
                when
                    stream_evidence.provider_evidence is not null
                    and stream_evidence.open_basis <> 'human'
                    then 'opens include machines'
            end,
            concat(
                {{ count_in_words('recent_complaints.complaint_count') }},
                ' complaints of ',
                {{ count_in_words('recent_complaints.delivered_count') }},
                ' delivered in the newest {{ var('level_recent_campaigns') }} mailings, '
            )
            || {{ number_in_words('recent_complaints.allowed_count', 1) }}
            || ' at the limit'
        ) as evidence,

        recent_complaints.complaint_count - recent_complaints.allowed_count
            as lost_count,
        coalesce(
            {{ rate_pct(
                'recent_complaints.complaint_count', 'recent_complaints.delivered_count'
            ) }},
            stream_evidence.lowest_open_ratio
        ) as statistic,
        case
            when recent_complaints.stream_id is not null then 'complaint_rate_pct'
            else 'open_ratio'
        end as statistic_name,
        coalesce(
            recent_complaints.p_value,
            {{ normal_upper_tail('(-1e0 * stream_evidence.lowest_relative_z)') }}
        ) as p_value
    from stream_evidence
    left join recent_complaints
        on stream_evidence.stream_id = recent_complaints.stream_id
    where
        recent_complaints.stream_id is not null
        or stream_evidence.lowest_relative_z is not null
),

address_findings as (
    select
        stream_evidence.source,
        stream_evidence.account,
        stream_evidence.stream_id,

        case
            when
                stream_evidence.hard_bounce_direction = 'rising'
                and stream_evidence.hard_bounce_z >= {{ var('spike_alert_z') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat_ws(
            '; ',
            stream_evidence.bounce_evidence,
            case
                when address_shares.is_rising
                    then concat(
                        'of the checked addresses mailed, ',
                        {{ number_in_words('address_shares.recent_share_pct', 1) }},
                        ' % are undeliverable, role addresses or traps, before ',
                        {{ number_in_words('address_shares.earlier_share_pct', 1) }},
                        ' %'
                    )
            end
        ) as evidence,

        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then
                    stream_evidence.recent_hard_bounce_count
                    * (1e0 - 1e0 / stream_evidence.hard_bounce_ratio)
        end as lost_count,
        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then
                    stream_evidence.recent_hard_bounce_count
                    * (1e0 - 1e0 / stream_evidence.hard_bounce_ratio_low)
        end as lost_low_count,
        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then
                    stream_evidence.recent_hard_bounce_count
                    * (1e0 - 1e0 / stream_evidence.hard_bounce_ratio_high)
        end as lost_high_count,
        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then stream_evidence.hard_bounce_ratio
            else address_shares.share_ratio
        end as statistic,
        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then 'hard_bounce_ratio'
            else 'bad_address_share_ratio'
        end as statistic_name,
        case
            when stream_evidence.hard_bounce_direction = 'rising'
                then {{ normal_upper_tail('stream_evidence.hard_bounce_z') }}
            else {{ normal_upper_tail('address_shares.share_z') }}
        end as p_value
    from stream_evidence
    left join address_shares
        on stream_evidence.stream_id = address_shares.stream_id
    where
        stream_evidence.hard_bounce_direction = 'rising'
        or coalesce(address_shares.is_rising, false)
),

newcomer_findings as (
    select
        source,
        account,
        stream_id,

        case
            when opt_out_ratio_low > {{ var('newcomer_ratio_confirmed') }}
                then 'confirmed'
            else 'probable'
        end as confidence,
        concat(
            'people under {{ var('newcomer_days') }} days on the list: ',
            {{ count_in_words('newcomer_opt_out_count') }}, ' opt-outs of ',
            {{ count_in_words('newcomer_delivered_count') }}, ' delivered; the others: ',
            {{ count_in_words('other_opt_out_count') }}, ' of ',
            {{ count_in_words('other_delivered_count') }}, '; ratio within a month ',
            {{ number_in_words('opt_out_ratio', 2) }}, ' (95 %: ',
            {{ number_in_words('opt_out_ratio_low', 2) }}, ' to ',
            {{ number_in_words('opt_out_ratio_high', 2) }}, ')'
        ) as evidence,

        newcomer_opt_out_count * (1e0 - 1e0 / opt_out_ratio) as lost_count,
        newcomer_opt_out_count * (1e0 - 1e0 / opt_out_ratio_low) as lost_low_count,
        newcomer_opt_out_count * (1e0 - 1e0 / opt_out_ratio_high) as lost_high_count,
        opt_out_ratio as statistic,
        {{ normal_upper_tail('opt_out_ratio_z') }} as p_value
    from newcomer_opt_outs
    where
        opt_out_ratio_low > 1
        and newcomer_opt_out_count >= {{ var('newcomer_minimum_opt_outs') }}
),

-- Lost is what goes beyond the lowest of these bands, so that a worse one weighs more.
high_findings as (
    select
        stream_evidence.source,
        stream_evidence.account,
        stream_evidence.stream_id,

        concat(
            {{ count_in_words('stream_evidence.recent_unsubscribe_count') }},
            ' opt-outs of ',
            {{ count_in_words('stream_evidence.recent_delivered_count') }},
            ' delivered in the newest {{ var('level_recent_campaigns') }} usual',
            ' mailings; proven above ', {{ number_in_words('proven_bands.lower_pct', 1) }},
            ' % (', persistent_bands.persistent_band, ')'
        ) as evidence,

        stream_evidence.recent_unsubscribe_count
        - stream_evidence.recent_delivered_count * tolerated_bands.lower_rate
            as lost_count,
        {{ rate_pct(
            'stream_evidence.recent_unsubscribe_count',
            'stream_evidence.recent_delivered_count'
        ) }} as statistic,
        {{ binomial_upper_tail(
            'stream_evidence.recent_unsubscribe_count',
            'stream_evidence.recent_delivered_count',
            'proven_bands.lower_rate'
        ) }} as p_value
    from persistent_bands
    inner join severity_bands as proven_bands
        on persistent_bands.persistent_band = proven_bands.band
    inner join severity_bands as tolerated_bands
        on tolerated_bands.band = '{{ var('persistent_from_band') }}'
    inner join stream_evidence
        on persistent_bands.stream_id = stream_evidence.stream_id
),

explained_streams as (
    select stream_id
    from rise_findings
    union all
    select stream_id
    from reputation_findings
    union all
    select stream_id
    from address_findings
    union all
    select stream_id
    from newcomer_findings
),

unexplained_streams as (
    select
        rises.source,
        rises.account,
        rises.stream_id,
        'undetermined_rise' as finding,
        rises.confidence,
        rises.evidence,
        rises.lost_count,
        rises.lost_low_count,
        rises.lost_high_count,
        rises.statistic,
        rises.p_value
    from rises
    left join explained_streams
        on rises.stream_id = explained_streams.stream_id
    where explained_streams.stream_id is null
),

all_rise_findings as (
    select
        source,
        account,
        stream_id,
        finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        p_value
    from rise_findings
    union all
    select
        source,
        account,
        stream_id,
        finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        p_value
    from unexplained_streams
),

stream_findings as (
    select
        source,
        account,
        stream_id,
        finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        'unsubscribe_ratio' as statistic_name,
        p_value
    from all_rise_findings
    union all
    select
        source,
        account,
        stream_id,
        'reputation' as finding,
        confidence,
        evidence,
        lost_count,
        cast(null as double) as lost_low_count,
        cast(null as double) as lost_high_count,
        statistic,
        statistic_name,
        p_value
    from reputation_findings
    union all
    select
        source,
        account,
        stream_id,
        'list_quality' as finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        statistic_name,
        p_value
    from address_findings
    union all
    select
        source,
        account,
        stream_id,
        'mismatched_intent' as finding,
        confidence,
        evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        'mantel_haenszel_ratio' as statistic_name,
        p_value
    from newcomer_findings
    union all
    select
        source,
        account,
        stream_id,
        'persistently_high' as finding,
        'confirmed' as confidence,
        evidence,
        lost_count,
        cast(null as double) as lost_low_count,
        cast(null as double) as lost_high_count,
        statistic,
        'unsubscribe_rate_pct' as statistic_name,
        p_value
    from high_findings
),

all_findings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,
        mailings.campaign_name,
        'campaign' as level,
        campaign_findings.finding,
        campaign_findings.confidence,
        campaign_findings.evidence,
        campaign_findings.lost_count,
        campaign_findings.lost_low_count,
        campaign_findings.lost_high_count,
        campaign_findings.statistic,
        campaign_findings.statistic_name,
        campaign_findings.p_value,
        mailings.sent_at
    from campaign_findings
    inner join mailings
        on campaign_findings.mailing_key = mailings.mailing_key
    union all
    select
        stream_findings.source,
        stream_findings.account,
        stream_findings.stream_id,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as campaign_name,
        'stream' as level,
        stream_findings.finding,
        stream_findings.confidence,
        stream_findings.evidence,
        stream_findings.lost_count,
        stream_findings.lost_low_count,
        stream_findings.lost_high_count,
        stream_findings.statistic,
        stream_findings.statistic_name,
        stream_findings.p_value,
        stream_evidence.sent_at
    from stream_findings
    inner join stream_evidence
        on stream_findings.stream_id = stream_evidence.stream_id
),

-- That a cause is unknown is never confirmed.
advised_findings as (
    select
        {{ hash_key([
            'all_findings.source', 'all_findings.account', 'all_findings.stream_id',
            'all_findings.campaign_id', 'all_findings.finding',
        ]) }} as diagnosis_key,
        all_findings.source,
        all_findings.account,
        all_findings.stream_id,
        all_findings.campaign_id,

        all_findings.campaign_name,
        all_findings.level,
        all_findings.finding,
        findings.label as finding_label,
        case
            when all_findings.confidence = 'confirmed' and not findings.is_cause
                then 'probable'
            else all_findings.confidence
        end as confidence,
        all_findings.evidence,
        all_findings.statistic_name,
        findings.recommended_action,
        findings.action_source,
        findings.rank as finding_rank,

        cast(round(all_findings.lost_count) as bigint) as people_lost_count,
        cast(round(all_findings.lost_low_count) as bigint) as people_lost_low_count,
        cast(round(all_findings.lost_high_count) as bigint) as people_lost_high_count,

        all_findings.statistic,
        all_findings.p_value,

        all_findings.sent_at
    from all_findings
    left join findings
        on
            all_findings.finding = findings.finding
            and all_findings.level = findings.level
),

campaign_diagnoses as (
    select
        diagnosis_key,
        source,
        account,
        stream_id,
        campaign_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        campaign_name,
        level,
        finding,
        finding_label,
        confidence,
        evidence,
        statistic_name,
        recommended_action,
        action_source,
        row_number() over (
            order by
                people_lost_count desc nulls last,
                finding_rank asc,
                sent_at desc,
                source asc,
                account asc,
                stream_id asc,
                campaign_id asc
        ) as rank,

        people_lost_count,
        people_lost_low_count,
        people_lost_high_count,

        statistic,
        p_value,

        sent_at
    from advised_findings
)

select * from campaign_diagnoses
