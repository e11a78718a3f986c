with

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

dim_change_streams as (
    select * from {{ ref('dim_change_streams') }}
),

stg_change_names as (
    select * from {{ ref('stg_change_names') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

asked_streams as (
    select
        dim_changes.change_key,
        dim_changes.change_number,
        dim_change_streams.source,
        dim_change_streams.account,
        dim_change_streams.stream_id,

        dim_changes.has_named_campaigns,
        dim_changes.stream is not null as has_named_stream,

        dim_changes.changed_at
    from dim_changes
    inner join dim_change_streams
        on dim_changes.change_key = dim_change_streams.change_key
    where
        dim_changes.kind = 're_permission'
        and dim_change_streams.arm = 'treated'
        and dim_change_streams.stream_id is not null
),

-- The mail that asks often goes out beside the stream that it asks about.
named_campaigns as (
    select
        asked_streams.change_key,
        asked_streams.change_number,
        asked_streams.source,
        asked_streams.account,
        asked_streams.stream_id,
        dim_campaigns.campaign_key,
        dim_campaigns.campaign_id,
        dim_campaigns.variant
    from asked_streams
    inner join stg_change_names
        on
            asked_streams.change_number = stg_change_names.change_number
            and stg_change_names.names = 'campaign'
    inner join dim_campaigns
        on
            asked_streams.source = dim_campaigns.source
            and asked_streams.account = dim_campaigns.account
            and stg_change_names.name = dim_campaigns.campaign_id
            and (
                asked_streams.has_named_stream
                or asked_streams.stream_id = dim_campaigns.stream_id
            )
),

unknown_campaigns as (
    select
        dim_changes.change_key,
        dim_changes.source,
        dim_changes.account,
        stg_change_names.name as campaign_id
    from dim_changes
    inner join stg_change_names
        on
            dim_changes.change_number = stg_change_names.change_number
            and stg_change_names.names = 'campaign'
    left join named_campaigns
        on
            dim_changes.change_key = named_campaigns.change_key
            and stg_change_names.name = named_campaigns.campaign_id
    where named_campaigns.change_key is null
),

change_campaigns as (
    select
        change_key,
        source,
        account,
        stream_id,
        campaign_key,
        campaign_id,
        variant
    from named_campaigns
    union all
    select
        asked_streams.change_key,
        asked_streams.source,
        asked_streams.account,
        asked_streams.stream_id,
        dim_campaigns.campaign_key,
        dim_campaigns.campaign_id,
        dim_campaigns.variant
    from asked_streams
    inner join dim_campaigns
        on
            asked_streams.stream_id = dim_campaigns.stream_id
            and asked_streams.changed_at <= dim_campaigns.sent_at
            and asked_streams.changed_at
            + interval '{{ var("re_permission_asking_days") }} days'
            > dim_campaigns.sent_at
    where not asked_streams.has_named_campaigns
    union all
    select
        change_key,
        source,
        account,
        cast(null as string) as stream_id,
        cast(null as string) as campaign_key,
        campaign_id,
        cast(null as string) as variant
    from unknown_campaigns
),

single_change_campaigns as (
    select
        {{ hash_key([
            'change_key',
            'source',
            'account',
            'stream_id',
            'campaign_id',
            'variant',
        ]) }} as change_campaign_key,
        change_key,
        source,
        account,
        stream_id,
        campaign_key,
        campaign_id,
        variant
    from change_campaigns
    group by all
)

select * from single_change_campaigns
