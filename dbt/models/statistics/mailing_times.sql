with

mailings as (
    select * from {{ ref('mailings') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

zoned_mailings as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,

        mailings.mailing_number,
        mailings.mailings_since_gap,
        case
            when dim_sources.is_timezone_declared then 'declared' else 'assumed'
        end as send_time_basis,

        min(mailings.sent_at = date_trunc('day', mailings.sent_at)) over (
            partition by mailings.stream_id
        ) as is_stream_at_midnight,

        mailings.sent_at,
        timezone(
            coalesce(dim_sources.timezone, 'UTC'), timezone('UTC', mailings.sent_at)
        ) as sent_at_local
    from mailings
    left join dim_sources
        on
            mailings.source = dim_sources.source
            and mailings.account = dim_sources.account
),

-- A day without a time was read as the account's midnight, or as that of UTC. One
-- mailing may well go out at midnight in UTC; all of them hardly do.
dated_mailings as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        mailing_number,
        mailings_since_gap,
        send_time_basis,

        case
            when is_stream_at_midnight then null
            when sent_at_local = date_trunc('day', sent_at_local) then null
            else cast(hour(sent_at_local) as bigint)
        end as send_hour_local,

        cast(
            case when is_stream_at_midnight then sent_at else sent_at_local end as date
        ) as sent_date_local
    from zoned_mailings
),

-- Whole days, so that a weekly mailing a minute late does not change how many there are.
numbered_days as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        mailing_number,
        mailings_since_gap,
        send_time_basis,
        dayname(sent_date_local) as send_weekday,
        isodow(sent_date_local) as weekday_number,
        cast({{ dbt.datediff(
            "cast('1970-01-01' as date)", 'sent_date_local', 'day'
        ) }} as bigint) as day_number,

        send_hour_local,

        sent_date_local
    from dated_mailings
),

counted_days as (
    select
        mailing_key,
        stream_id,

        day_number,

        count(*) over (
            partition by stream_id
            order by day_number
            range between {{ var('frequency_days') - 1 }} preceding
            and current row
        ) as recent_count,
        case
            when
                day_number - min(day_number) over (partition by stream_id)
                >= {{ 2 * var('frequency_days') - 1 }}
                then count(*) over (
                    partition by stream_id
                    order by day_number
                    range between {{ 2 * var('frequency_days') - 1 }} preceding
                    and {{ var('frequency_days') }} preceding
                )
        end as prior_count
    from numbered_days
),

-- After a pause the month before is no yardstick: what the stream sent in a month of
-- the last half year is. And who mails at random has months with more now and then.
frequencies as (
    select
        mailing_key,

        recent_count,
        prior_count,
        median(recent_count) over earlier_months as usual_count,
        max(recent_count) over earlier_months as highest_count,
        coalesce(stddev_samp(recent_count) over earlier_months, 0e0) as usual_deviation
    from counted_days
    window earlier_months as (
        partition by stream_id
        order by day_number
        range between {{ var('frequency_habit_days') }} preceding
        and {{ var('frequency_days') }} preceding
    )
),

earlier_times as (
    select
        later.mailing_key,
        earlier.weekday_number,
        earlier.send_weekday,

        earlier.mailing_number,
        earlier.send_hour_local,

        earlier.weekday_number = later.weekday_number as is_same_weekday,
        {{ hours_apart('earlier.send_hour_local', 'later.send_hour_local') }}
        <= {{ var('send_hour_tolerance') }} as is_near_hour
    from numbered_days as later
    inner join numbered_days as earlier
        on
            later.stream_id = earlier.stream_id
            and later.mailing_number > earlier.mailing_number
            and later.mailing_number - {{ var('baseline_campaign_limit') }}
            <= earlier.mailing_number
),

earlier_weekdays as (
    select
        mailing_key,
        weekday_number,
        send_weekday,

        is_same_weekday,

        count(*) as mailing_count
    from earlier_times
    group by all
),

shared_weekdays as (
    select
        mailing_key,
        weekday_number,
        send_weekday,

        is_same_weekday,

        mailing_count,
        cast(sum(mailing_count) over (partition by mailing_key) as bigint)
            as earlier_count
    from earlier_weekdays
),

named_weekdays as (
    select
        mailing_key,
        weekday_number,

        is_same_weekday,

        mailing_count,
        earlier_count,

        case
            when
                100 * mailing_count
                >= {{ var('usual_weekday_share_pct') }} * earlier_count
                then send_weekday
        end as usual_weekday
    from shared_weekdays
),

