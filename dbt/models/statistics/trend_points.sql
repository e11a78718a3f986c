with

shape_points as (
    select * from {{ ref('shape_points') }}
),

trend_points as (
    select
        source,
        account,
        stream_id,
        measure,

        point_number,
        {{ rate_pct('event_count', 'trial_count') }} as value
    from shape_points
)

select * from trend_points
