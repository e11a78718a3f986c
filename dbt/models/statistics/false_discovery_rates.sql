with

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

-- One family a day and measure: everything that a reader of that day looks at.
ranked_tests as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        measure,
        cast(sent_at as date) as sent_date,
        row_number() over family as p_rank,
        count(*) over (partition by measure, cast(sent_at as date)) as test_count,

        spike_p_value as p_value
    from judged_measures
    where spike_p_value is not null
    window family as (
        partition by measure, cast(sent_at as date)
        order by spike_p_value asc, mailing_key asc
    )
),

false_discovery_rates as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        measure,
        sent_date,

        p_value,
        least(1e0, min(p_value * test_count / p_rank) over (
            partition by measure, sent_date
            order by p_rank
            rows between current row and unbounded following
        )) as q_value
    from ranked_tests
)

select * from false_discovery_rates
