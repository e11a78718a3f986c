with

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

campaigns as (
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant,
        stream_id,

        campaign_name,
        subject,
        audience,
        content_category,
        tags,
        folder,
        send_type,
        industry,
        stream_basis,

        sent_at
    from int_campaigns_united
)

select * from campaigns
