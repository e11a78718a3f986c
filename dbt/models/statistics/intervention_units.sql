with

intervention_windows as (
    select * from {{ ref('intervention_windows') }}
),

dim_change_streams as (
    select * from {{ ref('dim_change_streams') }}
),

dim_change_campaigns as (
    select * from {{ ref('dim_change_campaigns') }}
),

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

mailings as (
    select * from {{ ref('mailings') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

memberships as (
    select * from {{ ref('memberships') }}
),

loss_visibility as (
    select * from {{ ref('loss_visibility') }}
),

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

possible_controls as (
    select
        windows.effect_key,
        dim_change_streams.stream_id,
        windows.before_from_at,
        windows.after_until_at
    from intervention_windows as windows
    inner join dim_change_streams
        on
            windows.change_key = dim_change_streams.change_key
            and windows.stream_id <> dim_change_streams.stream_id
            and dim_change_streams.arm = 'control'
    where windows.unit <> 'signup_week'
    union all
    select
        windows.effect_key,
        dim_streams.stream_id,
        windows.before_from_at,
        windows.after_until_at
    from intervention_windows as windows
    inner join dim_streams
        on windows.stream_id <> dim_streams.stream_id
    inner join send_types
        on dim_streams.send_type = send_types.send_type
    where
        windows.is_compared_by_itself
        and windows.unit <> 'signup_week'
        and send_types.is_marketing
        and not send_types.is_repeated
),

-- What was changed itself tells nothing of what would have happened without a change.
changes_of_controls as (
    select
        controls.effect_key,
        controls.stream_id,
        bool_or(
            dim_changes.changed_at >= controls.before_from_at
            and dim_changes.changed_at < controls.after_until_at
        ) as is_changed
    from possible_controls as controls
    left join dim_change_streams
        on
            controls.stream_id = dim_change_streams.stream_id
            and dim_change_streams.arm = 'treated'
    left join dim_changes
        on dim_change_streams.change_key = dim_changes.change_key
    group by all
),

arms as (
    select
        effect_key,
        stream_id,
        'treated' as arm
    from intervention_windows
    where stream_id is not null
    union all
    select
        effect_key,
        stream_id,
        'control' as arm
    from changes_of_controls
    where not coalesce(is_changed, false)
),

windows_of_arms as (
    select
        windows.effect_key,
        windows.change_key,
        arms.stream_id,
        arms.arm,

        windows.measure,
        windows.unit,

        windows.changed_at,
        windows.before_from_at,
        windows.after_until_at
    from arms
    inner join intervention_windows as windows
        on arms.effect_key = windows.effect_key
),

campaigns_that_asked as (
    select
        change_key,
        stream_id,
        campaign_id
    from dim_change_campaigns
    group by all
),

-- Mail that asks people whether they want to stay is the change, not what it changed.
send_units as (
    select
        windows.effect_key,
        windows.change_key,
        windows.stream_id,
        windows.arm,
        mailing_measures.mailing_key as unit_id,

        {{ seconds_between('windows.changed_at', 'mailing_measures.sent_at') }}
        / 604800e0 as weeks_from_change,

        mailing_measures.event_count,
        mailing_measures.trial_count as exposure_count
    from windows_of_arms as windows
    inner join mailing_measures
        on
            windows.stream_id = mailing_measures.stream_id
            and windows.measure = mailing_measures.measure
            and windows.before_from_at <= mailing_measures.sent_at
            and windows.after_until_at > mailing_measures.sent_at
    left join campaigns_that_asked
        on
            windows.change_key = campaigns_that_asked.change_key
            and windows.stream_id = campaigns_that_asked.stream_id
            and mailing_measures.campaign_id = campaigns_that_asked.campaign_id
    where
        windows.unit = 'send'
        and mailing_measures.is_history
        and campaigns_that_asked.change_key is null
),

mailings_in_weeks as (
    select
        windows.effect_key,
        windows.change_key,
        windows.stream_id,
        windows.arm,

        cast(floor(
            {{ seconds_between('windows.changed_at', 'mailings.sent_at') }} / 604800e0
        ) as bigint) as week_number,

        mailings.unsubscribe_count as event_count,
        mailings.delivered_count as exposure_count,

        mailings.is_usual,
        mailings.is_post_gap,

        windows.changed_at,
        windows.before_from_at,
        windows.after_until_at
    from windows_of_arms as windows
    inner join mailings
        on windows.stream_id = mailings.stream_id
    where windows.unit = 'week'
),

mailed_weeks as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,

        week_number,

        sum(event_count) as event_count,
        avg(exposure_count) as mean_audience,

        bool_and(is_usual) as is_usual,
        bool_or(is_post_gap) as is_post_gap,

        changed_at,
        before_from_at,
        after_until_at
    from mailings_in_weeks
    group by all
),

-- Mail of every other week has two weeks to lose people in: a unit is a week with mail
-- and those without any after it. The newest has no end yet.
weeks_until_next_mail as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,

        week_number,

        event_count,
        mean_audience,
        lead(week_number) over weeks_in_order - week_number as week_count,

        is_usual and not lead(is_post_gap) over weeks_in_order as is_usual,

        {{ dbt.dateadd('week', 'week_number', 'changed_at') }} as begins_at,
        {{ dbt.dateadd('week', 'week_number + 1', 'changed_at') }} as ends_at,
        before_from_at,
        after_until_at
    from mailed_weeks
    window weeks_in_order as (
        partition by effect_key, stream_id
        order by week_number
    )
),

week_units as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        cast(week_number as varchar) as unit_id,

        cast(week_number as double) as weeks_from_change,

        cast(event_count as bigint) as event_count,
        cast(round(mean_audience * week_count) as bigint) as exposure_count
    from weeks_until_next_mail
    where
        is_usual
        and week_count is not null
        and begins_at >= before_from_at
        and ends_at <= after_until_at
),

