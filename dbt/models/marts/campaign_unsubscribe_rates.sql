with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

campaign_bands as (
    select * from {{ ref('campaign_bands') }}
),

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

false_discovery_rates as (
    select * from {{ ref('false_discovery_rates') }}
),

-- The cells of a split test are one mailing: what is said of it is said of each.
mailing_verdicts as (
    select
        mailings.stream_id,
        mailings.campaign_id,

        judged.spike_status,
        judged.grade_context,
        coalesce(judged.history_count, 0) as baseline_campaign_count,
        mailings.variant_count,
        mailings.days_since_previous_mailing as days_since_previous_send,

        mailings.delivered_count,
        mailings.unsubscribe_count,

        judged.baseline_rate,
        judged.expected_rate,
        judged.predictive_cv2,
        judged.spike_z,
        judged.spike_p_value,
        false_discovery_rates.q_value as spike_q_value,
        mailings.gap_share_pct,
        history.prior_strength,
        history.prior_event_count,

        mailings.is_post_gap
    from mailings
    left join judged_measures as judged
        on
            mailings.mailing_key = judged.mailing_key
            and judged.measure = 'unsubscribe'
    left join false_discovery_rates
        on
            mailings.mailing_key = false_discovery_rates.mailing_key
            and false_discovery_rates.measure = 'unsubscribe'
    left join mailing_measures as measured
        on
            mailings.mailing_key = measured.mailing_key
            and measured.measure = 'unsubscribe'
    left join measure_baselines as history
        on
            measured.stream_id = history.stream_id
            and measured.measure = history.measure
            and measured.earlier_history_count = history.history_number
            and history.history_count >= {{ var('own_prior_history') }}
),

-- An excluded campaign keeps its counts in sight and loses every rate.
rate_bases as (
    select
        fct_campaigns.campaign_key,

        case
            when fct_campaigns.human_open_count is not null then 'human'
            when fct_campaigns.unique_open_count is not null then 'all'
            else 'unknown'
        end as open_basis,

        case when not fct_campaigns.is_excluded then fct_campaigns.delivered_count end
            as base_count,
        coalesce(fct_campaigns.human_open_count, fct_campaigns.unique_open_count)
            as open_count,
        case
            when verdicts.variant_count > 1
                then verdicts.delivered_count - fct_campaigns.delivered_count
        end as other_delivered_count,
        verdicts.unsubscribe_count - fct_campaigns.unsubscribe_count
            as other_unsubscribe_count,

        case
            when not fct_campaigns.is_excluded
                then
                    fct_campaigns.delivered_count
                    * coalesce(fct_campaigns.expected_complete_share, 1e0)
        end as exposed_count
    from fct_campaigns
    left join mailing_verdicts as verdicts
        on
            fct_campaigns.stream_id = verdicts.stream_id
            and fct_campaigns.campaign_id = verdicts.campaign_id
),

-- Without a past of its own a stream is pulled to the middle of what its industry
-- publishes.
priors as (
    select
        fct_campaigns.campaign_key,

        case
            when verdicts.prior_strength is not null then 'own_history'
            when campaign_bands.benchmark_rate_pct > 0 then 'benchmark'
        end as prior_source,

        coalesce(
            verdicts.prior_strength,
            (100e0 - campaign_bands.benchmark_rate_pct)
            / nullif(campaign_bands.benchmark_rate_pct, 0)
            / {{ var('shrinkage_dispersion_floor') }}
        ) as prior_strength,
        coalesce(
            verdicts.prior_event_count,
            (100e0 - campaign_bands.benchmark_rate_pct) / 100e0
            / {{ var('shrinkage_dispersion_floor') }}
        ) as prior_event_count
    from fct_campaigns
    inner join campaign_bands
        on fct_campaigns.campaign_key = campaign_bands.campaign_key
    left join mailing_verdicts as verdicts
        on
            fct_campaigns.stream_id = verdicts.stream_id
            and fct_campaigns.campaign_id = verdicts.campaign_id
),

