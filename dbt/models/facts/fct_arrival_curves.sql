with

int_arrival_curves as (
    select * from {{ ref('int_arrival_curves') }}
),

arrival_curves as (
    select
        {{ hash_key(['source', 'account', 'lag_cell']) }} as arrival_cell_key,
        source,
        account,

        cast(lag_cell as bigint) as lag_cell,
        cast(lag_end_hours as bigint) as lag_end_hours,

        campaign_count,
        opt_out_count,
        arrived_count,

        hazard,
        arrived_share
    from int_arrival_curves
)

select * from arrival_curves
