with

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

fct_complaints as (
    select * from {{ ref('fct_complaints') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

method_counts as (
    select
        source,
        account,
        coalesce(stream_id, '(unattributed)') as stream_id,
        cast(date_trunc('month', opted_out_at) as date) as month,
        opt_out_method,
        opt_out_scope,

        count(*) filter (where is_by_recipient) as opt_out_count,
        count(*) filter (where not is_by_recipient) as not_by_recipient_count,
        count(*) filter (
            where is_by_recipient and opt_out_method = 'header_one_click'
        ) as one_click_count,
        count(*) filter (where is_suspect_automated) as suspect_automated_count
    from fct_opt_outs
    group by all
),

complaint_counts as (
    select
        source,
        account,
        coalesce(stream_id, '(unattributed)') as stream_id,
        cast(date_trunc('month', complained_at) as date) as month,

        count(*) as complaint_count
    from fct_complaints
    group by all
),

stream_parts as (
    select
        source,
        account,
        stream_id,
        month,
        opt_out_count,
        one_click_count,
        0 as complaint_count
    from method_counts
    union all
    select
        source,
        account,
        stream_id,
        month,
        0 as opt_out_count,
        0 as one_click_count,
        complaint_count
    from complaint_counts
),

stream_months as (
    select
        source,
        account,
        stream_id,
        month,

        cast(sum(opt_out_count) as bigint) as stream_opt_out_count,
        cast(sum(one_click_count) as bigint) as one_click_count,
        cast(sum(complaint_count) as bigint) as complaint_count
    from stream_parts
    group by all
),

-- A month in which people complained and nobody opted out has a row of its own: there
-- the way out was hard to find.
stream_methods as (
    select
        stream_months.source,
        stream_months.account,
        stream_months.stream_id,
        stream_months.month,
        coalesce(method_counts.opt_out_method, '(none)') as opt_out_method,
        coalesce(method_counts.opt_out_scope, '(none)') as opt_out_scope,

        coalesce(method_counts.opt_out_count, 0) as opt_out_count,
        coalesce(method_counts.not_by_recipient_count, 0) as not_by_recipient_count,
        coalesce(method_counts.suspect_automated_count, 0) as suspect_automated_count,
        stream_months.stream_opt_out_count,
        stream_months.one_click_count,
        stream_months.complaint_count
    from stream_months
    left join method_counts
        on
            stream_months.source = method_counts.source
            and stream_months.account = method_counts.account
            and stream_months.stream_id = method_counts.stream_id
            and stream_months.month = method_counts.month
),

opt_out_methods as (
    select
        source,
        account,
        stream_id,
        month,
        opt_out_method,
        opt_out_scope,
        (select dim_runs.build_id from dim_runs) as build_id,

        opt_out_count,
        not_by_recipient_count,
        suspect_automated_count,
        stream_opt_out_count,
        one_click_count,
        complaint_count,

        {{ rate_pct('opt_out_count', 'stream_opt_out_count') }} as method_share_pct,
        {{ rate_pct('one_click_count', 'stream_opt_out_count') }}
            as one_click_share_pct,
        {{ rate_pct('complaint_count', 'stream_opt_out_count') }}
            as complaints_per_100_opt_outs
    from stream_methods
)

select * from opt_out_methods
