with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

stg_loads as (
    select * from {{ ref('stg_loads') }}
),

-- Files that one run found together count in the order in which they were made: a year
-- of exports dropped at once tells its year.
arrivals as (
    select
        load,

        row_number() over (
            order by first_seen_at asc, exported_at asc, load asc
        ) as arrival_number,

        exported_at
    from stg_loads
),

told_sends as (
    select
        campaign_key,
        delivered_load,
        bounced_load,

        count(*) as send_count,

        is_delivered,
        is_bounced,
        delivered_at is not null as has_delivered_event
    from int_sends_resolved
    where
        campaign_key is not null
        and delivered_load is not null
    group by all
),

arrived_sends as (
    select
        told_sends.campaign_key,

        deliveries.arrival_number as delivered_number,
        bounces.arrival_number as bounced_number,
        told_sends.send_count,

        told_sends.is_delivered,
        coalesce(
            told_sends.is_bounced
            and deliveries.arrival_number < bounces.arrival_number,
            false
        ) as is_taken_back,
        told_sends.has_delivered_event
    from told_sends
    inner join arrivals as deliveries
        on told_sends.delivered_load = deliveries.load
    left join arrivals as bounces
        on told_sends.bounced_load = bounces.load
),

-- Counted from events since the first load that told of a delivery. What came with it,
-- or lay there before, is the first value and no revision.
first_deliveries as (
    select
        campaign_key,

        min(delivered_number) as arrival_number
    from arrived_sends
    where has_delivered_event
    group by all
),

told_opt_outs as (
    select
        campaign_key,
        contact_key,

        min(first_load) as first_load
    from int_opt_outs_rolled_up
    where
        is_by_recipient
        and is_headline_scope
        and campaign_key is not null
    group by all
),

-- A later bounce takes a delivery back. One that was known before the delivery, or came
-- with it, has never let it count.
told_changes as (
    select
        campaign_key,
        delivered_number as arrival_number,
        send_count as delivered_count,
        0 as unsubscribe_count
    from arrived_sends
    where is_delivered or is_taken_back
    union all
    select
        campaign_key,
        bounced_number as arrival_number,
        -send_count as delivered_count,
        0 as unsubscribe_count
    from arrived_sends
    where is_taken_back
    union all
    select
        told_opt_outs.campaign_key,
        arrivals.arrival_number,
        0 as delivered_count,
        1 as unsubscribe_count
    from told_opt_outs
    inner join arrivals
        on told_opt_outs.first_load = arrivals.load
),

loaded_changes as (
    select
        told_changes.campaign_key,

        greatest(told_changes.arrival_number, first_deliveries.arrival_number)
            as arrival_number,
        sum(told_changes.delivered_count) as delivered_count,
        sum(told_changes.unsubscribe_count) as unsubscribe_count,

        told_changes.arrival_number > first_deliveries.arrival_number as is_revision
    from told_changes
    inner join first_deliveries
        on told_changes.campaign_key = first_deliveries.campaign_key
    group by all
),

-- A load arrived when it was made, or later: not before those that came earlier.
counted_changes as (
    select
        loaded_changes.campaign_key,
        arrivals.load,

        loaded_changes.delivered_count as delivered_difference,
        loaded_changes.unsubscribe_count as unsubscribe_difference,
        cast(
            sum(loaded_changes.delivered_count) over earlier_and_this_load as bigint
        ) as delivered_count,
        cast(
            sum(loaded_changes.unsubscribe_count) over earlier_and_this_load as bigint
        ) as unsubscribe_count,

        loaded_changes.is_revision,

        arrivals.exported_at,
        max(arrivals.exported_at) over earlier_and_this_load as arrived_at
    from loaded_changes
    inner join arrivals
        on loaded_changes.arrival_number = arrivals.arrival_number
    window earlier_and_this_load as (
        partition by loaded_changes.campaign_key
        order by loaded_changes.arrival_number
        rows between unbounded preceding and current row
    )
),

rated_changes as (
    select
        campaign_key,
        load,

        delivered_count,
        unsubscribe_count,
        cast(delivered_count - delivered_difference as bigint)
            as old_delivered_count,
        cast(unsubscribe_count - unsubscribe_difference as bigint)
            as old_unsubscribe_count,

        {{ rate_pct(
            '(unsubscribe_count - unsubscribe_difference)',
            '(delivered_count - delivered_difference)'
        ) }} as old_rate_pct,
        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as new_rate_pct,

        exported_at,
        arrived_at
    from counted_changes
    where is_revision
),

measured_changes as (
    select
        campaign_key,
        load,
        'delivered_count' as measure,
        old_delivered_count as old_value,
        delivered_count as new_value,
        old_rate_pct,
        new_rate_pct,
        exported_at,
        arrived_at
    from rated_changes
    union all
    select
        campaign_key,
        load,
        'unsubscribe_count' as measure,
        old_unsubscribe_count as old_value,
        unsubscribe_count as new_value,
        old_rate_pct,
        new_rate_pct,
        exported_at,
        arrived_at
    from rated_changes
),

revised_counts as (
    select
        campaign_key,
        load,

        measure,

        old_value,
        new_value,

        old_rate_pct,
        new_rate_pct,

        exported_at,
        arrived_at
    from measured_changes
    where old_value <> new_value
)

select * from revised_counts
