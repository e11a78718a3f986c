with

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

stg_runs as (
    select * from {{ ref('stg_runs') }}
),

histories as (
    select
        source,
        account,

        min(first_event_at) as started_at
    from int_sends_grouped_from_events
    group by all
),

-- Where a person may get the same mail again, a response may be to any of them.
described_sends as (
    select
        sends.campaign_key,
        sends.source,
        sends.account,

        coalesce(stg_accounts.timezone, 'UTC') as timezone,
        sends.seconds_between_deliveries,

        coalesce(send_types.is_repeated, false) as is_repeated,
        sends.is_delivered,
        sends.is_delivery_inferred,
        sends.is_dropped,
        sends.is_failed,
        sends.is_pending,
        sends.is_delivered_again,
        sends.has_several_messages,
        sends.is_sent_event_unnamed,
        sends.is_delivered_event_unnamed,

        sends.sent_at,
        sends.delivered_at,
        sends.first_event_at,
        histories.started_at,
        coalesce(sends.sent_at, sends.first_event_at) as tried_at,
        case
            when send_types.is_repeated then least(sends.delivered_at, sends.sent_at)
            else coalesce(sends.delivered_at, sends.sent_at)
        end as arrived_at,
        sends.first_responded_at
    from int_sends_resolved as sends
    left join histories
        on
            sends.source = histories.source
            and sends.account = histories.account
    left join send_types
        on sends.send_type = send_types.send_type
    left join stg_accounts
        on
            sends.source = stg_accounts.source
            and sends.account = stg_accounts.account
    where sends.campaign_key is not null
),

-- The mail that the first responses of a history answer is older than the history. A
-- campaign of which that is true is cut in two; mail that repeats goes on and is whole.
placed_sends as (
    select
        campaign_key,
        source,
        account,

        timezone,
        seconds_between_deliveries,

        is_repeated,
        is_delivered,
        is_delivery_inferred,
        is_dropped,
        is_failed,
        is_pending,
        is_delivered_again,
        has_several_messages,
        is_sent_event_unnamed,
        is_delivered_event_unnamed,
        is_repeated
        and coalesce(first_event_at < arrived_at, true)
        and coalesce(
            {{ seconds_between('started_at', 'first_event_at') }}
            <= 86400 * {{ var('history_start_days') }},
            false
        ) as is_older_than_history,

        sent_at,
        delivered_at,
        tried_at,
        arrived_at,
        first_responded_at
    from described_sends
),

-- Of mail that a person may get again, only the same message told twice within moments
-- is a copy. A response that is told as a day says nothing about the hour.
judged_sends as (
    select
        sends.campaign_key,
        sends.source,
        sends.account,

        sends.is_pending,
        sends.is_sent_event_unnamed,
        sends.is_delivered_event_unnamed,
        sends.sent_at is null
        and not sends.is_dropped
        and not sends.is_failed
        and not sends.is_older_than_history as is_sent_event_missing,
        sends.is_delivery_inferred
        and not sends.is_older_than_history as is_delivered_event_missing,
        {{ seconds_between('sends.tried_at', 'stg_runs.now_at') }}
        > 3600 * {{ var('pending_after_hours') }} as is_due,
        sends.is_delivered
        and sends.is_delivered_again
        and (
            not sends.is_repeated
            or (
                not sends.has_several_messages
                and sends.seconds_between_deliveries
                <= {{ var('doubled_delivery_seconds') }}
            )
        ) as is_doubled,
        {{ seconds_between('sends.first_responded_at', 'sends.arrived_at') }}
        > {{ var('response_before_delivery_seconds') }}
        and not {{ is_bare_date('sends.first_responded_at', 'sends.timezone') }}
        and not sends.is_older_than_history as is_early_response,

        sends.sent_at,
        sends.delivered_at,
        sends.first_responded_at
    from placed_sends as sends
    cross join stg_runs
),

counted_evidence as (
    select
        campaign_key,
        source,
        account,

        count(sent_at) as sent_event_count,
        count(*) filter (where is_sent_event_missing) as missing_sent_event_count,
        count(delivered_at) as delivered_event_count,
        count(*) filter (where is_delivered_event_missing)
            as missing_delivered_event_count,
        count(*) filter (where is_sent_event_unnamed) as unnamed_sent_event_count,
        count(*) filter (where is_delivered_event_unnamed)
            as unnamed_delivered_event_count,
        count(*) filter (where is_due) as due_count,
        count(*) filter (where is_due and is_pending) as overdue_count,
        count(*) filter (where is_doubled) as doubled_delivery_count,
        count(first_responded_at) as response_count,
        count(*) filter (where is_early_response) as early_response_count,

        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at
    from judged_sends
    group by all
)

select * from counted_evidence
