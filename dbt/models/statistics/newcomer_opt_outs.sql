with

dim_campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

mailings as (
    select * from {{ ref('mailings') }}
),

send_groups as (
    select * from {{ ref('send_groups') }}
),

recent_mailings as (
    select
        stream_id,
        campaign_id,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as recency,

        cast(date_trunc('month', sent_at) as date) as month
    from mailings
    where is_sound
),

-- A month is compared with itself only: whoever joined in a bad month met its mail.
monthly_counts as (
    select
        dim_campaigns.source,
        dim_campaigns.account,
        dim_campaigns.stream_id,
        recent_mailings.month,

        sum(send_groups.delivered_count) filter (where send_groups.is_newcomer)
            as newcomer_delivered_count,
        sum(send_groups.opt_out_count) filter (where send_groups.is_newcomer)
            as newcomer_opt_out_count,
        sum(send_groups.delivered_count) filter (where not send_groups.is_newcomer)
            as other_delivered_count,
        sum(send_groups.opt_out_count) filter (where not send_groups.is_newcomer)
            as other_opt_out_count
    from send_groups
    inner join dim_campaigns
        on send_groups.campaign_key = dim_campaigns.campaign_key
    inner join recent_mailings
        on
            dim_campaigns.stream_id = recent_mailings.stream_id
            and dim_campaigns.campaign_id = recent_mailings.campaign_id
    where
        send_groups.is_newcomer is not null
        and recent_mailings.recency <= {{ var('baseline_campaign_limit') }}
    group by all
),

pooled_counts as (
    select
        source,
        account,
        stream_id,

        cast(sum(newcomer_delivered_count) as bigint) as newcomer_delivered_count,
        cast(sum(newcomer_opt_out_count) as bigint) as newcomer_opt_out_count,
        cast(sum(other_delivered_count) as bigint) as other_delivered_count,
        cast(sum(other_opt_out_count) as bigint) as other_opt_out_count,

        {{ mantel_haenszel_ratio(
            'newcomer_opt_out_count', 'newcomer_delivered_count',
            'other_opt_out_count', 'other_delivered_count'
        ) }} as opt_out_ratio,
        {{ mantel_haenszel_ratio_variance(
            'newcomer_opt_out_count', 'newcomer_delivered_count',
            'other_opt_out_count', 'other_delivered_count'
        ) }} as log_variance,
        {{ mantel_haenszel_chi_square(
            'newcomer_opt_out_count', 'newcomer_delivered_count',
            'other_opt_out_count', 'other_delivered_count'
        ) }} as chi_square
    from monthly_counts
    where newcomer_delivered_count > 0 and other_delivered_count > 0
    group by all
),

newcomer_opt_outs as (
    select
        source,
        account,
        stream_id,

        newcomer_delivered_count,
        newcomer_opt_out_count,
        other_delivered_count,
        other_opt_out_count,

        opt_out_ratio,
        opt_out_ratio * exp(-1e0 * {{ normal_quantile_975() }} * sqrt(log_variance))
            as opt_out_ratio_low,
        opt_out_ratio * exp({{ normal_quantile_975() }} * sqrt(log_variance))
            as opt_out_ratio_high,
        sign(ln(opt_out_ratio)) * sqrt(chi_square) as opt_out_ratio_z
    from pooled_counts
    where opt_out_ratio > 0 and log_variance > 0
)

select * from newcomer_opt_outs
