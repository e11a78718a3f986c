with

int_opt_out_records_collected as (
    select * from {{ ref('int_opt_out_records_collected') }}
),

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

-- What somebody writes by hand may hold one sender's events in one account and its
-- contacts in another; a vendor's accounts are senders of their own.
documented_sources as (
    select source
    from stg_source_exports
    where source_kind = 'any'
    group by all
),

-- Leaving a topic is not leaving the list: only equal scopes, or two that both end the
-- mail as a whole, can be one opt-out told twice.
scoped_records as (
    select
        records.record_key,
        records.source,
        records.account,
        records.contact_key,
        records.opt_out_scope,

        records.recorded_from,

        coalesce(opt_out_scopes.is_headline = 'true', false) as is_whole_scope,
        documented_sources.source is not null as is_documented,

        records.occurred_at,
        records.restates_from_at,
        records.restates_until_at
    from int_opt_out_records_collected as records
    left join opt_out_scopes
        on records.opt_out_scope = opt_out_scopes.scope
    left join documented_sources
        on records.source = documented_sources.source
),

restatements as (
    select
        snapshots.record_key,
        events.record_key as restated_record_key,

        row_number() over (
            partition by snapshots.record_key
            order by
                case
                    when
                        snapshots.source = events.source
                        and snapshots.account = events.account
                        then 1
                    else 2
                end,
                abs({{ seconds_between(
                    'events.occurred_at', 'snapshots.occurred_at'
                ) }}),
                events.record_key
        ) as distance_rank
    from scoped_records as snapshots
    inner join scoped_records as events
        on
            snapshots.contact_key = events.contact_key
            and (
                snapshots.source <> events.source
                or snapshots.account = events.account
                or snapshots.is_documented
            )
            and (
                snapshots.opt_out_scope = events.opt_out_scope
                or snapshots.is_whole_scope and events.is_whole_scope
            )
            and events.occurred_at
            <= snapshots.restates_until_at
            + interval '{{ var("restatement_window_hours") }} hours'
            and (
                snapshots.restates_from_at is null
                or events.occurred_at
                >= snapshots.restates_from_at
                - interval '{{ var("restatement_window_hours") }} hours'
            )
    where
        snapshots.recorded_from = 'contact_snapshot'
        and events.recorded_from = 'event'
),

nearest_restatements as (
    select
        record_key,
        restated_record_key
    from restatements
    where distance_rank = 1
)

select * from nearest_restatements
