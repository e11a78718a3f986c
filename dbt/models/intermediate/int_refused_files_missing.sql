with

int_loads_dated as (
    select * from {{ ref('int_loads_dated') }}
),

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

refusal_reasons as (
    select * from {{ ref('refusal_reasons') }}
),

-- What a file that could not even be opened would have told is unknown.
described_loads as (
    select
        loads.load,
        loads.source,
        loads.account,

        loads.exports,
        loads.state,
        loads.file_name,
        stg_source_exports.landing_table,

        refusal_reasons.is_loss,

        loads.exported_at
    from int_loads_dated as loads
    left join stg_source_exports
        on
            loads.source = stg_source_exports.source
            and loads.exports = stg_source_exports.export
    left join refusal_reasons
        on loads.refusal_reason = refusal_reasons.reason
),

taken_files as (
    select
        source,
        account,
        exports,
        file_name,
        landing_table,
        exported_at
    from described_loads
    where state in ('loaded', 'duplicate')
),

-- The mended file came under the same name, or as the same export of the same day.
replaced_files as (
    select refused.load
    from described_loads as refused
    inner join taken_files
        on
            refused.source = taken_files.source
            and refused.account = taken_files.account
            and (
                refused.file_name = taken_files.file_name
                or (
                    refused.exports = taken_files.exports
                    and cast(refused.exported_at as date)
                    = cast(taken_files.exported_at as date)
                )
            )
    where refused.is_loss
    group by all
),

-- Events are told once, so a file of them covers the time since the file before it.
missing_files as (
    select
        refused.load,
        refused.source,
        refused.account,

        refused.file_name,
        coalesce(refused.landing_table, 'message_events') = 'message_events'
            as may_hold_events,

        max(taken_files.exported_at) as missing_from_at,
        refused.exported_at as missing_until_at
    from described_loads as refused
    left join replaced_files
        on refused.load = replaced_files.load
    left join taken_files
        on
            refused.source = taken_files.source
            and refused.account = taken_files.account
            and taken_files.landing_table = 'message_events'
            and refused.exported_at > taken_files.exported_at
    where
        refused.state = 'refused'
        and refused.is_loss
        and replaced_files.load is null
    group by all
)

select * from missing_files
