with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_event_evidence_counted as (
    select * from {{ ref('int_event_evidence_counted') }}
),

-- What is known of where the mail went. A total and its parts may disagree; the larger
-- one is what the sent mail must have room for. A sum that was made to fit, because one
-- of its parts was reckoned from the others, is no evidence.
outcomes as (
    select
        bases.campaign_key,

        bases.sent_count,
        bases.delivered_count
        + greatest(
            coalesce(bases.bounce_count, 0),
            coalesce(bases.hard_bounce_count, 0)
            + coalesce(bases.soft_bounce_count, 0)
            + coalesce(bases.block_count, 0)
        )
        + coalesce(bases.dropped_count, 0)
        + coalesce(bases.failed_count, 0)
        + coalesce(bases.pending_count, 0) as known_count,

        bases.bounce_count is not null
        and bases.dropped_count is not null as is_undelivered_known,
        bases.pending_count is not null as is_pending_known,
        bases.delivered_count_basis = 'recipients_minus_bounces'
        or (
            bases.delivered_count_basis = 'events'
            and coalesce(evidence.sent_event_count, 0) = 0
        ) as is_made_to_fit
    from int_campaigns_put_on_one_basis as bases
    left join int_event_evidence_counted as evidence
        on bases.campaign_key = evidence.campaign_key
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
            when not is_undelivered_known or is_made_to_fit then 'unknown'
            when known_count = sent_count then 'reconciled'
            when is_pending_known then 'broken'
            else 'unknown'
        end as verdict,

        known_count as left_value,
        sent_count as right_value,
        cast(0 as double) as tolerance
    from outcomes
)

select * from outcome_checks
