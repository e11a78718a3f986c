with

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

int_event_evidence_counted as (
    select * from {{ ref('int_event_evidence_counted') }}
),

-- An account whose events never tell a failed delivery leaves that mail pending for
-- ever: as much as may plausibly have bounced is excused there, and only there.
event_campaigns as (
    select
        evidence.campaign_key,

        bases.sent_count,
        bases.sent_count - bases.dropped_count - bases.failed_count
            as attempted_count,
        bases.delivered_count,
        evidence.sent_event_count,
        evidence.missing_sent_event_count,
        evidence.missing_delivered_event_count,
        evidence.delivered_event_count,
        evidence.unnamed_sent_event_count,
        evidence.unnamed_delivered_event_count,
        evidence.due_count,
        evidence.overdue_count,
        evidence.doubled_delivery_count,
        evidence.response_count,
        evidence.early_response_count,
        case
            when
                sum(bases.bounce_count + bases.dropped_count + bases.failed_count)
                    over (partition by evidence.source, evidence.account)
                = 0
                then
                    bases.sent_count
                    * {{ var('untold_bounces_share_pct') }} * 0.01
            else 0
        end as untold_bounces_limit
    from int_event_evidence_counted as evidence
    inner join int_campaigns_put_on_one_basis as bases
        on evidence.campaign_key = bases.campaign_key
    where bases.delivered_count_basis = 'events'
),

-- Ids that a feed always or never gives are its nature: the smaller part is held
-- against the whole, apart for sent and delivered events.
count_pairs as (
    select
        campaign_key,
        'sends_are_resolved' as check_name,
        sent_count - overdue_count as left_value,
        sent_count as right_value,
        sent_count as share_of_count,
        untold_bounces_limit as excused_count,
        due_count > 0 as is_judged
    from event_campaigns
    union all
    select
        campaign_key,
        'delivered_events_are_complete' as check_name,
        delivered_count - missing_delivered_event_count as left_value,
        delivered_count as right_value,
        sent_count as share_of_count,
        0 as excused_count,
        true as is_judged
    from event_campaigns
    union all
    select
        campaign_key,
        'sent_events_are_complete' as check_name,
        attempted_count - missing_sent_event_count as left_value,
        attempted_count as right_value,
        sent_count as share_of_count,
        0 as excused_count,
        sent_event_count > 0 as is_judged
    from event_campaigns
    union all
    select
        campaign_key,
        'deliveries_are_single' as check_name,
        delivered_count + doubled_delivery_count as left_value,
        delivered_count as right_value,
        sent_count as share_of_count,
        0 as excused_count,
        true as is_judged
    from event_campaigns
    union all
    select
        campaign_key,
        'events_name_their_campaign' as check_name,
        least(
            unnamed_sent_event_count, sent_event_count - unnamed_sent_event_count
        )
        + least(
            unnamed_delivered_event_count,
            delivered_event_count - unnamed_delivered_event_count
        ) as left_value,
        0 as right_value,
        sent_count as share_of_count,
        0 as excused_count,
        true as is_judged
    from event_campaigns
    union all
    select
        campaign_key,
        'responses_follow_delivery' as check_name,
        early_response_count as left_value,
        0 as right_value,
        response_count as share_of_count,
        0 as excused_count,
        response_count > 0 as is_judged
    from event_campaigns
),

-- Shares stay decimals, so that a difference right at the limit is judged exactly.
count_limits as (
    select
        campaign_key,
        check_name,

        left_value,
        right_value,
        abs(left_value - right_value) as distance,
        greatest(
            {{ var('reconciliation_broken_count') }},
            share_of_count * {{ var('reconciliation_broken_share_pct') }} * 0.01,
            excused_count
        ) as broken_above,
        greatest(
            {{ var('reconciliation_reported_count') }},
            share_of_count * {{ var('reconciliation_reported_share_pct') }} * 0.01
        ) as reported_above,

        is_judged,
        excused_count > 0 as is_excused
    from count_pairs
),

count_checks as (
    select
        campaign_key,
        check_name,

        case
            when not is_judged or distance is null then 'unknown'
            when distance > broken_above then 'broken'
            when distance <= reported_above then 'reconciled'
            when is_excused then 'unknown'
            else 'within_tolerance'
        end as verdict,

        left_value,
        right_value,
        cast(broken_above as double) as tolerance
    from count_limits
)

select * from count_checks
