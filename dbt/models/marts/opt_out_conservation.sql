with

fct_opt_out_records as (
    select * from {{ ref('fct_opt_out_records') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

record_counts as (
    select
        source,
        account,

        count(*) as raw_count,
        count(*) filter (where record_class = 'attributed') as attributed_count,
        count(*) filter (where record_class = 'repeat') as repeat_count,
        count(*) filter (where record_class = 'not_by_recipient')
            as not_by_recipient_count,
        count(*) filter (where record_class = 'unattributed') as unattributed_count,
        count(*) filter (where record_class = 'rejected') as rejected_count
    from fct_opt_out_records
    group by all
),

episode_counts as (
    select
        source,
        account,

        count(*) as episode_count,
        count(distinct contact_key) as people_count
    from fct_opt_outs
    where is_by_recipient
    group by all
),

-- A source that recognised no opt-out record has a known zero, not a missing row.
source_counts as (
    select
        dim_sources.source,
        dim_sources.account,

        coalesce(record_counts.raw_count, 0) as raw_count,
        coalesce(record_counts.attributed_count, 0) as attributed_count,
        coalesce(record_counts.repeat_count, 0) as repeat_count,
        coalesce(record_counts.not_by_recipient_count, 0) as not_by_recipient_count,
        coalesce(record_counts.unattributed_count, 0) as unattributed_count,
        coalesce(record_counts.rejected_count, 0) as rejected_count,
        coalesce(episode_counts.episode_count, 0) as episode_count,
        coalesce(episode_counts.people_count, 0) as people_count
    from dim_sources
    left join record_counts
        on
            dim_sources.source = record_counts.source
            and dim_sources.account = record_counts.account
    left join episode_counts
        on
            dim_sources.source = episode_counts.source
            and dim_sources.account = episode_counts.account
),

opt_out_conservation as (
    select
        source,
        account,
        (select dim_runs.build_id from dim_runs) as build_id,

        raw_count,
        attributed_count,
        repeat_count,
        not_by_recipient_count,
        unattributed_count,
        rejected_count,
        episode_count,
        people_count,

        -- The records must add up, and the records that start an opt-out of a person
        -- must be the opt-outs every other mart counts.
        raw_count = attributed_count + repeat_count + not_by_recipient_count
        + unattributed_count + rejected_count
        and episode_count = attributed_count + unattributed_count as is_conserved
    from source_counts
)

select * from opt_out_conservation
