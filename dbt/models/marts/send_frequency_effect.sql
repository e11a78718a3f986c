with

contact_week_cells as (
    select * from {{ ref('contact_week_cells') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- Nobody leaves by a mail that never came, and of newcomers the four weeks before are
-- not the list's: both would tell of something else than frequency.
cells as (
    select
        source,
        account,
        list,
        frequency_bucket,
        tenure_stratum,

        frequency_rank,
        engagement_step,

        contact_weeks,
        delivered_count,
        opt_out_count,

        frequency_rank > 0 and tenure_stratum <> 'new' as is_comparable
    from contact_week_cells
),

bucket_sizes as (
    select
        source,
        account,
        list,
        frequency_bucket,

        frequency_rank,

        sum(contact_weeks) as contact_weeks
    from cells
    where is_comparable
    group by all
),

ranked_buckets as (
    select
        source,
        account,
        list,
        frequency_bucket,

        frequency_rank,
        row_number() over (
            partition by source, account, list
            order by contact_weeks desc, frequency_rank asc
        ) as size_rank,
        max(frequency_rank) over (partition by source, account, list)
            as highest_frequency_rank
    from bucket_sizes
),

-- The most usual frequency and less against more than it; where nobody gets more than
-- the usual, less against the usual.
buckets_on_sides as (
    select
        buckets.source,
        buckets.account,
        buckets.list,
        buckets.frequency_bucket,

        buckets.frequency_rank,

        buckets.frequency_rank > usual_buckets.frequency_rank
        or buckets.frequency_rank = buckets.highest_frequency_rank as is_compared
    from ranked_buckets as buckets
    inner join ranked_buckets as usual_buckets
        on
            buckets.source = usual_buckets.source
            and buckets.account = usual_buckets.account
            and buckets.list = usual_buckets.list
            and usual_buckets.size_rank = 1
),

named_sides as (
    select
        source,
        account,
        list,

        string_agg(
            case when not is_compared then frequency_bucket end,
            ', ' order by frequency_rank
        ) as reference_buckets,
        string_agg(
            case when is_compared then frequency_bucket end,
            ', ' order by frequency_rank
        ) as compared_buckets
    from buckets_on_sides
    group by all
),

cells_on_sides as (
    select
        cells.source,
        cells.account,
        cells.list,
        cells.tenure_stratum,

        cells.engagement_step,

        cells.contact_weeks,
        cells.delivered_count,
        cells.opt_out_count,

        sides.is_compared
    from cells
    left join buckets_on_sides as sides
        on
            cells.source = sides.source
            and cells.account = sides.account
            and cells.list = sides.list
            and cells.frequency_bucket = sides.frequency_bucket
            and cells.is_comparable
),

stratum_counts as (
    select
        source,
        account,
        list,
        tenure_stratum,

        engagement_step,

        cast(sum(case when not is_compared then contact_weeks else 0 end) as bigint)
            as reference_contact_weeks,
        cast(sum(case when not is_compared then delivered_count else 0 end) as bigint)
            as reference_delivered_count,
        cast(sum(case when not is_compared then opt_out_count else 0 end) as bigint)
            as reference_opt_out_count,
        cast(sum(case when is_compared then contact_weeks else 0 end) as bigint)
            as compared_contact_weeks,
        cast(sum(case when is_compared then delivered_count else 0 end) as bigint)
            as compared_delivered_count,
        cast(sum(case when is_compared then opt_out_count else 0 end) as bigint)
            as compared_opt_out_count
    from cells_on_sides
    group by all
),

-- A stratum with one side only adds nothing to any of the sums of the ratio.
list_counts as (
    select
        source,
        account,
        list,

        count(
            case
                when reference_contact_weeks > 0 and compared_contact_weeks > 0 then 1
            end
        ) as stratum_count,
        cast(sum(reference_contact_weeks) as bigint) as reference_contact_weeks,
        cast(sum(reference_delivered_count) as bigint) as reference_delivered_count,
        cast(sum(reference_opt_out_count) as bigint) as reference_opt_out_count,
        cast(sum(compared_contact_weeks) as bigint) as compared_contact_weeks,
        cast(sum(compared_delivered_count) as bigint) as compared_delivered_count,
        cast(sum(compared_opt_out_count) as bigint) as compared_opt_out_count,

        {{ mantel_haenszel_ratio(
            'compared_opt_out_count', 'compared_contact_weeks',
            'reference_opt_out_count', 'reference_contact_weeks'
        ) }} as effect_ratio,
        {{ mantel_haenszel_ratio_variance(
            'compared_opt_out_count', 'compared_contact_weeks',
            'reference_opt_out_count', 'reference_contact_weeks'
        ) }} as log_variance
    from stratum_counts
    group by all
),

effects as (
    select
        source,
        account,
        list,

        stratum_count,
        reference_contact_weeks,
        reference_delivered_count,
        reference_opt_out_count,
        compared_contact_weeks,
        compared_delivered_count,
        compared_opt_out_count,

        (1e0 * compared_opt_out_count / nullif(compared_delivered_count, 0))
        / nullif(
            1e0 * reference_opt_out_count / nullif(reference_delivered_count, 0), 0
        ) as crude_ratio_per_send,
        (1e0 * compared_opt_out_count / nullif(compared_contact_weeks, 0))
        / nullif(
            1e0 * reference_opt_out_count / nullif(reference_contact_weeks, 0), 0
        ) as crude_ratio_per_week,
        case
            when effect_ratio > 0 and log_variance > 0 then effect_ratio
        end as effect_ratio,
        case
            when effect_ratio > 0 and log_variance > 0
                then
                    effect_ratio
                    * exp(-1e0 * {{ normal_quantile_975() }} * sqrt(log_variance))
        end as effect_ratio_low,
        case
            when effect_ratio > 0 and log_variance > 0
                then
                    effect_ratio * exp({{ normal_quantile_975() }} * sqrt(log_variance))
        end as effect_ratio_high
    from list_counts
),

-- Mail whose recipients no export names reached people of these lists all the same.
untold_campaigns as (
    select
        dim_sources.list_source as source,
        dim_sources.list_account as account,

        count(*) as untold_campaign_count
    from fct_campaigns
    inner join dim_sources
        on
            fct_campaigns.source = dim_sources.source
            and fct_campaigns.account = dim_sources.account
    inner join send_types
        on fct_campaigns.send_type = send_types.send_type
    where fct_campaigns.delivered_count_basis <> 'events' and send_types.is_marketing
    group by all
),

send_frequency_effect as (
    select
        effects.source,
        effects.account,
        effects.list,
        (select dim_runs.build_id from dim_runs) as build_id,

        named_sides.reference_buckets,
        named_sides.compared_buckets,
        case
            when
                effects.effect_ratio is null
                or effects.reference_opt_out_count
                < {{ var('frequency_minimum_opt_outs') }}
                or effects.compared_opt_out_count
                < {{ var('frequency_minimum_opt_outs') }}
                then 'insufficient_data'
            when effects.effect_ratio_low > 1 then 'more_leave'
            when effects.effect_ratio_high < 1 then 'fewer_leave'
            else 'not_proven'
        end as verdict,

        effects.stratum_count,
        effects.reference_contact_weeks,
        effects.reference_delivered_count,
        effects.reference_opt_out_count,
        effects.compared_contact_weeks,
        effects.compared_delivered_count,
        effects.compared_opt_out_count,
        coalesce(untold_campaigns.untold_campaign_count, 0) as untold_campaign_count,
        effects.crude_ratio_per_send,
        effects.crude_ratio_per_week,
        effects.effect_ratio,
        effects.effect_ratio_low,
        effects.effect_ratio_high
    from effects
    left join untold_campaigns
        on
            effects.source = untold_campaigns.source
            and effects.account = untold_campaigns.account
    left join named_sides
        on
            effects.source = named_sides.source
            and effects.account = named_sides.account
            and effects.list = named_sides.list
)

select * from send_frequency_effect
