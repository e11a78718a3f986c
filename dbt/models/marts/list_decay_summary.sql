with

list_decay_monthly as (
    select * from {{ ref('list_decay_monthly') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

reference as (
    select
        source as reference_source,
        cast(upper_pct as double) as reference_pct
    from benchmark_bands
    where kind = 'decay'
),

-- A month in the middle of which losses began to show would count half of them.
judged_months as (
    select
        decay.source,
        decay.account,
        decay.list,
        decay.month,

        row_number() over (
            partition by decay.source, decay.account, decay.list
            order by decay.month desc
        ) as month_number,

        decay.contacts_at_start,
        decay.added_count,
        decay.lost_count,
        decay.lost_unsubscribe_count,
        decay.lost_complaint_count,
        decay.lost_hard_bounce_count,
        decay.lost_validation_count,
        decay.lost_sunset_count,
        decay.lost_deleted_count,
        decay.lost_unknown_count,
        decay.lost_from_start_count,
        decay.lost_voluntary_from_start_count,
        decay.contacts_at_end,

        decay.is_attrition_lower_bound
    from list_decay_monthly as decay
    inner join loss_visibility
        on
            decay.source = loss_visibility.source
            and decay.account = loss_visibility.account
            and decay.list = loss_visibility.list
    where
        decay.is_complete_month
        and decay.monthly_attrition_pct is not null
        and decay.month >= cast(loss_visibility.first_loss_visible_at as date)
),

counted_months as (
    select
        source,
        account,
        list,

        count(*) as month_count,
        cast(sum(contacts_at_start) as bigint) as contact_month_count,
        cast(sum(added_count) as bigint) as added_count,
        cast(sum(lost_count) as bigint) as lost_count,
        cast(sum(lost_unsubscribe_count) as bigint) as lost_unsubscribe_count,
        cast(sum(lost_complaint_count) as bigint) as lost_complaint_count,
        cast(sum(lost_hard_bounce_count) as bigint) as lost_hard_bounce_count,
        cast(sum(lost_validation_count) as bigint) as lost_validation_count,
        cast(sum(lost_sunset_count) as bigint) as lost_sunset_count,
        cast(sum(lost_deleted_count) as bigint) as lost_deleted_count,
        cast(sum(lost_unknown_count) as bigint) as lost_unknown_count,
        cast(sum(lost_from_start_count) as bigint) as lost_from_start_count,
        cast(sum(lost_voluntary_from_start_count) as bigint)
            as lost_voluntary_from_start_count,
        min_by(contacts_at_end, month_number) as contacts_at_end,

        -- The logarithm of nobody left is none: then everybody is lost.
        sum(
            case
                when lost_from_start_count < contacts_at_start
                    then ln(1e0 - 1e0 * lost_from_start_count / contacts_at_start)
            end
        ) as log_kept,
        sum(
            case
                when lost_from_start_count < contacts_at_start
                    then
                        1e0 * lost_from_start_count
                        / contacts_at_start
                        / (contacts_at_start - lost_from_start_count)
            end
        ) as log_kept_variance,
        sum(
            case
                when lost_voluntary_from_start_count < contacts_at_start
                    then
                        ln(
                            1e0
                            - 1e0 * lost_voluntary_from_start_count / contacts_at_start
                        )
            end
        ) as log_kept_of_volunteers,

        bool_or(lost_from_start_count = contacts_at_start) as is_everybody_lost,
        bool_or(lost_voluntary_from_start_count = contacts_at_start)
            as is_everybody_a_volunteer,
        bool_or(is_attrition_lower_bound) as is_attrition_lower_bound,

        min(month) as first_month,
        max(month) as last_month
    from judged_months
    where month_number <= {{ var('decay_months') }}
    group by all
),

-- Without any loss the spread is none, and what may have been missed is not: then all
-- months are one, and its interval is Wilson's.
interval_ends as (
    select
        source,
        account,
        list,

        month_count,
        lost_from_start_count,

        log_kept / month_count as monthly_log_kept,
        case
            when lost_from_start_count = 0 then 0e0
            when log_kept + {{ normal_quantile_975() }} * sqrt(log_kept_variance) > 0
                then 0e0
            else
                (log_kept + {{ normal_quantile_975() }} * sqrt(log_kept_variance))
                / month_count
        end as monthly_log_kept_high,
        case
            when lost_from_start_count = 0
                then ln(
                    1e0
                    - {{ wilson_high_pct(
                        'lost_from_start_count', 'contact_month_count'
                    ) }} / 100e0
                )
            else
                (log_kept - {{ normal_quantile_975() }} * sqrt(log_kept_variance))
                / month_count
        end as monthly_log_kept_low,
        log_kept_of_volunteers / month_count as monthly_log_kept_of_volunteers,

        is_everybody_lost,
        is_everybody_a_volunteer
    from counted_months
),

rated_lists as (
    select
        source,
        account,
        list,

        case
            when is_everybody_lost then 100e0
            else 100e0 - 100e0 * exp(monthly_log_kept)
        end as monthly_attrition_pct,
        case
            when not is_everybody_lost then 100e0 - 100e0 * exp(monthly_log_kept_high)
        end as monthly_attrition_low_pct,
        case
            when not is_everybody_lost then 100e0 - 100e0 * exp(monthly_log_kept_low)
        end as monthly_attrition_high_pct,
        case
            when is_everybody_lost then 100e0
            else 100e0 - 100e0 * exp(12 * monthly_log_kept)
        end as annual_attrition_pct,
        case
            when not is_everybody_lost
                then 100e0 - 100e0 * exp(12 * monthly_log_kept_high)
        end as annual_attrition_low_pct,
        case
            when not is_everybody_lost
                then 100e0 - 100e0 * exp(12 * monthly_log_kept_low)
        end as annual_attrition_high_pct,
        case
            when is_everybody_a_volunteer then 100e0
            else 100e0 - 100e0 * exp(12 * monthly_log_kept_of_volunteers)
        end as voluntary_annual_attrition_pct,
        case
            when not is_everybody_lost and lost_from_start_count > 0
                then ln(0.5e0) / monthly_log_kept
        end as half_life_months
    from interval_ends
    where month_count >= {{ var('decay_minimum_months') }}
),

list_decay_summary as (
    select
        loss_visibility.source,
        loss_visibility.account,
        loss_visibility.list,
        (select dim_runs.build_id from dim_runs) as build_id,

        reference.reference_source,
        case
            when rated_lists.annual_attrition_high_pct < reference.reference_pct
                then 'below'
            when rated_lists.annual_attrition_low_pct > reference.reference_pct
                then 'above'
            when rated_lists.annual_attrition_high_pct is not null then 'within'
            else 'unknown'
        end as reference_position,

        coalesce(counted_months.month_count, 0) as month_count,
        coalesce(counted_months.contact_month_count, 0) as contact_month_count,
        coalesce(counted_months.added_count, 0) as added_count,
        coalesce(counted_months.lost_count, 0) as lost_count,
        coalesce(counted_months.lost_unsubscribe_count, 0) as lost_unsubscribe_count,
        coalesce(counted_months.lost_complaint_count, 0) as lost_complaint_count,
        coalesce(counted_months.lost_hard_bounce_count, 0) as lost_hard_bounce_count,
        coalesce(counted_months.lost_validation_count, 0) as lost_validation_count,
        coalesce(counted_months.lost_sunset_count, 0) as lost_sunset_count,
        coalesce(counted_months.lost_deleted_count, 0) as lost_deleted_count,
        coalesce(counted_months.lost_unknown_count, 0) as lost_unknown_count,
        coalesce(counted_months.lost_from_start_count, 0) as lost_from_start_count,
        coalesce(counted_months.lost_voluntary_from_start_count, 0)
            as lost_voluntary_from_start_count,
        counted_months.contacts_at_end,

        rated_lists.monthly_attrition_pct,
        rated_lists.monthly_attrition_low_pct,
        rated_lists.monthly_attrition_high_pct,
        rated_lists.annual_attrition_pct,
        rated_lists.annual_attrition_low_pct,
        rated_lists.annual_attrition_high_pct,
        rated_lists.voluntary_annual_attrition_pct,
        rated_lists.half_life_months,
        reference.reference_pct,

        coalesce(counted_months.month_count, 0) < {{ var('decay_months') }}
            as is_extrapolated,
        coalesce(counted_months.is_attrition_lower_bound, false)
            as is_attrition_lower_bound,

        counted_months.first_month,
        counted_months.last_month
    from loss_visibility
    left join counted_months
        on
            loss_visibility.source = counted_months.source
            and loss_visibility.account = counted_months.account
            and loss_visibility.list = counted_months.list
    left join rated_lists
        on
            loss_visibility.source = rated_lists.source
            and loss_visibility.account = rated_lists.account
            and loss_visibility.list = rated_lists.list
    cross join reference
)

select * from list_decay_summary
