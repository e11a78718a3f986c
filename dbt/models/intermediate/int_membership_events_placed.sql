with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_list_snapshots_judged as (
    select * from {{ ref('int_list_snapshots_judged') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

exit_causes as (
    select * from {{ ref('exit_causes') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

-- Coming back to a topic is not joining a list.
joinings as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.list,
        stg_message_events.contact_key,

        bool_and(stg_message_events.event_type = 'resubscribed') as is_return,

        stg_message_events.occurred_at as happened_at
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    inner join opt_out_scopes
        on coalesce(stg_message_events.opt_out_scope, 'unknown') = opt_out_scopes.scope
    where
        event_types.ends_opt_out
        and opt_out_scopes.reach in ('account', 'list')
        and stg_message_events.list is not null
        and stg_message_events.contact_key is not null
    group by all
),

-- What an export tells of its own list stands among its statuses already. Only the
-- recipient unsubscribes: whom somebody else took out is gone without a cause.
opt_outs as (
    select
        opt_outs.source,
        opt_outs.account,
        opt_outs.contact_key,
        case
            when opt_out_scopes.reach = 'list'
                then coalesce(
                    opt_outs.list,
                    case
                        when opt_outs.opt_out_scope = 'list'
                            then opt_outs.opt_out_scope_id
                    end
                )
        end as list,
        case
            when opt_outs.is_by_recipient or opt_outs.cause <> 'unsubscribe'
                then opt_outs.cause
            else 'unknown'
        end as exit_cause,

        opt_outs.opt_out_scope,

        opt_outs.opted_out_at as happened_at
    from int_opt_outs_rolled_up as opt_outs
    inner join opt_out_scopes
        on opt_outs.opt_out_scope = opt_out_scopes.scope
    where
        opt_outs.is_headline_scope
        and opt_out_scopes.reach in ('account', 'list')
        and (opt_outs.recorded_from = 'event' or opt_outs.opt_out_scope <> 'list')
),

endings as (
    select
        source,
        account,
        contact_key,
        list,
        exit_cause,
        happened_at
    from opt_outs
    where list is not null or opt_out_scope <> 'list'
    union all
    select
        source,
        account,
        contact_key,
        cast(null as string) as list,
        'complaint' as exit_cause,
        complained_at as happened_at
    from int_sends_grouped_from_events
    where complained_at is not null
    union all
    select
        source,
        account,
        contact_key,
        cast(null as string) as list,
        'hard_bounce' as exit_cause,
        bounced_at as happened_at
    from int_sends_grouped_from_events
    where decided_outcome = 'bounced' and bounce_class = 'hard'
),

contacts_of_events as (
    select
        source,
        account,
        contact_key
    from joinings
    union all
    select
        source,
        account,
        contact_key
    from endings
),

contacts_with_events as (
    select
        source,
        account,
        contact_key
    from contacts_of_events
    group by all
),

statuses_beside_events as (
    select
        statuses.source,
        statuses.account,
        statuses.list,
        statuses.contact_key,

        statuses.status_number,

        statuses.is_on_list,
        statuses.is_on_list or statuses.exit_cause is not null as is_standing,
        snapshots.resolved_scope = 'full' as is_whole_list,

        statuses.opted_in_at,
        greatest(statuses.opted_in_at, statuses.status_changed_at) as joined_at,
        statuses.exported_at,
        snapshots.next_whole_list_exported_at
    from int_contact_statuses_ordered as statuses
    inner join contacts_with_events
        on
            statuses.source = contacts_with_events.source
            and statuses.account = contacts_with_events.account
            and statuses.contact_key = contacts_with_events.contact_key
    inner join int_list_snapshots_judged as snapshots
        on
            statuses.source = snapshots.source
            and statuses.account = snapshots.account
            and statuses.list = snapshots.list
            and cast(statuses.exported_at as date) = snapshots.exported_date
),

standings as (
    select
        source,
        account,
        list,
        contact_key
    from statuses_beside_events
    where is_standing
    union all
    select
        source,
        account,
        list,
        contact_key
    from joinings
),

lists_of_contacts as (
    select
        source,
        account,
        list,
        contact_key
    from standings
    group by all
),

-- Only a joining makes a member: whoever never was on a list cannot leave it.
events as (
    select
        source,
        account,
        list,
        contact_key,
        cast(null as string) as exit_cause,
        cast(null as integer) as exit_rank,
        true as is_on_list,
        is_return,
        happened_at
    from joinings
    union all
    select
        lists_of_contacts.source,
        lists_of_contacts.account,
        lists_of_contacts.list,
        lists_of_contacts.contact_key,
        endings.exit_cause,
        exit_causes.rank as exit_rank,
        false as is_on_list,
        false as is_return,
        endings.happened_at
    from endings
    inner join lists_of_contacts
        on
            endings.source = lists_of_contacts.source
            and endings.account = lists_of_contacts.account
            and endings.contact_key = lists_of_contacts.contact_key
            and coalesce(endings.list = lists_of_contacts.list, true)
    inner join exit_causes
        on endings.exit_cause = exit_causes.cause
    group by all
),

neighboured_events as (
    select
        source,
        account,
        list,
        contact_key,
        exit_cause,

        row_number() over contact as event_number,

        is_on_list,
        is_return,

        happened_at,
        max(case when is_on_list then happened_at end) over (
            contact rows between unbounded preceding and 1 preceding
        ) as last_joined_at,
        min(case when is_on_list then happened_at end) over (
            contact rows between 1 following and unbounded following
        ) as next_joined_at
    from events
    window contact as (
        partition by source, account, list, contact_key
        order by happened_at asc, is_on_list desc, exit_rank asc
    )
),

-- An export of the hours after an exit may be older than the exit, and then does not
-- show the contact as back.
events_among_statuses as (
    select
        events.source,
        events.account,
        events.list,
        events.contact_key,
        events.exit_cause,

        events.event_number,
        statuses.status_number,

        events.is_on_list,
        events.is_return,
        statuses.is_on_list as is_status_on_list,
        statuses.is_standing,
        statuses.is_whole_list,
        coalesce(
            statuses.exported_at <= events.happened_at
            or (
                not events.is_on_list
                and statuses.is_on_list
                and statuses.exported_at
                <= events.happened_at
                + interval '{{ var("restatement_window_hours") }} hours'
                and not coalesce(statuses.joined_at > events.happened_at, false)
                and not coalesce(statuses.exported_at >= events.next_joined_at, false)
            ),
            false
        ) as is_earlier,
        coalesce(statuses.joined_at > events.happened_at, false) as is_joined_later,

        events.happened_at,
        events.last_joined_at,
        events.next_joined_at,
        statuses.opted_in_at,
        statuses.exported_at,
        statuses.next_whole_list_exported_at
    from neighboured_events as events
    left join statuses_beside_events as statuses
        on
            events.source = statuses.source
            and events.account = statuses.account
            and events.list = statuses.list
            and events.contact_key = statuses.contact_key
),

placed_events as (
    select
        source,
        account,
        list,
        contact_key,
        exit_cause,

        event_number,
        coalesce(max(status_number) filter (where is_earlier), 0) as status_number,

        is_on_list,
        is_return,
        coalesce(bool_or(is_earlier and is_standing), false) as was_standing,
        coalesce(bool_or(is_earlier and is_whole_list), false)
            as is_seen_in_whole_list,
        coalesce(
            min_by(is_status_on_list and not is_joined_later, status_number) filter (
                where is_standing and not is_earlier
            ),
            false
        ) as is_still_on_list,

        happened_at,
        last_joined_at,
        next_joined_at,
        max(opted_in_at) filter (
            where is_standing and opted_in_at <= happened_at
        ) as opted_in_at,
        max(exported_at) filter (where is_earlier) as last_exported_at,
        min(exported_at) filter (where exported_at > happened_at) as next_exported_at,
        max(next_whole_list_exported_at) filter (
            where is_earlier
        ) as next_whole_list_exported_at
    from events_among_statuses
    group by all
),

-- A complaint or a bounce that the next export contradicts has ended nothing. Nobody
-- leaves a list that no longer held them.
kept_events as (
    select
        source,
        account,
        list,
        contact_key,
        exit_cause,

        status_number,
        event_number,

        is_on_list,
        is_return,

        case when is_on_list then happened_at else opted_in_at end as opted_in_at,
        happened_at,
        next_exported_at
    from placed_events
    where
        is_on_list
        or (
            (was_standing or last_joined_at is not null or opted_in_at is not null)
            and not (
                exit_cause in ('complaint', 'hard_bounce')
                and is_still_on_list
                and next_joined_at is null
            )
            and not coalesce(
                is_seen_in_whole_list
                and cast(next_whole_list_exported_at as date)
                > cast(last_exported_at as date)
                and next_whole_list_exported_at
                + interval '{{ var("restatement_window_hours") }} hours'
                < happened_at
                and coalesce(last_joined_at < next_whole_list_exported_at, true),
                false
            )
        )
),

-- Whoever joined and is missing from the next whole list has left again.
missed_events as (
    select
        events.source,
        events.account,
        events.list,
        events.contact_key,
        events.exit_cause,

        events.status_number,
        events.event_number,

        events.is_on_list,
        events.is_return,

        events.opted_in_at,
        events.happened_at,
        min(snapshots.exported_at) as missed_at
    from kept_events as events
    left join int_list_snapshots_judged as snapshots
        on
            events.source = snapshots.source
            and events.account = snapshots.account
            and events.list = snapshots.list
            and events.is_on_list
            and snapshots.resolved_scope = 'full'
            and snapshots.exported_at
            > events.happened_at
            + interval '{{ var("restatement_window_hours") }} hours'
            and coalesce(
                snapshots.exported_date < cast(events.next_exported_at as date), true
            )
    group by all
)

select * from missed_events
