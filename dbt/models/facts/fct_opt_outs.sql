with

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

int_campaigns_united as (
    select * from {{ ref('int_campaigns_united') }}
),

int_sends_resolved as (
    select * from {{ ref('int_sends_resolved') }}
),

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

known_joinings as (
    select
        opt_outs.opt_out_key,

        row_number() over (
            partition by opt_outs.opt_out_key
            order by
                (opt_outs.list = spells.list) desc nulls last,
                spells.entered_at desc,
                spells.list asc
        ) as joining_rank,

        spells.entered_at
    from int_opt_outs_rolled_up as opt_outs
    inner join int_list_spells_built as spells
        on
            opt_outs.source = spells.source
            and opt_outs.account = spells.account
            and opt_outs.contact_key = spells.contact_key
    where
        spells.is_entry_known
        and spells.entered_at <= opt_outs.opted_out_at
),

opt_outs as (
    select
        opt_outs.opt_out_key,
        opt_outs.source,
        opt_outs.account,
        opt_outs.contact_key,
        opt_outs.mailbox_provider,
        opt_outs.opt_out_scope,
        opt_outs.opt_out_scope_id,
        opt_outs.list,
        opt_outs.send_key,
        opt_outs.campaign_key,
        opt_outs.campaign_id,
        opt_outs.variant,
        coalesce(campaigns.stream_id, sends.stream_id) as stream_id,

        opt_outs.attribution,
        opt_outs.opt_out_method,
        opt_outs.initiator,
        opt_outs.cause,
        opt_outs.primary_reason,
        opt_outs.reason_basis,
        opt_outs.reason_rule,
        opt_outs.reason_language,
        opt_outs.reason_source,
        opt_outs.reason_option_set,
        opt_outs.recorded_from,
        opt_outs.first_load,

        opt_outs.record_count,
        opt_outs.seconds_since_delivery,
        {{ seconds_between('known_joinings.entered_at', 'opt_outs.opted_out_at') }}
        // 86400 as tenure_days,

        opt_outs.is_headline_scope,
        opt_outs.reason_length is not null as has_own_words,
        opt_outs.is_by_recipient,
        opt_outs.is_attributed,
        opt_outs.is_suspect_automated,

        opt_outs.opted_out_at,
        opt_outs.ended_at
    from int_opt_outs_rolled_up as opt_outs
    left join int_campaigns_united as campaigns
        on opt_outs.campaign_key = campaigns.campaign_key
    left join int_sends_resolved as sends
        on
            opt_outs.send_key = sends.send_key
            and opt_outs.campaign_key is null
    left join known_joinings
        on
            opt_outs.opt_out_key = known_joinings.opt_out_key
            and known_joinings.joining_rank = 1
)

select * from opt_outs