bursts as (
    select
        source,
        account,
        contact_key,
        entered_at
    from fct_list_spells
    where is_joined_in_burst
    group by all
),

-- People who were loaded did not sign up, and of those who joined before losses showed
-- only the faithful are known.
joinings as (
    select
        windows.effect_key,
        windows.change_key,

        cast(floor(
            {{ seconds_between('windows.changed_at', 'memberships.entered_at') }}
            / 604800e0
        ) as bigint) as week_number,

        coalesce(
            memberships.exit_cause = 'unsubscribe'
            and memberships.left_at < {{ dbt.dateadd(
                'day', var('signup_window_days'), 'memberships.entered_at'
            ) }},
            false
        ) as is_opted_out,

        windows.changed_at,
        windows.before_from_at,
        windows.after_until_at,
        loss_visibility.observed_until_at
    from intervention_windows as windows
    inner join memberships
        on
            windows.source = memberships.source
            and windows.account = memberships.account
            and coalesce(windows.list, '(all)') = memberships.list
            and windows.before_from_at <= memberships.entered_at
            and windows.after_until_at > memberships.entered_at
    inner join loss_visibility
        on
            memberships.source = loss_visibility.source
            and memberships.account = loss_visibility.account
            and memberships.list = loss_visibility.list
    left join bursts
        on
            memberships.source = bursts.source
            and memberships.account = bursts.account
            and memberships.contact_key = bursts.contact_key
            and memberships.entered_at = bursts.entered_at
    where
        windows.unit = 'signup_week'
        and memberships.is_entry_known
        and not memberships.is_exit_only
        and not memberships.is_opening
        and bursts.contact_key is null
        and coalesce(
            memberships.entered_at >= loss_visibility.followed_since_at, true
        )
),

joining_weeks as (
    select
        effect_key,
        change_key,

        week_number,

        count(*) filter (where is_opted_out) as event_count,
        count(*) as exposure_count,

        {{ dbt.dateadd('week', 'week_number', 'changed_at') }} as begins_at,
        {{ dbt.dateadd('week', 'week_number + 1', 'changed_at') }} as ends_at,
        before_from_at,
        after_until_at,
        observed_until_at
    from joinings
    group by all
),

signup_units as (
    select
        effect_key,
        change_key,
        cast(null as varchar) as stream_id,
        'treated' as arm,
        cast(week_number as varchar) as unit_id,

        cast(week_number as double) as weeks_from_change,

        event_count,
        exposure_count
    from joining_weeks
    where
        begins_at >= before_from_at
        and ends_at <= after_until_at
        and {{ dbt.dateadd('day', var('signup_window_days'), 'ends_at') }}
        <= observed_until_at
),

all_units as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count
    from send_units
    union all
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count
    from week_units
    union all
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count
    from signup_units
),

units_in_periods as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        case when weeks_from_change < 0 then 'before' else 'after' end as period,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count,

        ln((event_count + 0.5e0) / (exposure_count + 1e0)) as log_rate
    from all_units
    where exposure_count > 0 and event_count between 0 and exposure_count
),

units_beside_their_median as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count,

        log_rate,
        median(log_rate) over cell as median_log_rate
    from units_in_periods
    window cell as (partition by effect_key, stream_id, period)
),

units_beside_their_spread as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count,

        log_rate,
        median_log_rate,
        {{ normal_deviation_per_median() }} * median(
            abs(log_rate - median_log_rate)
        ) over (partition by effect_key, stream_id) as spread
    from units_beside_their_median
),

-- One far-off mailing would be taken for the level of a quarter. Where all of them vary
-- more than is assumed, further off is not far yet.
intervention_units as (
    select
        effect_key,
        change_key,
        stream_id,
        arm,
        period,
        unit_id,

        weeks_from_change,

        event_count,
        exposure_count,

        log_rate,

        log_rate - median_log_rate >= {{ var('history_outlier_z') }}e0 * greatest(
            spread,
            sqrt(
                {{ var('dispersion_prior') }}e0
                + 1e0 / (exposure_count * exp(median_log_rate) + 0.5e0)
            )
        ) as is_left_out
    from units_beside_their_spread
)

select * from intervention_units
