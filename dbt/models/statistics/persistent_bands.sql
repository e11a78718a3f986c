with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_bands as (
    select * from {{ ref('mailing_bands') }}
),

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

severity_bands as (
    select
        band,
        lower_pct
    from benchmark_bands
    where kind = 'severity'
),

grave_bands as (
    select
        severity_bands.band,
        severity_bands.lower_pct
    from severity_bands
    inner join severity_bands as least_bands
        on
            least_bands.band = '{{ var("persistent_from_band") }}'
            and severity_bands.lower_pct >= least_bands.lower_pct
),

mature_mailings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,

        confirmed_bands.lower_pct as confirmed_lower_pct,

        mailings.unsubscribe_count,
        mailings.delivered_count,

        row_number() over (
            partition by mailings.stream_id
            order by mailings.mailing_number desc
        ) as newest_number
    from mailings
    inner join mailing_bands
        on mailings.mailing_key = mailing_bands.mailing_key
    left join severity_bands as confirmed_bands
        on mailing_bands.confirmed_band = confirmed_bands.band
    where mailings.maturity = 'final'
),

tested_bands as (
    select
        mature_mailings.source,
        mature_mailings.account,
        mature_mailings.stream_id,
        grave_bands.band,
        grave_bands.lower_pct,

        count(
            case
                when mature_mailings.confirmed_lower_pct >= grave_bands.lower_pct then 1
            end
        ) as proven_count,
        cast(sum(mature_mailings.unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(mature_mailings.delivered_count) as bigint) as delivered_count
    from mature_mailings
    cross join grave_bands
    where mature_mailings.newest_number <= {{ var('persistent_campaigns') }}
    group by all
    having count(*) = {{ var('persistent_campaigns') }}
),

held_bands as (
    select
        source,
        account,
        stream_id,

        case
            when
                proven_count >= {{ var('persistent_proven_campaigns') }}
                or {{ is_rate_above(
                    'unsubscribe_count', 'delivered_count', 'lower_pct'
                ) }}
                then band
        end as band,
        lower_pct
    from tested_bands
),

persistent_bands as (
    select
        source,
        account,
        stream_id,

        coalesce(arg_max(band, lower_pct) filter (where band is not null), 'none')
            as persistent_band
    from held_bands
    group by all
)

select * from persistent_bands
