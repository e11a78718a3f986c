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

int_vendor_rates_explained as (
    select * from {{ ref('int_vendor_rates_explained') }}
),

-- What is known of where the mail went. A total and its parts may disagree; the larger
-- one is what the sent mail must have room for.
outcomes as (
    select
        campaign_key,

        sent_count,
        delivered_count
        + greatest(
            coalesce(bounce_count, 0),
            coalesce(hard_bounce_count, 0)
            + coalesce(soft_bounce_count, 0)
            + coalesce(block_count, 0)
        )
        + coalesce(dropped_count, 0)
        + coalesce(failed_count, 0)
        + coalesce(pending_count, 0) as known_count,

        bounce_count is not null
        and dropped_count is not null as is_undelivered_known,
        pending_count is not null as is_pending_known
    from int_campaigns_put_on_one_basis
),

-- An absent part is unknown, never 0, so a sum that falls short proves nothing; one
-- that exceeds what was sent is wrong whatever is missing.
outcome_checks as (
    select
        campaign_key,
        'delivered_plus_bounced_plus_dropped_plus_pending_is_sent' as check_name,

        case
            when known_count > sent_count then 'broken'
            when sent_count is null or known_count is null then 'unknown'
            when not is_undelivered_known then 'unknown'
            when known_count = sent_count then 'reconciled'
            when is_pending_known then 'broken'
            else 'unknown'
        end as verdict,

        1 as check_rank,
        known_count as left_value,
        sent_count as right_value,
        cast(0 as double) as tolerance,

        true as is_excluding
    from outcomes
),

limits as (
    select
        campaign_key,
        'delivered_not_above_sent' as check_name,
        2 as check_rank,
        delivered_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'bounces_not_above_sent' as check_name,
        3 as check_rank,
        bounce_count as left_value,
        sent_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unsubscribes_not_above_delivered' as check_name,
        4 as check_rank,
        unsubscribe_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'complaints_not_above_delivered' as check_name,
        5 as check_rank,
        complaint_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_opens_not_above_delivered' as check_name,
        6 as check_rank,
        greatest(unique_open_count, human_open_count) as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
    union all
    select
        campaign_key,
        'unique_clicks_not_above_delivered' as check_name,
        7 as check_rank,
        unique_click_count as left_value,
        delivered_count as right_value
    from int_campaigns_put_on_one_basis
),

limit_checks as (
    select
        campaign_key,
        check_name,

        case
            when left_value > right_value then 'broken'
            when left_value <= right_value then 'reconciled'
            else 'unknown'
        end as verdict,

        check_rank,
        left_value,
        right_value,
        cast(0 as double) as tolerance,

        true as is_excluding
    from limits
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
-- the nearer count of events is held against them. Another numerator or another idea of
-- sent is worth a line, only another denominator takes the rate away.
basis_pairs as (
    select
        campaign_key,
        'delivered_events_match_reported' as check_name,
        8 as check_rank,
        events_delivered_count as left_value,
        reported_delivered_count as right_value,
        coalesce(reported_sent_count, events_sent_count) as share_of_count,
        true as is_excluding
    from counted_twice
    where delivered_how = 'reported'
    union all
    select
        campaign_key,
        'sent_events_match_reported' as check_name,
        9 as check_rank,
        case
            when
                abs(events_attempted_count - reported_sent_count)
                < abs(events_sent_count - reported_sent_count)
                then events_attempted_count
            else events_sent_count
        end as left_value,
        reported_sent_count as right_value,
        reported_sent_count as share_of_count,
        false as is_excluding
    from counted_twice
    union all
    select
        campaign_key,
        'unsubscribes_events_match_reported' as check_name,
        10 as check_rank,
        events_unsubscribe_count as left_value,
        reported_unsubscribe_count as right_value,
        reported_unsubscribe_count as share_of_count,
        false as is_excluding
    from counted_twice
),

-- Shares stay decimals, so that a difference right at the limit is judged exactly.
basis_limits as (
    select
        campaign_key,
        check_name,

        check_rank,
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
        ) as reported_above,

        is_excluding
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

        check_rank,
        left_value,
        right_value,
        cast(broken_above as double) as tolerance,

        is_excluding
    from basis_limits
),

-- A rate on another denominator is the vendor's business as long as we know which.
vendor_rate_checks as (
    select
        campaign_key,
        'vendor_rate_explained' as check_name,

        case
            when vendor_rate_denominator = 'unexplained' then 'broken'
            else 'reconciled'
        end as verdict,

        11 as check_rank,
        unsubscribe_count as left_value,
        denominator_count as right_value,
        vendor_unsubscribe_rate_half_unit_pct as tolerance,

        false as is_excluding
    from int_vendor_rates_explained
),

checks as (
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from outcome_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from limit_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from basis_checks
    union all
    select
        campaign_key,
        check_name,
        verdict,
        check_rank,
        left_value,
        right_value,
        tolerance,
        is_excluding
    from vendor_rate_checks
),

judged_checks as (
    select
        campaign_key,
        check_name,

        verdict,

        check_rank,
        left_value,
        right_value,
        tolerance,

        verdict = 'broken' and is_excluding as is_excluded
    from checks
)

select * from judged_checks
