with

memberships as (
    select * from {{ ref('memberships') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Numbers in the place of hashes: a contact a week is the longest table of all.
accounts_of_contacts as (
    select
        source,
        account,
        contact_key
    from memberships
    where list = '(all)'
    group by all
),

contacts as (
    select
        source,
        account,
        contact_key,

        row_number() over (order by source, account, contact_key) as contact_number,
        dense_rank() over (order by source, account) as account_number
    from accounts_of_contacts
),

-- Receipts are nobody's choice of frequency. Mail that no campaign tells of is mail.
mail as (
    select
        contacts.account_number,
        contacts.contact_number,

        cast(
            floor({{ weeks_to(
                'coalesce(sends.delivered_at, sends.sent_at, sends.first_seen_at)'
            ) }})
            as integer
        ) as delivered_week,
        cast(
            floor({{ weeks_to(
                'least(case when sends.is_human_opened is null'
                ~ ' then sends.first_opened_at else sends.first_human_opened_at end,'
                ~ ' sends.first_clicked_at)'
            ) }})
            as integer
        ) as answered_week
    from fct_sends as sends
    inner join dim_sources
        on
            sends.source = dim_sources.source
            and sends.account = dim_sources.account
    inner join contacts
        on
            dim_sources.list_source = contacts.source
            and dim_sources.list_account = contacts.account
            and sends.contact_key = contacts.contact_key
    left join dim_campaigns
        on sends.campaign_key = dim_campaigns.campaign_key
    left join send_types
        on dim_campaigns.send_type = send_types.send_type
    where sends.is_delivered and coalesce(send_types.is_marketing, true)
),

mail_ranges as (
    select
        account_number,

        min(delivered_week) as first_week,
        max(delivered_week) as last_week
    from mail
    group by all
),

numbered_accounts as (
    select
        source,
        account,
        account_number
    from contacts
    group by all
),

-- A week counts when the mail of the four weeks before it is known, and whoever left in
-- it: no week before a list's losses show, and none that is not over.
list_ranges as (
    select
        losses.source,
        losses.account,
        losses.list,

        row_number() over (
            order by
                losses.source, losses.account, losses.list
        ) as list_number,
        greatest(
            cast(ceil({{ weeks_to('losses.first_loss_visible_at') }}) as integer),
            mail_ranges.first_week + {{ var('frequency_weeks') }}
        ) as first_week,
        least(
            cast(floor({{ weeks_to('losses.last_at') }}) as integer) - 1,
            mail_ranges.last_week
        ) as last_week
    from loss_visibility as losses
    inner join numbered_accounts
        on
            losses.source = numbered_accounts.source
            and losses.account = numbered_accounts.account
    inner join mail_ranges
        on numbered_accounts.account_number = mail_ranges.account_number
    where losses.first_loss_visible_at is not null
),

-- At risk is who stands on the list when the week begins. Who was there before anybody
-- saw it is new for nobody: unknown, until that is long enough ago in any case.
stays as (
    select
        contacts.contact_number,
        list_ranges.list_number,

        greatest(
            cast(ceil({{ weeks_to('memberships.entered_at') }}) as integer),
            list_ranges.first_week
        ) as first_week,
        least(
            cast(floor({{ weeks_to('memberships.left_at') }}) as integer),
            list_ranges.last_week
        ) as last_week,
        case
            when memberships.exit_cause in ('unsubscribe', 'complaint')
                then cast(floor({{ weeks_to('memberships.left_at') }}) as integer)
        end as exit_week,
        memberships.exit_cause,
        {{ weeks_to('memberships.entered_at') }}
        + {{ var('newcomer_days') }} / 7e0 as familiar_from_week,
        {{ weeks_to('memberships.entered_at') }}
        + {{ var('settled_days') }} / 7e0 as settled_from_week,

        memberships.list = '(all)' as is_account,
        memberships.is_entry_known
    from memberships
    inner join list_ranges
        on
            memberships.source = list_ranges.source
            and memberships.account = list_ranges.account
            and memberships.list = list_ranges.list
    inner join contacts
        on
            memberships.source = contacts.source
            and memberships.account = contacts.account
            and memberships.contact_key = contacts.contact_key
    where not memberships.is_exit_only
),

mondays as (
    select cast(floor({{ weeks_to('date_day') }}) as integer) as week_number
    from dim_dates
    where weekday = 1
),

-- Weeks without mail have a row too, so that sums over rows are sums over weeks.
weekly_rows as (
    select
        stays.contact_number,
        mondays.week_number,
        0 as mail_count,
        0 as answer_count
    from stays
    inner join mondays
        on mondays.week_number between stays.first_week and stays.last_week
    where stays.is_account
    union all
    select
        contact_number,
        delivered_week as week_number,
        1 as mail_count,
        0 as answer_count
    from mail
    union all
    select
        contact_number,
        answered_week as week_number,
        0 as mail_count,
        1 as answer_count
    from mail
    where answered_week is not null
),

contact_weeks as (
    select
        contact_number,
        week_number,

        sum(mail_count) as mail_count,
        sum(answer_count) as answer_count
    from weekly_rows
    group by all
),

-- What happened in the week itself decides nothing: who leaves on Monday would look
-- like somebody who gets little mail.
contact_weeks_with_past as (
    select
        contact_number,
        week_number,

        mail_count,
        coalesce(sum(mail_count) over weeks_of_frequency, 0) as recent_mail_count,
        coalesce(sum(mail_count) over weeks_of_engagement, 0) as past_mail_count,
        coalesce(sum(answer_count) over weeks_of_engagement, 0) as past_answer_count
    from contact_weeks
    window
        weeks_of_frequency as (
            partition by contact_number
            order by week_number
            range between {{ var('frequency_weeks') }} preceding and 1 preceding
        ),
        weeks_of_engagement as (
            partition by contact_number
            order by week_number
            range between {{ var('engagement_weeks') }} preceding and 1 preceding
        )
),

contact_cells as (
    select
        stays.list_number,
        stays.contact_number,

        least(
            cast(
                ceil(past.recent_mail_count / {{ var('frequency_weeks') }}e0) as integer
            ),
            {{ var('highest_frequency_bucket') }}
        ) as frequency_rank,
        case
            when past.past_mail_count < {{ var('engagement_minimum_mails') }}
                then 'unknown'
            when past.past_answer_count = 0 then 'never'
            when
                past.past_answer_count
                < past.past_mail_count * {{ var('engagement_rare_share') }}e0
                then 'rarely'
            when
                past.past_answer_count
                < past.past_mail_count * {{ var('engagement_often_share') }}e0
                then 'sometimes'
            else 'often'
        end as engagement_stratum,
        case
            when past.week_number >= stays.settled_from_week then 'settled'
            when not stays.is_entry_known then 'unknown'
            when past.week_number >= stays.familiar_from_week then 'familiar'
            else 'new'
        end as tenure_stratum,

        count(*) as week_count,
        sum(past.mail_count) as delivered_count,
        count(
            case
                when
                    past.week_number = stays.exit_week
                    and stays.exit_cause = 'unsubscribe'
                    then 1
            end
        ) as opt_out_count,
        count(
            case
                when
                    past.week_number = stays.exit_week
                    and stays.exit_cause = 'complaint'
                    then 1
            end
        ) as complaint_count
    from contact_weeks_with_past as past
    inner join stays
        on
            past.contact_number = stays.contact_number
            and past.week_number between stays.first_week and stays.last_week
    group by all
),

contact_week_cells as (
    select
        list_ranges.source,
        list_ranges.account,
        list_ranges.list,
        case
            when contact_cells.frequency_rank < {{ var('highest_frequency_bucket') }}
                then cast(contact_cells.frequency_rank as string)
            else '{{ var("highest_frequency_bucket") }}+'
        end as frequency_bucket,
        contact_cells.engagement_stratum,
        contact_cells.tenure_stratum,

        contact_cells.frequency_rank,

        count(*) as contact_count,
        cast(sum(contact_cells.week_count) as bigint) as contact_weeks,
        cast(sum(contact_cells.delivered_count) as bigint) as delivered_count,
        cast(sum(contact_cells.opt_out_count) as bigint) as opt_out_count,
        cast(sum(contact_cells.complaint_count) as bigint) as complaint_count
    from contact_cells
    inner join list_ranges
        on contact_cells.list_number = list_ranges.list_number
    group by all
)

select * from contact_week_cells
