with

memberships as (
    select * from {{ ref('memberships') }}
),

marketing_sends as (
    select * from {{ ref('marketing_sends') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

engagement_tiers as (
    select * from {{ ref('engagement_tiers') }}
),

mail_ranges as (
    select
        list_source as source,
        list_account as account,

        count(first_human_opened_at) as person_open_count,
        count(first_human_clicked_at) as click_count,
        count(*) filter (where is_opened) as open_count,
        count(*) filter (where is_human_opened is null) as untold_open_count,

        min(mailed_at) as first_mailed_at,
        max(mailed_at) as last_mailed_at
    from marketing_sends
    group by all
),

-- Where nobody was ever seen to read, silence is the export's and not the people's.
bases as (
    select
        source,
        account,
        'human_open' as basis
    from mail_ranges
    where
        person_open_count > 0
        and 100 * untold_open_count
        <= {{ var('untold_opens_share_pct') }} * open_count
    union all
    select
        source,
        account,
        'click' as basis
    from mail_ranges
    where click_count > 0
),

months as (
    select
        mail_ranges.source,
        mail_ranges.account,
        dim_dates.month
    from mail_ranges
    inner join dim_dates
        on
            dim_dates.month
            between date_trunc('month', mail_ranges.first_mailed_at)
            and mail_ranges.last_mailed_at
    where dim_dates.date_day = dim_dates.month
),

member_months as (
    select
        memberships.source,
        memberships.account,
        memberships.list,
        memberships.contact_key,
        months.month,

        not memberships.is_opening
        and {{ seconds_between(
            'memberships.entered_at', 'cast(months.month as timestamp)'
        ) }} < 86400 * engagement_tiers.days_below as is_new,
        coalesce(
            memberships.exit_cause = 'unsubscribe'
            and memberships.left_at < {{ dbt.dateadd('month', 1, 'months.month') }},
            false
        ) as is_leaving
    from memberships
    inner join months
        on
            memberships.source = months.source
            and memberships.account = months.account
            and memberships.entered_at < months.month
            and (memberships.left_at is null or memberships.left_at >= months.month)
    inner join engagement_tiers
        on engagement_tiers.tier = 'new'
),

-- A click proves that somebody read. It and an open are news from the month after they
-- happen on, whenever the mail was sent. Whoever is on any list has a row in every
-- month, with mail or without.
mail_and_answers as (
    select
        list_source as source,
        list_account as account,
        contact_key,
        mailed_at as happened_at,
        is_delivered,
        is_opted_out,
        is_complained,
        is_hard_bounced,
        cast(null as timestamp) as read_at,
        cast(null as timestamp) as clicked_at
    from marketing_sends
    union all
    select
        list_source as source,
        list_account as account,
        contact_key,
        first_human_opened_at as happened_at,
        false as is_delivered,
        false as is_opted_out,
        false as is_complained,
        false as is_hard_bounced,
        first_human_opened_at as read_at,
        cast(null as timestamp) as clicked_at
    from marketing_sends
    where first_human_opened_at is not null
    union all
    select
        list_source as source,
        list_account as account,
        contact_key,
        first_human_clicked_at as happened_at,
        false as is_delivered,
        false as is_opted_out,
        false as is_complained,
        false as is_hard_bounced,
        first_human_clicked_at as read_at,
        first_human_clicked_at as clicked_at
    from marketing_sends
    where first_human_clicked_at is not null
    union all
    select
        source,
        account,
        contact_key,
        cast(month as timestamp) as happened_at,
        false as is_delivered,
        false as is_opted_out,
        false as is_complained,
        false as is_hard_bounced,
        cast(null as timestamp) as read_at,
        cast(null as timestamp) as clicked_at
    from member_months
    where list = '(all)'
),

contact_months as (
    select
        source,
        account,
        contact_key,
        cast(date_trunc('month', happened_at) as date) as month,

        count(*) filter (where is_delivered) as delivered_count,
        count(*) filter (where is_opted_out) as unsubscribe_count,
        count(*) filter (where is_complained) as complaint_count,
        count(*) filter (where is_hard_bounced) as hard_bounce_count,

        max(read_at) as read_at,
        max(clicked_at) as clicked_at
    from mail_and_answers
    group by all
),

-- As the month begins: nothing of the month itself.
contact_states as (
    select
        source,
        account,
        contact_key,
        month,

        delivered_count,
        unsubscribe_count,
        complaint_count,
        hard_bounce_count,
        coalesce(sum(delivered_count) over earlier_months, 0)
            as earlier_delivered_count,

        max(read_at) over earlier_months as last_read_at,
        max(clicked_at) over earlier_months as last_clicked_at
    from contact_months
    window earlier_months as (
        partition by source, account, contact_key
        order by month
        rows between unbounded preceding and 1 preceding
    )
),

member_states as (
    select
        member_months.source,
        member_months.account,
        member_months.list,
        member_months.month,
        bases.basis,

        contact_states.delivered_count,
        contact_states.unsubscribe_count,
        contact_states.complaint_count,
        contact_states.hard_bounce_count,
        {{ seconds_between(
            "case
                when bases.basis = 'click' then contact_states.last_clicked_at
                else contact_states.last_read_at
            end",
            'cast(member_months.month as timestamp)'
        ) }} // 86400 as quiet_days,

        member_months.is_new,
        member_months.is_leaving,
        contact_states.earlier_delivered_count
        >= {{ var('engagement_minimum_delivered') }} as is_exposed
    from member_months
    inner join contact_states
        on
            member_months.source = contact_states.source
            and member_months.account = contact_states.account
            and member_months.contact_key = contact_states.contact_key
            and member_months.month = contact_states.month
    inner join bases
        on
            member_months.source = bases.source
            and member_months.account = bases.account
),

counted_states as (
    select
        source,
        account,
        list,
        month,
        basis,
        case
            when is_new then 'new'
            when not is_exposed then 'insufficient_exposure'
            when quiet_days is null then 'never_engaged'
        end as told_tier,
        case when not is_new and is_exposed then quiet_days end as quiet_days,

        count(*) as contact_count,
        sum(delivered_count) as delivered_count,
        sum(unsubscribe_count) as unsubscribe_count,
        count(*) filter (where is_leaving) as opt_out_count,
        sum(complaint_count) as complaint_count,
        sum(hard_bounce_count) as hard_bounce_count
    from member_states
    group by all
),

engagement_cells as (
    select
        counted_states.source,
        counted_states.account,
        counted_states.list,
        counted_states.month,
        counted_states.basis,
        engagement_tiers.tier,

        cast(sum(counted_states.contact_count) as bigint) as contact_count,
        cast(sum(counted_states.delivered_count) as bigint) as delivered_count,
        cast(sum(counted_states.unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(counted_states.opt_out_count) as bigint) as opt_out_count,
        cast(sum(counted_states.complaint_count) as bigint) as complaint_count,
        cast(sum(counted_states.hard_bounce_count) as bigint) as hard_bounce_count,

        max(mail_ranges.last_mailed_at) as last_mailed_at
    from counted_states
    inner join engagement_tiers
        on
            counted_states.told_tier = engagement_tiers.tier
            or (
                counted_states.told_tier is null
                and engagement_tiers.tier <> 'new'
                and counted_states.quiet_days >= engagement_tiers.days_from
                and (
                    engagement_tiers.days_below is null
                    or counted_states.quiet_days < engagement_tiers.days_below
                )
            )
    inner join mail_ranges
        on
            counted_states.source = mail_ranges.source
            and counted_states.account = mail_ranges.account
    group by all
)

select * from engagement_cells
