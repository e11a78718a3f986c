with

fct_campaign_revisions as (
    select * from {{ ref('fct_campaign_revisions') }}
),

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

rate_revisions as (
    select
        revisions.revision_key,
        revisions.campaign_key,
        revisions.source,
        revisions.account,
        revisions.campaign_id,
        revisions.variant,
        (select dim_runs.build_id from dim_runs) as build_id,

        revisions.measure,
        revisions.change_kind,
        revisions.load,
        fct_loads.file_name,

        revisions.old_value,
        revisions.new_value,
        revisions.difference,

        revisions.old_rate_pct,
        revisions.new_rate_pct,
        revisions.rate_difference_pct,

        revisions.is_after_final,

        revisions.exported_at
    from fct_campaign_revisions as revisions
    left join fct_loads
        on revisions.load = fct_loads.load
)

select * from rate_revisions
