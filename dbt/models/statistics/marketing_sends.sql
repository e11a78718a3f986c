-- A view: each reader needs a few of its columns, which costs less than writing all of
-- them a second time.
{{ config(materialized='view') }}

with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

-- Nobody signed up for receipts: they come, and are read, for what was bought.
marketing_sends as (
    select
        fct_sends.send_key,
        dim_sources.list_source,
        dim_sources.list_account,
        fct_sends.contact_key,

        fct_sends.is_delivered,
        coalesce(fct_sends.is_bounced and fct_sends.bounce_class = 'hard', false)
            as is_hard_bounced,
        fct_sends.is_opened,
        fct_sends.is_human_opened,
        fct_sends.is_delivered and fct_sends.is_opted_out as is_opted_out,
        fct_sends.is_delivered and fct_sends.is_complained as is_complained,

        coalesce(
            fct_sends.sent_at,
            fct_sends.delivered_at,
            fct_sends.bounced_at,
            fct_sends.first_seen_at
        ) as mailed_at,
        fct_sends.first_opened_at,
        fct_sends.first_human_opened_at,
        case
            when coalesce(fct_sends.human_click_count, 1) > 0
                then fct_sends.first_clicked_at
        end as first_human_clicked_at
    from fct_sends
    inner join dim_sources
        on
            fct_sends.source = dim_sources.source
            and fct_sends.account = dim_sources.account
    left join dim_streams
        on fct_sends.stream_id = dim_streams.stream_id
    where
        (fct_sends.is_delivered or fct_sends.is_bounced)
        and fct_sends.contact_key is not null
        and dim_sources.list_account is not null
        and coalesce(dim_streams.send_type, 'campaign') <> 'transactional'
)

select * from marketing_sends
