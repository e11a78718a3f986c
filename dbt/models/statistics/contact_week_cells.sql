with

memberships as (
    select * from {{ ref('memberships') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

marketing_sends as (
    select * from {{ ref('marketing_sends') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
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

-- Where machines are not told apart, an open is an answer.
answered_sends as (
    select
        list_source,
        list_account,
        contact_key,

        mailed_at,
        least(
            case
                when is_human_opened is null then first_opened_at
                else first_human_opened_at
            end,
            first_human_clicked_at
        ) as answered_at
    from marketing_sends
    where is_delivered
),

mail as (
    select
        contacts.account_number,
        contacts.contact_number,

        cast(floor({{ weeks_to('sends.mailed_at') }}) as integer) as mailed_week,
        cast(floor({{ weeks_to('sends.answered_at') }}) as integer) as answered_week
    from answered_sends as sends
    inner join contacts
        on
            sends.list_source = contacts.source
            and sends.list_account = contacts.account
            and sends.contact_key = contacts.contact_key
),

mail_ranges as (
    select
        account_number,

        min(mailed_week) as first_week,
        max(mailed_week) as last_week
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
        mailed_week as week_number,
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
            range between {{ var('reading_weeks') }} preceding and 1 preceding
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
            when past.past_mail_count >= {{ var('reading_minimum_mails') }}
                then least(
                    cast(
                        ceil(
                            {{ var('reading_steps') }}e0
                            * past.past_answer_count / past.past_mail_count
                        ) as integer
                    ),
                    {{ var('reading_highest_step') }}
                )
        end as engagement_step,
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
        case
            when contact_cells.engagement_step is null then 'unknown'
            when contact_cells.engagement_step = 0 then 'never'
            when contact_cells.engagement_step <= {{ var('reading_rare_step') }}
                then 'rarely'
            when
                contact_cells.engagement_step <= {{ var('reading_sometimes_step') }}
                then 'sometimes'
            else 'often'
        end as engagement_stratum,
        contact_cells.tenure_stratum,

        contact_cells.frequency_rank,
        contact_cells.engagement_step,

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
