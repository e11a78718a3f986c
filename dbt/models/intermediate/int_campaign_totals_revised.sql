with

stg_campaign_stats as (
    select * from {{ ref('stg_campaign_stats') }}
),

-- An export that holds a campaign twice says its last line.
numbered_lines as (
    select
        source,
        account,
        campaign_id,
        variant,
        load,

        delivered_how,

        sent_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        {{ bounces_of_totals() }} as bounce_count,
        dropped_count,
        deferred_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,
        row_number() over (
            partition by source, account, campaign_id, variant, load, exported_at
            order by record_number desc, item_number desc
        ) as line_number,

        exported_at
    from stg_campaign_stats
),

-- In the order of the exports, in which the newest counts, not of their arrival.
ordered_snapshots as (
    select
        {{ hash_key(['source', 'account', 'campaign_id', 'variant']) }}
            as campaign_key,
        load,

        row_number() over (
            partition by source, account, campaign_id, variant
            order by exported_at asc nulls first, load asc
        ) as snapshot_number,
        sent_count,
        {{ delivered_of_totals() }} as delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        bounce_count,
        dropped_count,
        deferred_count as pending_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,

        exported_at
    from numbered_lines
    where line_number = 1
),

rated_snapshots as (
    select
        campaign_key,
        load,

        snapshot_number,
        sent_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        bounce_count,
        dropped_count,
        pending_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,

        {{ rate_pct('unsubscribe_count', 'delivered_count') }} as rate_pct,

        exported_at
    from ordered_snapshots
),

measured_snapshots as (
    select
        campaign_key,
        load,

        measure,

        snapshot_number,
        measured_value,

        rate_pct,

        exported_at
    from rated_snapshots
    unpivot include nulls (
        measured_value for measure in (
            sent_count,
            delivered_count,
            hard_bounce_count,
            soft_bounce_count,
            block_count,
            bounce_count,
            dropped_count,
            pending_count,
            unsubscribe_count,
            complaint_count,
            unique_open_count,
            human_open_count,
            unique_click_count
        )
    )
),

followed_snapshots as (
    select
        campaign_key,
        load,

        measure,

        snapshot_number,
        lag(measured_value) over campaign_measure as old_value,
        measured_value as new_value,

        lag(rate_pct) over campaign_measure as old_rate_pct,
        rate_pct as new_rate_pct,

        lag(exported_at) over campaign_measure as previous_exported_at,
        exported_at
    from measured_snapshots
    window campaign_measure as (
        partition by campaign_key, measure order by snapshot_number
    )
),

-- First sight is no revision.
revised_totals as (
    select
        campaign_key,
        load,

        measure,

        old_value,
        new_value,

        old_rate_pct,
        new_rate_pct,

        previous_exported_at,
        exported_at
    from followed_snapshots
    where
        snapshot_number > 1
        and old_value is distinct from new_value
)

select * from revised_totals
