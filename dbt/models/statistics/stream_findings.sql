with

stream_evidence as (
    select * from {{ ref('stream_evidence') }}
),

persistent_rises as (
    select * from {{ ref('persistent_rises') }}
),

content_shifts as (
    select * from {{ ref('content_shifts') }}
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

severity_bands as (
    select
        band,
        lower_pct,

        cast(lower_pct as double) / 100e0 as lower_rate
    from benchmark_bands
    where kind = 'severity'
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
        concat_ws(
            '; ', content_shifts.shift_evidence, persistent_rises.rise_evidence
        ) as shift_evidence,

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
        and stream_evidence.open_direction <> 'rising' as are_readers_tired,
        content_shifts.stream_id is not null as is_shifted,
        coalesce(content_shifts.is_certain, false) as is_shift_certain
    from persistent_rises
    inner join stream_evidence
        on persistent_rises.stream_id = stream_evidence.stream_id
    left join content_shifts
        on persistent_rises.stream_id = content_shifts.stream_id
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
    union all
    select
        source,
        account,
        stream_id,
        'content_shift' as finding,
        case when is_shift_certain then confidence else 'probable' end as confidence,
        shift_evidence as evidence,
        lost_count,
        lost_low_count,
        lost_high_count,
        statistic,
        p_value
    from rises
    where is_shifted
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
),

proven_complaints as (
    select
        stream_id,

        complaint_count,
        delivered_count,

        allowed_count,
        p_value
    from recent_complaints
    where p_value < {{ var('confirmation_level') }}
),

reputation_findings as (
    select
        stream_evidence.source,
        stream_evidence.account,
        stream_evidence.stream_id,

        case
            when proven_complaints.stream_id is not null then 'confirmed'
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
                {{ count_in_words('proven_complaints.complaint_count') }},
                ' complaints of ',
                {{ count_in_words('proven_complaints.delivered_count') }},
                ' delivered in the newest {{ var('level_recent_campaigns') }}',
                ' mailings, '
            )
            || {{ number_in_words('proven_complaints.allowed_count', 1) }}
            || ' at the limit'
        ) as evidence,

        proven_complaints.complaint_count - proven_complaints.allowed_count
            as lost_count,
        coalesce(
            {{ rate_pct(
                'proven_complaints.complaint_count', 'proven_complaints.delivered_count'
            ) }},
            stream_evidence.lowest_open_ratio
        ) as statistic,
        case
            when proven_complaints.stream_id is not null then 'complaint_rate_pct'
            else 'open_ratio'
        end as statistic_name,
        proven_complaints.p_value,
        -1e0 * stream_evidence.lowest_relative_z as upper_z
    from stream_evidence
    left join proven_complaints
        on stream_evidence.stream_id = proven_complaints.stream_id
    where
        proven_complaints.stream_id is not null
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
                then stream_evidence.hard_bounce_z
            else address_shares.share_z
        end as upper_z
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
            {{ count_in_words('newcomer_delivered_count') }},
            ' delivered; the others: ',
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
        opt_out_ratio_z as upper_z
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
            ' mailings; proven above ',
            {{ number_in_words('proven_bands.lower_pct', 1) }},
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

tested_findings as (
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
        p_value,
        cast(null as double) as upper_z
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
        p_value,
        upper_z
    from reputation_findings
    union all
    select
        source,
        account,
        stream_id,
        'list_quality' as finding,
        confidence,
        evidence,
        cast(null as double) as lost_count,
        cast(null as double) as lost_low_count,
        cast(null as double) as lost_high_count,
        statistic,
        statistic_name,
        cast(null as double) as p_value,
        upper_z
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
        cast(null as double) as p_value,
        upper_z
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
        p_value,
        cast(null as double) as upper_z
    from high_findings
),

findings_with_tails as (
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
        statistic_name,
        p_value,
        {{ normal_upper_tail('upper_z') }} as normal_p_value
    from tested_findings
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
        statistic_name,
        coalesce(p_value, normal_p_value) as p_value
    from findings_with_tails
)

select * from stream_findings
