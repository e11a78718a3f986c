with

int_opt_out_records_grouped_into_episodes as (
    select * from {{ ref('int_opt_out_records_grouped_into_episodes') }}
),

int_opt_out_records_attributed as (
    select * from {{ ref('int_opt_out_records_attributed') }}
),

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

stg_rejected_records as (
    select * from {{ ref('stg_rejected_records') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

recognised_records as (
    select
        records.record_key,
        episodes.opt_out_key,
        records.source,
        records.account,

        case
            when episodes.opening_rank = 1 and not opt_outs.is_by_recipient
                then 'not_by_recipient'
            when episodes.opening_rank = 1 and opt_outs.is_attributed
                then 'attributed'
            when episodes.opening_rank = 1 then 'unattributed'
            when
                not episodes.is_restatement
                and not records.is_by_recipient
                and records.occurred_at < opt_outs.opted_out_at
                then 'not_by_recipient'
            else 'repeat'
        end as record_class,
        records.recorded_from,
        records.first_load,

        records.occurred_at as recorded_at
    from int_opt_out_records_grouped_into_episodes as episodes
    inner join int_opt_out_records_attributed as records
        on episodes.record_key = records.record_key
    inner join int_opt_outs_rolled_up as opt_outs
        on episodes.opt_out_key = opt_outs.opt_out_key
),

-- Nobody is known behind a rejected record, so the same one in two files counts twice.
rejected_records as (
    select
        {{ hash_key([
            "'rejected_record'",
            'stg_rejected_records.load',
            'stg_rejected_records.record_number',
            'stg_rejected_records.item_number',
        ]) }} as record_key,
        cast(null as string) as opt_out_key,
        stg_rejected_records.source,
        stg_rejected_records.account,

        'rejected' as record_class,
        'rejected_record' as recorded_from,
        stg_rejected_records.load as first_load,

        cast(null as timestamp) as recorded_at
    from stg_rejected_records
    inner join event_types
        on stg_rejected_records.event_type = event_types.event_type
    where event_types.is_opt_out
    group by all
),

opt_out_records as (
    select
        record_key,
        opt_out_key,
        source,
        account,
        record_class,
        recorded_from,
        first_load,
        recorded_at
    from recognised_records
    union all
    select
        record_key,
        opt_out_key,
        source,
        account,
        record_class,
        recorded_from,
        first_load,
        recorded_at
    from rejected_records
)

select * from opt_out_records
