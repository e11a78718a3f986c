with

stg_campaign_stats as (
    select * from {{ ref('stg_campaign_stats') }}
),

-- A restated export replaces the older one whole, in whatever order they arrive.
numbered_snapshots as (
    select
        source,
        account,
        campaign_id,
        variant,

        campaign_name,
        subject,
        stream,
        audience,
        content_category,
        tags,
        folder,
        send_type,
        industry,
        delivered_how,
        vendor_rate_base,

        sent_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        bounce_count,
        dropped_count,
        deferred_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,
        settle_days,
        revenue,

        vendor_unsubscribe_rate_pct,
        vendor_unsubscribe_rate_half_unit_pct,

        sent_at,
        exported_at,

        row_number() over (
            partition by source, account, campaign_id, variant
            order by
                exported_at desc nulls last,
                load desc,
                record_number desc,
                item_number desc
        ) as recency,
        count(*) over campaign as snapshot_count,

        min(load) over campaign as first_load,
        max(load) over campaign as last_load
    from stg_campaign_stats
    window campaign as (partition by source, account, campaign_id, variant)
),

newest_snapshots as (
    select
        {{ hash_key(['source', 'account', 'campaign_id', 'variant']) }}
            as campaign_key,
        source,
        account,
        campaign_id,
        variant,

        campaign_name,
        subject,
        stream,
        audience,
        content_category,
        tags,
        folder,
        send_type,
        industry,
        delivered_how,
        vendor_rate_base,
        first_load,
        last_load,

        snapshot_count,
        sent_count,
        delivered_count,
        hard_bounce_count,
        soft_bounce_count,
        block_count,
        bounce_count,
        dropped_count,
        deferred_count,
        unsubscribe_count,
        complaint_count,
        unique_open_count,
        human_open_count,
        unique_click_count,
        settle_days,
        revenue,

        vendor_unsubscribe_rate_pct,
        vendor_unsubscribe_rate_half_unit_pct,

        sent_at,
        exported_at
    from numbered_snapshots
    where recency = 1
)

select * from newest_snapshots
