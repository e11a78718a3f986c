-- Each revision begins where the one before it ended, and the last one ends at the
-- count in use: the first value and all differences add up to the published count.
with

fct_campaign_revisions as (
    select * from {{ ref('fct_campaign_revisions') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

neighboured_revisions as (
    select
        revisions.campaign_key,
        revisions.measure,
        revisions.old_value,
        revisions.new_value,
        lag(revisions.new_value) over campaign_measure as value_before,
        row_number() over campaign_measure > 1 as has_one_before,
        lead(revisions.revision_key) over campaign_measure is null as is_newest
    from fct_campaign_revisions as revisions
    inner join fct_loads
        on revisions.load = fct_loads.load
    window campaign_measure as (
        partition by revisions.campaign_key, revisions.measure
        order by
            case
                when revisions.change_kind = 'late_events' then fct_loads.first_seen_at
            end,
            revisions.exported_at,
            revisions.load
    )
),

published_counts as (
    select
        campaign_key,
        measure,
        published_count
    from fct_campaigns
    unpivot include nulls (
        published_count for measure in (
            sent_count,
            delivered_count,
            hard_bounce_count,
            soft_bounce_count,
            block_count,
            bounce_count,
            dropped_count,
            pending_count,
            unsubscribe_count,
            complaint_count,
            unique_open_count,
            human_open_count,
            unique_click_count
        )
    )
)

select
    revisions.campaign_key,
    revisions.measure,
    revisions.old_value,
    revisions.new_value,
    revisions.value_before,
    counts.published_count
from neighboured_revisions as revisions
left join published_counts as counts
    on
        revisions.campaign_key = counts.campaign_key
        and revisions.measure = counts.measure
where
    revisions.has_one_before
    and revisions.old_value is distinct from revisions.value_before
    or revisions.is_newest
    and revisions.new_value is distinct from counts.published_count
