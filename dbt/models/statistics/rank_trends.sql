with

trend_points as (
    select * from {{ ref('trend_points') }}
),

series as (
    select
        source,
        account,
        stream_id,
        measure,

        count(*) as campaigns_used
    from trend_points
    group by all
),

tie_sizes as (
    select
        stream_id,
        measure,
        value,

        count(*) as tied_count
    from trend_points
    group by all
),

ties as (
    select
        stream_id,
        measure,

        sum(tied_count * (tied_count - 1) * (2 * tied_count + 5)) as tie_correction
    from tie_sizes
    group by all
),

pairs as (
    select
        earlier_points.stream_id,
        earlier_points.measure,

        sign(later_points.value - earlier_points.value) as direction,
        (later_points.value - earlier_points.value)
        / (later_points.point_number - earlier_points.point_number) as slope
    from trend_points as earlier_points
    inner join trend_points as later_points
        on
            earlier_points.stream_id = later_points.stream_id
            and earlier_points.measure = later_points.measure
            and earlier_points.point_number < later_points.point_number
),

pair_sums as (
    select
        stream_id,
        measure,

        sum(direction) as direction_sum,
        median(slope) as theil_sen_slope
    from pairs
    group by all
),

rank_trends as (
    select
        series.source,
        series.account,
        series.stream_id,
        series.measure,

        series.campaigns_used,
        case
            when
                series.campaigns_used
                * (series.campaigns_used - 1)
                * (2 * series.campaigns_used + 5)
                > ties.tie_correction
                then
                    (pair_sums.direction_sum - sign(pair_sums.direction_sum))
                    / sqrt((
                        series.campaigns_used
                        * (series.campaigns_used - 1)
                        * (2 * series.campaigns_used + 5)
                        - ties.tie_correction
                    ) / 18e0)
        end as mann_kendall_z,
        pair_sums.theil_sen_slope
    from series
    inner join ties
        on
            series.stream_id = ties.stream_id
            and series.measure = ties.measure
    left join pair_sums
        on
            series.stream_id = pair_sums.stream_id
            and series.measure = pair_sums.measure
)

select * from rank_trends
