with

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

logged_history as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        cast(event_count as double) as event_count,
        cast(trial_count as double) as trial_count,

        ln((event_count + 0.5e0) / (trial_count + 1e0)) as log_rate
    from mailing_measures
    where is_history
),

medians as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        event_count,
        trial_count,
        median(trial_count) over newest_history as median_trial_count,

        log_rate,
        median(log_rate) over newest_history as median_log_rate
    from logged_history
    window newest_history as (
        partition by stream_id, measure
        order by history_number
        rows between {{ var('baseline_campaign_limit') - 1 }} preceding and current row
    )
),

-- Few mailings can stand out of any of the histories they are in. Only those are
-- looked at one by one: lists of all members take most of the time of this layer.
possible_outliers as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        event_count,
        trial_count,
        median_trial_count,

        log_rate,
        median_log_rate,

        log_rate - min(median_log_rate) over (
            partition by stream_id, measure
            order by history_number
            rows between current row
            and {{ var('baseline_campaign_limit') - 1 }} following
        ) >= {{ var('history_outlier_z') }}e0 * sqrt({{ var('dispersion_prior') }}e0)
            as is_possible_outlier
    from medians
),

histories as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        median_trial_count,
        median_log_rate,

        list({
            'event_count': event_count,
            'trial_count': trial_count,
            'log_rate': log_rate
        }) filter (where is_possible_outlier) over newest_history as possible_outliers,
        count(*) over newest_history as member_count,
        sum(event_count) over newest_history as event_count,
        sum(trial_count) over newest_history as trial_count,
        sum(pow(trial_count, 2)) over newest_history as squared_trial_count,
        sum(pow(event_count, 2) / trial_count) over newest_history
            as squared_event_share
    from possible_outliers
    window newest_history as (
        partition by stream_id, measure
        order by history_number
        rows between {{ var('baseline_campaign_limit') - 1 }} preceding and current row
    )
),

-- A spike of the past must not hide the next one: what stands out above the median is
-- left out of what is usual, and kept for how far a rate is pulled to the mean.
outliers as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        median_trial_count,

        list_filter(possible_outliers, lambda member:
            (member.log_rate - median_log_rate) / sqrt(
                {{ var('dispersion_prior') }}e0
                + 1e0 / (member.trial_count * exp(median_log_rate) + 0.5e0)
            ) >= {{ var('history_outlier_z') }}e0
        ) as outliers,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,
        squared_event_share
    from histories
),

pools as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        true as is_trimmed,

        member_count as history_count,
        median_trial_count,
        member_count - coalesce(len(outliers), 0) as member_count,
        event_count - coalesce(list_sum(list_transform(
            outliers, lambda member: member.event_count
        )), 0e0) as event_count,
        trial_count - coalesce(list_sum(list_transform(
            outliers, lambda member: member.trial_count
        )), 0e0) as trial_count,
        squared_trial_count - coalesce(list_sum(list_transform(
            outliers, lambda member: pow(member.trial_count, 2)
        )), 0e0) as squared_trial_count,
        squared_event_share - coalesce(list_sum(list_transform(
            outliers, lambda member: pow(member.event_count, 2) / member.trial_count
        )), 0e0) as squared_event_share
    from outliers
    union all
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        false as is_trimmed,

        member_count as history_count,
        median_trial_count,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,
        squared_event_share
    from histories
    where measure = 'unsubscribe'
),

rates as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        history_count,
        median_trial_count,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,
        squared_event_share,

        (event_count + 0.5e0) / (trial_count + 1e0) as rate
    from pools
),

-- Pearson's chi-square about the pooled rate: what it has above its degrees of freedom
-- is variation between the mailings.
dispersions as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        history_count,
        median_trial_count,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,

        rate,
        (
            squared_event_share - 2e0 * rate * event_count + pow(rate, 2) * trial_count
        ) / (rate * (1e0 - rate)) as chi_square,
        nullif(greatest(
            trial_count - squared_trial_count / trial_count - (member_count - 1), 0e0
        ), 0e0) as chi_square_scale,
        2e0 / nullif(member_count - 1, 0) * pow(
            {{ var('dispersion_prior') }}e0
            + 1e0 / (trial_count / member_count * rate), 2
        ) as raw_variance
    from rates
),

-- Few mailings say little about their own variation: it leans on the prior by as much.
weighted_dispersions as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        history_count,
        median_trial_count,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,

        rate,
        (chi_square - (member_count - 1)) / chi_square_scale * (1e0 - rate) / rate
            as raw_dispersion,
        {{ var('dispersion_prior_variance') }}e0
        / ({{ var('dispersion_prior_variance') }}e0 + raw_variance) as own_weight
    from dispersions
),

pooled as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        history_count,
        median_trial_count,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,

        rate,
        raw_dispersion,
        greatest({{ var('dispersion_floor') }}e0, coalesce(
            own_weight * raw_dispersion
            + (1e0 - own_weight) * {{ var('dispersion_prior') }}e0,
            {{ var('dispersion_prior') }}e0
        )) as dispersion,
        greatest({{ var('shrinkage_dispersion_floor') }}e0, coalesce(raw_dispersion, 0e0))
            as shrinkage_dispersion
    from weighted_dispersions
),

measure_baselines as (
    select
        usual.source,
        usual.account,
        usual.stream_id,
        usual.measure,
        usual.history_number,

        usual.history_count,
        usual.member_count as kept_count,
        usual.event_count as kept_event_count,
        usual.trial_count as kept_trial_count,
        usual.median_trial_count,

        usual.rate as baseline_rate,
        usual.raw_dispersion as raw_cv2,
        usual.dispersion as cv2,
        usual.dispersion
        + 1e0 / (usual.event_count + 0.5e0)
        + usual.dispersion * usual.squared_trial_count / pow(usual.trial_count, 2)
            as predictive_cv2,
        whole.rate as pooled_rate,
        whole.raw_dispersion as pooled_raw_cv2,
        whole.dispersion as pooled_cv2,
        whole.shrinkage_dispersion as shrinkage_cv2,
        (1e0 - whole.rate) / (whole.rate * whole.shrinkage_dispersion)
            as prior_strength,
        (1e0 - whole.rate) / whole.shrinkage_dispersion as prior_event_count,

        usual.history_number = max(usual.history_number) over (
            partition by usual.stream_id, usual.measure
        ) as is_newest
    from pooled as usual
    left join pooled as whole
        on
            usual.stream_id = whole.stream_id
            and usual.measure = whole.measure
            and usual.history_number = whole.history_number
            and not whole.is_trimmed
    where usual.is_trimmed
)

select * from measure_baselines