rated_campaigns as (
    select
        fct_campaigns.campaign_key,
        rate_bases.open_basis,
        campaign_bands.observed_band,
        campaign_bands.confirmed_band,
        coalesce(verdicts.spike_status, 'insufficient_data') as spike_status,
        verdicts.grade_context,
        coalesce(campaign_bands.industry_position, 'unknown') as industry_position,
        campaign_bands.benchmark_source,
        priors.prior_source,
        coalesce(verdicts.baseline_campaign_count, 0) as baseline_campaign_count,
        verdicts.days_since_previous_send,

        rate_bases.exposed_count * verdicts.expected_rate as expected_count,
        verdicts.predictive_cv2,
        100e0 * verdicts.baseline_rate as baseline_rate_pct,
        100e0 * verdicts.expected_rate as expected_rate_pct,
        verdicts.spike_z,
        verdicts.spike_p_value,
        verdicts.spike_q_value,
        verdicts.gap_share_pct,

        {{ rate_pct('fct_campaigns.unsubscribe_count', 'rate_bases.base_count') }}
            as unsubscribe_rate_pct,
        {{ wilson_low_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count'
        ) }} as unsubscribe_rate_low_pct,
        {{ wilson_high_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count'
        ) }} as unsubscribe_rate_high_pct,
        -- More may have left already than the mail that had its time would allow.
        case
            when
                rate_bases.base_count > 0
                and fct_campaigns.unsubscribe_count is not null
                and priors.prior_strength is not null
                then least(
                    100e0,
                    100e0 * (fct_campaigns.unsubscribe_count + priors.prior_event_count)
                    / (rate_bases.exposed_count + priors.prior_strength)
                )
        end as shrunken_rate_pct,
        {{ newcombe_difference_low_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count',
            'rate_bases.other_unsubscribe_count', 'rate_bases.other_delivered_count'
        ) }} as variant_difference_low_pct,
        {{ newcombe_difference_high_pct(
            'fct_campaigns.unsubscribe_count', 'rate_bases.base_count',
            'rate_bases.other_unsubscribe_count', 'rate_bases.other_delivered_count'
        ) }} as variant_difference_high_pct,
        {{ rate_pct(
            'rate_bases.other_unsubscribe_count', 'rate_bases.other_delivered_count'
        ) }} as other_unsubscribe_rate_pct,
        {{ rate_pct('fct_campaigns.complaint_count', 'rate_bases.base_count') }}
            as complaint_rate_pct,
        {{ rate_pct('fct_campaigns.human_open_count', 'rate_bases.base_count') }}
            as human_open_rate_pct,
        {{ rate_pct('rate_bases.open_count', 'rate_bases.base_count') }}
            as open_rate_pct,
        {{ rate_pct('fct_campaigns.unique_click_count', 'rate_bases.base_count') }}
            as click_rate_pct,
        -- More clicks than opens (images off) means the opens undercount: no share.
        case
            when
                not fct_campaigns.is_excluded
                and fct_campaigns.unique_click_count <= rate_bases.open_count
                then {{ rate_pct(
                    'fct_campaigns.unique_click_count', 'rate_bases.open_count'
                ) }}
        end as click_to_open_pct,

        campaign_bands.is_complaint_red_flag,
        campaign_bands.is_complaint_confirmed,
        verdicts.is_post_gap
    from fct_campaigns
    inner join rate_bases
        on fct_campaigns.campaign_key = rate_bases.campaign_key
    left join campaign_bands
        on fct_campaigns.campaign_key = campaign_bands.campaign_key
    left join priors
        on fct_campaigns.campaign_key = priors.campaign_key
    left join mailing_verdicts as verdicts
        on
            fct_campaigns.stream_id = verdicts.stream_id
            and fct_campaigns.campaign_id = verdicts.campaign_id
),

