with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

-- Mail after a gap belongs to the shape, though to no history.
mature_measures as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        measure,

        event_count,
        trial_count,
        mailings_since_gap,

        sent_at,

        row_number() over (
            partition by stream_id, measure
            order by mailing_number desc, mailing_key desc
        ) as newest_number
    from mailing_measures
    where
        maturity = 'final'
        and trial_count > 0
        and event_count between 0 and trial_count
),

shape_points as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        measure,

        count(*) over (partition by stream_id, measure) - newest_number as point_number,
        event_count,
        trial_count,
        mailings_since_gap,

        sent_at
    from mature_measures
    where newest_number <= {{ var('baseline_campaign_limit') }}
)

select * from shape_points
