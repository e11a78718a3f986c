with

campaign_stats as (
    select * from {{ source('landing', 'campaign_stats') }}
),

renamed as (
    select
        source,
        account,
        campaign_id,
        coalesce(variant, '') as variant,

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
        load,

        record_number,
        item_number,
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

        coalesce(sent_at, period_start_at) as sent_at,
        exported_at
    from campaign_stats
)

select * from renamed
