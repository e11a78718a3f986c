with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

usual_sizes as (
    select
        mailing_measures.mailing_key,

        measure_baselines.median_trial_count as usual_delivered_count
    from mailing_measures
    inner join measure_baselines
        on
            mailing_measures.stream_id = measure_baselines.stream_id
            and mailing_measures.measure = measure_baselines.measure
            and mailing_measures.earlier_history_count
            = measure_baselines.history_number
    where mailing_measures.measure = 'unsubscribe'
),

told_audiences as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience,
        mailing_number,

        delivered_count,

        {{ rate_pct('first_time_recipient_count', 'recipient_count') }}
            as first_time_share_pct,

        audience is not null
        and mailing_number = min(mailing_number) over (
            partition by stream_id, audience
        ) as is_first_of_audience
    from mailings
    where is_sound
),

audiences_with_history as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience,
        mailing_number,

        delivered_count,
        count(audience) over earlier_mailings as earlier_told_count,
        count(case when is_first_of_audience then 1 end) over earlier_mailings
            as earlier_audience_count,

        first_time_share_pct,

        is_first_of_audience
    from told_audiences
    window earlier_mailings as (
        partition by stream_id
        order by mailing_number
        rows between unbounded preceding and 1 preceding
    )
),

-- Where most mailings name an audience of their own, another new name says nothing.
compared_audiences as (
    select
        audiences.mailing_key,
        audiences.source,
        audiences.account,
        audiences.stream_id,

        audiences.audience,
        audiences.mailing_number,

        audiences.delivered_count,
        usual_sizes.usual_delivered_count,

        audiences.delivered_count / nullif(usual_sizes.usual_delivered_count, 0)
            as audience_ratio,
        audiences.first_time_share_pct,

        audiences.is_first_of_audience
        and audiences.earlier_told_count > 0
        and 2 * audiences.earlier_audience_count <= audiences.earlier_told_count
            as is_new_audience,
        audiences.mailing_number > 1
        and coalesce(
            audiences.first_time_share_pct
            > {{ var('unusual_audience_first_time_share_pct') }},
            false
        ) as is_mostly_first_time
    from audiences_with_history as audiences
    left join usual_sizes
        on audiences.mailing_key = usual_sizes.mailing_key
),

judged_audiences as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience,
        mailing_number,

        delivered_count,
        usual_delivered_count,

        audience_ratio,
        first_time_share_pct,

        is_new_audience,
        is_mostly_first_time,
        coalesce(
            audience_ratio < {{ var('unusual_audience_low_ratio') }}e0
            or audience_ratio > {{ var('unusual_audience_high_ratio') }}e0,
            false
        ) as is_unusual_size
    from compared_audiences
),

worded_audiences as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        nullif(concat_ws(
            '; ',
            case when is_unusual_size then concat(
                'delivered to ', {{ count_in_words('delivered_count') }},
                ', usually ', {{ number_in_words('usual_delivered_count', 0) }}
            ) end,
            case when is_new_audience then concat(
                'audience "', audience, '" was never mailed in this stream before'
            ) end,
            case when is_mostly_first_time then concat(
                {{ number_in_words('first_time_share_pct', 0) }},
                ' % of the recipients got mail of this stream for the first time'
            ) end
        ), '') as audience_evidence,

        mailing_number,

        usual_delivered_count,

        audience_ratio,
        first_time_share_pct,

        is_new_audience
    from judged_audiences
),

audiences_beside_earlier as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience_evidence,

        usual_delivered_count,
        count(*) over earlier_mailings as earlier_count,
        count(audience_evidence) over earlier_mailings as earlier_evidence_count,

        audience_ratio,
        first_time_share_pct,

        is_new_audience
    from worded_audiences
    window earlier_mailings as (
        partition by stream_id
        order by mailing_number
        rows between {{ var('baseline_campaign_limit') }} preceding and 1 preceding
    )
),

-- Another audience now and then is a habit, and the first mailings have none.
mailing_audiences as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience_evidence,

        usual_delivered_count,

        audience_ratio,
        first_time_share_pct,

        is_new_audience,
        audience_evidence is not null
        and earlier_count >= {{ var('minimum_history') }}
        and (
            earlier_evidence_count < 2
            or 100 * earlier_evidence_count
            <= {{ var('changing_audience_share_pct') }} * earlier_count
        ) as is_unusual
    from audiences_beside_earlier
)

select * from mailing_audiences
