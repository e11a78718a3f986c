with

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
),

stg_accounts as (
    select * from {{ ref('stg_accounts') }}
),

-- A date without an hour puts everybody of a day into one moment: it is compared with
-- usual days, a moment with usual hours.
dated_joinings as (
    select
        spells.spell_key,
        spells.source,
        spells.account,
        spells.list,

        coalesce(
            {{ is_bare_date(
                'spells.entered_at', "coalesce(stg_accounts.timezone, 'UTC')"
            ) }},
            false
        ) as is_bare_date,

        spells.entered_at
    from int_list_spells_built as spells
    left join stg_accounts
        on
            spells.source = stg_accounts.source
            and spells.account = stg_accounts.account
    where spells.is_entry_known
),

counted_joinings as (
    select
        spell_key,
        source,
        account,
        list,

        count(*) over (
            partition by source, account, list, is_bare_date
            order by entered_at
            range between current row and interval '1 hour' following
        ) as hour_count,
        count(*) over (partition by source, account, list, is_bare_date) as list_count,
        {{ seconds_between(
            'min(entered_at) over (partition by source, account, list, is_bare_date)',
            'max(entered_at) over (partition by source, account, list, is_bare_date)'
        ) }} / 86400e0 as day_count,

        is_bare_date,

        entered_at
    from dated_joinings
),

-- The hour itself is no part of what is usual. A young list has had few hours, so that
-- its own import would be usual: it is given a month.
judged_joinings as (
    select
        spell_key,
        source,
        account,
        list,

        hour_count,
        1e0
        * (list_count - hour_count)
        / case
            when day_count > {{ var('import_burst_usual_days') }}
                then day_count
            else {{ var('import_burst_usual_days') }}e0
        end
        / case when is_bare_date then 1e0 else 24e0 end as usual_count,

        is_bare_date,

        entered_at
    from counted_joinings
),

-- Everybody of the hour that begins with one of these joined in the burst.
spells_with_bursts as (
    select
        spell_key,
        source,
        account,
        list,

        bool_or(
            hour_count >= {{ var('import_burst_count') }}
            and hour_count >= {{ var('import_burst_factor') }} * usual_count
        ) over (
            partition by source, account, list, is_bare_date
            order by entered_at
            range between interval '1 hour' preceding and current row
        ) as is_in_burst,

        entered_at
    from judged_joinings
),

bursts as (
    select
        spell_key,
        source,
        account,
        list,
        entered_at
    from spells_with_bursts
    where is_in_burst
)

select * from bursts
