with

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_list_snapshots_judged as (
    select * from {{ ref('int_list_snapshots_judged') }}
),

int_membership_events_placed as (
    select * from {{ ref('int_membership_events_placed') }}
),

exit_causes as (
    select * from {{ ref('exit_causes') }}
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

-- Exports date what happened long before them, so an event stands after the statuses
-- exported before it. Lines that say nothing about standing are gone from here on.
standings as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,
        0 as event_number,

        is_on_list,
        is_exit,
        false as is_event,
        false as is_return,

        opted_in_at,
        status_changed_at,
        exported_at,
        exported_at as known_at,
        exited_at,
        missed_at
    from absences
    where is_on_list or is_exit
    union all
    select
        source,
        account,
        list,
        contact_key,
        cast(null as string) as signup_source,
        cast(null as string) as opt_in_method,
        exit_cause,
        status_number,
        event_number,
        is_on_list,
        not is_on_list as is_exit,
        true as is_event,
        is_return,
        opted_in_at,
        happened_at as status_changed_at,
        cast(null as timestamp) as exported_at,
        happened_at as known_at,
        case when not is_on_list then happened_at end as exited_at,
        missed_at
    from int_membership_events_placed
),

neighboured_standings as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,
        event_number,

        is_on_list,
        is_exit,
        is_event,
        is_return,
        lag(is_on_list) over contact as was_on_list,

        opted_in_at,
        status_changed_at,
        exported_at,
        known_at,
        missed_at,
        lag(coalesce(exited_at, missed_at)) over contact as previous_exit_at
    from standings
    window contact as (
        partition by source, account, list, contact_key
        order by status_number, event_number
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
        event_number,

        is_on_list,
        is_exit,
        is_event,
        is_return,
        case
            when was_on_list is null then true
            when is_on_list then not was_on_list or previous_exit_at is not null
            else coalesce(opted_in_at > previous_exit_at, false)
        end as is_spell_start,

        case
            when previous_exit_at is null then opted_in_at
            when opted_in_at > previous_exit_at then opted_in_at
            when is_on_list and status_changed_at > previous_exit_at
                then status_changed_at
        end as joined_at,
        opted_in_at,
        status_changed_at,
        exported_at,
        known_at,
        missed_at
    from neighboured_standings
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
        event_number,
        sum(case when is_spell_start then 1 else 0 end) over so_far as spell_number,

        is_on_list,
        is_exit,
        is_event,
        is_return,
        is_spell_start,

        case when is_spell_start then joined_at end as joined_at,
        last_value(
            case
                when is_spell_start
                    then coalesce(joined_at, case when is_on_list then known_at end)
            end ignore nulls
        ) over so_far as begun_at,
        opted_in_at,
        status_changed_at,
        exported_at,
        known_at,
        missed_at
    from started_spells
    window so_far as (
        partition by source, account, list, contact_key
        order by status_number, event_number
        rows between unbounded preceding and current row
    )
),

-- The date of the exit counts before the day somebody noticed, as long as it does not
-- lie before the joining.
judged_exits as (
    select
        source,
        account,
        list,
        contact_key,
        signup_source,
        opt_in_method,
        exit_cause,

        status_number,
        event_number,
        spell_number,

        is_on_list,
        is_exit,
        is_event,
        is_return,
        is_spell_start,
        is_event
        or coalesce(status_changed_at >= begun_at, status_changed_at is not null)
            as is_exit_dated,

        joined_at,
        opted_in_at,
        status_changed_at,
        exported_at,
        known_at,
        missed_at
    from numbered_spells
),

ranked_exits as (
    select
        judged_exits.source,
        judged_exits.account,
        judged_exits.list,
        judged_exits.contact_key,
        judged_exits.signup_source,
        judged_exits.opt_in_method,
        judged_exits.exit_cause,

        judged_exits.status_number,
        judged_exits.event_number,
        judged_exits.spell_number,
        exit_causes.rank as exit_rank,

        judged_exits.is_on_list,
        judged_exits.is_exit,
        judged_exits.is_event,
        judged_exits.is_return,
        judged_exits.is_spell_start,
        judged_exits.is_exit_dated,

        judged_exits.joined_at,
        judged_exits.opted_in_at,
        judged_exits.exported_at,
        judged_exits.known_at,
        case
            when judged_exits.is_exit_dated then judged_exits.status_changed_at
            else judged_exits.known_at
        end as exited_at,
        judged_exits.missed_at
    from judged_exits
    left join exit_causes
        on judged_exits.exit_cause = exit_causes.cause
),

-- First exit wins; of two at the same moment, the cause that ranks first.
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
            min(opt_in_method),
            'unknown'
        ) as opt_in_method,
        min_by(
            exit_cause, (exited_at, exit_rank, status_number, event_number)
        ) filter (where is_exit) as exit_cause,
        case when bool_and(is_event) then 'event' else 'snapshot' end as recorded_from,

        cast(spell_number as bigint) as spell_number,

        bool_or(is_exit) as is_exit_seen,
        bool_or(is_exit and not is_event) as is_exit_exported,
        min_by(
            is_exit_dated, (exited_at, exit_rank, status_number, event_number)
        ) filter (where is_exit) as is_exit_dated,
        min_by(
            is_event, (exited_at, exit_rank, status_number, event_number)
        ) filter (where is_exit) as is_exit_event,
        bool_and(is_event)
        and bool_or(is_spell_start and is_return) as is_only_return,

        -- Forms that are filled in once more tell of a joining that is none.
        case
            when
                spell_number = 1
                and (
                    min(joined_at) is null
                    or bool_or(
                        is_spell_start and is_event and is_on_list and not is_return
                    )
                )
                then min(opted_in_at)
            else min(joined_at)
        end as joined_at,
        coalesce(min(exported_at), min(known_at)) as first_seen_at,
        coalesce(max(exported_at), max(known_at)) as last_seen_at,
        min(known_at) filter (where is_on_list) as first_on_list_at,
        min(exited_at) filter (where is_exit) as exited_at,
        min(missed_at) as missed_at
    from ranked_exits
    group by source, account, list, contact_key, spell_number
),

dated_spells as (
    select
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
        recorded_from,
        case
            when is_exit_exported or missed_at is not null then 'snapshot'
            when is_exit_seen then 'event'
        end as exit_recorded_from,

        spell_number,

        not is_exit_seen and missed_at is null as is_censored,
        coalesce(joined_at < first_seen_at, false) as is_reconstructed,
        joined_at is not null as is_entry_known,
        is_only_return,
        is_exit_event,

        coalesce(joined_at, first_on_list_at) as entered_at,
        case
            when is_exit_dated then exited_at
            else least(missed_at, exited_at)
        end as left_at,
        first_seen_at,
        last_seen_at
    from spells
),

-- Whom only an export shows that was made after the exit, before anybody noticed, was
-- there at that moment.
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
        exit_cause,
        recorded_from,
        exit_recorded_from,

        spell_number,

        is_censored,
        is_reconstructed,
        is_entry_known,
        is_only_return,

        case
            when is_exit_event and left_at < entered_at then left_at
            else entered_at
        end as entered_at,
        left_at,
        first_seen_at,
        last_seen_at
    from dated_spells
)

select * from ended_spells
