with

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

fct_complaints as (
    select * from {{ ref('fct_complaints') }}
),

fct_other_choices as (
    select * from {{ ref('fct_other_choices') }}
),

fct_contact_channels as (
    select * from {{ ref('fct_contact_channels') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

channel_clicks as (
    select
        source,
        account,
        contact_key
    from fct_other_choices
    where choice = 'channel_clicked'
    group by all
),

-- Where no click ever went to another channel, nobody knows that none did.
accounts_with_channel_links as (
    select
        source,
        account
    from channel_clicks
    group by all
),

opt_outs as (
    select
        fct_opt_outs.source,
        fct_opt_outs.account,
        coalesce(fct_opt_outs.list, '(unknown)') as list,
        cast(date_trunc('month', fct_opt_outs.opted_out_at) as date) as month,

        {{ seconds_between('fct_opt_outs.opted_out_at', 'fct_opt_outs.ended_at') }}
        / 86400e0 as days_to_resubscription,

        fct_opt_outs.ended_at is not null as has_resubscribed,
        fct_contact_channels.has_other_channel,
        case
            when accounts_with_channel_links.source is not null
                then channel_clicks.contact_key is not null
        end as has_clicked_channel
    from fct_opt_outs
    left join dim_sources
        on
            fct_opt_outs.source = dim_sources.source
            and fct_opt_outs.account = dim_sources.account
    left join fct_contact_channels
        on
            dim_sources.list_source = fct_contact_channels.source
            and dim_sources.list_account = fct_contact_channels.account
            and fct_opt_outs.contact_key = fct_contact_channels.contact_key
    left join accounts_with_channel_links
        on
            fct_opt_outs.source = accounts_with_channel_links.source
            and fct_opt_outs.account = accounts_with_channel_links.account
    left join channel_clicks
        on
            fct_opt_outs.source = channel_clicks.source
            and fct_opt_outs.account = channel_clicks.account
            and fct_opt_outs.contact_key = channel_clicks.contact_key
    where
        fct_opt_outs.is_by_recipient
        and fct_opt_outs.is_headline_scope
),

opt_downs as (
    select
        opt_out_key as opt_down_key,
        source,
        account,
        contact_key,
        list,

        'narrower_opt_out' as opt_down_kind,

        opted_out_at as opted_down_at
    from fct_opt_outs
    where
        is_by_recipient
        and not is_headline_scope
    union all
    select
        choice_key as opt_down_key,
        source,
        account,
        contact_key,
        list,

        choice as opt_down_kind,

        chosen_at as opted_down_at
    from fct_other_choices
    where choice = 'preference_changed'
),

departures as (
    select
        source,
        account,
        contact_key,
        case when opt_out_scope = 'list' then list end as list,

        opted_out_at as left_at,
        ended_at as returned_at
    from fct_opt_outs
    where is_headline_scope
    union all
    select
        source,
        account,
        contact_key,
        cast(null as string) as list,

        complained_at as left_at,
        complained_at as returned_at
    from fct_complaints
),

-- To choose less and leave all the same is to leave; who had left cannot choose less.
opt_downs_in_vain as (
    select opt_downs.opt_down_key
    from opt_downs
    inner join departures
        on
            opt_downs.source = departures.source
            and opt_downs.account = departures.account
            and opt_downs.contact_key = departures.contact_key
            and coalesce(opt_downs.list = departures.list, true)
            and departures.left_at
            <= opt_downs.opted_down_at
            + interval '{{ var("opted_down_days") }} days'
            and coalesce(opt_downs.opted_down_at < departures.returned_at, true)
    group by all
),

opt_down_months as (
    select
        opt_downs.source,
        opt_downs.account,
        coalesce(opt_downs.list, '(unknown)') as list,
        cast(date_trunc('month', opt_downs.opted_down_at) as date) as month,

        count(distinct opt_downs.contact_key) as opted_down_count,
        count(distinct opt_downs.contact_key) filter (
            where opt_downs.opt_down_kind = 'narrower_opt_out'
        ) as narrower_opt_out_count
    from opt_downs
    left join opt_downs_in_vain
        on opt_downs.opt_down_key = opt_downs_in_vain.opt_down_key
    where opt_downs_in_vain.opt_down_key is null
    group by all
),

opt_out_months as (
    select
        source,
        account,
        list,
        month,

        count(*) as opt_out_count,
        count(*) filter (where has_resubscribed) as resubscribed_count,
        count(has_other_channel) as channel_known_count,
        count(*) filter (where has_other_channel) as reachable_count,
        case
            when count(has_clicked_channel) > 0
                then count(*) filter (where has_clicked_channel)
        end as channel_click_count,

        median(days_to_resubscription) as days_to_resubscription_median
    from opt_outs
    group by all
),

list_months as (
    select
        source,
        account,
        list,
        month
    from opt_out_months
    union all
    select
        opt_down_months.source,
        opt_down_months.account,
        opt_down_months.list,
        opt_down_months.month
    from opt_down_months
    left join opt_out_months
        on
            opt_down_months.source = opt_out_months.source
            and opt_down_months.account = opt_out_months.account
            and opt_down_months.list = opt_out_months.list
            and opt_down_months.month = opt_out_months.month
    where opt_out_months.month is null
),

counted_months as (
    select
        list_months.source,
        list_months.account,
        list_months.list,
        list_months.month,

        coalesce(opt_out_months.opt_out_count, 0) as opt_out_count,
        coalesce(opt_out_months.resubscribed_count, 0) as resubscribed_count,
        opt_out_months.days_to_resubscription_median,
        coalesce(opt_down_months.opted_down_count, 0) as opted_down_count,
        coalesce(opt_down_months.narrower_opt_out_count, 0) as narrower_opt_out_count,
        coalesce(opt_out_months.channel_known_count, 0) as channel_known_count,
        coalesce(opt_out_months.reachable_count, 0) as reachable_count,
        opt_out_months.channel_click_count
    from list_months
    left join opt_out_months
        on
            list_months.source = opt_out_months.source
            and list_months.account = opt_out_months.account
            and list_months.list = opt_out_months.list
            and list_months.month = opt_out_months.month
    left join opt_down_months
        on
            list_months.source = opt_down_months.source
            and list_months.account = opt_down_months.account
            and list_months.list = opt_down_months.list
            and list_months.month = opt_down_months.month
),

after_opt_out as (
    select
        source,
        account,
        list,
        month,
        (select dim_runs.build_id from dim_runs) as build_id,

        opt_out_count,
        resubscribed_count,
        opted_down_count,
        narrower_opt_out_count,
        channel_known_count,
        case when channel_known_count > 0 then reachable_count end as reachable_count,
        channel_click_count,
        days_to_resubscription_median,

        {{ rate_pct('resubscribed_count', 'opt_out_count') }} as resubscribed_pct,
        {{ rate_pct('opted_down_count', '(opt_out_count + opted_down_count)') }}
            as opted_down_share_pct,
        {{ rate_pct('reachable_count', 'channel_known_count') }} as reachable_pct
    from counted_months
)

select * from after_opt_out
