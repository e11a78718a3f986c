with

mailings as (
    select * from {{ ref('mailings') }}
),

judged_measures as (
    select * from {{ ref('judged_measures') }}
),

mailing_measures as (
    select * from {{ ref('mailing_measures') }}
),

measure_baselines as (
    select * from {{ ref('measure_baselines') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

campaign_unsubscribe_rates as (
    select * from {{ ref('campaign_unsubscribe_rates') }}
),

campaign_diagnoses as (
    select * from {{ ref('campaign_diagnoses') }}
),

intervention_effects as (
    select * from {{ ref('intervention_effects') }}
),

-- Money is added exactly, so that any order gives the same.
mailing_revenues as (
    select
        stream_id,
        campaign_id,

        case
            when count(revenue) = count(*)
                then sum(cast(revenue as decimal(18, 2)))
        end as revenue
    from campaign_unsubscribe_rates
    where unsubscribe_rate_pct is not null
    group by all
),

dated_mailings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,
        cast(date_trunc('week', mailings.sent_at) as date) as week,

        coalesce(mailings.campaign_name, mailings.subject, mailings.campaign_id)
            as name,
        mailings.maturity,
        measured.earlier_history_count,

        mailings.delivered_count,
        mailings.unsubscribe_count,
        mailings.complaint_count,
        case when mailings.complaint_count is not null then mailings.delivered_count end
            as complaint_base_count,
        judged.event_count as judged_unsubscribe_count,
        case when judged.expected_count is not null then mailings.delivered_count end
            as judged_delivered_count,

        judged.expected_count,
        judged.event_count - judged.expected_count as excess_count,
        -- What mailings vary by is their own; what is not known of the past is the
        -- same for all that are judged by the same past.
        judged.expected_count + baselines.cv2 * pow(judged.expected_count, 2)
            as own_variance,
        judged.expected_count
        * sqrt(greatest(judged.predictive_cv2 - baselines.cv2, 0e0))
            as shared_deviation,
        mailing_revenues.revenue,
        case
            when mailing_revenues.revenue is not null
                then mailings.unsubscribe_count
        end as revenue_unsubscribe_count,

        mailings.sent_at
    from mailings
    left join judged_measures as judged
        on
            mailings.mailing_key = judged.mailing_key
            and judged.measure = 'unsubscribe'
            and judged.expected_count is not null
    left join mailing_measures as measured
        on
            judged.mailing_key = measured.mailing_key
            and judged.measure = measured.measure
    left join measure_baselines as baselines
        on
            measured.stream_id = baselines.stream_id
            and measured.measure = baselines.measure
            and measured.earlier_history_count = baselines.history_number
    left join mailing_revenues
        on
            mailings.stream_id = mailing_revenues.stream_id
            and mailings.campaign_id = mailing_revenues.campaign_id
),

-- Of mailings that were judged one after the other, each by a past that holds the one
-- before it, the errors are independent.
judged_together as (
    select
        source,
        account,
        stream_id,
        week,
        earlier_history_count,

        count(*) as send_count,
        count(expected_count) as judged_send_count,
        sum(delivered_count) as delivered_count,
        sum(unsubscribe_count) as unsubscribe_count,
        sum(complaint_count) as complaint_count,
        sum(complaint_base_count) as complaint_base_count,
        sum(judged_delivered_count) as judged_delivered_count,
        sum(judged_unsubscribe_count) as judged_unsubscribe_count,

        sum(expected_count) as expected_count,
        sum(own_variance) + pow(sum(shared_deviation), 2) as variance,
        sum(revenue) as revenue,
        sum(revenue_unsubscribe_count) as revenue_unsubscribe_count,

        bool_or(maturity = 'provisional') as is_provisional
    from dated_mailings
    group by all
),

mailed_weeks as (
    select
        source,
        account,
        week,

        cast(sum(send_count) as bigint) as send_count,
        cast(sum(judged_send_count) as bigint) as judged_send_count,
        cast(sum(delivered_count) as bigint) as delivered_count,
        cast(sum(unsubscribe_count) as bigint) as unsubscribe_count,
        cast(sum(complaint_count) as bigint) as complaint_count,
        cast(sum(complaint_base_count) as bigint) as complaint_base_count,
        cast(sum(judged_delivered_count) as bigint) as judged_delivered_count,
        cast(sum(judged_unsubscribe_count) as bigint) as judged_unsubscribe_count,
        cast(sum(revenue_unsubscribe_count) as bigint) as revenue_unsubscribe_count,

        sum(expected_count) as expected_count,
        (sum(variance) - sum(expected_count)) / nullif(pow(sum(expected_count), 2), 0)
            as predictive_cv2,
        cast(sum(revenue) as decimal(18, 2)) as revenue,

        bool_or(is_provisional) as is_provisional
    from judged_together
    group by all
),

-- What was declared of a name that no stream has is said by the run itself.
told_interventions as (
    select
        effects.change_key,
        effects.source,
        effects.account,
        effects.stream_id,
        cast(date_trunc('week', effects.changed_at) as date) as changed_week,
        case
            when not effects.is_open
                then cast(date_trunc('week', effects.decided_at) as date)
        end as decided_week,

        concat(
            effects.change_label, ' (',
            coalesce(effects.stream_name, effects.list, effects.account),
            ', since ', cast(cast(effects.changed_at as date) as varchar), ')'
        ) as name,
        effects.verdict_label,
        'open until ' || cast(cast(effects.decided_at as date) as varchar)
            as open_until,
        {{ number_in_words('abs(effects.effect_pct)', 0) }}
        || case when effects.effect_pct < 0 then ' % fewer' else ' % more' end
        || case effects.measure when 'hard_bounce' then ' bounces' else ' opt-outs' end
        || case effects.unit when 'week' then ' per reader and week' else '' end
        || ' ('
        || case
            when effects.effect_high_pct < 0
                then
                    {{ number_in_words('abs(effects.effect_high_pct)', 0) }} || ' to '
                    || {{ number_in_words('abs(effects.effect_low_pct)', 0) }}
            when effects.effect_low_pct >= 0
                then
                    {{ number_in_words('effects.effect_low_pct', 0) }} || ' to '
                    || {{ number_in_words('effects.effect_high_pct', 0) }}
            else
                {{ number_in_words('abs(effects.effect_low_pct)', 0) }}
                || ' % fewer to '
                || {{ number_in_words('effects.effect_high_pct', 0) }} || ' % more'
        end || ')' as effect,
        case
            when effects.verdict = 'not_proven'
                then
                    'changes below '
                    || {{ number_in_words(
                        'effects.minimum_detectable_effect_pct', 0
                    ) }} || ' % hardly show'
        end as power,

        effects.changed_at
    from intervention_effects as effects
    where effects.verdict != 'unknown_stream' and effects.account is not null
),

account_weeks as (
    select
        source,
        account,
        week as mailed_week,
        cast(null as date) as judged_week
    from mailed_weeks
    union all
    select
        source,
        account,
        cast(null as date) as mailed_week,
        coalesce(decided_week, changed_week) as judged_week
    from told_interventions
),

-- An account that keeps a list and sends nothing has the weeks of its changes.
bounds as (
    select
        source,
        account,
        coalesce(min(mailed_week), min(judged_week)) as first_week,
        coalesce(max(mailed_week), max(judged_week)) as newest_week
    from account_weeks
    group by all
),

weeks as (
    select
        source,
        account,
        cast(unnest(range(
            cast(first_week as timestamp),
            newest_week + interval '7 days',
            interval '7 days'
        )) as date) as week,
        first_week,
        newest_week
    from bounds
),

-- What is true of a stream now belongs to the newest week.
dated_findings as (
    select
        diagnoses.diagnosis_key,
        diagnoses.source,
        diagnoses.account,
        coalesce(mailings.week, bounds.newest_week) as week,

        diagnoses.finding,
        concat(
            diagnoses.finding_label, ' (',
            concat_ws(
                ', ',
                coalesce(mailings.name, dim_streams.stream_name),
                case
                    when diagnoses.people_lost_count = 1 then '1 person'
                    when diagnoses.people_lost_count > 1
                        then
                            {{ count_in_words('diagnoses.people_lost_count') }}
                            || ' people'
                end
                || case when diagnoses.level = 'stream' then ' in all' else '' end,
                replace(diagnoses.confidence, '_', ' ')
            ),
            ')'
        ) as told_finding,
        diagnoses.recommended_action,
        diagnoses.action_source,
        diagnoses.rank
    from campaign_diagnoses as diagnoses
    inner join bounds
        on
            diagnoses.source = bounds.source
            and diagnoses.account = bounds.account
    left join dated_mailings as mailings
        on
            diagnoses.stream_id = mailings.stream_id
            and diagnoses.campaign_id = mailings.campaign_id
    left join dim_streams
        on diagnoses.stream_id = dim_streams.stream_id
),

placed_findings as (
    select
        diagnosis_key,
        source,
        account,
        week,

        finding,
        told_finding,
        recommended_action,
        action_source,
        row_number() over (
            partition by source, account, week
            order by rank asc
        ) as place
    from dated_findings
),

found_weeks as (
    select
        source,
        account,
        week,

        max(case when place = 1 then diagnosis_key end) as finding_1_diagnosis_key,
        max(case when place = 2 then diagnosis_key end) as finding_2_diagnosis_key,
        max(case when place = 3 then diagnosis_key end) as finding_3_diagnosis_key,
        max(case when place = 1 then finding end) as finding_1_key,
        max(case when place = 2 then finding end) as finding_2_key,
        max(case when place = 3 then finding end) as finding_3_key,
        max(case when place = 1 then told_finding end) as finding_1,
        max(case when place = 2 then told_finding end) as finding_2,
        max(case when place = 3 then told_finding end) as finding_3,
        max(case when place = 1 then recommended_action end) as recommended_action,
        max(case when place = 1 then action_source end) as action_source,

        count(*) as finding_count
    from placed_findings
    group by all
),

-- Of people, not of their fractions: else the last digit of two equals decides.
placed_losses as (
    select
        source,
        account,
        week,
        stream_id,
        campaign_id,

        name,

        cast(round(excess_count) as bigint) as excess_count,

        row_number() over (
            partition by source, account, week
            order by
                round(excess_count) desc, sent_at asc, stream_id asc, campaign_id asc
        ) as place
    from dated_mailings
    where round(excess_count) > 0
),

worst_mailings as (
    select
        source,
        account,
        week,
        stream_id,
        campaign_id,
        name,
        excess_count
    from placed_losses
    where place = 1
),

-- Who stops mailing still hears of a change in the last week there is.
intervention_weeks as (
    select
        weeks.source,
        weeks.account,
        weeks.week,

        interventions.change_key,
        interventions.stream_id,
        interventions.name,
        interventions.verdict_label,
        interventions.open_until,
        interventions.effect,
        interventions.power,

        weeks.week = weeks.newest_week and interventions.decided_week is null
            as is_open,
        interventions.decided_week is not null
        and weeks.week = least(
            greatest(interventions.decided_week, weeks.first_week), weeks.newest_week
        ) as is_decided,

        interventions.changed_at
    from weeks
    inner join told_interventions as interventions
        on
            weeks.source = interventions.source
            and weeks.account = interventions.account
            and weeks.week >= least(interventions.changed_week, weeks.newest_week)
            and weeks.week <= greatest(
                coalesce(interventions.decided_week, weeks.newest_week),
                weeks.first_week
            )
),

-- Nobody knew in an earlier week what is known of a change now.
worded_interventions as (
    select
        source,
        account,
        week,

        change_key,
        stream_id,
        case
            when is_decided
                then
                    name || coalesce(
                        ' ' || verdict_label || ': ' || effect, ': ' || verdict_label
                    ) || coalesce(', ' || power, '')
        end as decided_intervention,
        case
            when is_open
                then concat(name, ' ', open_until, ': so far ' || effect)
            when not is_decided
                then name
        end as open_intervention,

        changed_at
    from intervention_weeks
),

intervention_texts as (
    select
        source,
        account,
        week,

        string_agg(
            decided_intervention, '; '
            order by changed_at asc, change_key asc, stream_id asc
        ) as decided_interventions,
        string_agg(
            open_intervention, '; '
            order by changed_at asc, change_key asc, stream_id asc
        ) as open_interventions,

        count(open_intervention) as open_intervention_count
    from worded_interventions
    group by all
),

reviewed_weeks as (
    select
        weeks.source,
        weeks.account,
        weeks.week,

        coalesce(mailed_weeks.send_count, 0) as send_count,
        coalesce(mailed_weeks.judged_send_count, 0) as judged_send_count,
        mailed_weeks.delivered_count,
        mailed_weeks.unsubscribe_count,
        mailed_weeks.complaint_count,
        mailed_weeks.complaint_base_count,
        mailed_weeks.judged_delivered_count,
        mailed_weeks.judged_unsubscribe_count,
        mailed_weeks.revenue_unsubscribe_count,

        mailed_weeks.expected_count,
        {{ negative_binomial_point(
            '(-1e0 * ' ~ normal_quantile_975() ~ ')',
            'mailed_weeks.expected_count',
            'mailed_weeks.predictive_cv2'
        ) }} as expected_low_count,
        {{ negative_binomial_point(
            normal_quantile_975(),
            'mailed_weeks.expected_count',
            'mailed_weeks.predictive_cv2'
        ) }} as expected_high_count,
        mailed_weeks.revenue,

        weeks.week = weeks.newest_week as is_newest_week,
        coalesce(mailed_weeks.is_provisional, false) as is_provisional
    from weeks
    left join mailed_weeks
        on
            weeks.source = mailed_weeks.source
            and weeks.account = mailed_weeks.account
            and weeks.week = mailed_weeks.week
),

weekly_review as (
    select
        weeks.source,
        weeks.account,
        weeks.week,
        worst_mailings.stream_id as worst_stream_id,
        worst_mailings.campaign_id as worst_campaign_id,
        found_weeks.finding_1_diagnosis_key,
        found_weeks.finding_2_diagnosis_key,
        found_weeks.finding_3_diagnosis_key,
        (select dim_runs.build_id from dim_runs) as build_id,

        worst_mailings.name as worst_campaign_name,
        found_weeks.finding_1_key,
        found_weeks.finding_2_key,
        found_weeks.finding_3_key,
        found_weeks.finding_1,
        found_weeks.finding_2,
        found_weeks.finding_3,
        found_weeks.recommended_action,
        found_weeks.action_source,
        intervention_texts.open_interventions,
        intervention_texts.decided_interventions,

        weeks.send_count,
        weeks.judged_send_count,
        weeks.delivered_count,
        weeks.unsubscribe_count,
        weeks.judged_delivered_count,
        weeks.judged_unsubscribe_count,
        weeks.expected_count as expected_unsubscribe_count,
        cast(round(
            weeks.judged_unsubscribe_count - weeks.expected_count
        ) as bigint) as excess_unsubscribe_count,
        cast(round(
            weeks.judged_unsubscribe_count - weeks.expected_high_count
        ) as bigint) as excess_low_count,
        cast(round(
            weeks.judged_unsubscribe_count - weeks.expected_low_count
        ) as bigint) as excess_high_count,
        worst_mailings.excess_count as worst_excess_unsubscribe_count,
        weeks.complaint_count,
        weeks.complaint_base_count,
        coalesce(found_weeks.finding_count, 0) as finding_count,
        coalesce(intervention_texts.open_intervention_count, 0)
            as open_intervention_count,
        weeks.revenue_unsubscribe_count,

        {{ rate_pct('weeks.unsubscribe_count', 'weeks.delivered_count') }}
            as unsubscribe_rate_pct,
        {{ wilson_low_pct('weeks.unsubscribe_count', 'weeks.delivered_count') }}
            as unsubscribe_rate_low_pct,
        {{ wilson_high_pct('weeks.unsubscribe_count', 'weeks.delivered_count') }}
            as unsubscribe_rate_high_pct,
        weeks.revenue,
        cast(weeks.revenue as double) / nullif(weeks.revenue_unsubscribe_count, 0)
            as revenue_per_lost_contact,

        weeks.is_newest_week,
        weeks.is_provisional
    from reviewed_weeks as weeks
    left join worst_mailings
        on
            weeks.source = worst_mailings.source
            and weeks.account = worst_mailings.account
            and weeks.week = worst_mailings.week
    left join found_weeks
        on
            weeks.source = found_weeks.source
            and weeks.account = found_weeks.account
            and weeks.week = found_weeks.week
    left join intervention_texts
        on
            weeks.source = intervention_texts.source
            and weeks.account = intervention_texts.account
            and weeks.week = intervention_texts.week
)

select * from weekly_review
