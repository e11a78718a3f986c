with

int_opt_out_records_attributed as (
    select * from {{ ref('int_opt_out_records_attributed') }}
),

int_opt_out_records_matched_to_restated_events as (
    select * from {{ ref('int_opt_out_records_matched_to_restated_events') }}
),

int_opt_out_returns_collected as (
    select * from {{ ref('int_opt_out_returns_collected') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

own_records as (
    select
        records.record_key,
        records.source,
        records.account,
        records.contact_key,
        records.list,
        records.opt_out_scope,
        records.opt_out_scope_id,
        case
            when records.is_named and records.is_by_recipient
                then coalesce(records.campaign_key, records.send_key)
        end as named_mail_key,

        coalesce(opt_out_scopes.is_headline = 'true', false) as is_whole_scope,

        records.occurred_at,
        records.mailed_at
    from int_opt_out_records_attributed as records
    left join int_opt_out_records_matched_to_restated_events as restatements
        on records.record_key = restatements.record_key
    left join opt_out_scopes
        on records.opt_out_scope = opt_out_scopes.scope
    where restatements.record_key is null
),

next_returns as (
    select
        own_records.record_key,

        min(returns.returned_at) as returned_at
    from own_records
    inner join int_opt_out_returns_collected as returns
        on
            own_records.source = returns.source
            and own_records.account = returns.account
            and own_records.contact_key = returns.contact_key
            and own_records.occurred_at < returns.returned_at
    where
        (
            returns.opt_out_scope is null
            or returns.opt_out_scope = own_records.opt_out_scope
            or returns.opt_out_scope = 'list' and own_records.is_whole_scope
        )
        and (
            returns.opt_out_scope_id is null
            or own_records.opt_out_scope_id is null
            or returns.opt_out_scope_id = own_records.opt_out_scope_id
        )
        and (
            returns.list is null
            or own_records.list is null
            or returns.list = own_records.list
        )
    group by all
),

sequenced_records as (
    select
        own_records.record_key,
        own_records.source,
        own_records.account,
        own_records.contact_key,
        own_records.opt_out_scope,
        own_records.opt_out_scope_id,
        own_records.named_mail_key,
        last_value(own_records.named_mail_key ignore nulls) over (
            person_scope rows between unbounded preceding and 1 preceding
        ) as previous_mail_key,

        own_records.occurred_at,
        own_records.mailed_at,
        lag(own_records.occurred_at) over person_scope as previous_occurred_at,
        next_returns.returned_at,
        lag(next_returns.returned_at) over person_scope as previous_returned_at
    from own_records
    left join next_returns
        on own_records.record_key = next_returns.record_key
    window person_scope as (
        partition by
            own_records.source,
            own_records.account,
            own_records.contact_key,
            own_records.opt_out_scope,
            own_records.opt_out_scope_id
        order by own_records.occurred_at, own_records.record_key
    )
),

-- A new episode needs a return, or an opt-out from mail that the one before cannot be
-- about: another campaign, or mail sent after it.
started_episodes as (
    select
        record_key,
        source,
        account,
        contact_key,
        opt_out_scope,
        opt_out_scope_id,

        case
            when previous_occurred_at is null then true
            when previous_returned_at <= occurred_at then true
            when named_mail_key is null then false
            when previous_mail_key is not null
                then named_mail_key <> previous_mail_key
            else coalesce(mailed_at > previous_occurred_at, false)
        end as is_episode_start,

        occurred_at,
        returned_at
    from sequenced_records
),

numbered_episodes as (
    select
        record_key,
        source,
        account,
        contact_key,
        opt_out_scope,
        opt_out_scope_id,

        sum(case when is_episode_start then 1 else 0 end) over (
            partition by source, account, contact_key, opt_out_scope, opt_out_scope_id
            order by occurred_at, record_key
            rows between unbounded preceding and current row
        ) as episode_number,

        occurred_at,
        returned_at
    from started_episodes
),

episodes as (
    select
        record_key,
        first_value(record_key) over (
            partition by
                source,
                account,
                contact_key,
                opt_out_scope,
                opt_out_scope_id,
                episode_number
            order by occurred_at, record_key
            rows between unbounded preceding and unbounded following
        ) as opt_out_key,

        returned_at
    from numbered_episodes
),

episode_records as (
    select
        record_key,
        opt_out_key,

        false as is_restatement,

        returned_at
    from episodes
    union all
    select
        restatements.record_key,
        episodes.opt_out_key,

        true as is_restatement,

        cast(null as timestamp) as returned_at
    from int_opt_out_records_matched_to_restated_events as restatements
    inner join episodes
        on restatements.restated_record_key = episodes.record_key
),

-- The recipient's own record stands for the episode. A mail it names counts before a
-- mail that is only inferred, whoever of its records names it.
ranked_records as (
    select
        records.record_key,
        episode_records.opt_out_key,

        row_number() over (
            partition by episode_records.opt_out_key
            order by
                episode_records.is_restatement asc,
                records.is_by_recipient desc,
                records.occurred_at asc,
                records.record_key asc
        ) as opening_rank,
        row_number() over (
            partition by episode_records.opt_out_key
            order by
                records.source <> opening_records.source
                or records.account <> opening_records.account asc,
                records.is_by_recipient desc,
                records.is_named desc,
                episode_records.is_restatement asc,
                records.occurred_at asc,
                records.record_key asc
        ) as attribution_rank,
        row_number() over (
            partition by episode_records.opt_out_key
            order by
                records.is_answered desc,
                records.reason is null asc,
                records.occurred_at asc,
                records.record_key asc
        ) as reason_rank,

        episode_records.is_restatement,

        episode_records.returned_at
    from episode_records
    inner join int_opt_out_records_attributed as records
        on episode_records.record_key = records.record_key
    inner join int_opt_out_records_attributed as opening_records
        on episode_records.opt_out_key = opening_records.record_key
)

select * from ranked_records
