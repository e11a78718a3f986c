with

int_opt_out_records_grouped_into_episodes as (
    select * from {{ ref('int_opt_out_records_grouped_into_episodes') }}
),

int_opt_out_records_attributed as (
    select * from {{ ref('int_opt_out_records_attributed') }}
),

int_sends_grouped_from_events as (
    select * from {{ ref('int_sends_grouped_from_events') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

ended_episodes as (
    select
        episodes.opt_out_key,

        min(records.first_load) as first_load,

        count(*) as record_count,

        max(episodes.returned_at) as ended_at
    from int_opt_out_records_grouped_into_episodes as episodes
    inner join int_opt_out_records_attributed as records
        on episodes.record_key = records.record_key
    group by all
),

reasons as (
    select
        episodes.opt_out_key,
        records.source as reason_source,
        records.reason,
        records.reason_basis,
        records.reason_rule,
        records.reason_labels,
        records.reason_language,
        records.reason_option_set,

        records.reason_length
    from int_opt_out_records_grouped_into_episodes as episodes
    inner join int_opt_out_records_attributed as records
        on episodes.record_key = records.record_key
    where episodes.reason_rank = 1
),

mails as (
    select
        episodes.opt_out_key,
        records.send_key,
        records.campaign_key,
        records.campaign_id,
        records.variant,
        records.attribution,
        records.delivered_at
    from int_opt_out_records_grouped_into_episodes as episodes
    inner join int_opt_out_records_attributed as records
        on episodes.record_key = records.record_key
    where episodes.attribution_rank = 1
),

rolled_up_opt_outs as (
    select
        openings.opt_out_key,
        openings.record_key,
        records.source,
        records.account,
        records.contact_key,
        records.list,
        records.opt_out_scope,
        records.opt_out_scope_id,
        mails.send_key,
        mails.campaign_key,
        mails.campaign_id,
        mails.variant,

        records.mailbox_provider,
        mails.attribution,
        records.opt_out_method,
        records.initiator,
        records.cause,
        coalesce(reasons.reason, 'not_asked') as primary_reason,
        coalesce(reasons.reason_basis, 'none') as reason_basis,
        reasons.reason_rule,
        reasons.reason_labels,
        reasons.reason_language,
        reasons.reason_option_set,
        reasons.reason_source,
        records.recorded_from,
        ended_episodes.first_load,

        reasons.reason_length,
        ended_episodes.record_count,
        {{ seconds_between('mails.delivered_at', 'records.occurred_at') }}
            as seconds_since_delivery,

        coalesce(
            opt_out_scopes.is_headline = 'true'
            or opt_out_scopes.is_headline = 'declared'
            and stg_accounts.is_group_headline,
            false
        ) as is_headline_scope,
        records.is_by_recipient,
        mails.campaign_key is not null as is_attributed,

        records.occurred_at as opted_out_at,
        ended_episodes.ended_at
    from int_opt_out_records_grouped_into_episodes as openings
    inner join int_opt_out_records_attributed as records
        on openings.record_key = records.record_key
    inner join mails
        on openings.opt_out_key = mails.opt_out_key
    inner join reasons
        on openings.opt_out_key = reasons.opt_out_key
    inner join ended_episodes
        on openings.opt_out_key = ended_episodes.opt_out_key
    left join opt_out_scopes
        on records.opt_out_scope = opt_out_scopes.scope
    left join stg_accounts
        on
            records.source = stg_accounts.source
            and records.account = stg_accounts.account
    where openings.opening_rank = 1
),

suspected_opt_outs as (
    select
        opt_out_key,
        record_key,
        source,
        account,
        contact_key,
        list,
        opt_out_scope,
        opt_out_scope_id,
        send_key,
        campaign_key,
        campaign_id,
        variant,

        mailbox_provider,
        attribution,
        opt_out_method,
        initiator,
        cause,
        primary_reason,
        reason_basis,
        reason_rule,
        reason_labels,
        reason_language,
        reason_option_set,
        reason_source,
        recorded_from,
        first_load,

        reason_length,
        record_count,
        case
            when seconds_since_delivery >= 0 then seconds_since_delivery
        end as seconds_since_delivery,

        is_headline_scope,
        is_by_recipient,
        is_attributed,
        coalesce(
            is_by_recipient
            and seconds_since_delivery
            between 0 and {{ var('suspect_automated_seconds') }},
            false
        ) as is_suspect_automated,

        opted_out_at,
        ended_at
    from rolled_up_opt_outs
)

select * from suspected_opt_outs