weekday_habits as (
    select
        mailing_key,

        string_agg(usual_weekday, ', ' order by weekday_number) as usual_weekdays,

        max(earlier_count) as earlier_count,
        coalesce(max(case when is_same_weekday then mailing_count end), 0)
            as earlier_weekday_count,

        count(usual_weekday) <= {{ var('habit_weekdays') }}
        and 100 * sum(case when usual_weekday is not null then mailing_count end)
        >= {{ var('weekday_habit_share_pct') }} * max(earlier_count) as has_weekday_habit
    from named_weekdays
    group by all
),

-- The commonest hour; of two, the newer.
earlier_hours as (
    select
        mailing_key,
        send_hour_local,

        row_number() over (
            partition by mailing_key
            order by count(*) desc, max(mailing_number) desc
        ) as commonness
    from earlier_times
    where send_hour_local is not null
    group by mailing_key, send_hour_local
),

usual_hours as (
    select
        mailing_key,
        send_hour_local as usual_hour_local
    from earlier_hours
    where commonness = 1
),

hour_habits as (
    select
        earlier_times.mailing_key,

        usual_hours.usual_hour_local,

        count(*) as earlier_hour_count,
        count(case when earlier_times.is_near_hour then 1 end) as near_hour_count,
        count(
            case
                when
                    {{ hours_apart(
                        'earlier_times.send_hour_local', 'usual_hours.usual_hour_local'
                    ) }} <= {{ var('send_hour_tolerance') }}
                    then 1
            end
        ) as near_usual_hour_count
    from earlier_times
    inner join usual_hours
        on earlier_times.mailing_key = usual_hours.mailing_key
    where earlier_times.send_hour_local is not null
    group by all
),

-- Whoever spreads mail over the week or the day has no habit to depart from.
judged_times as (
    select
        days.mailing_key,
        days.source,
        days.account,
        days.stream_id,

        days.send_weekday,
        days.send_time_basis,
        weekdays.usual_weekdays,
        days.mailings_since_gap,

        days.send_hour_local,
        hours.usual_hour_local,
        weekdays.earlier_count,
        hours.earlier_hour_count,
        frequencies.recent_count,
        frequencies.prior_count,
        frequencies.usual_count,
        frequencies.highest_count,
        frequencies.usual_deviation,

        coalesce(
            weekdays.earlier_count >= {{ var('habit_minimum_mailings') }}
            and weekdays.has_weekday_habit
            and 100 * weekdays.earlier_weekday_count
            < {{ var('unusual_time_share_pct') }} * weekdays.earlier_count,
            false
        ) as is_unusual_weekday,
        coalesce(
            days.send_hour_local is not null
            and hours.earlier_hour_count >= {{ var('habit_minimum_mailings') }}
            and 100 * hours.near_usual_hour_count
            >= {{ var('hour_habit_share_pct') }} * hours.earlier_hour_count
            and 100 * hours.near_hour_count
            < {{ var('unusual_time_share_pct') }} * hours.earlier_hour_count,
            false
        ) as is_unusual_hour
    from numbered_days as days
    inner join frequencies
        on days.mailing_key = frequencies.mailing_key
    left join weekday_habits as weekdays
        on days.mailing_key = weekdays.mailing_key
    left join hour_habits as hours
        on days.mailing_key = hours.mailing_key
),

mailing_times as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        send_weekday,
        send_time_basis,
        case
            when earlier_count >= {{ var('habit_minimum_mailings') }}
                then usual_weekdays
        end as usual_weekdays,

        send_hour_local,
        case
            when earlier_hour_count >= {{ var('habit_minimum_mailings') }}
                then usual_hour_local
        end as usual_hour_local,
        recent_count as sends_28d,
        prior_count as sends_prior_28d,

        recent_count / cast(nullif(prior_count, 0) as double) as frequency_ratio,

        is_unusual_weekday,
        is_unusual_hour,
        coalesce(
            mailings_since_gap is null
            and prior_count > 0
            and recent_count >= {{ var('frequency_up_ratio') }}e0 * prior_count
            and recent_count >= prior_count + {{ var('frequency_up_count') }}
            and recent_count >= {{ var('frequency_up_ratio') }}e0 * usual_count
            and recent_count >= usual_count + {{ var('frequency_up_count') }}
            and recent_count
            >= usual_count + {{ var('frequency_up_deviations') }} * usual_deviation
            and recent_count > highest_count,
            false
        ) as is_frequency_up
    from judged_times
)

select * from mailing_times
