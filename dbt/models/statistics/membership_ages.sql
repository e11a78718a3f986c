with

memberships as (
    select * from {{ ref('memberships') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

-- Only whole months that exports cover count: a month of age of which they show a part
-- would seem to lose too few. Whoever joined before losses could be seen is watched
-- from the first whole month after that: until then only survivors are known.
ages_in_months as (
    select
        memberships.source,
        memberships.account,
        memberships.list,
        cast(date_trunc('month', memberships.entered_at) as date) as signup_month,
        coalesce(memberships.signup_source, '(unknown)') as signup_source,
        coalesce(memberships.opt_in_method, 'unknown') as opt_in_method,

        memberships.exit_cause,

        memberships.is_entry_known and not memberships.is_exit_only as is_age_known,

        case
            when loss_visibility.followed_since_at > memberships.entered_at
                then {{ months_begun(
                    'memberships.entered_at', 'loss_visibility.followed_since_at'
                ) }}
            else 0
        end as seen_from_age,
        case
            when loss_visibility.observed_until_at > memberships.entered_at
                then {{ whole_months(
                    'memberships.entered_at', 'loss_visibility.observed_until_at'
                ) }}
            else 0
        end as seen_until_age,
        -- Whoever leaves in the moment of joining leaves in the first month.
        case
            when memberships.left_at > memberships.entered_at
                then {{ months_begun(
                    'memberships.entered_at', 'memberships.left_at'
                ) }}
            when memberships.left_at is not null then 1
        end as left_age
    from memberships
    inner join loss_visibility
        on
            memberships.source = loss_visibility.source
            and memberships.account = loss_visibility.account
            and memberships.list = loss_visibility.list
),

followed_ages as (
    select
        source,
        account,
        list,
        signup_month,
        signup_source,
        opt_in_method,

        exit_cause,

        is_age_known,

        seen_from_age,
        left_age,
        least(seen_until_age, {{ var('cohort_maximum_age_months') }}) as followed_age
    from ages_in_months
),

-- Without a date of joining nobody has an age: in the size of the cell, in no curve.
membership_ages as (
    select
        source,
        account,
        list,
        signup_source,
        opt_in_method,
        case when is_age_known then signup_month end as signup_month,
        case
            when is_age_known and left_age <= followed_age
                then coalesce(exit_cause, 'unknown')
        end as exit_cause,

        case when is_age_known then seen_from_age end as entry_age,
        case
            when not is_age_known then null
            when left_age <= followed_age then left_age
            else followed_age
        end as exit_age,

        count(*) as member_count
    from followed_ages
    group by all
)

select * from membership_ages
