-- A view: two models read it, and one of them only when somebody asks.
{{ config(materialized='view') }}

with

fct_list_validations as (
    select * from {{ ref('fct_list_validations') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

validation_precedence as (
    select * from {{ ref('validation_precedence') }}
),

-- A validator that never tells of a kind of address says nothing by leaving it blank.
told_verdicts as (
    select
        contact_key,
        validation_key,

        validation_status,
        risk,

        is_role,
        is_disposable,
        is_catch_all,
        is_spamtrap,
        is_abuse,
        bool_or(is_role is not null) over validator as tells_role,
        bool_or(is_disposable is not null) over validator as tells_disposable,
        bool_or(is_catch_all is not null) over validator as tells_catch_all,
        bool_or(is_spamtrap is not null) over validator as tells_spamtrap,

        verified_at
    from fct_list_validations
    window validator as (partition by provider)
),

ranked_verdicts as (
    select
        told_verdicts.contact_key,

        told_verdicts.validation_status,
        told_verdicts.risk,

        row_number() over (
            partition by told_verdicts.contact_key
            order by
                told_verdicts.verified_at desc nulls last,
                validation_precedence.rank asc nulls last,
                told_verdicts.validation_key asc
        ) as recency,

        told_verdicts.is_role,
        told_verdicts.is_disposable,
        told_verdicts.is_catch_all,
        told_verdicts.is_spamtrap,
        coalesce(told_verdicts.is_spamtrap, false)
        or coalesce(told_verdicts.is_abuse, false) as is_lasting,
        told_verdicts.tells_role,
        told_verdicts.tells_disposable,
        told_verdicts.tells_catch_all,
        told_verdicts.tells_spamtrap,

        told_verdicts.verified_at
    from told_verdicts
    left join validation_precedence
        on
            told_verdicts.validation_status = validation_precedence.validation_status
            and told_verdicts.risk = validation_precedence.risk
),

newest_verdicts as (
    select
        ranked_verdicts.contact_key,

        ranked_verdicts.validation_status,
        ranked_verdicts.risk,

        ranked_verdicts.is_role,
        ranked_verdicts.is_disposable,
        ranked_verdicts.is_catch_all,
        ranked_verdicts.is_spamtrap,
        ranked_verdicts.tells_role,
        ranked_verdicts.tells_disposable,
        ranked_verdicts.tells_catch_all,
        ranked_verdicts.tells_spamtrap,
        not ranked_verdicts.is_lasting
        and {{ seconds_between('ranked_verdicts.verified_at', 'dim_runs.now_at') }}
        > 86400 * case ranked_verdicts.validation_status
            when 'deliverable' then {{ var('stale_after_days_deliverable') }}
            when 'risky' then {{ var('stale_after_days_risky') }}
            when 'undeliverable' then {{ var('stale_after_days_undeliverable') }}
            else {{ var('stale_after_days_unknown') }}
        end as is_stale,

        ranked_verdicts.verified_at
    from ranked_verdicts
    cross join dim_runs
    where ranked_verdicts.recency = 1
)

select * from newest_verdicts
