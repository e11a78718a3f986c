with

mailings as (
    select * from {{ ref('mailings') }}
),

stream_shapes as (
    select * from {{ ref('stream_shapes') }}
),

rank_trends as (
    select * from {{ ref('rank_trends') }}
),

measure_levels as (
    select * from {{ ref('measure_levels') }}
),

persistent_bands as (
    select * from {{ ref('persistent_bands') }}
),

stream_autocorrelations as (
    select * from {{ ref('stream_autocorrelations') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

streams as (
    select
        source,
        account,
        stream_id,

        count(*) as mailing_count,

        max(sent_at) as last_sent_at
    from mailings
    group by all
),

mailings_with_opens as (
    select
        stream_id,

        open_basis,

        mailing_number,
        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as newest_number
    from mailings
    where maturity = 'final' and open_basis in ('human', 'all')
),

-- As far back as the levels look.
open_bases as (
    select
        stream_id,

        arg_max(open_basis, mailing_number) as open_basis,

        min(open_basis) <> max(open_basis) as is_basis_mixed
    from mailings_with_opens
    where
        newest_number
        <= {{ var('baseline_campaign_limit') }} + {{ var('level_recent_campaigns') }}
    group by all
),

-- Opens of the basis that the stream has now: the other one's level is of the past.
comparable_levels as (
    select
        measure_levels.stream_id,

        case
            when measure_levels.measure in ('human_open', 'any_open') then 'open'
            else measure_levels.measure
        end as measure,
        measure_levels.direction,

        measure_levels.ratio,
        measure_levels.ratio_low,
        measure_levels.ratio_high
    from measure_levels
    left join open_bases
        on measure_levels.stream_id = open_bases.stream_id
    where
        measure_levels.measure not in ('human_open', 'any_open')
        or measure_levels.measure = case open_bases.open_basis
            when 'human' then 'human_open'
            else 'any_open'
        end
),

levels as (
    select
        stream_id,

        max(case when measure = 'unsubscribe' then direction end)
            as unsubscribe_direction,
        max(case when measure = 'unsubscribe' then ratio end) as unsubscribe_ratio,
        max(case when measure = 'unsubscribe' then ratio_low end)
            as unsubscribe_ratio_low,
        max(case when measure = 'unsubscribe' then ratio_high end)
            as unsubscribe_ratio_high,
        max(case when measure = 'open' then direction end) as open_direction,
        max(case when measure = 'open' then ratio end) as open_ratio,
        max(case when measure = 'open' then ratio_low end) as open_ratio_low,
        max(case when measure = 'open' then ratio_high end) as open_ratio_high,
        max(case when measure = 'click' then direction end) as click_direction,
        max(case when measure = 'click' then ratio end) as click_ratio,
        max(case when measure = 'click' then ratio_low end) as click_ratio_low,
        max(case when measure = 'click' then ratio_high end) as click_ratio_high,
        max(case when measure = 'complaint' then direction end) as complaint_direction,
        max(case when measure = 'complaint' then ratio end) as complaint_ratio,
        max(case when measure = 'complaint' then ratio_low end) as complaint_ratio_low,
        max(case when measure = 'complaint' then ratio_high end)
            as complaint_ratio_high,
        max(case when measure = 'hard_bounce' then direction end)
            as hard_bounce_direction,
        max(case when measure = 'hard_bounce' then ratio end) as hard_bounce_ratio,
        max(case when measure = 'hard_bounce' then ratio_low end)
            as hard_bounce_ratio_low,
        max(case when measure = 'hard_bounce' then ratio_high end)
            as hard_bounce_ratio_high
    from comparable_levels
    group by all
),

stream_trends as (
    select
        streams.stream_id,
        streams.source,
        streams.account,
        (select dim_runs.build_id from dim_runs) as build_id,

        dim_streams.stream_name,
        dim_streams.send_type,
        coalesce(stream_shapes.shape, 'insufficient_data') as shape,
        stream_shapes.best_shape,
        persistent_bands.persistent_band,
        coalesce(open_bases.open_basis, 'unknown') as open_basis,
        coalesce(levels.unsubscribe_direction, 'unknown') as unsubscribe_direction,
        coalesce(levels.open_direction, 'unknown') as open_direction,
        coalesce(levels.click_direction, 'unknown') as click_direction,
        coalesce(levels.complaint_direction, 'unknown') as complaint_direction,
        coalesce(levels.hard_bounce_direction, 'unknown') as hard_bounce_direction,

        streams.mailing_count,
        coalesce(stream_shapes.campaigns_used, 0) as campaigns_used,

        stream_shapes.effect_pct,
        rank_trends.mann_kendall_z,
        rank_trends.theil_sen_slope,
        stream_autocorrelations.autocorrelation,
        levels.unsubscribe_ratio,
        levels.unsubscribe_ratio_low,
        levels.unsubscribe_ratio_high,
        levels.open_ratio,
        levels.open_ratio_low,
        levels.open_ratio_high,
        levels.click_ratio,
        levels.click_ratio_low,
        levels.click_ratio_high,
        levels.complaint_ratio,
        levels.complaint_ratio_low,
        levels.complaint_ratio_high,
        levels.hard_bounce_ratio,
        levels.hard_bounce_ratio_low,
        levels.hard_bounce_ratio_high,

        coalesce(open_bases.is_basis_mixed, false) as is_basis_mixed,

        stream_shapes.shape_started_at,
        streams.last_sent_at
    from streams
    left join dim_streams
        on streams.stream_id = dim_streams.stream_id
    left join open_bases
        on streams.stream_id = open_bases.stream_id
    left join stream_shapes
        on
            streams.stream_id = stream_shapes.stream_id
            and stream_shapes.measure = 'unsubscribe'
    left join rank_trends
        on
            streams.stream_id = rank_trends.stream_id
            and rank_trends.measure = 'unsubscribe'
    left join persistent_bands
        on streams.stream_id = persistent_bands.stream_id
    left join stream_autocorrelations
        on streams.stream_id = stream_autocorrelations.stream_id
    left join levels
        on streams.stream_id = levels.stream_id
)

select * from stream_trends
