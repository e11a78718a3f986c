with

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

unsubscribe_drifts as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        mailing_number,

        drift_z
    from judged_measures
    where measure = 'unsubscribe' and drift_z is not null
),

running_sums as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        mailing_number,

        drift_z,
        sum(drift_z - {{ var('drift_allowance') }}e0) over until_now as running_sum,
        list(drift_z) over newest_mailings as newest_drifts
    from unsubscribe_drifts
    window
        until_now as (
            partition by stream_id
            order by mailing_number
            rows between unbounded preceding and current row
        ),
        newest_mailings as (
            partition by stream_id
            order by mailing_number desc
            rows between current row and {{ var('ewma_length') - 1 }} following
        )
),

-- The sum since it was last at its lowest. Weights of the moving average beyond its
-- length are below any precision that counts.
drift_signals as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        mailing_number,

        drift_z,
        running_sum - least(0e0, min(running_sum) over (
            partition by stream_id
            order by mailing_number
            rows between unbounded preceding and current row
        )) as cusum,
        list_sum(list_transform(newest_drifts, lambda drift, place:
            {{ var('ewma_weight') }}e0
            * pow(1e0 - {{ var('ewma_weight') }}e0, place - 1)
            * drift
        )) as ewma
    from running_sums
)

select * from drift_signals
