with

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_levels as (
    select * from {{ ref('measure_levels') }}
),

mailing_frequencies as (
    select * from {{ ref('mailing_frequencies') }}
),

provider_levels as (
    select * from {{ ref('provider_levels') }}
),

numbered_mailings as (
    select
        source,
        account,
        stream_id,
        open_basis,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as recency,

        sent_at
    from mailings
    where is_sound
),

newest_mailings as (
    select
        source,
        account,
        stream_id,
        open_basis,
        sent_at
    from numbered_mailings
    where recency = 1
),

recent_measures as (
    select
        stream_id,
        measure,
        event_count,
        trial_count,

        row_number() over (
            partition by stream_id, measure
            order by mailing_number desc
        ) as recency
    from mailing_measures
    where is_history and measure in ('unsubscribe', 'complaint')
),

recent_counts as (
    select
        stream_id,

        sum(case when measure = 'unsubscribe' then event_count end)
            as recent_unsubscribe_count,
        sum(case when measure = 'unsubscribe' then trial_count end)
            as recent_delivered_count,
        sum(case when measure = 'complaint' then event_count end)
            as recent_complaint_count,
        sum(case when measure = 'complaint' then trial_count end)
            as recent_complaint_base_count
    from recent_measures
    where recency <= {{ var('level_recent_campaigns') }}
    group by all
),

falling_providers as (
    select
        stream_id,

        string_agg(
            concat(
                mailbox_provider, ': opens ',
                {{ number_in_words('earlier_open_rate_pct', 1) }}, ' % to ',
                {{ number_in_words('recent_open_rate_pct', 1) }},
                ' %, elsewhere ', {{ number_in_words('other_open_ratio', 2) }},
                ' times as many as before, z ', {{ number_in_words('relative_z', 1) }}
            ),
            '; '
            order by relative_z asc, mailbox_provider asc
        ) as provider_evidence,

        min(open_ratio) as lowest_open_ratio,
        min(relative_z) as lowest_relative_z
    from provider_levels
    where is_falling_alone
    group by all
),

stream_evidence as (
    select
        streams.source,
        streams.account,
        streams.stream_id,

        streams.open_basis,
        coalesce(opens.direction, 'unknown') as open_direction,
        coalesce(clicks.direction, 'unknown') as click_direction,
        coalesce(bounces.direction, 'unknown') as hard_bounce_direction,
        coalesce(frequencies.direction, 'unknown') as frequency_direction,
        concat_ws(
            '; ',
            'opt-outs ' || {{ ratio_in_words('unsubscribes') }},
            'opens ' || {{ ratio_in_words('opens') }}
            || case
                when streams.open_basis = 'all' then ', machines included' else ''
            end,
            'clicks ' || {{ ratio_in_words('clicks') }},
            {{ number_in_words('frequencies.recent_mailings_per_28_days', 1) }}
            || ' mailings in 28 days, before '
            || {{ number_in_words('frequencies.earlier_mailings_per_28_days', 1) }}
        ) as level_evidence,
        'hard bounces ' || {{ ratio_in_words('bounces') }} as bounce_evidence,
        falling_providers.provider_evidence,

        cast(recent_counts.recent_unsubscribe_count as bigint)
            as recent_unsubscribe_count,
        cast(recent_counts.recent_delivered_count as bigint) as recent_delivered_count,
        cast(recent_counts.recent_complaint_count as bigint) as recent_complaint_count,
        cast(recent_counts.recent_complaint_base_count as bigint)
            as recent_complaint_base_count,

        unsubscribes.ratio as unsubscribe_ratio,
        bounces.ratio as hard_bounce_ratio,
        bounces.level_z as hard_bounce_z,
        frequencies.frequency_ratio,
        falling_providers.lowest_open_ratio,
        falling_providers.lowest_relative_z,

        streams.sent_at
    from newest_mailings as streams
    left join recent_counts
        on streams.stream_id = recent_counts.stream_id
    left join measure_levels as unsubscribes
        on
            streams.stream_id = unsubscribes.stream_id
            and unsubscribes.measure = 'unsubscribe'
    left join measure_levels as opens
        on
            streams.stream_id = opens.stream_id
            and opens.measure = case streams.open_basis
                when 'human' then 'human_open'
                when 'all' then 'any_open'
            end
    left join measure_levels as clicks
        on
            streams.stream_id = clicks.stream_id
            and clicks.measure = 'click'
    left join measure_levels as bounces
        on
            streams.stream_id = bounces.stream_id
            and bounces.measure = 'hard_bounce'
    left join mailing_frequencies as frequencies
        on streams.stream_id = frequencies.stream_id
    left join falling_providers
        on streams.stream_id = falling_providers.stream_id
)

select * from stream_evidence
