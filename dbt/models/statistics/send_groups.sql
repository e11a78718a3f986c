with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

fct_list_validations as (
    select * from {{ ref('fct_list_validations') }}
),

first_joinings as (
    select
        source,
        account,
        contact_key,

        min(entered_at) as entered_at
    from fct_list_spells
    where is_entry_known
    group by all
),

ranked_verdicts as (
    select
        contact_key,

        row_number() over (
            partition by contact_key
            order by verified_at desc nulls last, validation_key asc
        ) as recency,

        validation_status = 'undeliverable'
        or coalesce(is_role, false)
        or coalesce(is_spamtrap, false) as is_bad_address
    from fct_list_validations
),

newest_verdicts as (
    select
        contact_key,
        is_bad_address
    from ranked_verdicts
    where recency = 1
),

delivered_sends as (
    select
        fct_sends.campaign_key,
        fct_sends.mailbox_provider,

        {{ seconds_between(
            'first_joinings.entered_at',
            'coalesce(fct_sends.delivered_at, fct_sends.sent_at)'
        ) }} < 86400 * {{ var('newcomer_days') }} as is_newcomer,
        newest_verdicts.is_bad_address,
        fct_sends.is_opted_out,
        fct_sends.is_opened,
        fct_sends.is_human_opened
    from fct_sends
    left join dim_sources
        on
            fct_sends.source = dim_sources.source
            and fct_sends.account = dim_sources.account
    left join first_joinings
        on
            dim_sources.list_source = first_joinings.source
            and dim_sources.list_account = first_joinings.account
            and fct_sends.contact_key = first_joinings.contact_key
    left join newest_verdicts
        on fct_sends.contact_key = newest_verdicts.contact_key
    where fct_sends.is_delivered and fct_sends.campaign_key is not null
),

-- Everything that needs single messages is counted here, in one pass over them.
send_groups as (
    select
        campaign_key,
        mailbox_provider,

        is_newcomer,
        is_bad_address,

        count(*) as delivered_count,
        count(case when is_opted_out then 1 end) as opt_out_count,
        count(case when is_opened then 1 end) as open_count,
        case
            when count(*) = count(is_human_opened)
                then count(case when is_human_opened then 1 end)
        end as human_open_count
    from delivered_sends
    group by all
)

select * from send_groups
