with

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

int_list_spells_joined_in_bursts as (
    select * from {{ ref('int_list_spells_joined_in_bursts') }}
),

stg_acquisitions as (
    select * from {{ ref('stg_acquisitions') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

list_spells as (
    select
        spells.spell_key,
        spells.source,
        spells.account,
        spells.list,
        spells.contact_key,

        spells.signup_source,
        coalesce(
            nullif(spells.opt_in_method, 'unknown'),
            stg_acquisitions.opt_in_method,
            case when bursts.spell_key is not null then 'import' end,
            stg_accounts.opt_in,
            spells.opt_in_method
        ) as opt_in_method,
        case
            when spells.opt_in_method <> 'unknown' then 'export'
            when stg_acquisitions.opt_in_method is not null then 'signup_source'
            when bursts.spell_key is not null then 'burst'
            when stg_accounts.opt_in is not null then 'account'
        end as opt_in_method_basis,
        spells.exit_cause,
        spells.recorded_from,
        spells.exit_recorded_from,

        spells.spell_number,

        spells.is_censored,
        spells.is_reconstructed,
        spells.is_entry_known,
        case
            when spells.is_entry_known then bursts.spell_key is not null
        end as is_joined_in_burst,

        spells.entered_at,
        spells.left_at,
        spells.first_seen_at,
        spells.last_seen_at
    from int_list_spells_built as spells
    left join int_list_spells_joined_in_bursts as bursts
        on spells.spell_key = bursts.spell_key
    left join stg_acquisitions
        on
            spells.source = stg_acquisitions.source
            and spells.account = stg_acquisitions.account
            and lower(trim(spells.signup_source)) = stg_acquisitions.signup_source
    left join stg_accounts
        on
            spells.source = stg_accounts.source
            and spells.account = stg_accounts.account
)

select * from list_spells
