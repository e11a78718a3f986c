with

benchmark_bands as (
    select * from {{ ref('benchmark_bands') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

keyed_bands as (
    select
        concat_ws(' / ', kind, industry, band, source) as benchmark_key,
        kind,
        industry,
        band,
        source,
        {{ decimal_in_words('lower_pct') }} as lower_words,
        {{ decimal_in_words('upper_pct') }} as upper_words,

        lower_pct,
        upper_pct,

        is_lower_inclusive,
        is_upper_inclusive,
        is_used,

        as_of
    from benchmark_bands
),

-- What the most generous source still calls usual.
usual_bands as (
    select
        benchmark_key,

        lower_words,
        upper_words,

        row_number() over (
            order by upper_pct - lower_pct desc, upper_pct desc, benchmark_key asc
        ) as width_rank,

        lower_pct,
        upper_pct
    from keyed_bands
    where kind = 'industry'
),

-- Outside all of it: one of the two must be wrong, whoever the sender is.
contradictions as (
    select
        keyed_bands.benchmark_key,

        concat(
            'Contradicts the other sources: ',
            keyed_bands.lower_words,
            ' % is ',
            cast(round(keyed_bands.lower_pct / usual_bands.upper_pct) as bigint),
            ' to ',
            cast(round(keyed_bands.lower_pct / usual_bands.lower_pct) as bigint),
            ' times the ',
            usual_bands.lower_words,
            ' to ',
            usual_bands.upper_words,
            ' % they call usual.'
        ) as note
    from keyed_bands
    inner join usual_bands
        on
            usual_bands.width_rank = 1
            and usual_bands.lower_pct > 0
            and keyed_bands.lower_pct > usual_bands.upper_pct
    where keyed_bands.kind in ('industry', 'average')
),

disagreements as (
    select
        keyed_bands.benchmark_key,

        string_agg(
            concat(
                others.source,
                ' says ',
                others.lower_words,
                ' to ',
                others.upper_words,
                ' % for the same'
            ),
            '. ' order by others.source
        ) as note
    from keyed_bands
    inner join keyed_bands as others
        on
            keyed_bands.kind = others.kind
            and keyed_bands.industry = others.industry
            and keyed_bands.band = others.band
            and keyed_bands.source <> others.source
    where
        keyed_bands.lower_pct <> others.lower_pct
        or keyed_bands.upper_pct <> others.upper_pct
    group by all
),

benchmarks as (
    select
        keyed_bands.benchmark_key,
        (select dim_runs.build_id from dim_runs) as build_id,

        keyed_bands.kind,
        keyed_bands.industry,
        keyed_bands.band,
        keyed_bands.source,
        case
            when contradictions.note is not null and not keyed_bands.is_used
                then concat(contradictions.note, ' No figure uses it.')
            when contradictions.note is not null then contradictions.note
            else disagreements.note || '.'
        end as conflict_note,

        cast(keyed_bands.lower_pct as double) as lower_pct,
        cast(keyed_bands.upper_pct as double) as upper_pct,

        keyed_bands.is_lower_inclusive,
        keyed_bands.is_upper_inclusive,
        contradictions.benchmark_key is not null as is_contradicted,
        keyed_bands.is_used,

        keyed_bands.as_of
    from keyed_bands
    left join contradictions
        on keyed_bands.benchmark_key = contradictions.benchmark_key
    left join disagreements
        on keyed_bands.benchmark_key = disagreements.benchmark_key
)

select * from benchmarks
