with

persistent_rises as (
    select * from {{ ref('persistent_rises') }}
),

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_contents as (
    select * from {{ ref('mailing_contents') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

told_mailings as (
    select
        persistent_rises.source,
        persistent_rises.account,
        persistent_rises.stream_id,

        row_number() over (
            partition by
                persistent_rises.stream_id,
                mailings.sent_at >= persistent_rises.shape_started_at
            order by mailings.mailing_number desc
        ) as recency,

        mailings.delivered_count,
        mailings.unsubscribe_count,

        mailing_contents.is_promotional,
        mailings.sent_at >= persistent_rises.shape_started_at as is_since
    from persistent_rises
    inner join mailings
        on persistent_rises.stream_id = mailings.stream_id
    inner join mailing_contents
        on mailings.mailing_key = mailing_contents.mailing_key
    where mailings.is_sound and mailing_contents.is_promotional is not null
),

periods as (
    select
        source,
        account,
        stream_id,
        is_since,

        count(*) as mailing_count,
        count(*) filter (where is_promotional) as promotional_count,
        sum(unsubscribe_count) filter (where is_promotional)
            as promotional_opt_out_count,
        coalesce(sum(delivered_count) filter (where is_promotional), 0)
            as promotional_delivered_count,
        sum(unsubscribe_count) filter (where not is_promotional)
            as other_opt_out_count,
        coalesce(sum(delivered_count) filter (where not is_promotional), 0)
            as other_delivered_count
    from told_mailings
    where is_since or recency <= {{ var('baseline_campaign_limit') }}
    group by all
),

-- Few large sends among small ones are fewer than they look.
concentrations as (
    select
        stream_id,

        sum(pow(delivered_count, 2)) filter (where is_promotional)
        / pow(sum(delivered_count) filter (where is_promotional), 2)
        + sum(pow(delivered_count, 2)) filter (where not is_promotional)
        / pow(sum(delivered_count) filter (where not is_promotional), 2)
            as size_concentration
    from told_mailings
    where is_since or recency <= {{ var('baseline_campaign_limit') }}
    group by all
),

-- How much ordinary mailings of the stream differ from each other.
dispersions as (
    select
        stream_id,
        cv2
    from measure_baselines
    where measure = 'unsubscribe' and is_newest
),

-- Promotions are compared with the other mail of the same time: all mail since the rise
-- loses more, whatever it is about.
compared_periods as (
    select
        source,
        account,
        stream_id,

        max(case when is_since then mailing_count end) as mailing_count,
        max(case when is_since then promotional_count end) as promotional_count,
        max(case when not is_since then mailing_count end) as earlier_mailing_count,
        max(case when not is_since then promotional_count end)
            as earlier_promotional_count,

        {{ mantel_haenszel_ratio(
            'promotional_opt_out_count', 'promotional_delivered_count',
            'other_opt_out_count', 'other_delivered_count'
        ) }} as same_time_ratio,
        {{ mantel_haenszel_ratio_variance(
            'promotional_opt_out_count', 'promotional_delivered_count',
            'other_opt_out_count', 'other_delivered_count'
        ) }} as log_variance,
        1e0
        * sum(promotional_opt_out_count)
        * sum(other_delivered_count)
        / nullif(sum(promotional_delivered_count) * sum(other_opt_out_count), 0)
            as any_time_ratio
    from periods
    group by all
),

judged_shifts as (
    select
        compared_periods.source,
        compared_periods.account,
        compared_periods.stream_id,

        compared_periods.mailing_count,
        compared_periods.promotional_count,
        compared_periods.earlier_mailing_count,
        compared_periods.earlier_promotional_count,

        {{ rate_pct('promotional_count', 'mailing_count') }} as promotional_share_pct,
        {{ rate_pct('earlier_promotional_count', 'earlier_mailing_count') }}
            as earlier_promotional_share_pct,
        compared_periods.same_time_ratio,
        compared_periods.any_time_ratio,
        case
            when compared_periods.same_time_ratio > 0
                then sqrt(
                    compared_periods.log_variance
                    + coalesce(dispersions.cv2, {{ var('dispersion_prior') }}e0)
                    * concentrations.size_concentration
                )
        end as log_deviation
    from compared_periods
    left join concentrations
        on compared_periods.stream_id = concentrations.stream_id
    left join dispersions
        on compared_periods.stream_id = dispersions.stream_id
    where
        compared_periods.mailing_count >= {{ var('step_campaigns') }}
        and compared_periods.earlier_mailing_count >= {{ var('minimum_history') }}
),

shifts_with_intervals as (
    select
        source,
        account,
        stream_id,

        mailing_count,
        promotional_count,
        earlier_mailing_count,
        earlier_promotional_count,

        promotional_share_pct,
        earlier_promotional_share_pct,
        same_time_ratio,
        same_time_ratio * exp(-1e0 * {{ normal_quantile_975() }} * log_deviation)
            as same_time_ratio_low,
        same_time_ratio * exp({{ normal_quantile_975() }} * log_deviation)
            as same_time_ratio_high,
        ln(nullif(same_time_ratio, 0)) / log_deviation as same_time_z,
        any_time_ratio
    from judged_shifts
),

-- Where all mail since is promotions and none before was, the rise itself is all that
-- compares them: likely, never certain.
content_shifts as (
    select
        source,
        account,
        stream_id,

        concat_ws(
            '; ',
            concat(
                {{ count_in_words('promotional_count') }}, ' of ',
                {{ count_in_words('mailing_count') }},
                ' mailings since the rise began are promotions, before ',
                {{ count_in_words('earlier_promotional_count') }}, ' of ',
                {{ count_in_words('earlier_mailing_count') }}
            ),
            case
                when same_time_ratio is null
                    then
                        'people leave them '
                        || {{ number_in_words('any_time_ratio', 2) }}
                        || ' times as often as the others (too few of the same time)'
            end,
            'people leave them ' || {{ number_in_words('same_time_ratio', 2) }}
            || ' times as often as the others of the same time (95 %: '
            || {{ number_in_words('same_time_ratio_low', 2) }} || ' to '
            || {{ number_in_words('same_time_ratio_high', 2) }} || ')'
        ) as shift_evidence,

        promotional_share_pct,
        earlier_promotional_share_pct,
        coalesce(same_time_ratio, any_time_ratio) as promotional_ratio,
        same_time_z,

        coalesce(same_time_ratio_low > 1, false) as is_certain
    from shifts_with_intervals
    where
        promotional_share_pct - earlier_promotional_share_pct
        >= {{ var('content_shift_points') }}
        and coalesce(
            {{ normal_upper_tail('same_time_z') }} < {{ var('probable_level') }}e0,
            any_time_ratio > 1
        )
)

select * from content_shifts
