with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_contents as (
    select * from {{ ref('mailing_contents') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- How much ordinary mailings of the stream differ from each other.
dispersions as (
    select
        stream_id,
        cv2
    from measure_baselines
    where measure = 'unsubscribe' and is_newest
),

mailings_in_runs as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,
        least(
            mailing_contents.promotional_run_count, {{ var('promotional_run_highest') }}
        ) as run_bucket,

        mailings.delivered_count,
        mailings.unsubscribe_count,

        ln((mailings.unsubscribe_count + 0.5e0) / (mailings.delivered_count + 1e0))
            as log_rate
    from mailings
    inner join mailing_contents
        on mailings.mailing_key = mailing_contents.mailing_key
    where
        mailings.is_usual
        and mailing_contents.promotional_run_count is not null
),

mailings_beside_medians as (
    select
        source,
        account,
        stream_id,
        run_bucket,

        delivered_count,
        unsubscribe_count,

        log_rate,
        median(log_rate) over bucket as median_log_rate
    from mailings_in_runs
    window bucket as (partition by stream_id, run_bucket)
),

-- One spike is no habit of its bucket: it is left out as it is of a baseline.
judged_mailings as (
    select
        source,
        account,
        stream_id,
        run_bucket,

        delivered_count,
        unsubscribe_count,

        (log_rate - median_log_rate) / sqrt(
            {{ var('dispersion_prior') }}e0
            + 1e0 / (delivered_count * exp(median_log_rate) + 0.5e0)
        ) >= {{ var('history_outlier_z') }}e0 as is_outlier
    from mailings_beside_medians
),

buckets as (
    select
        source,
        account,
        stream_id,
        run_bucket,

        count(*) as send_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,

        -- Few large sends among small ones are fewer than they look.
        sum(cast(delivered_count as double) * delivered_count)
        / (cast(sum(delivered_count) as double) * sum(delivered_count))
            as size_concentration
    from judged_mailings
    where not is_outlier
    group by all
),

outliers as (
    select
        stream_id,
        run_bucket,

        count(*) as left_out_send_count
    from judged_mailings
    where is_outlier
    group by all
),

buckets_beside_none as (
    select
        buckets.source,
        buckets.account,
        buckets.stream_id,
        buckets.run_bucket,

        buckets.send_count,
        coalesce(outliers.left_out_send_count, 0) as left_out_send_count,
        buckets.delivered_count,
        buckets.unsubscribe_count,
        without_promotion.delivered_count as none_delivered_count,
        without_promotion.unsubscribe_count as none_unsubscribe_count,

        case
            when buckets.unsubscribe_count + without_promotion.unsubscribe_count > 0
                then
                    ln(
                        (buckets.unsubscribe_count + 0.5e0)
                        / (buckets.delivered_count + 1e0)
                    ) - ln(
                        (without_promotion.unsubscribe_count + 0.5e0)
                        / (without_promotion.delivered_count + 1e0)
                    )
        end as log_ratio,
        sqrt(
            1e0 / (buckets.unsubscribe_count + 0.5e0)
            + 1e0 / (without_promotion.unsubscribe_count + 0.5e0)
            + coalesce(dispersions.cv2, {{ var('dispersion_prior') }}e0)
            * (buckets.size_concentration + without_promotion.size_concentration)
        ) as log_deviation
    from buckets
    left join outliers
        on
            buckets.stream_id = outliers.stream_id
            and buckets.run_bucket = outliers.run_bucket
    left join buckets as without_promotion
        on
            buckets.stream_id = without_promotion.stream_id
            and buckets.run_bucket > 0
            and without_promotion.run_bucket = 0
    left join dispersions
        on buckets.stream_id = dispersions.stream_id
),

promotional_runs as (
    select
        source,
        account,
        stream_id,
        run_bucket,
        (select dim_runs.build_id from dim_runs) as build_id,

        send_count,
        left_out_send_count,
        delivered_count,
        unsubscribe_count,
        none_delivered_count,
        none_unsubscribe_count,

        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as unsubscribe_rate_pct,
        {{ wilson_low_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('unsubscribe_count', 'delivered_count') }}
            as unsubscribe_rate_high_pct,
        exp(log_ratio) as ratio_to_none,
        exp(log_ratio - {{ normal_quantile_975() }} * log_deviation)
            as ratio_to_none_low,
        exp(log_ratio + {{ normal_quantile_975() }} * log_deviation)
            as ratio_to_none_high
    from buckets_beside_none
)

select * from promotional_runs
