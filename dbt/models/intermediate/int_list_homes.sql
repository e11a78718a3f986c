with

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

-- A download of suppressed addresses has a name and nobody on it. A log of those who
-- came back names a list, and hardly anybody on it.
accounts_with_lists as (
    select
        source,
        account,

        count(*) over () as account_count
    from int_list_spells_built
    where entered_at is not null and not is_only_return
    group by source, account
),

-- One company, several systems: where only one of them keeps lists, all people of the
-- others stand on these.
list_homes as (
    select
        stg_accounts.source,
        stg_accounts.account,

        coalesce(
            stg_accounts.lists_in_source, own_lists.source, only_lists.source
        ) as list_source,
        coalesce(
            stg_accounts.lists_in_account, own_lists.account, only_lists.account
        ) as list_account,
        case
            when stg_accounts.lists_in_source is not null then 'declared'
            when own_lists.source is not null then 'own'
            when only_lists.source is not null then 'only'
        end as list_basis
    from stg_accounts
    left join accounts_with_lists as own_lists
        on
            stg_accounts.source = own_lists.source
            and stg_accounts.account = own_lists.account
    left join accounts_with_lists as only_lists
        on only_lists.account_count = 1
)

select * from list_homes
