with

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

int_campaigns_described_from_events as (
    select * from {{ ref('int_campaigns_described_from_events') }}
),

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_campaigns_matched_to_rules as (
    select * from {{ ref('int_campaigns_matched_to_rules') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Opens alone name some recipients, sent or delivered events name them all.
event_campaigns as (
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant,

        max(last_load) as last_load,

        count(sent_at) + count(delivered_at) > 0 as has_recipients,
        count(delivered_at) > 0 as has_delivered_events,

        coalesce(min(sent_at), min(first_event_at)) as sent_at
    from int_sends_grouped_from_events
    where campaign_key is not null
    group by all
),

campaign_keys as (
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant
    from event_campaigns
    union all
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant
    from int_campaign_stats_narrowed_to_newest
),

single_campaign_keys as (
    select
        campaign_key,
        source,
        account,
        campaign_id,
        variant
    from campaign_keys
    group by all
),

united_campaigns as (
    select
        single_campaign_keys.campaign_key,
        single_campaign_keys.source,
        single_campaign_keys.account,
        single_campaign_keys.campaign_id,
        single_campaign_keys.variant,

        coalesce(totals.campaign_name, described.campaign_name) as campaign_name,
        coalesce(totals.subject, described.subject) as subject,
        coalesce(totals.audience, described.audience, described.list) as audience,
        coalesce(totals.content_category, ruled.content_category) as content_category,
        coalesce(totals.tags, described.tags) as tags,
        totals.folder,
        coalesce(totals.send_type, described.send_type, 'campaign') as send_type,
        coalesce(totals.industry, stg_accounts.industry) as industry,
        coalesce(totals.stream, described.stream, ruled.stream) as named_stream,
        case
            when coalesce(totals.stream, described.stream) is not null then 'export'
            when ruled.stream is not null then 'rule'
            when
                coalesce(totals.audience, described.audience, described.list)
                is not null
                then 'list'
            else 'account'
        end as stream_basis,
        least(totals.first_load, described.first_load) as first_load,
        greatest(totals.last_load, event_campaigns.last_load) as last_load,

        event_campaigns.campaign_key is not null as has_events,
        coalesce(event_campaigns.has_recipients, false) as has_recipients,
        coalesce(event_campaigns.has_delivered_events, false) as has_delivered_events,
        coalesce(stg_accounts.has_streams_by_audience, false)
            as has_streams_by_audience,

        coalesce(totals.sent_at, event_campaigns.sent_at) as sent_at
    from single_campaign_keys
    left join event_campaigns
        on single_campaign_keys.campaign_key = event_campaigns.campaign_key
    left join int_campaign_stats_narrowed_to_newest as totals
        on single_campaign_keys.campaign_key = totals.campaign_key
    left join int_campaigns_described_from_events as described
        on
            single_campaign_keys.source = described.source
            and single_campaign_keys.account = described.account
            and single_campaign_keys.campaign_id = described.campaign_id
            and single_campaign_keys.variant = described.variant
    left join int_campaigns_matched_to_rules as ruled
        on single_campaign_keys.campaign_key = ruled.campaign_key
    left join stg_accounts
        on
            single_campaign_keys.source = stg_accounts.source
            and single_campaign_keys.account = stg_accounts.account
),

-- A stream without a name is its audience already.
named_campaigns as (
    select
        campaign_key,

        case
            when
                has_streams_by_audience
                and named_stream is not null
                and audience is not null
                then concat(named_stream, ' to ', audience)
            else coalesce(named_stream, audience, account)
        end as stream_name
    from united_campaigns
),

streamed_campaigns as (
    select
        united_campaigns.campaign_key,
        united_campaigns.source,
        united_campaigns.account,
        united_campaigns.campaign_id,
        united_campaigns.variant,
        concat(
            united_campaigns.source,
            '/',
            united_campaigns.account,
            '/',
            named_campaigns.stream_name,
            case
                when send_types.is_own_stream
                    then concat('/', united_campaigns.send_type)
                else ''
            end
        ) as stream_id,

        united_campaigns.campaign_name,
        united_campaigns.subject,
        united_campaigns.audience,
        united_campaigns.content_category,
        united_campaigns.tags,
        united_campaigns.folder,
        united_campaigns.send_type,
        united_campaigns.industry,
        named_campaigns.stream_name,
        united_campaigns.stream_basis,
        united_campaigns.first_load,
        united_campaigns.last_load,

        united_campaigns.has_events,
        united_campaigns.has_recipients,
        united_campaigns.has_delivered_events,

        united_campaigns.sent_at
    from united_campaigns
    inner join named_campaigns
        on united_campaigns.campaign_key = named_campaigns.campaign_key
    left join send_types
        on united_campaigns.send_type = send_types.send_type
)

select * from streamed_campaigns
