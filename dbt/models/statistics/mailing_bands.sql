with

mailings as (
    select * from {{ ref('mailings') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

severity_bands as (
    select
        band,
        lower_pct,
        upper_pct,
        is_lower_inclusive,
        is_upper_inclusive
    from benchmark_bands
    where kind = 'severity'
),

rated_mailings as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        unsubscribe_count,
        delivered_count
    from mailings
    where
        is_sound
        and delivered_count > 0
        and unsubscribe_count between 0 and delivered_count
),

proven_edges as (
    select
        rated_mailings.mailing_key,
        severity_bands.band,
        severity_bands.lower_pct
    from rated_mailings
    inner join severity_bands
        on
            severity_bands.lower_pct > 0
            and {{ is_rate_above(
                'rated_mailings.unsubscribe_count',
                'rated_mailings.delivered_count',
                'severity_bands.lower_pct'
            ) }}
),

confirmed_mailings as (
    select
        mailing_key,

        arg_max(band, lower_pct) as confirmed_band
    from proven_edges
    group by all
),

mailing_bands as (
    select
        rated_mailings.mailing_key,
        rated_mailings.source,
        rated_mailings.account,
        rated_mailings.stream_id,

        severity_bands.band as observed_band,
        coalesce(confirmed_mailings.confirmed_band, 'not_proven') as confirmed_band
    from rated_mailings
    left join severity_bands
        on {{ is_in_band(
            'rated_mailings.unsubscribe_count',
            'rated_mailings.delivered_count',
            'severity_bands'
        ) }}
    left join confirmed_mailings
        on rated_mailings.mailing_key = confirmed_mailings.mailing_key
)

select * from mailing_bands
