with

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_dates as (
    select * from {{ ref('dim_dates') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

opt_out_rules as (
    select * from {{ ref('opt_out_rules') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

-- Whoever declares on whose lists its people stand is bound by what they said there.
bound_accounts as (
    select
        source,
        account,
        source as asked_source,
        account as asked_account
    from dim_sources
    union all
    select
        source,
        account,
        list_source as asked_source,
        list_account as asked_account
    from dim_sources
    where
        list_basis = 'declared'
        and (list_source <> source or list_account <> account)
),

known_lists as (
    select
        bound_accounts.source,
        bound_accounts.account,
        dim_lists.list
    from bound_accounts
    inner join dim_lists
        on
            bound_accounts.asked_source = dim_lists.source
            and bound_accounts.asked_account = dim_lists.account
    group by all
),

-- A line of a contact export that has a day and no time may be of that day's last hour.
-- The mail that opted out is only trusted to name its stream where it is no guess.
requests as (
    select
        fct_opt_outs.opt_out_key,
        bound_accounts.source,
        bound_accounts.account,
        fct_opt_outs.contact_key,

        fct_opt_outs.opt_out_scope,
        case
            when
                opt_out_scopes.reach = 'list'
                and coalesce(fct_opt_outs.opt_out_scope_id, fct_opt_outs.list) is null
                then 'account'
            else opt_out_scopes.reach
        end as reach,
        fct_opt_outs.opt_out_scope_id as scope_name,
        case when opt_out_scopes.reach = 'list' then fct_opt_outs.list end
            as list_name,
        case
            when fct_opt_outs.attribution <> 'inferred' then fct_opt_outs.stream_id
        end as stream_id,

        case
            when
                fct_opt_outs.recorded_from = 'contact_snapshot'
                and {{ is_bare_date(
                    'fct_opt_outs.opted_out_at', 'dim_sources.timezone'
                ) }}
                then fct_opt_outs.opted_out_at + interval '1 day'
            else fct_opt_outs.opted_out_at
        end as requested_at,
        fct_opt_outs.ended_at
    from fct_opt_outs
    inner join bound_accounts
        on
            fct_opt_outs.source = bound_accounts.asked_source
            and fct_opt_outs.account = bound_accounts.asked_account
    inner join dim_sources
        on
            fct_opt_outs.source = dim_sources.source
            and fct_opt_outs.account = dim_sources.account
    inner join opt_out_scopes
        on fct_opt_outs.opt_out_scope = opt_out_scopes.scope
    where fct_opt_outs.is_by_recipient
),

requested_mails as (
    select
        fct_sends.send_key,
        requests.opt_out_key,
        fct_sends.source,
        fct_sends.account,
        fct_sends.campaign_key,
        fct_sends.campaign_id,
        fct_sends.variant,
        fct_sends.stream_id,
        fct_sends.contact_key,

        requests.opt_out_scope,
        requests.reach,
        requests.scope_name,
        requests.list_name,
        requests.stream_id as named_stream_id,

        requests.requested_at,
        requests.ended_at,
        coalesce(fct_sends.sent_at, fct_sends.delivered_at, fct_sends.first_seen_at)
            as left_at,
        coalesce(fct_sends.delivered_at, fct_sends.sent_at, fct_sends.first_seen_at)
            as delivered_at,
        fct_sends.delivered_again_at
    from requests
    inner join fct_sends
        on
            requests.source = fct_sends.source
            and requests.account = fct_sends.account
            and requests.contact_key = fct_sends.contact_key
    where
        fct_sends.is_delivered
        and requests.requested_at < coalesce(
            fct_sends.delivered_again_at,
            fct_sends.delivered_at,
            fct_sends.sent_at,
            fct_sends.first_seen_at
        )
),

-- Mail that was under way when its recipient opted out is nobody's breach.
later_deliveries as (
    select
        send_key,
        opt_out_key,
        source,
        account,
        campaign_key,
        campaign_id,
        variant,
        stream_id,
        contact_key,
        opt_out_scope,
        reach,
        scope_name,
        list_name,
        named_stream_id,
        requested_at,
        ended_at,
        delivered_at
    from requested_mails
    where left_at > requested_at
    union all
    select
        send_key,
        opt_out_key,
        source,
        account,
        campaign_key,
        campaign_id,
        variant,
        stream_id,
        contact_key,
        opt_out_scope,
        reach,
        scope_name,
        list_name,
        named_stream_id,
        requested_at,
        ended_at,
        delivered_again_at as delivered_at
    from requested_mails
    where delivered_again_at > requested_at
),

described_deliveries as (
    select
        deliveries.send_key,
        deliveries.opt_out_key,
        deliveries.source,
        deliveries.account,
        deliveries.campaign_key,
        deliveries.campaign_id,
        deliveries.variant,
        deliveries.stream_id,
        deliveries.contact_key,

        deliveries.opt_out_scope,
        deliveries.reach,
        deliveries.scope_name,
        deliveries.list_name,
        deliveries.named_stream_id,
        dim_campaigns.audience,
        dim_streams.stream_name,

        coalesce(
            known_lists.list not in (
                coalesce(deliveries.scope_name, ''), coalesce(deliveries.list_name, '')
            ),
            false
        ) as is_of_other_list,

        deliveries.requested_at,
        deliveries.delivered_at
    from later_deliveries as deliveries
    left join dim_campaigns
        on deliveries.campaign_key = dim_campaigns.campaign_key
    left join dim_streams
        on deliveries.stream_id = dim_streams.stream_id
    left join known_lists
        on
            deliveries.source = known_lists.source
            and deliveries.account = known_lists.account
            and dim_campaigns.audience = known_lists.list
    left join send_types
        on
            coalesce(dim_campaigns.send_type, dim_streams.send_type)
            = send_types.send_type
    where
        coalesce(send_types.is_marketing, true)
        and (
            deliveries.ended_at is null
            or deliveries.ended_at > deliveries.delivered_at
        )
),

-- An opt-out of one list or stream says nothing of the others.
unwanted_deliveries as (
    select
        send_key,
        opt_out_key,
        source,
        account,
        campaign_id,
        variant,
        stream_id,
        contact_key,

        opt_out_scope,

        {{ seconds_between('requested_at', 'delivered_at') }} as seconds_after_opt_out,

        requested_at,
        delivered_at
    from described_deliveries
    where
        reach = 'account'
        or (
            audience = scope_name
            or audience = list_name
            or (not is_of_other_list or reach <> 'list')
            and (
                stream_name = scope_name
                or stream_name = list_name
                or stream_id = scope_name
                or reach in ('list', 'stream') and stream_id = named_stream_id
            )
        )
),

broken_rules as (
    select
        deliveries.send_key,
        deliveries.opt_out_key,
        deliveries.source,
        deliveries.account,
        deliveries.campaign_id,
        deliveries.variant,
        deliveries.stream_id,
        deliveries.contact_key,

        deliveries.opt_out_scope,
        opt_out_rules.rule_broken,
        opt_out_rules.basis,

        delivered_dates.business_day_number - requested_dates.business_day_number
            as business_days_after_opt_out,
        row_number() over (
            partition by deliveries.source, deliveries.account, deliveries.send_key
            order by
                opt_out_rules.rank desc,
                deliveries.seconds_after_opt_out desc,
                deliveries.opt_out_key asc
        ) as weight_rank,

        deliveries.seconds_after_opt_out / 3600e0 as hours_after_opt_out,

        deliveries.delivered_at
    from unwanted_deliveries as deliveries
    left join dim_dates as requested_dates
        on cast(deliveries.requested_at as date) = requested_dates.date_day
    left join dim_dates as delivered_dates
        on cast(deliveries.delivered_at as date) = delivered_dates.date_day
    inner join opt_out_rules
        on
            deliveries.seconds_after_opt_out > 3600 * opt_out_rules.limit_hours
            or delivered_dates.business_day_number
            - requested_dates.business_day_number > opt_out_rules.limit_business_days
),

-- One mail breaks one rule of one opt-out: the strongest, for the longest.
opt_out_breaches as (
    select
        send_key,
        opt_out_key,
        source,
        account,
        campaign_id,
        variant,
        stream_id,
        contact_key,

        opt_out_scope,
        rule_broken,
        basis,

        business_days_after_opt_out,

        hours_after_opt_out,

        delivered_at
    from broken_rules
    where weight_rank = 1
)

select * from opt_out_breaches
