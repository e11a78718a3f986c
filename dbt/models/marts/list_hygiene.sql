with

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

newest_verdicts as (
    select * from {{ ref('newest_verdicts') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

members as (
    select
        fct_list_spells.source,
        fct_list_spells.account,
        fct_list_spells.list,
        fct_list_spells.contact_key
    from fct_list_spells
    inner join dim_lists
        on
            fct_list_spells.source = dim_lists.source
            and fct_list_spells.account = dim_lists.account
            and fct_list_spells.list = dim_lists.list
    where dim_lists.has_members and fct_list_spells.left_at is null
    group by all
),

judged_members as (
    select
        members.source,
        members.account,
        members.list,
        coalesce(verdicts.validation_status, 'not_verified') as validation_status,
        coalesce(verdicts.risk, 'unknown') as risk,

        count(*) over (
            partition by
                members.source,
                members.account,
                members.list,
                verdicts.validation_status,
                verdicts.risk
        ) as cell_contact_count,
        count(*) over (
            partition by members.source, members.account, members.list
        ) as list_contact_count,

        verdicts.is_role,
        verdicts.is_disposable,
        verdicts.is_catch_all,
        verdicts.is_spamtrap,
        coalesce(verdicts.tells_role, false) as tells_role,
        coalesce(verdicts.tells_disposable, false) as tells_disposable,
        coalesce(verdicts.tells_catch_all, false) as tells_catch_all,
        coalesce(verdicts.tells_spamtrap, false) as tells_spamtrap,
        verdicts.is_stale,

        verdicts.verified_at
    from members
    left join newest_verdicts as verdicts
        on members.contact_key = verdicts.contact_key
),

-- That nobody looked says nothing of a person, so it is never pooled.
pooled_members as (
    select
        source,
        account,
        list,
        case
            when
                cell_contact_count < {{ var('small_cell_count') }}
                and validation_status <> 'not_verified'
                then 'suppressed'
            else validation_status
        end as validation_status,
        case
            when
                cell_contact_count < {{ var('small_cell_count') }}
                and validation_status <> 'not_verified'
                then 'suppressed'
            else risk
        end as risk,

        list_contact_count,

        is_role,
        is_disposable,
        is_catch_all,
        is_spamtrap,
        tells_role,
        tells_disposable,
        tells_catch_all,
        tells_spamtrap,
        is_stale,

        verified_at
    from judged_members
),

counted_members as (
    select
        source,
        account,
        list,
        validation_status,
        risk,
        list_contact_count,

        count(*) as contact_count,
        count(*) filter (where is_stale) as stale_count,
        case
            when bool_or(tells_role) then count(*) filter (where is_role)
        end as role_count,
        case
            when bool_or(tells_disposable) then count(*) filter (where is_disposable)
        end as disposable_count,
        case
            when bool_or(tells_catch_all) then count(*) filter (where is_catch_all)
        end as catch_all_count,
        case
            when bool_or(tells_spamtrap) then count(*) filter (where is_spamtrap)
        end as spamtrap_count,

        min(verified_at) as oldest_verified_at,
        max(verified_at) as newest_verified_at
    from pooled_members
    group by all
),

list_hygiene as (
    select
        source,
        account,
        list,
        validation_status,
        risk,
        (select dim_runs.build_id from dim_runs) as build_id,

        contact_count,
        list_contact_count,
        stale_count,
        role_count,
        disposable_count,
        catch_all_count,
        spamtrap_count,

        {{ rate_pct('contact_count', 'list_contact_count') }} as share_pct,

        oldest_verified_at,
        newest_verified_at
    from counted_members
)

select * from list_hygiene
