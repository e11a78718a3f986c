with

stg_message_events as (
    select * from {{ ref('stg_message_events') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

contact_statuses as (
    select * from {{ ref('contact_statuses') }}
),

initiators as (
    select * from {{ ref('initiators') }}
),

opt_out_method_words as (
    select * from {{ ref('opt_out_method_words') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

numbered_events as (
    select
        stg_message_events.source,
        stg_message_events.account,
        stg_message_events.event_key,
        stg_message_events.contact_key,
        stg_message_events.campaign_id,
        stg_message_events.variant,
        stg_message_events.message_id,
        stg_message_events.list,
        stg_message_events.opt_out_scope,
        stg_message_events.opt_out_scope_id,
        stg_message_events.mailbox_provider,
        stg_message_events.opt_out_method,
        stg_message_events.initiator,
        stg_message_events.reason,
        stg_message_events.reason_basis,
        stg_message_events.reason_rule,
        stg_message_events.reason_labels,
        stg_message_events.reason_language,
        stg_message_events.reason_option_set,
        stg_message_events.load,

        stg_message_events.reason_length,
        row_number() over (
            partition by
                stg_message_events.source,
                stg_message_events.account,
                stg_message_events.event_key
            order by
                stg_message_events.load,
                stg_message_events.record_number,
                stg_message_events.item_number
        ) as copy_number,

        stg_message_events.occurred_at
    from stg_message_events
    inner join event_types
        on stg_message_events.event_type = event_types.event_type
    where event_types.is_opt_out
),

event_records as (
    select
        {{ hash_key(["'event'", 'source', 'account', 'event_key']) }} as record_key,
        source,
        account,
        contact_key,
        campaign_id,
        variant,
        message_id,
        list,
        coalesce(opt_out_scope, 'unknown') as opt_out_scope,
        case
            when opt_out_scope = 'list' then coalesce(opt_out_scope_id, list)
            else opt_out_scope_id
        end as opt_out_scope_id,

        'event' as recorded_from,
        mailbox_provider,
        coalesce(opt_out_method, 'unknown') as opt_out_method,
        coalesce(initiator, 'unknown') as initiator,
        case
            when opt_out_method = 'complaint' then 'complaint'
            else 'unsubscribe'
        end as cause,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        load as first_load,

        reason_length,

        true as is_dated,

        occurred_at,
        cast(null as timestamp) as restates_from_at,
        cast(null as timestamp) as restates_until_at
    from numbered_events
    where copy_number = 1
),

neighboured_statuses as (
    select
        statuses.source,
        statuses.account,
        statuses.list,
        statuses.contact_key,
        statuses.mailbox_provider,
        statuses.status,
        lag(statuses.status) over contact as previous_status,
        statuses.exit_cause,
        statuses.opt_out_scope,
        statuses.opt_out_method,
        statuses.initiator,
        statuses.reason,
        statuses.reason_basis,
        statuses.reason_rule,
        statuses.reason_labels,
        statuses.reason_language,
        statuses.reason_option_set,
        statuses.opt_out_campaign_id,
        statuses.load,

        statuses.reason_length,
        statuses.status_number,

        statuses.status_changed_at,
        statuses.exported_at,
        lag(statuses.exported_at) over contact as previous_exported_at
    from int_contact_statuses_ordered as statuses
    window contact as (
        partition by
            statuses.source,
            statuses.account,
            statuses.list,
            statuses.contact_key
        order by statuses.status_number
    )
),

-- Export after export shows the same opt-out: the lines between two other standings are
-- a run.
numbered_runs as (
    select
        source,
        account,
        list,
        contact_key,
        mailbox_provider,
        status,
        exit_cause,
        opt_out_scope,
        opt_out_method,
        initiator,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        opt_out_campaign_id,
        load,

        reason_length,
        status_number,
        sum(case when previous_status = status then 0 else 1 end) over (
            partition by source, account, list, contact_key
            order by status_number
            rows between unbounded preceding and current row
        ) as run_number,

        status_changed_at,
        exported_at,
        case
            when previous_status <> status then previous_exported_at
        end as last_seen_before_at
    from neighboured_statuses
),

opted_out_statuses as (
    select
        numbered_runs.source,
        numbered_runs.account,
        numbered_runs.list,
        numbered_runs.contact_key,
        numbered_runs.mailbox_provider,
        numbered_runs.exit_cause,
        numbered_runs.opt_out_scope,
        numbered_runs.opt_out_method,
        numbered_runs.initiator,
        numbered_runs.reason,
        numbered_runs.reason_basis,
        numbered_runs.reason_rule,
        numbered_runs.reason_labels,
        numbered_runs.reason_language,
        numbered_runs.reason_option_set,
        numbered_runs.opt_out_campaign_id,
        numbered_runs.load,

        numbered_runs.reason_length,
        numbered_runs.status_number,

        min(numbered_runs.status_changed_at) over status_run is not null as is_dated,
        coalesce(opt_out_reason_words.is_answered, false) as is_answered,

        coalesce(
            numbered_runs.status_changed_at,
            min(numbered_runs.status_changed_at) over status_run,
            min(numbered_runs.exported_at) over status_run
        ) as occurred_at,
        min(numbered_runs.last_seen_before_at) over status_run as last_seen_before_at
    from numbered_runs
    inner join contact_statuses
        on numbered_runs.status = contact_statuses.status
    left join opt_out_reason_words
        on numbered_runs.reason = opt_out_reason_words.reason
    where contact_statuses.exit_cause = 'unsubscribe'
    window status_run as (
        partition by
            numbered_runs.source,
            numbered_runs.account,
            numbered_runs.list,
            numbered_runs.contact_key,
            numbered_runs.run_number
    )
),

-- The first line of the opt-out that has an answer, else a word at all, says why.
answered_statuses as (
    select
        source,
        account,
        list,
        contact_key,
        mailbox_provider,
        exit_cause,
        opt_out_scope,
        opt_out_method,
        initiator,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        opt_out_campaign_id,
        load,

        reason_length,
        status_number,
        row_number() over (
            partition by source, account, list, contact_key, occurred_at
            order by
                is_answered desc,
                reason is null asc,
                status_number asc
        ) as answer_rank,

        is_dated,

        occurred_at,
        last_seen_before_at
    from opted_out_statuses
),

-- A line without a date dates its opt-out between the export before and its own.
snapshot_records as (
    select
        {{ hash_key([
            "'contact_snapshot'", 'source', 'account', 'list', 'contact_key',
            'occurred_at',
        ]) }} as record_key,
        source,
        account,
        contact_key,
        min_by(opt_out_campaign_id, status_number) filter (
            where opt_out_campaign_id is not null
        ) as campaign_id,
        '' as variant,
        cast(null as string) as message_id,
        list,
        coalesce(min_by(opt_out_scope, status_number), 'list') as opt_out_scope,
        case
            when coalesce(min_by(opt_out_scope, status_number), 'list') = 'list'
                then list
        end as opt_out_scope_id,

        'contact_snapshot' as recorded_from,
        min(mailbox_provider) as mailbox_provider,
        coalesce(min_by(opt_out_method, status_number), 'unknown') as opt_out_method,
        coalesce(min_by(initiator, status_number), 'unknown') as initiator,
        case
            when min_by(opt_out_method, status_number) = 'complaint' then 'complaint'
            else min_by(exit_cause, status_number)
        end as cause,
        max(reason) filter (where answer_rank = 1) as reason,
        max(reason_basis) filter (where answer_rank = 1) as reason_basis,
        max(reason_rule) filter (where answer_rank = 1) as reason_rule,
        max(reason_labels) filter (where answer_rank = 1) as reason_labels,
        max(reason_language) filter (where answer_rank = 1) as reason_language,
        max(reason_option_set) filter (where answer_rank = 1) as reason_option_set,
        min(load) as first_load,

        max(reason_length) filter (where answer_rank = 1) as reason_length,

        bool_or(is_dated) as is_dated,

        occurred_at,
        case
            when bool_or(is_dated) then occurred_at
            else min(last_seen_before_at)
        end as restates_from_at,
        occurred_at as restates_until_at
    from answered_statuses
    group by source, account, list, contact_key, occurred_at
),

collected_records as (
    select
        record_key,
        source,
        account,
        contact_key,
        campaign_id,
        variant,
        message_id,
        list,
        opt_out_scope,
        opt_out_scope_id,
        recorded_from,
        mailbox_provider,
        opt_out_method,
        initiator,
        cause,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        first_load,
        reason_length,
        is_dated,
        occurred_at,
        restates_from_at,
        restates_until_at
    from event_records
    union all
    select
        record_key,
        source,
        account,
        contact_key,
        campaign_id,
        variant,
        message_id,
        list,
        opt_out_scope,
        opt_out_scope_id,
        recorded_from,
        mailbox_provider,
        opt_out_method,
        initiator,
        cause,
        reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        first_load,
        reason_length,
        is_dated,
        occurred_at,
        restates_from_at,
        restates_until_at
    from snapshot_records
),

-- Nobody but the recipient makes an opt-out, unless the record or its method says so.
judged_records as (
    select
        collected_records.record_key,
        collected_records.source,
        collected_records.account,
        collected_records.contact_key,
        collected_records.campaign_id,
        collected_records.variant,
        collected_records.message_id,
        collected_records.list,
        collected_records.opt_out_scope,
        collected_records.opt_out_scope_id,

        collected_records.recorded_from,
        collected_records.mailbox_provider,
        collected_records.opt_out_method,
        collected_records.initiator,
        collected_records.cause,
        collected_records.reason,
        collected_records.reason_basis,
        collected_records.reason_rule,
        collected_records.reason_labels,
        collected_records.reason_language,
        collected_records.reason_option_set,
        collected_records.first_load,

        collected_records.reason_length,

        collected_records.is_dated,
        coalesce(
            initiators.is_by_recipient,
            opt_out_method_words.is_by_recipient
            and collected_records.cause = 'unsubscribe',
            true
        ) as is_by_recipient,
        collected_records.is_dated
        and coalesce(opt_out_method_words.is_inferable, true) as is_inferable,
        coalesce(opt_out_reason_words.is_answered, false) as is_answered,

        collected_records.occurred_at,
        collected_records.restates_from_at,
        collected_records.restates_until_at
    from collected_records
    left join initiators
        on collected_records.initiator = initiators.initiator
    left join opt_out_method_words
        on collected_records.opt_out_method = opt_out_method_words.method
    left join opt_out_reason_words
        on collected_records.reason = opt_out_reason_words.reason
)

select * from judged_records
