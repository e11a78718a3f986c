with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_send_times_collected as (
    select * from {{ ref('int_send_times_collected') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Mail that goes out over hours has no single moment: two times agree where one may
-- lie within the other.
time_spans as (
    select
        campaign_key,

        count(*) as time_count,
        greatest(
            0,
            {{ seconds_between('min(latest_sent_at)', 'max(earliest_sent_at)') }}
        ) as gap_seconds
    from int_send_times_collected
    group by all
),

-- What goes out again and again has no time of its own to agree on.
send_time_checks as (
    select
        campaigns.campaign_key,
        'send_times_agree' as check_name,

        case
            when coalesce(send_types.is_repeated, false) then 'unknown'
            when coalesce(time_spans.time_count, 0) < 2 then 'unknown'
            when time_spans.gap_seconds > {{ var('send_time_tolerance_seconds') }}
                then 'broken'
            else 'reconciled'
        end as verdict,

        time_spans.gap_seconds as left_value,
        0 as right_value,
        cast({{ var('send_time_tolerance_seconds') }} as double) as tolerance
    from int_campaigns_united as campaigns
    left join time_spans
        on campaigns.campaign_key = time_spans.campaign_key
    left join send_types
        on campaigns.send_type = send_types.send_type
),

-- A campaign that is only planned has counted nothing yet, and a file without a time of
-- its own (an archive may date it to the beginning of its calendar) proves nothing.
export_time_checks as (
    select
        campaign_key,
        'sent_not_after_export' as check_name,

        case
            when sent_at is null or exported_at is null then 'unknown'
            when
                exported_at < cast(
                    '{{ var("earliest_believable_export_date") }}' as timestamp
                )
                then 'unknown'
            when coalesce(sent_count, delivered_count, 0) = 0 then 'unknown'
            when
                {{ seconds_between('exported_at', 'sent_at') }}
                > {{ var('sent_after_export_seconds') }}
                then 'broken'
            else 'reconciled'
        end as verdict,

        greatest(0, {{ seconds_between('exported_at', 'sent_at') }}) as left_value,
        0 as right_value,
        cast({{ var('sent_after_export_seconds') }} as double) as tolerance
    from int_campaign_stats_narrowed_to_newest
),

time_checks as (
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from send_time_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        left_value,
        right_value,
        tolerance
    from export_time_checks
)

select * from time_checks
