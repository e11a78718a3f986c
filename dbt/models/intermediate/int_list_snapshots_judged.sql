with

int_list_snapshots_in_order as (
    select * from {{ ref('int_list_snapshots_in_order') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

int_opt_out_records_collected as (
    select * from {{ ref('int_opt_out_records_collected') }}
),

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

-- Only whom the next whole list does not mention is looked at more closely.
missing_contacts as (
    select
        statuses.source,
        statuses.account,
        statuses.list,
        statuses.contact_key,

        snapshots.next_whole_date as exported_date
    from int_contact_statuses_ordered as statuses
    inner join int_list_snapshots_in_order as snapshots
        on
            statuses.source = snapshots.source
            and statuses.account = snapshots.account
            and statuses.list = snapshots.list
            and cast(statuses.exported_at as date) = snapshots.exported_date
    where
        statuses.is_last_of_day
        and snapshots.next_whole_date is not null
        and (
            statuses.next_exported_at is null
            or cast(statuses.next_exported_at as date) > snapshots.next_whole_date
        )
),

absent_contacts as (
    select
        missing_contacts.source,
        missing_contacts.account,
        missing_contacts.list,
        missing_contacts.contact_key,

        missing_contacts.exported_date,
        snapshots.previous_whole_date
    from missing_contacts
    inner join int_list_snapshots_in_order as snapshots
        on
            missing_contacts.source = snapshots.source
            and missing_contacts.account = snapshots.account
            and missing_contacts.list = snapshots.list
            and missing_contacts.exported_date = snapshots.exported_date
    inner join int_contact_statuses_ordered as statuses
        on
            missing_contacts.source = statuses.source
            and missing_contacts.account = statuses.account
            and missing_contacts.list = statuses.list
            and missing_contacts.contact_key = statuses.contact_key
            and snapshots.previous_whole_date = cast(statuses.exported_at as date)
    where
        statuses.is_last_of_day
        and statuses.is_on_list
),

-- One company, several systems: what one of them recorded explains why another does not
-- list the person any more.
recorded_endings as (
    select
        contact_key,
        occurred_at as ended_at
    from int_opt_out_records_collected
    union all
    select
        contact_key,
        complained_at as ended_at
    from int_sends_grouped_from_events
    where complained_at is not null
    union all
    select
        contact_key,
        bounced_at as ended_at
    from int_sends_grouped_from_events
    where
        decided_outcome = 'bounced'
        and bounce_class = 'hard'
    union all
    select
        contact_key,
        coalesce(status_changed_at, exported_at) as ended_at
    from int_contact_statuses_ordered
    where exit_cause in ('complaint', 'hard_bounce')
),

explained_contacts as (
    select
        absent_contacts.source,
        absent_contacts.account,
        absent_contacts.list,
        absent_contacts.contact_key,

        absent_contacts.exported_date
    from absent_contacts
    inner join recorded_endings
        on absent_contacts.contact_key = recorded_endings.contact_key
    where
        cast(recorded_endings.ended_at as date)
        between absent_contacts.previous_whole_date and absent_contacts.exported_date
    group by all
),

counted_absences as (
    select
        absent_contacts.source,
        absent_contacts.account,
        absent_contacts.list,

        count(*) as absent_count,
        count(explained_contacts.contact_key) as explained_absent_count,

        absent_contacts.exported_date
    from absent_contacts
    left join explained_contacts
        on
            absent_contacts.source = explained_contacts.source
            and absent_contacts.account = explained_contacts.account
            and absent_contacts.list = explained_contacts.list
            and absent_contacts.contact_key = explained_contacts.contact_key
            and absent_contacts.exported_date = explained_contacts.exported_date
    group by all
),

compared_snapshots as (
    select
        snapshots.source,
        snapshots.account,
        snapshots.list,

        snapshots.claimed_scope,
        snapshots.declared_scope,
        snapshots.file_names,

        snapshots.contact_count,
        snapshots.export_count,
        previous_snapshots.contact_count as previous_contact_count,
        case
            when snapshots.is_taken_as_whole and previous_snapshots.list is not null
                then coalesce(absences.absent_count, 0)
        end as absent_count,
        case
            when snapshots.is_taken_as_whole and previous_snapshots.list is not null
                then coalesce(absences.explained_absent_count, 0)
        end as explained_absent_count,

        snapshots.exported_date,

        snapshots.first_exported_at,
        snapshots.exported_at,
        snapshots.whole_list_exported_at
    from int_list_snapshots_in_order as snapshots
    left join int_list_snapshots_in_order as previous_snapshots
        on
            snapshots.source = previous_snapshots.source
            and snapshots.account = previous_snapshots.account
            and snapshots.list = previous_snapshots.list
            and snapshots.previous_whole_date = previous_snapshots.exported_date
    left join counted_absences as absences
        on
            snapshots.source = absences.source
            and snapshots.account = absences.account
            and snapshots.list = absences.list
            and snapshots.exported_date = absences.exported_date
),

-- Half a list gone overnight is more often a filtered export than a mass exodus. Only
-- the owner knows, and the owner's word ends the question either way.
fallen_snapshots as (
    select
        source,
        account,
        list,

        claimed_scope,
        declared_scope,
        file_names,

        contact_count,
        export_count,
        previous_contact_count,
        absent_count,
        explained_absent_count,
        absent_count - explained_absent_count as unexplained_absent_count,

        coalesce(
            declared_scope is null
            and absent_count - explained_absent_count
            > {{ var('sudden_fall_count') }}
            and 100 * (absent_count - explained_absent_count)
            > {{ var('sudden_fall_share_pct') }} * previous_contact_count,
            false
        ) as is_sudden_fall,

        exported_date,

        first_exported_at,
        exported_at,
        whole_list_exported_at
    from compared_snapshots
),

resolved_snapshots as (
    select
        source,
        account,
        list,

        claimed_scope,
        declared_scope,
        case
            when declared_scope is not null then declared_scope
            when is_sudden_fall then 'unknown'
            else claimed_scope
        end as resolved_scope,
        file_names,

        contact_count,
        export_count,
        previous_contact_count,
        absent_count,
        explained_absent_count,
        unexplained_absent_count,

        is_sudden_fall,

        exported_date,

        first_exported_at,
        exported_at,
        whole_list_exported_at
    from fallen_snapshots
),

followed_snapshots as (
    select
        source,
        account,
        list,

        claimed_scope,
        declared_scope,
        resolved_scope,
        file_names,

        contact_count,
        export_count,
        previous_contact_count,
        absent_count,
        explained_absent_count,
        unexplained_absent_count,

        is_sudden_fall,

        exported_date,

        first_exported_at,
        exported_at,
        min(case when resolved_scope = 'full' then whole_list_exported_at end) over (
            partition by source, account, list
            order by exported_date
            rows between 1 following and unbounded following
        ) as next_whole_list_exported_at
    from resolved_snapshots
)

select * from followed_snapshots
