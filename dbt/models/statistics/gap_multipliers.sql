with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

mailings_beside_gaps as (
    select
        mailings.mailing_key,
        mailings.stream_id,
        mailings.mailing_number,
        mailings.mailings_since_gap,

        mailings.event_count,
        mailings.maturity = 'final'
        and mailings.mailings_since_gap = 0
        and baselines.baseline_rate is not null as is_evidence,

        mailings.exposed_count * baselines.baseline_rate as usual_count,
        baselines.cv2
    from mailing_measures as mailings
    left join measure_baselines as baselines
        on
            mailings.stream_id = baselines.stream_id
            and mailings.measure = baselines.measure
            and mailings.earlier_history_count = baselines.history_number
    where
        mailings.measure = 'unsubscribe'
        and mailings.mailings_since_gap is not null
),

evidence as (
    select
        mailing_key,
        stream_id,
        mailing_number,
        mailings_since_gap,

        case
            when is_evidence
                then ln((event_count + 0.5e0) / (usual_count + 0.5e0))
        end as log_multiplier,
        case
            when is_evidence
                then 1e0 / (
                    1e0 / (usual_count * {{ var('gap_multiplier') }}e0 + 0.5e0) + cv2
                )
        end as precision_of_log
    from mailings_beside_gaps
),

-- What earlier gaps of the stream have shown corrects the assumption; a mailing never
-- explains itself, nor do those of its own recovery.
gathered_evidence as (
    select
        mailing_key,
        mailings_since_gap,

        coalesce(sum(precision_of_log) over earlier_gaps, 0e0) as precision_sum,
        coalesce(sum(precision_of_log * log_multiplier) over earlier_gaps, 0e0)
            as weighted_sum
    from evidence
    window earlier_gaps as (
        partition by stream_id
        order by mailing_number - mailings_since_gap
        range between unbounded preceding and 1 preceding
    )
),

posteriors as (
    select
        mailing_key,

        pow({{ var('gap_decay') }}e0, mailings_since_gap) as remaining_share,
        1e0 / pow({{ var('gap_log_deviation') }}e0, 2) as prior_precision,
        precision_sum,
        weighted_sum
    from gathered_evidence
),

gap_multipliers as (
    select
        mailing_key,

        exp(
            remaining_share
            * (prior_precision * ln({{ var('gap_multiplier') }}e0) + weighted_sum)
            / (prior_precision + precision_sum)
        ) as gap_multiplier,
        pow(remaining_share, 2) / (prior_precision + precision_sum)
            as gap_log_variance
    from posteriors
)

select * from gap_multipliers
