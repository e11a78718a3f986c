with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
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
)

select * from outcome_checks
