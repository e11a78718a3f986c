with

membership_ages as (
    select * from {{ ref('membership_ages') }}
),

breakdowns as (
    select
        true as has_source,
        true as has_method
    union all
    select
        true as has_source,
        false as has_method
    union all
    select
        false as has_source,
        true as has_method
    union all
    select
        false as has_source,
        false as has_method
),

periods as (
    select true as is_all_months
    union all
    select false as is_all_months
),

cells as (
    select
        membership_ages.source,
        membership_ages.account,
        membership_ages.list,
        case
            when not periods.is_all_months then membership_ages.signup_month
        end as signup_month,
        case
            when breakdowns.has_source then membership_ages.signup_source else '(all)'
        end as signup_source,
        case
            when breakdowns.has_method then membership_ages.opt_in_method else '(all)'
        end as opt_in_method,
        membership_ages.exit_cause,

        membership_ages.entry_age,
        membership_ages.exit_age,

        periods.is_all_months,
        breakdowns.has_source,
        breakdowns.has_method,

        sum(membership_ages.member_count) as member_count
    from membership_ages
    cross join breakdowns
    cross join periods
    where periods.is_all_months or membership_ages.signup_month is not null
    group by all
),

sized_cells as (
    select
        source,
        account,
        list,
        signup_month,
        signup_source,
        opt_in_method,
        exit_cause,

        entry_age,
        exit_age,

        is_all_months,
        has_source,
        has_method,

        member_count,
        (has_source or has_method)
        and sum(member_count) over (
            partition by
                source,
                account,
                list,
                signup_month,
                is_all_months,
                has_source,
                has_method,
                signup_source,
                opt_in_method
        ) < {{ var('small_cell_count') }} as is_small
    from cells
),

pooled_cells as (
    select
        source,
        account,
        list,
        signup_month,
        case
            when is_small and has_source then 'suppressed' else signup_source
        end as signup_source,
        case
            when is_small and has_method then 'suppressed' else opt_in_method
        end as opt_in_method,
        exit_cause,

        entry_age,
        exit_age,

        is_all_months,

        cast(sum(member_count) as bigint) as member_count
    from sized_cells
    group by all
),

cohort_members as (
    select
        {{ hash_key([
            'source',
            'account',
            'list',
            'signup_month',
            'signup_source',
            'opt_in_method',
        ]) }} as cohort_key,
        source,
        account,
        list,
        signup_month,
        signup_source,
        opt_in_method,
        exit_cause,

        entry_age,
        exit_age,

        member_count,

        is_all_months
    from pooled_cells
)

select * from cohort_members
