-- A view: nobody reads it but who exports a segment.
{{ config(materialized='view') }}

with

memberships as (
    select * from {{ ref('memberships') }}
),

marketing_sends as (
    select * from {{ ref('marketing_sends') }}
),

engagement_cells as (
    select * from {{ ref('engagement_cells') }}
),

newest_verdicts as (
    select * from {{ ref('newest_verdicts') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

re_permission_answers as (
    select * from {{ ref('re_permission_answers') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

engagement_tiers as (
    select * from {{ ref('engagement_tiers') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

members as (
    select
        source,
        account,
        list,
        contact_key,

        bool_or(is_opening) as is_opening,

        max(case when is_entry_known then entered_at end) as joined_at,
        max(entered_at) as entered_at
    from memberships
    where left_at is null and list <> '(all)'
    group by all
),

mail_ends as (
    select
        list_source,
        list_account,

        max(mailed_at) as last_mailed_at
    from marketing_sends
    group by all
),

-- Where nobody was ever seen to read, silence is the export's and not the people's.
bases as (
    select
        source,
        account,

        bool_or(basis = 'human_open') as tells_opens
    from engagement_cells
    group by all
),

-- As the account's last mail goes out: exports end there, and silence after it is none.
recipients as (
    select
        sends.list_source as source,
        sends.list_account as account,
        sends.contact_key,

        count(*) filter (where sends.is_delivered) as delivered_count,
        count(*) filter (
            where
            sends.is_delivered
            and sends.mailed_at > mail_ends.last_mailed_at - interval '28 days'
        ) as recent_mail_count,

        max(sends.first_human_opened_at) as last_opened_at,
        max(sends.first_human_clicked_at) as last_clicked_at,
        mail_ends.last_mailed_at
    from marketing_sends as sends
    inner join mail_ends
        on
            sends.list_source = mail_ends.list_source
            and sends.list_account = mail_ends.list_account
    group by all
),

quiet_recipients as (
    select
        recipients.source,
        recipients.account,
        recipients.contact_key,

        recipients.delivered_count,
        recipients.recent_mail_count,
        {{ seconds_between(
            "case
                when
                    bases.tells_opens
                    and (
                        recipients.last_clicked_at is null
                        or recipients.last_opened_at > recipients.last_clicked_at
                    )
                    then recipients.last_opened_at
                else recipients.last_clicked_at
            end",
            'recipients.last_mailed_at'
        ) }} // 86400 as quiet_days,

        recipients.last_mailed_at
    from recipients
    inner join bases
        on
            recipients.source = bases.source
            and recipients.account = bases.account
),

exposed_members as (
    select
        members.source,
        members.account,
        members.list,
        members.contact_key,

        quiet_recipients.recent_mail_count,
        quiet_recipients.quiet_days
    from members
    inner join quiet_recipients
        on
            members.source = quiet_recipients.source
            and members.account = quiet_recipients.account
            and members.contact_key = quiet_recipients.contact_key
    inner join engagement_tiers
        on engagement_tiers.tier = 'new'
    where
        quiet_recipients.delivered_count >= {{ var('engagement_minimum_delivered') }}
        and (
            members.is_opening
            or {{ seconds_between(
                'members.entered_at', 'quiet_recipients.last_mailed_at'
            ) }} >= 86400 * engagement_tiers.days_below
        )
),

tier_members as (
    select
        members.source,
        members.account,
        members.list,
        members.contact_key,

        engagement_tiers.tier,

        coalesce(engagement_tiers.days_from > 0, false)
        and members.recent_mail_count
        > {{ var('cadence_tolerance_ratio') }}e0 * engagement_tiers.suggested_mails_28d
            as is_quiet_over_cadence
    from exposed_members as members
    inner join engagement_tiers
        on
            members.quiet_days is null and engagement_tiers.tier = 'never_engaged'
            or engagement_tiers.tier <> 'new'
            and members.quiet_days >= engagement_tiers.days_from
            and (
                engagement_tiers.days_below is null
                or members.quiet_days < engagement_tiers.days_below
            )
),

opt_outs_in_force as (
    select
        coalesce(dim_sources.list_source, fct_opt_outs.source) as source,
        coalesce(dim_sources.list_account, fct_opt_outs.account) as account,
        fct_opt_outs.contact_key,

        fct_opt_outs.opt_out_scope_id as scope_name,
        fct_opt_outs.list as list_name,

        opt_out_scopes.reach = 'account'
        or coalesce(fct_opt_outs.opt_out_scope_id, fct_opt_outs.list) is null
            as is_of_account,

        fct_opt_outs.opted_out_at
    from fct_opt_outs
    inner join opt_out_scopes
        on fct_opt_outs.opt_out_scope = opt_out_scopes.scope
    left join dim_sources
        on
            fct_opt_outs.source = dim_sources.source
            and fct_opt_outs.account = dim_sources.account
    where
        fct_opt_outs.ended_at is null
        and opt_out_scopes.reach in ('account', 'list')
),

-- Whoever was asked again later has a newer answer, or still the time for one.
newest_answers as (
    select
        coalesce(dim_sources.list_source, answers.source) as source,
        coalesce(dim_sources.list_account, answers.account) as account,
        answers.contact_key,

        lower(dim_streams.stream_name) as compared_name,
        answers.answer,

        row_number() over (
            partition by answers.stream_id, answers.contact_key
            order by answers.asked_at desc, answers.change_key asc
        ) as recency,

        answers.is_open
    from re_permission_answers as answers
    left join dim_sources
        on
            answers.source = dim_sources.source
            and answers.account = dim_sources.account
    left join dim_streams
        on answers.stream_id = dim_streams.stream_id
),

lists as (
    select
        source,
        account,
        list
    from members
    group by all
),

-- A stream and a list of one name belong together: silence about it says nothing of the
-- person's other lists.
silent_people as (
    select
        answers.source,
        answers.account,
        answers.contact_key,

        lists.list as named_list
    from newest_answers as answers
    left join lists
        on
            answers.source = lists.source
            and answers.account = lists.account
            and answers.compared_name = lower(lists.list)
    where
        answers.recency = 1
        and answers.answer = 'silent'
        and not answers.is_open
),

segment_members as (
    select
        'over_cadence_passive' as segment,
        source,
        account,
        list,
        contact_key
    from tier_members
    where is_quiet_over_cadence
    union all
    select
        tier as segment,
        source,
        account,
        list,
        contact_key
    from tier_members
    where tier in ('dormant', 'never_engaged')
    union all
    select
        case
            when newest_verdicts.risk = 'prohibited' then 'prohibited'
            when newest_verdicts.is_stale then 'stale_verdict'
            else 'undeliverable'
        end as segment,
        members.source,
        members.account,
        members.list,
        members.contact_key
    from members
    inner join newest_verdicts
        on members.contact_key = newest_verdicts.contact_key
    where
        newest_verdicts.risk = 'prohibited'
        or newest_verdicts.is_stale
        or newest_verdicts.validation_status = 'undeliverable'
    union all
    -- Whoever joined again after leaving is there for good reason.
    select
        'opted_out_still_on_list' as segment,
        members.source,
        members.account,
        members.list,
        members.contact_key
    from members
    inner join opt_outs_in_force as opt_outs
        on
            members.source = opt_outs.source
            and members.account = opt_outs.account
            and members.contact_key = opt_outs.contact_key
            and (
                opt_outs.is_of_account
                or members.list in (opt_outs.scope_name, opt_outs.list_name)
            )
    where coalesce(members.joined_at <= opt_outs.opted_out_at, true)
    group by all
    union all
    select
        'silent_after_re_permission' as segment,
        members.source,
        members.account,
        members.list,
        members.contact_key
    from members
    inner join silent_people
        on
            members.source = silent_people.source
            and members.account = silent_people.account
            and members.contact_key = silent_people.contact_key
            and coalesce(members.list = silent_people.named_list, true)
    group by all
)

select * from segment_members
