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

usual_mailings as (
    select
        stream_id,
        campaign_id,
        open_basis,

        row_number() over (
            partition by stream_id
            order by mailing_number desc
        ) as recency
    from mailings
    where is_usual
),

newest_bases as (
    select
        stream_id,
        open_basis
    from usual_mailings
    where recency = 1
),

compared_mailings as (
    select
        usual_mailings.stream_id,
        usual_mailings.campaign_id,
        usual_mailings.open_basis,

        usual_mailings.recency <= {{ var('level_recent_campaigns') }} as is_recent
    from usual_mailings
    inner join newest_bases
        on
            usual_mailings.stream_id = newest_bases.stream_id
            and usual_mailings.open_basis = newest_bases.open_basis
    where
        usual_mailings.recency
        <= {{ var('level_recent_campaigns') + var('baseline_campaign_limit') }}
),

provider_counts as (
    select
        dim_campaigns.source,
        dim_campaigns.account,
        dim_campaigns.stream_id,
        send_groups.mailbox_provider,
        compared_mailings.open_basis,

        compared_mailings.is_recent,

        count(distinct dim_campaigns.campaign_id) as mailing_count,
        sum(send_groups.delivered_count) as delivered_count,
        sum(
            case compared_mailings.open_basis
                when 'human' then send_groups.human_open_count
                else send_groups.open_count
            end
        ) as open_count
    from send_groups
    inner join dim_campaigns
        on send_groups.campaign_key = dim_campaigns.campaign_key
    inner join compared_mailings
        on
            dim_campaigns.stream_id = compared_mailings.stream_id
            and dim_campaigns.campaign_id = compared_mailings.campaign_id
    where send_groups.mailbox_provider is not null
    group by all
),

two_periods as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        open_basis,

        max(case when is_recent then mailing_count end) as recent_mailing_count,
        max(case when not is_recent then mailing_count end) as earlier_mailing_count,
        max(case when is_recent then delivered_count end) as recent_delivered_count,
        max(case when is_recent then open_count end) as recent_open_count,
        max(case when not is_recent then delivered_count end)
            as earlier_delivered_count,
        max(case when not is_recent then open_count end) as earlier_open_count
    from provider_counts
    group by all
),

beside_others as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        open_basis,

        recent_mailing_count,
        earlier_mailing_count,
        recent_delivered_count,
        recent_open_count,
        earlier_delivered_count,
        earlier_open_count,
        sum(recent_delivered_count) over stream_providers - recent_delivered_count
            as other_recent_delivered_count,
        sum(recent_open_count) over stream_providers - recent_open_count
            as other_recent_open_count,
        sum(earlier_delivered_count) over stream_providers - earlier_delivered_count
            as other_earlier_delivered_count,
        sum(earlier_open_count) over stream_providers - earlier_open_count
            as other_earlier_open_count
    from two_periods
    where recent_open_count is not null and earlier_open_count is not null
    window stream_providers as (partition by stream_id)
),

ratios as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        open_basis,

        cast(recent_delivered_count as bigint) as recent_delivered_count,
        cast(recent_open_count as bigint) as recent_open_count,
        cast(earlier_delivered_count as bigint) as earlier_delivered_count,
        cast(earlier_open_count as bigint) as earlier_open_count,

        (recent_open_count + 0.5e0) / (recent_delivered_count + 1e0)
        / ((earlier_open_count + 0.5e0) / (earlier_delivered_count + 1e0))
            as open_ratio,
        (other_recent_open_count + 0.5e0) / (other_recent_delivered_count + 1e0)
        / ((other_earlier_open_count + 0.5e0) / (other_earlier_delivered_count + 1e0))
            as other_open_ratio,
        1e0 / (recent_open_count + 0.5e0)
        + 1e0 / (earlier_open_count + 0.5e0)
        + 1e0 / (other_recent_open_count + 0.5e0)
        + 1e0 / (other_earlier_open_count + 0.5e0)
        + {{ var('dispersion_floor') }}e0 / recent_mailing_count
        + {{ var('dispersion_floor') }}e0 / earlier_mailing_count as log_variance
    from beside_others
    where other_recent_delivered_count > 0 and other_earlier_delivered_count > 0
),

-- What all providers share, a good subject or a holiday, cancels out beside the others.
provider_levels as (
    select
        source,
        account,
        stream_id,
        mailbox_provider,
        open_basis,

        recent_delivered_count,
        recent_open_count,
        earlier_delivered_count,
        earlier_open_count,

        {{ rate_pct('recent_open_count', 'recent_delivered_count') }}
            as recent_open_rate_pct,
        {{ rate_pct('earlier_open_count', 'earlier_delivered_count') }}
            as earlier_open_rate_pct,
        open_ratio,
        other_open_ratio,
        ln(open_ratio / other_open_ratio) / sqrt(log_variance) as relative_z,

        open_ratio <= {{ var('level_ratio_low') }}e0
        and open_ratio / other_open_ratio <= {{ var('level_ratio_low') }}e0
        and other_open_ratio > {{ var('level_ratio_low') }}e0
        and ln(open_ratio / other_open_ratio) / sqrt(log_variance)
        <= -{{ var('level_z') }} as is_falling_alone
    from ratios
)

select * from provider_levels
