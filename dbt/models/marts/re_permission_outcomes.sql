with

dim_changes as (
    select * from {{ ref('dim_changes') }}
),

dim_change_streams as (
    select * from {{ ref('dim_change_streams') }}
),

dim_change_campaigns as (
    select * from {{ ref('dim_change_campaigns') }}
),

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

re_permission_answers as (
    select * from {{ ref('re_permission_answers') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

-- Totals do not tell who was asked: of some campaigns' people alone the shares would be
-- of nobody in particular.
asked_streams as (
    select
        dim_change_campaigns.change_key,
        dim_change_campaigns.stream_id,

        count(*) as asking_campaign_count,

        bool_and(
            fct_campaigns.delivered_count_basis = 'events'
            or fct_campaigns.recipient_count is not null
            or coalesce(fct_campaigns.delivered_count = 0, false)
        ) as is_told_by_person,

        max(fct_campaigns.sent_at) as last_asked_at
    from dim_change_campaigns
    inner join fct_campaigns
        on dim_change_campaigns.campaign_key = fct_campaigns.campaign_key
    group by all
),

answers as (
    select
        change_key,
        stream_id,

        count(*) as asked_count,
        count(*) filter (where answer = 'reconfirmed') as reconfirmed_count,
        count(*) filter (where answer = 'opted_out') as opted_out_count,
        count(*) filter (where answer = 'complained') as complained_count,
        count(*) filter (where answer = 'silent') as silent_count,
        count(*) filter (
            where answer = 'silent' and is_mailed_since
        ) as silent_mailed_since_count,

        bool_or(is_open) as is_open
    from re_permission_answers
    group by all
),

counted_outcomes as (
    select
        dim_changes.change_key,
        dim_change_streams.source,
        dim_change_streams.account,
        dim_change_streams.stream_id,

        dim_changes.note,

        coalesce(asked_streams.asking_campaign_count, 0) as asking_campaign_count,
        coalesce(answers.asked_count, 0) as asked_count,
        coalesce(answers.reconfirmed_count, 0) as reconfirmed_count,
        coalesce(answers.opted_out_count, 0) as opted_out_count,
        coalesce(answers.complained_count, 0) as complained_count,
        coalesce(answers.silent_count, 0) as silent_count,
        coalesce(answers.silent_mailed_since_count, 0) as silent_mailed_since_count,

        coalesce(asked_streams.is_told_by_person, true) as is_told_by_person,
        coalesce(answers.is_open, false)
        or (select dim_runs.now_at from dim_runs) < case
            when dim_changes.has_named_campaigns
                then coalesce(asked_streams.last_asked_at, dim_changes.changed_at)
            else
                dim_changes.changed_at
                + interval '{{ var("re_permission_asking_days") }} days'
        end + interval '{{ var("re_permission_days") }} days' as is_open,

        dim_changes.changed_at
    from dim_changes
    inner join dim_change_streams
        on dim_changes.change_key = dim_change_streams.change_key
    left join asked_streams
        on
            dim_changes.change_key = asked_streams.change_key
            and dim_change_streams.stream_id = asked_streams.stream_id
    left join answers
        on
            dim_changes.change_key = answers.change_key
            and dim_change_streams.stream_id = answers.stream_id
    where
        dim_changes.kind = 're_permission'
        and dim_change_streams.arm = 'treated'
        and dim_change_streams.stream_id is not null
),

known_outcomes as (
    select
        change_key,
        source,
        account,
        stream_id,

        note,

        asking_campaign_count,
        case when is_told_by_person then asked_count end as asked_count,
        case when is_told_by_person then reconfirmed_count end as reconfirmed_count,
        case when is_told_by_person then opted_out_count end as opted_out_count,
        case when is_told_by_person then complained_count end as complained_count,
        case when is_told_by_person then silent_count end as silent_count,
        case
            when is_told_by_person then silent_mailed_since_count
        end as silent_mailed_since_count,

        is_open,

        changed_at
    from counted_outcomes
),

re_permission_outcomes as (
    select
        change_key,
        source,
        account,
        stream_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        note,

        asking_campaign_count,
        asked_count,
        reconfirmed_count,
        opted_out_count,
        complained_count,
        silent_count,
        silent_mailed_since_count,

        {{ rate_pct('reconfirmed_count', 'asked_count') }} as reconfirmed_pct,
        {{ wilson_low_pct('reconfirmed_count', 'asked_count') }} as reconfirmed_low_pct,
        {{ wilson_high_pct('reconfirmed_count', 'asked_count') }}
            as reconfirmed_high_pct,
        {{ rate_pct('opted_out_count', 'asked_count') }} as opted_out_pct,
        {{ wilson_low_pct('opted_out_count', 'asked_count') }} as opted_out_low_pct,
        {{ wilson_high_pct('opted_out_count', 'asked_count') }} as opted_out_high_pct,
        {{ rate_pct('complained_count', 'asked_count') }} as complained_pct,
        {{ wilson_low_pct('complained_count', 'asked_count') }} as complained_low_pct,
        {{ wilson_high_pct('complained_count', 'asked_count') }} as complained_high_pct,
        {{ rate_pct('silent_count', 'asked_count') }} as silent_pct,
        {{ wilson_low_pct('silent_count', 'asked_count') }} as silent_low_pct,
        {{ wilson_high_pct('silent_count', 'asked_count') }} as silent_high_pct,

        is_open,

        changed_at
    from known_outcomes
)

select * from re_permission_outcomes
