with

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

stg_change_names as (
    select * from {{ ref('stg_change_names') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

change_kinds as (
    select * from {{ ref('change_kinds') }}
),

declared_names as (
    select
        change_key,
        source,
        account,
        'treated' as arm,
        stream as declared_stream
    from dim_changes
    union all
    select
        dim_changes.change_key,
        dim_changes.source,
        dim_changes.account,
        'control' as arm,
        stg_change_names.name as declared_stream
    from dim_changes
    inner join stg_change_names
        on dim_changes.change_number = stg_change_names.change_number
    where stg_change_names.names = 'control'
),

streams as (
    select
        dim_streams.stream_id,
        dim_streams.source,
        dim_streams.account,
        lower(trim(dim_streams.stream_id)) as compared_id,
        lower(trim(dim_streams.stream_name)) as compared_name,

        send_types.is_headline,
        send_types.is_own_stream
    from dim_streams
    inner join send_types
        on dim_streams.send_type = send_types.send_type
),

-- The change's own account before the others, whose streams may be named for
-- comparison alone; mailings before the flows and receipts of the same name.
named_streams as (
    select
        declared_names.change_key,
        declared_names.arm,
        declared_names.declared_stream,
        streams.source,
        streams.account,
        streams.stream_id,

        case
            when
                coalesce(declared_names.source, streams.source) = streams.source
                and coalesce(declared_names.account, streams.account)
                = streams.account
                then 1
            else 3
        end + cast(streams.is_own_stream as integer) as match_rank
    from declared_names
    inner join streams
        on
            lower(declared_names.declared_stream)
            in (streams.compared_id, streams.compared_name)
),

ranked_streams as (
    select
        change_key,
        arm,
        declared_stream,
        source,
        account,
        stream_id,

        match_rank,
        min(match_rank) over (
            partition by change_key, arm, declared_stream
        ) as best_match_rank
    from named_streams
    where arm = 'control' or match_rank <= 2
),

-- Without a name it is every stream that headline rates are made of, or those of the
-- campaigns that asked.
streams_that_asked as (
    select
        dim_changes.change_key,
        dim_campaigns.stream_id
    from dim_changes
    inner join stg_change_names
        on dim_changes.change_number = stg_change_names.change_number
    inner join dim_campaigns
        on stg_change_names.name = dim_campaigns.campaign_id
    where stg_change_names.names = 'campaign'
    group by all
),

matched_streams as (
    select
        change_key,
        arm,
        declared_stream,
        source,
        account,
        stream_id
    from ranked_streams
    where match_rank = best_match_rank
    union all
    select
        dim_changes.change_key,
        'treated' as arm,
        dim_changes.stream as declared_stream,
        streams.source,
        streams.account,
        streams.stream_id
    from dim_changes
    inner join streams
        on
            coalesce(dim_changes.source, streams.source) = streams.source
            and coalesce(dim_changes.account, streams.account) = streams.account
    left join streams_that_asked
        on
            dim_changes.change_key = streams_that_asked.change_key
            and streams.stream_id = streams_that_asked.stream_id
    where
        dim_changes.stream is null
        and case
            when dim_changes.has_named_campaigns
                then streams_that_asked.stream_id is not null
            else streams.is_headline
        end
),

-- A stream that is named for comparison did not change, whatever else a name means.
single_streams as (
    select
        treated_or_control.change_key,
        treated_or_control.arm,
        min(treated_or_control.declared_stream) as declared_stream,
        treated_or_control.source,
        treated_or_control.account,
        treated_or_control.stream_id
    from matched_streams as treated_or_control
    left join matched_streams as controls
        on
            treated_or_control.change_key = controls.change_key
            and treated_or_control.stream_id = controls.stream_id
            and controls.arm = 'control'
    where treated_or_control.arm = 'control' or controls.change_key is null
    group by all
),

-- How people join may change before anything is mailed to them.
accounts_known as (
    select dim_changes.change_key
    from dim_changes
    inner join change_kinds
        on dim_changes.kind = change_kinds.kind
    inner join dim_sources
        on
            coalesce(dim_changes.source, dim_sources.source) = dim_sources.source
            and coalesce(dim_changes.account, dim_sources.account)
            = dim_sources.account
    where dim_changes.stream is null and change_kinds.unit = 'signup_week'
    group by all
),

unmatched_names as (
    select
        declared_names.change_key,
        declared_names.source,
        declared_names.account,
        declared_names.arm,
        declared_names.declared_stream,

        accounts_known.change_key is null as is_unknown
    from declared_names
    left join single_streams
        on
            declared_names.change_key = single_streams.change_key
            and declared_names.arm = single_streams.arm
            and (
                declared_names.declared_stream is null
                or lower(declared_names.declared_stream)
                = lower(single_streams.declared_stream)
            )
    left join accounts_known
        on
            declared_names.change_key = accounts_known.change_key
            and declared_names.arm = 'treated'
    where single_streams.change_key is null
    group by all
),

change_streams as (
    select
        change_key,
        source,
        account,
        stream_id,
        arm,
        declared_stream,
        false as is_unknown
    from single_streams
    union all
    select
        change_key,
        source,
        account,
        null as stream_id,
        arm,
        declared_stream,
        is_unknown
    from unmatched_names
),

keyed_change_streams as (
    select
        {{ hash_key([
            'change_key',
            'source',
            'account',
            'arm',
            'stream_id',
            'lower(declared_stream)',
        ]) }} as change_stream_key,
        change_key,
        source,
        account,
        stream_id,

        arm,
        declared_stream,

        is_unknown
    from change_streams
)

select * from keyed_change_streams
