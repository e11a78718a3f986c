with

stg_campaign_stats as (
    select * from {{ ref('stg_campaign_stats') }}
),

int_event_evidence_counted as (
    select * from {{ ref('int_event_evidence_counted') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

-- An export from before the send tells a plan, not a time. A day without a time may
-- mean any moment of it.
told_times as (
    select
        {{ hash_key([
            'totals.source', 'totals.account', 'totals.campaign_id', 'totals.variant',
        ]) }} as campaign_key,

        totals.sent_at as earliest_sent_at,
        case
            when
                {{ is_bare_date(
                    'totals.sent_at', "coalesce(stg_accounts.timezone, 'UTC')"
                ) }}
                then totals.sent_at + interval '1 day'
            else totals.sent_at
        end as latest_sent_at
    from stg_campaign_stats as totals
    left join stg_accounts
        on
            totals.source = stg_accounts.source
            and totals.account = stg_accounts.account
    where
        totals.sent_at is not null
        and (totals.exported_at is null or totals.sent_at <= totals.exported_at)
    union all
    select
        campaign_key,

        first_sent_at as earliest_sent_at,
        last_sent_at as latest_sent_at
    from int_event_evidence_counted
    where first_sent_at is not null
)

select * from told_times
