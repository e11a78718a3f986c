with

mailings as (
    select * from {{ ref('mailings') }}
),

rated_mailings as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        mailing_number,

        unsubscribe_count,
        delivered_count,

        coalesce(maturity, 'provisional') = 'final' as is_final
    from mailings
    where
        is_sound
        and delivered_count > 0
        and unsubscribe_count between 0 and delivered_count
),

stream_rates as (
    select
        stream_id,

        cast(sum(unsubscribe_count) as double) / sum(delivered_count) as centre_rate
    from rated_mailings
    where is_final
    group by all
    -- Without any opt-out, or with nothing else, a chart has no width.
    having
        sum(unsubscribe_count) > 0
        and sum(unsubscribe_count) < sum(delivered_count)
),

-- A provisional mailing gets limits: its count may still cross them, but it moves none.
charted_mailings as (
    select
        rated_mailings.mailing_key,
        rated_mailings.source,
        rated_mailings.account,
        rated_mailings.stream_id,
        rated_mailings.mailing_number,

        stream_rates.centre_rate,
        sqrt(
            stream_rates.centre_rate
            * (1e0 - stream_rates.centre_rate)
            / rated_mailings.delivered_count
        ) as binomial_deviation,
        case
            when rated_mailings.is_final
                then
                    cast(rated_mailings.unsubscribe_count as double)
                    / rated_mailings.delivered_count
        end as final_rate
    from rated_mailings
    inner join stream_rates
        on rated_mailings.stream_id = stream_rates.stream_id
),

standardised_mailings as (
    select
        mailing_key,
        source,
        account,
        stream_id,
        mailing_number,
        centre_rate,
        binomial_deviation,

        (final_rate - centre_rate) / binomial_deviation as p_chart_z
    from charted_mailings
),

-- Over the final ones: a provisional mailing between two of them breaks no range.
moving_ranges as (
    select
        stream_id,

        abs(
            p_chart_z
            - lag(p_chart_z) over (partition by stream_id order by mailing_number)
        ) as moving_range
    from standardised_mailings
    where p_chart_z is not null
),

stream_deviations as (
    select
        stream_id,

        avg(moving_range) / {{ mean_moving_range() }} as sigma_z
    from moving_ranges
    group by all
),

limited_mailings as (
    select
        standardised_mailings.mailing_key,
        standardised_mailings.source,
        standardised_mailings.account,
        standardised_mailings.stream_id,

        standardised_mailings.centre_rate,
        {{ var('control_limit_sigmas') }}e0
        * standardised_mailings.binomial_deviation as half_width,
        standardised_mailings.p_chart_z,
        nullif(stream_deviations.sigma_z, 0e0) as sigma_z
    from standardised_mailings
    left join stream_deviations
        on standardised_mailings.stream_id = stream_deviations.stream_id
),

control_limits as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        centre_rate,
        greatest(0e0, centre_rate - half_width) as p_chart_low,
        least(1e0, centre_rate + half_width) as p_chart_high,
        p_chart_z,
        sigma_z,
        -- Engines differ in what the greater of NULL and 0 is.
        case
            when sigma_z is not null
                then greatest(0e0, centre_rate - half_width * sigma_z)
        end as laney_low,
        case
            when sigma_z is not null
                then least(1e0, centre_rate + half_width * sigma_z)
        end as laney_high,
        p_chart_z / sigma_z as laney_z
    from limited_mailings
)

select * from control_limits
