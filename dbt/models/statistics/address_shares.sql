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

numbered_mailings as (
    select
        stream_id,
        campaign_id,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as recency
    from mailings
    where is_usual
),

-- Of those mailed, only addresses that somebody has checked can be called bad.
period_counts as (
    select
        dim_campaigns.source,
        dim_campaigns.account,
        dim_campaigns.stream_id,
        numbered_mailings.recency <= {{ var('level_recent_campaigns') }} as is_recent,

        sum(send_groups.delivered_count) as checked_count,
        sum(
            case when send_groups.is_bad_address then 1 else 0 end
            * send_groups.delivered_count
        ) as bad_count
    from send_groups
    inner join dim_campaigns
        on send_groups.campaign_key = dim_campaigns.campaign_key
    inner join numbered_mailings
        on
            dim_campaigns.stream_id = numbered_mailings.stream_id
            and dim_campaigns.campaign_id = numbered_mailings.campaign_id
    where
        send_groups.is_bad_address is not null
        and numbered_mailings.recency
        <= {{ var('level_recent_campaigns') + var('baseline_campaign_limit') }}
    group by all
),

side_by_side as (
    select
        source,
        account,
        stream_id,

        cast(max(case when is_recent then checked_count end) as bigint)
            as recent_checked_count,
        cast(max(case when is_recent then bad_count end) as bigint) as recent_bad_count,
        cast(max(case when not is_recent then checked_count end) as bigint)
            as earlier_checked_count,
        cast(max(case when not is_recent then bad_count end) as bigint)
            as earlier_bad_count
    from period_counts
    group by all
),

compared as (
    select
        source,
        account,
        stream_id,

        recent_checked_count,
        recent_bad_count,
        earlier_checked_count,
        earlier_bad_count,

        {{ rate_pct('recent_bad_count', 'recent_checked_count') }} as recent_share_pct,
        {{ rate_pct('earlier_bad_count', 'earlier_checked_count') }}
            as earlier_share_pct,
        (recent_bad_count + 0.5e0) / (recent_checked_count + 1e0)
        / ((earlier_bad_count + 0.5e0) / (earlier_checked_count + 1e0)) as share_ratio,
        {{ var('level_recent_campaigns') }}e0 / (recent_bad_count + 0.5e0)
        + {{ var('baseline_campaign_limit') }}e0 / (earlier_bad_count + 0.5e0)
            as log_variance
    from side_by_side
    where recent_checked_count > 0 and earlier_checked_count > 0
),

-- The same people are in every mailing, so that the mailings are counted as one each.
address_shares as (
    select
        source,
        account,
        stream_id,

        recent_checked_count,
        recent_bad_count,
        earlier_checked_count,
        earlier_bad_count,

        recent_share_pct,
        earlier_share_pct,
        share_ratio,
        ln(share_ratio) / sqrt(log_variance) as share_z,

        share_ratio >= {{ var('level_ratio_high') }}e0
        and ln(share_ratio) / sqrt(log_variance) >= {{ var('level_z') }}
            as is_rising
    from compared
)

select * from address_shares
