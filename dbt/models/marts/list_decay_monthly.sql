with

memberships as (
    select * from {{ ref('memberships') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

exit_causes as (
    select * from {{ ref('exit_causes') }}
),

monthly_entries as (
    select
        source,
        account,
        list,
        cast(date_trunc('month', entered_at) as date) as month,

        count(*) as added_count,
        count(*) filter (where is_opening) as opening_count
    from memberships
    group by all
),

monthly_exits as (
    select
        memberships.source,
        memberships.account,
        memberships.list,
        cast(date_trunc('month', memberships.left_at) as date) as month,

        count(*) as lost_count,
        count(*) filter (where memberships.exit_cause = 'unsubscribe')
            as lost_unsubscribe_count,
        count(*) filter (where memberships.exit_cause = 'hard_bounce')
            as lost_hard_bounce_count,
        count(*) filter (where memberships.exit_cause = 'complaint')
            as lost_complaint_count,
        count(*) filter (where memberships.exit_cause = 'validation_removal')
            as lost_validation_count,
        count(*) filter (where memberships.exit_cause = 'sunset') as lost_sunset_count,
        count(*) filter (where memberships.exit_cause = 'deleted')
            as lost_deleted_count,
        count(*) filter (where coalesce(memberships.exit_cause, 'unknown') = 'unknown')
            as lost_unknown_count,
        count(*) filter (where memberships.is_exit_only) as lost_exit_only_count,
        count(*) filter (
            where memberships.entered_at < date_trunc('month', memberships.left_at)
        ) as lost_from_start_count,
        count(*) filter (
            where
            memberships.entered_at < date_trunc('month', memberships.left_at)
            and exit_causes.is_voluntary
        ) as lost_voluntary_from_start_count
    from memberships
    left join exit_causes
        on memberships.exit_cause = exit_causes.cause
    where memberships.left_at is not null
    group by all
),

list_months as (
    select
        loss_visibility.source,
        loss_visibility.account,
        loss_visibility.list,
        dim_dates.month,

        dim_dates.month >= date_trunc('month', loss_visibility.first_loss_visible_at)
            as is_loss_visible,
        coalesce(
            dim_dates.month
            < date_trunc('month', loss_visibility.last_loss_visible_at),
            false
        ) as is_list_out_of_sight,
        loss_visibility.observed_until_at
        >= {{ dbt.dateadd('month', 1, 'dim_dates.month') }} as is_complete_month
    from loss_visibility
    inner join dim_dates
        on
            dim_dates.month
            between date_trunc('month', loss_visibility.first_entered_at)
            and loss_visibility.last_at
    where dim_dates.date_day = dim_dates.month
),

monthly_movements as (
    select
        list_months.source,
        list_months.account,
        list_months.list,
        list_months.month,

        coalesce(monthly_entries.added_count, 0) as added_count,
        coalesce(monthly_entries.opening_count, 0) as opening_count,
        coalesce(monthly_exits.lost_count, 0) as lost_count,
        coalesce(monthly_exits.lost_unsubscribe_count, 0) as lost_unsubscribe_count,
        coalesce(monthly_exits.lost_hard_bounce_count, 0) as lost_hard_bounce_count,
        coalesce(monthly_exits.lost_complaint_count, 0) as lost_complaint_count,
        coalesce(monthly_exits.lost_validation_count, 0) as lost_validation_count,
        coalesce(monthly_exits.lost_sunset_count, 0) as lost_sunset_count,
        coalesce(monthly_exits.lost_deleted_count, 0) as lost_deleted_count,
        coalesce(monthly_exits.lost_unknown_count, 0) as lost_unknown_count,
        coalesce(monthly_exits.lost_exit_only_count, 0) as lost_exit_only_count,
        coalesce(monthly_exits.lost_from_start_count, 0) as lost_from_start_count,
        coalesce(monthly_exits.lost_voluntary_from_start_count, 0)
            as lost_voluntary_from_start_count,

        list_months.is_loss_visible,
        list_months.is_list_out_of_sight,
        list_months.is_complete_month
    from list_months
    left join monthly_entries
        on
            list_months.source = monthly_entries.source
            and list_months.account = monthly_entries.account
            and list_months.list = monthly_entries.list
            and list_months.month = monthly_entries.month
    left join monthly_exits
        on
            list_months.source = monthly_exits.source
            and list_months.account = monthly_exits.account
            and list_months.list = monthly_exits.list
            and list_months.month = monthly_exits.month
),

-- Running sums instead of a calendar joined to every spell: linear in the spells.
monthly_balances as (
    select
        source,
        account,
        list,
        month,

        added_count,
        opening_count,
        lost_count,
        lost_unsubscribe_count,
        lost_hard_bounce_count,
        lost_complaint_count,
        lost_validation_count,
        lost_sunset_count,
        lost_deleted_count,
        lost_unknown_count,
        lost_exit_only_count,
        lost_from_start_count,
        lost_voluntary_from_start_count,
        coalesce(sum(added_count - lost_count) over earlier_months, 0)
            as contacts_at_start,
        case
            when is_loss_visible
                then coalesce(sum(added_count - lost_count) over earlier_months, 0)
        end as at_risk_count,

        is_list_out_of_sight,
        is_complete_month
    from monthly_movements
    window earlier_months as (
        partition by source, account, list
        order by month
        rows between unbounded preceding and 1 preceding
    )
),

-- A month judges the contacts it began with: whoever joined and left within it is in
-- the counts and in no rate.
list_decay_monthly as (
    select
        source,
        account,
        list,
        month,
        (select dim_runs.build_id from dim_runs) as build_id,

        cast(contacts_at_start as bigint) as contacts_at_start,
        added_count,
        opening_count,
        lost_count,
        lost_unsubscribe_count,
        lost_hard_bounce_count,
        lost_complaint_count,
        lost_validation_count,
        lost_sunset_count,
        lost_deleted_count,
        lost_unknown_count,
        lost_exit_only_count,
        lost_from_start_count,
        lost_voluntary_from_start_count,
        cast(contacts_at_start + added_count - lost_count as bigint) as contacts_at_end,

        {{ rate_pct('lost_from_start_count', 'at_risk_count') }}
            as monthly_attrition_pct,
        {{ wilson_low_pct('lost_from_start_count', 'at_risk_count') }}
            as monthly_attrition_low_pct,
        {{ wilson_high_pct('lost_from_start_count', 'at_risk_count') }}
            as monthly_attrition_high_pct,
        {{ rate_pct('lost_voluntary_from_start_count', 'at_risk_count') }}
            as voluntary_attrition_pct,
        100e0 - 100e0 * power(
            1e0 - 1e0 * lost_from_start_count / nullif(at_risk_count, 0), 12
        ) as annualised_attrition_pct,
        -- Growth from an unknown opening balance would be the export's first day.
        case
            when opening_count = 0
                then {{ rate_pct('(added_count - lost_count)', 'at_risk_count') }}
        end as net_growth_pct,
        case
            when lost_from_start_count between 1 and at_risk_count - 1
                then
                    ln(0.5e0)
                    / ln(1e0 - 1e0 * lost_from_start_count / at_risk_count)
        end as half_life_months,

        lost_exit_only_count > 0 or is_list_out_of_sight as is_attrition_lower_bound,
        is_complete_month
    from monthly_balances
)

select * from list_decay_monthly
