with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_campaigns_counted_from_events as (
    select * from {{ ref('int_campaigns_counted_from_events') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

counted_twice as (
    select
        bases.campaign_key,

        coalesce(totals.delivered_how, 'reported') as delivered_how,

        events.sent_count as events_sent_count,
        events.sent_count - events.dropped_count as events_attempted_count,
        events.delivered_count as events_delivered_count,
        events.unsubscribe_count as events_unsubscribe_count,
        totals.sent_count as reported_sent_count,
        totals.delivered_count as reported_delivered_count,
        totals.unsubscribe_count as reported_unsubscribe_count
    from int_campaigns_put_on_one_basis as bases
    inner join int_campaign_stats_narrowed_to_newest as totals
        on bases.campaign_key = totals.campaign_key
    inner join int_campaigns_counted_from_events as events
        on bases.campaign_key = events.campaign_key
    where bases.delivered_count_basis = 'events'
),

-- Totals that leave out what was never attempted are as right as totals that do not:
-- the nearer count of events is held against them.
basis_pairs as (
    select
        campaign_key,
        'delivered_events_match_reported' as check_name,
        events_delivered_count as left_value,
        reported_delivered_count as right_value,
        coalesce(reported_sent_count, events_sent_count) as share_of_count
    from counted_twice
    where delivered_how = 'reported'
    union all
    select
        campaign_key,
        'sent_events_match_reported' as check_name,
        case
            when
                abs(events_attempted_count - reported_sent_count)
                < abs(events_sent_count - reported_sent_count)
                then events_attempted_count
            else events_sent_count
        end as left_value,
        reported_sent_count as right_value,
        reported_sent_count as share_of_count
    from counted_twice
    union all
    select
        campaign_key,
        'unsubscribes_events_match_reported' as check_name,
        events_unsubscribe_count as left_value,
        reported_unsubscribe_count as right_value,
        reported_unsubscribe_count as share_of_count
    from counted_twice
),

-- Shares stay decimals, so that a difference right at the limit is judged exactly.
basis_limits as (
    select
        campaign_key,
        check_name,

        left_value,
        right_value,
        abs(left_value - right_value) as distance,
        greatest(
            {{ var('reconciliation_broken_count') }},
            share_of_count * {{ var('reconciliation_broken_share_pct') }} * 0.01
        ) as broken_above,
        greatest(
            {{ var('reconciliation_reported_count') }},
            share_of_count * {{ var('reconciliation_reported_share_pct') }} * 0.01
        ) as reported_above
    from basis_pairs
),

basis_checks as (
    select
        campaign_key,
        check_name,

        case
            when distance > broken_above then 'broken'
            when distance > reported_above then 'within_tolerance'
            when distance is not null then 'reconciled'
            else 'unknown'
        end as verdict,

        left_value,
        right_value,
        cast(broken_above as double) as tolerance
    from basis_limits
)

select * from basis_checks
