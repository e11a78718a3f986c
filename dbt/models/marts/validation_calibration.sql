with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

fct_list_validations as (
    select * from {{ ref('fct_list_validations') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

validation_precedence as (
    select * from {{ ref('validation_precedence') }}
),

verdict_ages as (
    select * from {{ ref('verdict_ages') }}
),

-- A verdict holds until its validator says something else. Of two of one moment the
-- more cautious comes last, so that the other holds for no time.
held_verdicts as (
    select
        verdicts.source,
        verdicts.account,
        verdicts.provider,
        verdicts.contact_key,

        verdicts.validation_status,

        verdicts.verified_at,
        lead(verdicts.verified_at) over (
            partition by
                verdicts.source,
                verdicts.account,
                verdicts.provider,
                verdicts.contact_key
            order by
                verdicts.verified_at asc,
                validation_precedence.rank desc nulls first,
                verdicts.validation_key desc
        ) as next_verified_at
    from fct_list_validations as verdicts
    left join validation_precedence
        on
            verdicts.validation_status = validation_precedence.validation_status
            and verdicts.risk = validation_precedence.risk
    where verdicts.verified_at is not null
),

-- Where nothing tells of deliveries, every message that is known bounced.
attempted_mails as (
    select
        fct_sends.contact_key,

        fct_sends.is_delivered,
        coalesce(fct_sends.bounce_class = 'hard', false) as is_hard_bounced,

        coalesce(fct_sends.sent_at, fct_sends.first_seen_at) as mailed_at
    from fct_sends
    left join fct_campaigns
        on fct_sends.campaign_key = fct_campaigns.campaign_key
    where
        (fct_sends.is_delivered or fct_sends.is_bounced)
        and case
            when fct_sends.campaign_key is null
                then
                    fct_sends.sent_at is not null
                    or fct_sends.delivered_at is not null
            else
                not fct_campaigns.is_excluded
                and fct_campaigns.events_delivered_count is not null
        end
),

verified_mails as (
    select
        held_verdicts.source,
        held_verdicts.account,
        held_verdicts.provider,
        held_verdicts.contact_key,
        held_verdicts.validation_status,

        {{ seconds_between('held_verdicts.verified_at', 'attempted_mails.mailed_at') }}
        // 86400 as age_days,

        attempted_mails.is_delivered,
        attempted_mails.is_hard_bounced
    from held_verdicts
    inner join attempted_mails
        on
            held_verdicts.contact_key = attempted_mails.contact_key
            and held_verdicts.verified_at <= attempted_mails.mailed_at
            and (
                held_verdicts.next_verified_at is null
                or held_verdicts.next_verified_at > attempted_mails.mailed_at
            )
),

cells as (
    select
        verified_mails.source,
        verified_mails.account,
        verified_mails.provider,
        verified_mails.validation_status,
        verdict_ages.verdict_age,
        cast(verdict_ages.rank as bigint) as verdict_age_rank,

        count(*) as attempted_count,
        count(*) filter (where verified_mails.is_delivered) as delivered_count,
        count(*) filter (where verified_mails.is_hard_bounced) as hard_bounce_count,
        count(distinct verified_mails.contact_key) as contact_count
    from verified_mails
    inner join verdict_ages
        on
            verified_mails.age_days >= verdict_ages.from_days
            and (
                verdict_ages.to_days is null
                or verified_mails.age_days <= verdict_ages.to_days
            )
    group by all
),

pooled_cells as (
    select
        source,
        account,
        provider,
        case
            when contact_count < {{ var('small_cell_count') }} then 'suppressed'
            else validation_status
        end as validation_status,
        verdict_age,
        verdict_age_rank,

        cast(sum(attempted_count) as bigint) as attempted_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(hard_bounce_count) as bigint) as hard_bounce_count,
        cast(sum(contact_count) as bigint) as contact_count
    from cells
    group by all
),

validation_calibration as (
    select
        source,
        account,
        provider,
        validation_status,
        verdict_age,
        (select dim_runs.build_id from dim_runs) as build_id,

        verdict_age_rank,
        attempted_count,
        delivered_count,
        hard_bounce_count,
        contact_count,

        {{ rate_pct('hard_bounce_count', 'attempted_count') }} as hard_bounce_rate_pct,
        {{ wilson_low_pct('hard_bounce_count', 'attempted_count') }}
            as hard_bounce_rate_low_pct,
        {{ wilson_high_pct('hard_bounce_count', 'attempted_count') }}
            as hard_bounce_rate_high_pct
    from pooled_cells
)

select * from validation_calibration
