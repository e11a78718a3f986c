with

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

stg_loads as (
    select * from {{ ref('stg_loads') }}
),

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

int_list_homes as (
    select * from {{ ref('int_list_homes') }}
),

source_kinds as (
    select
        source,

        min(source_kind) as source_kind
    from stg_source_exports
    group by all
),

account_loads as (
    select
        source,
        account,

        min(load) as first_load,
        max(load) as last_load,

        count(*) as load_count,

        max(landed_at) as last_landed_at
    from stg_loads
    group by all
),

sources as (
    select
        {{ hash_key(['stg_accounts.source', 'stg_accounts.account']) }} as source_key,
        stg_accounts.source,
        stg_accounts.account,

        source_kinds.source_kind,
        stg_accounts.timezone,
        stg_accounts.industry,
        stg_accounts.opt_in,
        int_list_homes.list_source,
        int_list_homes.list_account,
        int_list_homes.list_basis,
        account_loads.first_load,
        account_loads.last_load,

        coalesce(account_loads.load_count, 0) as load_count,
        cast(stg_accounts.settle_days as bigint) as settle_days,
        stg_accounts.promised_per_week,

        stg_accounts.is_timezone_declared,
        stg_accounts.is_group_headline,
        stg_accounts.has_streams_by_audience,

        account_loads.last_landed_at
    from stg_accounts
    inner join int_list_homes
        on
            stg_accounts.source = int_list_homes.source
            and stg_accounts.account = int_list_homes.account
    left join account_loads
        on
            stg_accounts.source = account_loads.source
            and stg_accounts.account = account_loads.account
    left join source_kinds
        on stg_accounts.source = source_kinds.source
)

select * from sources
