with

stg_reason_options as (
    select * from {{ ref('stg_reason_options') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

-- A list of options may also say how somebody was removed; that is no answer.
reason_options as (
    select
        {{ hash_key([
            'stg_reason_options.source',
            'stg_reason_options.option_set',
            'stg_reason_options.reason',
        ]) }} as reason_option_key,
        stg_reason_options.source,
        stg_reason_options.option_set,
        stg_reason_options.reason
    from stg_reason_options
    inner join opt_out_reason_words
        on stg_reason_options.reason = opt_out_reason_words.reason
    where opt_out_reason_words.is_answered
)

select * from reason_options
