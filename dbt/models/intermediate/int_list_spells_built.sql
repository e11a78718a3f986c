with

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_list_snapshots_judged as (
    select * from {{ ref('int_list_snapshots_judged') }}
),

-- A contact who still has to confirm was neither on the list nor off it, but was there
-- to be seen: the line counts against absence and for nothing else.
dated_statuses as (
    select
        statuses.source,
        statuses.account,
        statuses.list,
        statuses.contact_key,
        statuses.signup_source,
        statuses.opt_in_method,
        statuses.exit_cause,

        statuses.status_number,

        statuses.is_on_list,
        statuses.exit_cause is not null as is_exit,
        bool_or(snapshots.resolved_scope = 'full') over (
            partition by
                statuses.source,
                statuses.account,
                statuses.list,
                statuses.contact_key
            order by statuses.status_number
            rows between unbounded preceding and current row
        ) as is_seen_in_whole_list,

        snapshots.exported_date,
        lead(snapshots.exported_date) over (
            partition by
                statuses.source,
                statuses.account,
                statuses.list,
                statuses.contact_key
            order by statuses.status_number
        ) as next_exported_date,

        statuses.opted_in_at,
        statuses.status_changed_at,
        statuses.exported_at,
        snapshots.next_whole_list_exported_at
    from int_contact_statuses_ordered as statuses
    inner join int_list_snapshots_judged as snapshots
        on
            statuses.source = snapshots.source
            and statuses.account = snapshots.account
            and statuses.list = snapshots.list
            and cast(statuses.exported_at as date) = snapshots.exported_date
),

-- Absence is a way out only between two exports of the whole list.
absences as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,

        is_on_list,
        is_exit,

        opted_in_at,
        status_changed_at,
        exported_at,
        case
            when is_exit then coalesce(status_changed_at, exported_at)
        end as exited_at,
        case
            when
                is_on_list
                and is_seen_in_whole_list
                and (
                    next_exported_date is null
                    or cast(next_whole_list_exported_at as date) < next_exported_date
                )
                then next_whole_list_exported_at
        end as missed_at
    from dated_statuses
),

-- Lines that say nothing about standing are gone from here on.
neighboured_statuses as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,

        is_on_list,
        is_exit,
        lag(is_on_list) over contact as was_on_list,

        opted_in_at,
        status_changed_at,
        exported_at,
        exited_at,
        missed_at,
        lag(coalesce(exited_at, missed_at)) over contact as previous_exit_at
    from absences
    where is_on_list or is_exit
    window contact as (
        partition by source, account, list, contact_key order by status_number
    )
),

-- A way out that follows another one is the same exit told again, unless the contact
-- joined once more in between without any export that shows it.
started_spells as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,

        is_on_list,
        is_exit,
        case
            when was_on_list is null then true
            when is_on_list then not was_on_list or previous_exit_at is not null
            else coalesce(opted_in_at > previous_exit_at, false)
        end as is_spell_start,

        opted_in_at,
        status_changed_at,
        exported_at,
        missed_at,
        previous_exit_at
    from neighboured_statuses
),

numbered_spells as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,
        sum(case when is_spell_start then 1 else 0 end) over (
            partition by source, account, list, contact_key
            order by status_number
            rows between unbounded preceding and current row
        ) as spell_number,

        is_on_list,
        is_exit,

        case
            when not is_spell_start then null
            when previous_exit_at is null then opted_in_at
            when opted_in_at > previous_exit_at then opted_in_at
            when is_on_list and status_changed_at > previous_exit_at
                then status_changed_at
        end as joined_at,
        opted_in_at,
        status_changed_at,
        exported_at,
        missed_at
    from started_spells
),

spells as (
    select
        source,
        account,
        list,
        contact_key,

        min_by(signup_source, status_number) filter (
            where signup_source is not null
        ) as signup_source,
        coalesce(
            min_by(opt_in_method, status_number) filter (
                where opt_in_method <> 'unknown'
            ),
            min(opt_in_method)
        ) as opt_in_method,
        min_by(exit_cause, status_number) filter (where is_exit) as exit_cause,

        cast(spell_number as bigint) as spell_number,

        bool_or(is_exit) as is_exit_seen,

        coalesce(
            min(joined_at), case when spell_number = 1 then min(opted_in_at) end
        ) as joined_at,
        min(exported_at) as first_seen_at,
        max(exported_at) as last_seen_at,
        min(exported_at) filter (where is_on_list) as first_on_list_at,
        max(exported_at) filter (where is_on_list) as last_on_list_at,
        min(status_changed_at) filter (where is_exit) as dated_exit_at,
        min(exported_at) filter (where is_exit) as exit_seen_at,
        min(missed_at) as missed_at
    from numbered_spells
    group by source, account, list, contact_key, spell_number
),

-- The export's own date of the exit counts before the day somebody noticed, as long as
-- it does not lie before the joining.
ended_spells as (
    select
        {{ hash_key(['source', 'account', 'list', 'contact_key', 'spell_number']) }}
            as spell_key,
        source,
        account,
        list,
        contact_key,

        signup_source,
        opt_in_method,
        case
            when is_exit_seen then exit_cause
            when missed_at is not null then 'unknown'
        end as exit_cause,

        spell_number,

        not is_exit_seen and missed_at is null as is_censored,
        coalesce(joined_at < first_seen_at, false) as is_reconstructed,
        joined_at is not null as is_entry_known,

        coalesce(joined_at, first_on_list_at) as entered_at,
        case
            when
                dated_exit_at >= coalesce(joined_at, first_on_list_at, dated_exit_at)
                then dated_exit_at
            else least(missed_at, exit_seen_at)
        end as left_at,
        first_seen_at,
        last_seen_at
    from spells
)

select * from ended_spells
