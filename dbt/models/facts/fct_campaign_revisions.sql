with

int_campaign_totals_revised as (
    select * from {{ ref('int_campaign_totals_revised') }}
),

int_campaign_events_revised as (
    select * from {{ ref('int_campaign_events_revised') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Totals age until they are exported, events until now. So the old value was final by
-- the age at its own export, or by the age when more events arrived.
revisions as (
    select
        campaign_key,
        load,

        'restated_totals' as change_kind,
        measure,

        old_value,
        new_value,

        old_rate_pct,
        new_rate_pct,

        false as is_from_events,

        previous_exported_at as old_value_counted_until_at,
        exported_at
    from int_campaign_totals_revised
    union all
    select
        campaign_key,
        load,

        'late_events' as change_kind,
        measure,

        old_value,
        new_value,

        old_rate_pct,
        new_rate_pct,

        true as is_from_events,

        arrived_at as old_value_counted_until_at,
        exported_at
    from int_campaign_events_revised
),

-- Only the basis in use moves the published numbers. A flow goes on being sent, and the
-- totals of a period grow with it: that is no late news.
used_revisions as (
    select
        {{ hash_key([
            'revisions.campaign_key', 'revisions.measure', 'revisions.load',
            'revisions.exported_at',
        ]) }} as revision_key,
        revisions.campaign_key,
        fct_campaigns.source,
        fct_campaigns.account,
        fct_campaigns.campaign_id,
        fct_campaigns.variant,
        revisions.load,

        revisions.change_kind,
        revisions.measure,

        revisions.old_value,
        revisions.new_value,
        revisions.new_value - revisions.old_value as difference,

        revisions.old_rate_pct,
        revisions.new_rate_pct,
        revisions.new_rate_pct - revisions.old_rate_pct as rate_difference_pct,

        coalesce(
            {{ seconds_between(
                'fct_campaigns.sent_at', 'revisions.old_value_counted_until_at'
            ) }}
            >= fct_campaigns.settle_seconds
            and coalesce(send_types.is_headline, true),
            false
        ) as is_after_final,

        revisions.exported_at
    from revisions
    inner join fct_campaigns
        on
            revisions.campaign_key = fct_campaigns.campaign_key
            and revisions.is_from_events
            = (fct_campaigns.delivered_count_basis = 'events')
    left join send_types
        on fct_campaigns.send_type = send_types.send_type
)

select * from used_revisions
