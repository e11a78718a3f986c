with

stg_loads as (
    select * from {{ ref('stg_loads') }}
),

stg_campaign_stats as (
    select * from {{ ref('stg_campaign_stats') }}
),

stg_contact_snapshots as (
    select * from {{ ref('stg_contact_snapshots') }}
),

stated_moments as (
    select
        load,

        max(exported_at) as exported_at
    from stg_campaign_stats
    group by all
    union all
    select
        load,

        max(exported_at) as exported_at
    from stg_contact_snapshots
    group by all
),

-- A file system dates a file by its last copy, so what the file itself says of its
-- export counts before it, unless that lies after the file was seen.
dated_loads as (
    select
        stg_loads.load,
        stg_loads.source,
        stg_loads.account,

        stg_loads.exports,
        stg_loads.state,
        stg_loads.file_name,
        stg_loads.content_sha256,
        stg_loads.refusal_reason,
        stg_loads.refusal_detail,
        stg_loads.ignored_columns,
        stg_loads.defaults_used,
        stg_loads.duplicate_of,

        stg_loads.byte_count,
        stg_loads.record_count,
        stg_loads.loaded_count,
        stg_loads.duplicate_count,
        stg_loads.rejected_count,
        stg_loads.skipped_count,
        stg_loads.row_count,
        stg_loads.unmapped_count,

        stg_loads.is_confirmed,

        case
            when stated_moments.exported_at <= stg_loads.first_seen_at
                then stated_moments.exported_at
            else stg_loads.exported_at
        end as exported_at,
        stg_loads.landed_at,
        stg_loads.first_seen_at
    from stg_loads
    left join stated_moments
        on stg_loads.load = stated_moments.load
)

select * from dated_loads
