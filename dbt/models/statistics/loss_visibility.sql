with

memberships as (
    select * from {{ ref('memberships') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

-- Losses show from the first export on, or from the first dated exit that it tells of.
-- Before that the export lists survivors, and a loss of 0 would be an artefact: events
-- tell only of those who came back. A list without exports is told of by events, which
-- tell joining and leaving alike.
list_ranges as (
    select
        memberships.source,
        memberships.account,
        memberships.list,

        min(memberships.entered_at) as first_entered_at,
        least(
            min(memberships.left_at) filter (
                where
                dim_lists.first_snapshot_at is null
                or memberships.exit_recorded_from is distinct from 'event'
            ),
            coalesce(min(dim_lists.first_snapshot_at), min(memberships.entered_at))
        ) as first_loss_visible_at,
        coalesce(
            min(memberships.left_at) filter (
                where memberships.exit_recorded_from is distinct from 'event'
            ) < min(dim_lists.first_snapshot_at),
            false
        ) as is_past_told,
        max(dim_lists.last_snapshot_at) as last_snapshot_at,
        greatest(
            max(memberships.entered_at),
            max(memberships.left_at),
            max(dim_lists.last_snapshot_at)
        ) as last_at
    from memberships
    inner join dim_lists
        on
            memberships.source = dim_lists.source
            and memberships.account = dim_lists.account
            and memberships.list = dim_lists.list
    where memberships.list <> '(all)'
    group by all
),

-- An export that dates exits from before it keeps whoever left, and hides nobody.
followed_lists as (
    select
        source,
        account,
        list,
        first_entered_at,
        first_loss_visible_at,
        case
            when is_past_told then first_entered_at
            else first_loss_visible_at
        end as followed_since_at,
        last_snapshot_at,
        last_at
    from list_ranges
),

-- An account is seen in part as soon as one of its lists is, and as a whole only while
-- all of them are.
loss_visibility as (
    select
        source,
        account,
        list,

        first_entered_at,
        first_loss_visible_at,
        first_loss_visible_at as last_loss_visible_at,
        followed_since_at,
        last_snapshot_at,
        coalesce(last_snapshot_at, last_at) as observed_until_at,
        last_at
    from followed_lists
    union all
    select
        source,
        account,
        '(all)' as list,

        min(first_entered_at) as first_entered_at,
        min(first_loss_visible_at) as first_loss_visible_at,
        max(first_loss_visible_at) filter (
            where first_entered_at < first_loss_visible_at
        ) as last_loss_visible_at,
        max(followed_since_at) filter (
            where first_entered_at < followed_since_at
        ) as followed_since_at,
        min(last_snapshot_at) as last_snapshot_at,
        min(coalesce(last_snapshot_at, last_at)) as observed_until_at,
        max(last_at) as last_at
    from followed_lists
    group by all
)

select * from loss_visibility
