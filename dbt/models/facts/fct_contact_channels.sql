with

stg_contact_snapshots as (
    select * from {{ ref('stg_contact_snapshots') }}
),

no_channel_words as (
    select * from {{ ref('no_channel_words') }}
),

told_channels as (
    select
        source,
        account,
        contact_key,
        lower(trim(other_channels)) as channel_words,

        row_number() over (
            partition by source, account, contact_key
            order by
                exported_at desc nulls last,
                load desc,
                record_number desc,
                item_number desc
        ) as recency
    from stg_contact_snapshots
    where trim(other_channels) <> ''
),

contact_channels as (
    select
        {{ hash_key([
            'told_channels.source',
            'told_channels.account',
            'told_channels.contact_key',
        ]) }} as contact_channel_key,
        told_channels.source,
        told_channels.account,
        told_channels.contact_key,

        no_channel_words.word is null as has_other_channel
    from told_channels
    left join no_channel_words
        on told_channels.channel_words = no_channel_words.word
    where told_channels.recency = 1
)

select * from contact_channels
