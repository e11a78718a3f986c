with

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

dim_reason_options as (
    select * from {{ ref('dim_reason_options') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

known_option_sets as (
    select
        source,
        option_set
    from dim_reason_options
    group by all
),

-- Complaints, bounces, imports and administrators have causes, not reasons. Who writes,
-- or answers on a page that nobody described, can name any reason.
recipient_opt_outs as (
    select
        fct_opt_outs.source,
        fct_opt_outs.account,
        coalesce(fct_opt_outs.list, '(unknown)') as list,
        fct_opt_outs.campaign_key,
        fct_opt_outs.primary_reason as reason,
        fct_opt_outs.reason_source,
        fct_opt_outs.reason_option_set as option_set,

        coalesce(fct_opt_outs.has_own_words, false) as has_own_words,
        coalesce(fct_opt_outs.has_own_words, false)
        or known_option_sets.option_set is null as has_any_choice,
        fct_opt_outs.opt_out_method = 'header_one_click' as is_one_click,

        cast(date_trunc('month', fct_opt_outs.opted_out_at) as date) as month
    from fct_opt_outs
    left join known_option_sets
        on
            fct_opt_outs.reason_source = known_option_sets.source
            and fct_opt_outs.reason_option_set = known_option_sets.option_set
    where fct_opt_outs.is_by_recipient
),

answers as (
    select
        source,
        account,
        list,
        month,
        campaign_key,
        reason,
        reason_source,
        option_set,
        has_any_choice,

        count(*) as reason_count,
        count(*) filter (where has_own_words) as text_count,
        count(*) filter (where is_one_click) as one_click_count
    from recipient_opt_outs
    group by all
),

-- One window of twelve months ends with every month up to the run's own.
rolling_windows as (
    select
        cast({{ dbt.dateadd('month', -11, 'dim_dates.month') }} as date)
            as period_start,
        dim_dates.month as last_month
    from dim_dates
    inner join dim_runs
        on dim_dates.month <= dim_runs.now_at
    where dim_dates.date_day = dim_dates.month
),

period_answers as (
    select
        source,
        account,
        list,
        'month' as period_kind,
        month as period_start,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as variant,
        reason,
        reason_source,
        option_set,
        has_any_choice,
        reason_count,
        text_count,
        one_click_count
    from answers
    union all
    select
        answers.source,
        answers.account,
        answers.list,
        'rolling_12_months' as period_kind,
        rolling_windows.period_start,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as variant,
        answers.reason,
        answers.reason_source,
        answers.option_set,
        answers.has_any_choice,
        answers.reason_count,
        answers.text_count,
        answers.one_click_count
    from answers
    inner join rolling_windows
        on
            answers.month between rolling_windows.period_start
            and rolling_windows.last_month
    union all
    select
        answers.source,
        answers.account,
        answers.list,
        'campaign' as period_kind,
        cast(dim_campaigns.sent_at as date) as period_start,
        dim_campaigns.campaign_id,
        dim_campaigns.variant,
        answers.reason,
        answers.reason_source,
        answers.option_set,
        answers.has_any_choice,
        answers.reason_count,
        answers.text_count,
        answers.one_click_count
    from answers
    inner join dim_campaigns
        on answers.campaign_key = dim_campaigns.campaign_key
),

keyed_answers as (
    select
        {{ hash_key([
            'period_answers.source', 'period_answers.account', 'period_answers.list',
            'period_answers.period_kind', 'period_answers.period_start',
            'period_answers.campaign_id', 'period_answers.variant',
        ]) }} as period_key,
        period_answers.source,
        period_answers.account,
        period_answers.list,
        period_answers.period_kind,
        period_answers.period_start,
        period_answers.campaign_id,
        period_answers.variant,
        period_answers.reason,
        period_answers.reason_source,
        period_answers.option_set,

        period_answers.reason_count,
        period_answers.text_count,
        period_answers.one_click_count,

        period_answers.has_any_choice,
        coalesce(opt_out_reason_words.is_answered, false) as is_answered,
        coalesce(opt_out_reason_words.is_option, false) as is_option
    from period_answers
    left join opt_out_reason_words
        on period_answers.reason = opt_out_reason_words.reason
),

-- Nobody can answer a question that was not put, and declining it is not an answer.
periods as (
    select
        period_key,
        source,
        account,
        list,
        period_kind,
        period_start,
        campaign_id,
        variant,

        string_agg(distinct option_set, ', ' order by option_set) as option_sets,

        sum(reason_count) as opt_out_count,
        sum(case when reason = 'not_asked' then 0 else reason_count end)
            as asked_count,
        sum(case when is_answered then reason_count else 0 end) as answered_count,
        sum(case when is_answered then text_count else 0 end)
            as answered_with_text_count,
        sum(one_click_count) as one_click_count
    from keyed_answers
    group by all
),

period_reasons as (
    select
        period_key,
        reason,

        sum(reason_count) as reason_count,

        is_answered,
        is_option
    from keyed_answers
    group by all
),

-- Of those who answered, who could have named this reason?
offered_reasons as (
    select
        period_reasons.period_key,
        period_reasons.reason,

        sum(keyed_answers.reason_count) as offered_answered_count
    from period_reasons
    inner join keyed_answers
        on
            period_reasons.period_key = keyed_answers.period_key
            and keyed_answers.is_answered
    left join dim_reason_options
        on
            keyed_answers.reason_source = dim_reason_options.source
            and keyed_answers.option_set = dim_reason_options.option_set
            and period_reasons.reason = dim_reason_options.reason
    where
        period_reasons.is_answered
        and (
            keyed_answers.has_any_choice
            or not period_reasons.is_option
            or keyed_answers.reason = period_reasons.reason
            or dim_reason_options.reason is not null
        )
    group by all
),

-- What few people said could name them.
published_reasons as (
    select
        period_reasons.period_key,
        case
            when
                period_reasons.reason <> 'not_asked'
                and period_reasons.reason_count < {{ var('small_cell_count') }}
                then 'suppressed'
            else period_reasons.reason
        end as reason,

        period_reasons.reason_count,
        offered_reasons.offered_answered_count,

        period_reasons.is_answered
    from period_reasons
    left join offered_reasons
        on
            period_reasons.period_key = offered_reasons.period_key
            and period_reasons.reason = offered_reasons.reason
),

pooled_reasons as (
    select
        period_key,
        reason,

        sum(reason_count) as reason_count,
        case
            when reason <> 'suppressed' then max(offered_answered_count)
        end as offered_answered_count,

        case when reason <> 'suppressed' then bool_or(is_answered) end as is_answered
    from published_reasons
    group by period_key, reason
),

counted_reasons as (
    select
        periods.source,
        periods.account,
        periods.list,
        periods.period_kind,
        periods.period_start,
        periods.campaign_id,
        periods.variant,
        pooled_reasons.reason,

        case
            when pooled_reasons.reason = 'suppressed'
                then 'Reasons that few people gave'
            else opt_out_reason_words.label
        end as reason_label,
        opt_out_reason_words.seed_cause,
        periods.option_sets,

        cast(periods.opt_out_count as bigint) as opt_out_count,
        cast(periods.asked_count as bigint) as asked_count,
        cast(periods.opt_out_count - periods.asked_count as bigint) as not_asked_count,
        cast(periods.one_click_count as bigint) as one_click_count,
        cast(periods.answered_count as bigint) as answered_count,
        cast(periods.answered_with_text_count as bigint) as answered_with_text_count,
        cast(pooled_reasons.reason_count as bigint) as reason_count,
        cast(pooled_reasons.offered_answered_count as bigint)
            as offered_answered_count,

        pooled_reasons.is_answered
    from pooled_reasons
    inner join periods
        on pooled_reasons.period_key = periods.period_key
    left join opt_out_reason_words
        on pooled_reasons.reason = opt_out_reason_words.reason
),

opt_out_reasons as (
    select
        source,
        account,
        list,
        period_kind,
        period_start,
        campaign_id,
        variant,
        reason,
        (select dim_runs.build_id from dim_runs) as build_id,

        reason_label,
        seed_cause,
        option_sets,

        opt_out_count,
        asked_count,
        not_asked_count,
        one_click_count,
        answered_count,
        answered_with_text_count,
        reason_count,
        offered_answered_count,

        {{ rate_pct('answered_count', 'asked_count') }} as answer_rate_pct,
        {{ rate_pct('reason_count', 'opt_out_count') }} as share_of_all_pct,
        {{ rate_pct('reason_count', 'offered_answered_count') }}
            as share_of_answered_pct,
        {{ wilson_low_pct('reason_count', 'offered_answered_count') }}
            as share_of_answered_low_pct,
        {{ wilson_high_pct('reason_count', 'offered_answered_count') }}
            as share_of_answered_high_pct,

        is_answered
    from counted_reasons
)

select * from opt_out_reasons
