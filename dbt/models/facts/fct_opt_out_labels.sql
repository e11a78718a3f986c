with

int_opt_outs_rolled_up as (
    select * from {{ ref('int_opt_outs_rolled_up') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

primary_labels as (
    select
        opt_out_key,
        source,
        account,

        primary_reason as reason,
        reason_rule,

        true as is_primary
    from int_opt_outs_rolled_up
),

further_labels as (
    select
        opt_outs.opt_out_key,
        opt_outs.source,
        opt_outs.account,

        opt_out_reason_words.reason,
        cast(null as string) as reason_rule,

        false as is_primary
    from int_opt_outs_rolled_up as opt_outs
    inner join opt_out_reason_words
        on
            concat(',', opt_outs.reason_labels, ',')
            like concat('%,', opt_out_reason_words.reason, ',%')
    where
        opt_outs.reason_labels is not null
        and opt_out_reason_words.reason <> opt_outs.primary_reason
),

labels as (
    select
        opt_out_key,
        source,
        account,
        reason,
        reason_rule,
        is_primary
    from primary_labels
    union all
    select
        opt_out_key,
        source,
        account,
        reason,
        reason_rule,
        is_primary
    from further_labels
),

opt_out_labels as (
    select
        {{ hash_key(['opt_out_key', 'reason']) }} as opt_out_label_key,
        opt_out_key,
        source,
        account,

        reason,
        reason_rule,

        is_primary
    from labels
)

select * from opt_out_labels
