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

        event_count,
        trial_count,

        ln((event_count + 0.5e0) / (trial_count + 1e0)) as log_rate
    from mailing_measures
    where is_history
),

histories as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,

        list({
            'event_count': cast(event_count as double),
            'trial_count': cast(trial_count as double),
            'log_rate': log_rate
        }) over newest_history as members,
        median(trial_count) over newest_history as median_trial_count,
        median(log_rate) over newest_history as median_log_rate
    from logged_history
    window newest_history as (
        partition by stream_id, measure
        order by history_number
        rows between {{ var('baseline_campaign_limit') - 1 }} preceding and current row
    )
),

-- A spike of the past must not hide the next one: what stands out above the median is
-- left out of what is usual, and kept for how far a rate is pulled to the mean.
pools as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        true as is_trimmed,

        list_filter(members, lambda member:
            (member.log_rate - median_log_rate) / sqrt(
                {{ var('dispersion_prior') }}e0
                + 1e0 / (member.trial_count * exp(median_log_rate) + 0.5e0)
            ) < {{ var('history_outlier_z') }}e0
        ) as members
    from histories
    union all
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        false as is_trimmed,

        members
    from histories
    where measure = 'unsubscribe'
),

sums as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        members,
        len(members) as member_count,
        list_sum(list_transform(members, lambda member: member.event_count))
            as event_count,
        list_sum(list_transform(members, lambda member: member.trial_count))
            as trial_count,
        list_sum(list_transform(members, lambda member: pow(member.trial_count, 2)))
            as squared_trial_count
    from pools
),

rates as (
    select
        source,
        account,
        stream_id,
        measure,
        history_number,
        is_trimmed,

        members,
        member_count,
        event_count,
        trial_count,
        squared_trial_count,

        (event_count + 0.5e0) / (trial_count + 1e0) as rate
    from sums
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

        member_count,
        event_count,
        trial_count,
        squared_trial_count,

        rate,
        list_sum(list_transform(members, lambda member:
            pow(member.event_count - member.trial_count * rate, 2)
            / (member.trial_count * rate * (1e0 - rate))
        )) as chi_square,
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

        len(histories.members) as history_count,
        usual.member_count as kept_count,
        usual.event_count as kept_event_count,
        usual.trial_count as kept_trial_count,
        histories.median_trial_count,

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
        (1e0 - whole.rate) / whole.shrinkage_dispersion as prior_event_count
    from pooled as usual
    inner join histories
        on
            usual.stream_id = histories.stream_id
            and usual.measure = histories.measure
            and usual.history_number = histories.history_number
    left join pooled as whole
        on
            usual.stream_id = whole.stream_id
            and usual.measure = whole.measure
            and usual.history_number = whole.history_number
            and not whole.is_trimmed
    where usual.is_trimmed
)

select * from measure_baselines
