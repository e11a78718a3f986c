with

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

marketing_sends as (
    select * from {{ ref('marketing_sends') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

fct_complaints as (
    select * from {{ ref('fct_complaints') }}
),

fct_bounces as (
    select * from {{ ref('fct_bounces') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

member_spells as (
    select
        fct_list_spells.spell_key,
        fct_list_spells.source,
        fct_list_spells.account,
        fct_list_spells.list,
        fct_list_spells.contact_key,

        fct_list_spells.signup_source,
        fct_list_spells.opt_in_method,
        fct_list_spells.exit_cause,

        fct_list_spells.is_entry_known,
        fct_list_spells.is_joined_in_burst,

        fct_list_spells.entered_at,
        fct_list_spells.left_at,
        fct_list_spells.last_seen_at
    from fct_list_spells
    inner join dim_lists
        on
            fct_list_spells.source = dim_lists.source
            and fct_list_spells.account = dim_lists.account
            and fct_list_spells.list = dim_lists.list
    where dim_lists.has_members
),

ranked_joinings as (
    select
        source,
        account,
        list,
        contact_key,

        coalesce(signup_source, '(unknown)') as signup_source,
        coalesce(opt_in_method, 'unknown') as opt_in_method,

        row_number() over (
            partition by source, account, contact_key
            order by coalesce(entered_at, left_at) asc, list asc, spell_key asc
        ) as joining_number,

        coalesce(is_joined_in_burst, false) as is_joined_in_burst,

        case when is_entry_known then entered_at end as joined_at
    from member_spells
),

-- Everybody once an account: by the list they joined first. Whoever joined and left
-- before losses showed is in no export. Those who joined then and are still there are
-- survivors, who say nothing about how many leave.
people as (
    select
        ranked_joinings.source,
        ranked_joinings.account,
        ranked_joinings.contact_key,

        ranked_joinings.signup_source,
        ranked_joinings.opt_in_method,

        ranked_joinings.is_joined_in_burst,

        case
            when
                ranked_joinings.joined_at
                >= date_trunc('month', loss_visibility.followed_since_at)
                then ranked_joinings.joined_at
        end as joined_at
    from ranked_joinings
    inner join loss_visibility
        on
            ranked_joinings.source = loss_visibility.source
            and ranked_joinings.account = loss_visibility.account
            and ranked_joinings.list = loss_visibility.list
    where ranked_joinings.joining_number = 1
),

mail_ranges as (
    select
        list_source as source,
        list_account as account,

        {{ dbt.dateadd(
            'day', '-' ~ var('history_start_days'), 'min(mailed_at)'
        ) }} as first_joined_at,
        max(mailed_at) as last_mailed_at
    from marketing_sends
    group by all
),

sight_ranges as (
    select
        member_spells.source,
        member_spells.account,

        greatest(
            max(member_spells.last_seen_at),
            max(member_spells.left_at),
            max(mail_ranges.last_mailed_at)
        ) as watermark_at
    from member_spells
    left join mail_ranges
        on
            member_spells.source = mail_ranges.source
            and member_spells.account = mail_ranges.account
    group by all
),

-- Of whoever joined long before any mail that is known, the first one known is none.
mail_after_joining as (
    select
        people.source,
        people.account,
        people.contact_key,

        row_number() over (
            partition by people.source, people.account, people.contact_key
            order by marketing_sends.mailed_at asc, marketing_sends.send_key asc
        ) as mail_number,

        marketing_sends.is_opted_out,
        marketing_sends.is_complained,
        marketing_sends.is_hard_bounced
    from marketing_sends
    inner join people
        on
            marketing_sends.list_source = people.source
            and marketing_sends.list_account = people.account
            and marketing_sends.contact_key = people.contact_key
            and marketing_sends.mailed_at >= people.joined_at
    inner join mail_ranges
        on
            people.source = mail_ranges.source
            and people.account = mail_ranges.account
            and people.joined_at >= mail_ranges.first_joined_at
),

first_sends as (
    select
        source,
        account,
        contact_key,
        is_opted_out,
        is_complained,
        is_hard_bounced
    from mail_after_joining
    where mail_number = 1
),

mail_outcomes as (
    select
        source,
        account,
        contact_key,
        'unsubscribe' as cause,
        opted_out_at as happened_at
    from fct_opt_outs
    where is_by_recipient and is_headline_scope
    union all
    select
        source,
        account,
        contact_key,
        'complaint' as cause,
        complained_at as happened_at
    from fct_complaints
    union all
    select
        source,
        account,
        contact_key,
        'hard_bounce' as cause,
        bounced_at as happened_at
    from fct_bounces
    where bounce_class = 'hard'
),

-- What a mail system tells and what the list says of it later are one loss: each kind
-- counts once a person.
outcomes as (
    select
        dim_sources.list_source as source,
        dim_sources.list_account as account,
        mail_outcomes.contact_key,
        mail_outcomes.cause,
        mail_outcomes.happened_at
    from mail_outcomes
    inner join dim_sources
        on
            mail_outcomes.source = dim_sources.source
            and mail_outcomes.account = dim_sources.account
    where dim_sources.list_account is not null
    union all
    select
        source,
        account,
        contact_key,
        exit_cause as cause,
        left_at as happened_at
    from member_spells
    where exit_cause in ('unsubscribe', 'complaint', 'hard_bounce')
),

window_outcomes as (
    select
        people.source,
        people.account,
        people.contact_key,

        bool_or(outcomes.cause = 'unsubscribe') as is_opted_out,
        bool_or(outcomes.cause = 'complaint') as is_complained,
        bool_or(outcomes.cause = 'hard_bounce') as is_hard_bounced
    from outcomes
    inner join people
        on
            outcomes.source = people.source
            and outcomes.account = people.account
            and outcomes.contact_key = people.contact_key
            and outcomes.happened_at >= people.joined_at
            and outcomes.happened_at
            < {{ dbt.dateadd('day', var('signup_window_days'), 'people.joined_at') }}
    group by all
),

observed_people as (
    select
        people.source,
        people.account,
        people.signup_source,
        people.opt_in_method,
        cast(date_trunc('month', people.joined_at) as date) as signup_month,

        people.is_joined_in_burst,
        first_sends.contact_key is not null as is_mailed,
        coalesce(first_sends.is_opted_out, false) as is_first_send_opted_out,
        coalesce(first_sends.is_complained, false) as is_first_send_complained,
        coalesce(first_sends.is_hard_bounced, false) as is_first_send_bounced,
        coalesce(
            {{ dbt.dateadd('day', var('signup_window_days'), 'people.joined_at') }}
            <= sight_ranges.watermark_at,
            false
        ) as is_window_over,
        coalesce(window_outcomes.is_opted_out, false) as is_opted_out,
        coalesce(window_outcomes.is_complained, false) as is_complained,
        coalesce(window_outcomes.is_hard_bounced, false) as is_hard_bounced
    from people
    inner join sight_ranges
        on
            people.source = sight_ranges.source
            and people.account = sight_ranges.account
    left join first_sends
        on
            people.source = first_sends.source
            and people.account = first_sends.account
            and people.contact_key = first_sends.contact_key
    left join window_outcomes
        on
            people.source = window_outcomes.source
            and people.account = window_outcomes.account
            and people.contact_key = window_outcomes.contact_key
),

signup_cells as (
    select
        source,
        account,
        signup_source,
        opt_in_method,
        signup_month,

        count(*) as contact_count,
        count(*) filter (where is_joined_in_burst) as burst_contact_count,
        count(*) filter (where is_mailed) as first_send_contact_count,
        count(*) filter (where is_first_send_opted_out) as first_send_opt_out_count,
        count(*) filter (where is_first_send_complained) as first_send_complaint_count,
        count(*) filter (where is_first_send_bounced) as first_send_hard_bounce_count,
        count(*) filter (where is_window_over) as ninety_day_contact_count,
        count(*) filter (where is_window_over and is_opted_out)
            as ninety_day_opt_out_count,
        count(*) filter (where is_window_over and is_complained)
            as ninety_day_complaint_count,
        count(*) filter (where is_window_over and is_hard_bounced)
            as ninety_day_hard_bounce_count
    from observed_people
    group by all
)

select * from signup_cells
