with

mailings as (
    select * from {{ ref('mailings') }}
),

stream_shapes as (
    select * from {{ ref('stream_shapes') }}
),

stream_ends as (
    select
        mailings.stream_id,

        max(mailings.sent_at) as newest_sent_at,
        max(stream_shapes.shape_started_at) as shape_started_at
    from mailings
    left join stream_shapes
        on
            mailings.stream_id = stream_shapes.stream_id
            and stream_shapes.measure = 'unsubscribe'
    group by all
),

-- A pause and the mailing that ends it are no cadence.
spaced_mailings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,

        mailings.days_since_previous_mailing,

        {{ seconds_between('mailings.sent_at', 'stream_ends.newest_sent_at') }}
        / 86400e0 as days_before_newest,
        {{ seconds_between('mailings.sent_at', 'stream_ends.shape_started_at') }}
        / 86400e0 as days_before_shape
    from mailings
    inner join stream_ends
        on mailings.stream_id = stream_ends.stream_id
    where
        mailings.days_since_previous_mailing is not null
        and not mailings.is_post_gap
),

-- Who is mailed more often from some day on tires over weeks: the month that led to a
-- rise belongs to it, so the weeks before that month are its past.
periods as (
    select
        source,
        account,
        stream_id,
        'recent' as period,
        days_since_previous_mailing
    from spaced_mailings
    where days_before_newest < {{ var('frequency_days') }}
    union all
    select
        source,
        account,
        stream_id,
        'before' as period,
        days_since_previous_mailing
    from spaced_mailings
    where
        days_before_newest >= {{ var('frequency_days') }}
        and days_before_newest < {{ 3 * var('frequency_days') }}
    union all
    select
        source,
        account,
        stream_id,
        'before_shape' as period,
        days_since_previous_mailing
    from spaced_mailings
    where
        days_before_shape >= {{ var('frequency_days') }}
        and days_before_shape < {{ 4 * var('frequency_days') }}
),

-- Days between mailings rather than mailings in a window, which would jump by one.
cadences as (
    select
        source,
        account,
        stream_id,
        period,

        {{ var('frequency_days') }}e0
        * count(*)
        / nullif(sum(days_since_previous_mailing), 0) as mailings_per_28_days
    from periods
    group by all
    having count(*) >= 2 or period = 'recent'
),

side_by_side as (
    select
        source,
        account,
        stream_id,

        max(case when period = 'recent' then mailings_per_28_days end)
            as recent_mailings_per_28_days,
        max(case when period = 'before' then mailings_per_28_days end)
            as earlier_mailings_per_28_days,
        max(case when period = 'before_shape' then mailings_per_28_days end)
            as mailings_per_28_days_before_shape
    from cadences
    group by all
),

compared as (
    select
        source,
        account,
        stream_id,

        recent_mailings_per_28_days,
        least(earlier_mailings_per_28_days, mailings_per_28_days_before_shape)
            as earlier_mailings_per_28_days,
        recent_mailings_per_28_days / least(
            earlier_mailings_per_28_days, mailings_per_28_days_before_shape
        ) as frequency_ratio
    from side_by_side
),

mailing_frequencies as (
    select
        source,
        account,
        stream_id,

        case
            when frequency_ratio >= {{ var('frequency_rise_ratio') }}e0 then 'rising'
            when frequency_ratio <= 1e0 / {{ var('frequency_rise_ratio') }}e0
                then 'falling'
            when frequency_ratio is not null then 'stable'
        end as direction,

        recent_mailings_per_28_days,
        earlier_mailings_per_28_days,
        frequency_ratio
    from compared
)

select * from mailing_frequencies