campaign_unsubscribe_rates as (
    select
        fct_campaigns.campaign_key,
        fct_campaigns.source,
        fct_campaigns.account,
        fct_campaigns.campaign_id,
        fct_campaigns.variant,
        fct_campaigns.stream_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        fct_campaigns.campaign_name,
        fct_campaigns.subject,
        fct_campaigns.audience,
        fct_campaigns.content_category,
        fct_campaigns.send_type,
        fct_campaigns.industry,
        fct_campaigns.delivered_count_basis,
        fct_campaigns.maturity,
        fct_campaigns.exclusion_reason,
        rated_campaigns.open_basis,
        rated_campaigns.observed_band,
        rated_campaigns.confirmed_band,
        rated_campaigns.spike_status,
        rated_campaigns.grade_context,
        rated_campaigns.industry_position,
        rated_campaigns.benchmark_source,
        rated_campaigns.prior_source,
        fct_campaigns.vendor_rate_base,
        fct_campaigns.vendor_rate_denominator,

        fct_campaigns.sent_count,
        fct_campaigns.attempted_count,
        fct_campaigns.delivered_count,
        fct_campaigns.unsubscribe_count,
        fct_campaigns.topic_opt_out_count,
        fct_campaigns.complaint_count,
        fct_campaigns.hard_bounce_count,
        fct_campaigns.soft_bounce_count,
        fct_campaigns.block_count,
        fct_campaigns.dropped_count,
        fct_campaigns.pending_count,
        fct_campaigns.unique_open_count,
        fct_campaigns.human_open_count,
        fct_campaigns.unique_click_count,
        fct_campaigns.suspect_automated_count,
        fct_campaigns.inferred_delivered_count,
        fct_campaigns.recipient_count,
        fct_campaigns.lapsed_recipient_count,
        fct_campaigns.first_time_recipient_count,
        cast(round(
            fct_campaigns.unsubscribe_count - rated_campaigns.expected_count
        ) as bigint) as excess_unsubscribe_count,
        cast(round(fct_campaigns.unsubscribe_count - {{ negative_binomial_point(
            normal_quantile_975(),
            'rated_campaigns.expected_count',
            'rated_campaigns.predictive_cv2'
        ) }}) as bigint) as excess_low_count,
        cast(round(fct_campaigns.unsubscribe_count - {{ negative_binomial_point(
            '(-1e0 * ' ~ normal_quantile_975() ~ ')',
            'rated_campaigns.expected_count',
            'rated_campaigns.predictive_cv2'
        ) }}) as bigint) as excess_high_count,
        rated_campaigns.baseline_campaign_count,
        rated_campaigns.days_since_previous_send,

        rated_campaigns.unsubscribe_rate_pct,
        rated_campaigns.unsubscribe_rate_low_pct,
        rated_campaigns.unsubscribe_rate_high_pct,
        rated_campaigns.baseline_rate_pct,
        rated_campaigns.expected_rate_pct,
        rated_campaigns.shrunken_rate_pct,
        rated_campaigns.unsubscribe_rate_pct
        - rated_campaigns.other_unsubscribe_rate_pct as variant_difference_pct,
        rated_campaigns.variant_difference_low_pct,
        rated_campaigns.variant_difference_high_pct,
        rated_campaigns.complaint_rate_pct,
        rated_campaigns.human_open_rate_pct,
        rated_campaigns.open_rate_pct,
        rated_campaigns.click_rate_pct,
        rated_campaigns.click_to_open_pct,
        rated_campaigns.gap_share_pct,
        fct_campaigns.vendor_unsubscribe_rate_pct,
        fct_campaigns.vendor_unsubscribe_rate_half_unit_pct,
        rated_campaigns.spike_z,
        rated_campaigns.spike_p_value,
        rated_campaigns.spike_q_value,
        fct_campaigns.expected_complete_share,
        fct_campaigns.revenue,

        fct_campaigns.is_excluded,
        rated_campaigns.is_complaint_red_flag,
        rated_campaigns.is_complaint_confirmed,
        rated_campaigns.is_post_gap,

        fct_campaigns.sent_at,
        fct_campaigns.exported_at
    from fct_campaigns
    inner join rated_campaigns
        on fct_campaigns.campaign_key = rated_campaigns.campaign_key
)

select * from campaign_unsubscribe_rates
