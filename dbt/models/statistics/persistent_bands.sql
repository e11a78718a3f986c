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
        source,
        account,
        stream_id,

        unsubscribe_count,
        delivered_count,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as newest_number
    from mailings
    where is_sound and maturity = 'final'
),

-- Whoever proves a band proves those below it.
tested_mailings as (
    select
        mature_mailings.source,
        mature_mailings.account,
        mature_mailings.stream_id,
        grave_bands.band,
        grave_bands.lower_pct,

        mature_mailings.unsubscribe_count,
        mature_mailings.delivered_count,

        {{ is_rate_above(
            'mature_mailings.unsubscribe_count',
            'mature_mailings.delivered_count',
            'grave_bands.lower_pct'
        ) }} as is_proven
    from mature_mailings
    cross join grave_bands
    where mature_mailings.newest_number <= {{ var('persistent_campaigns') }}
),

tested_bands as (
    select
        source,
        account,
        stream_id,
        band,
        lower_pct,

        count(case when is_proven then 1 end) as proven_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(delivered_count) as bigint) as delivered_count
    from tested_mailings
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
