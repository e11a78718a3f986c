with

dim_change_campaigns as (
    select * from {{ ref('dim_change_campaigns') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

opt_out_scopes as (
    select * from {{ ref('opt_out_scopes') }}
),

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_link_clicks as (
    select * from {{ ref('fct_link_clicks') }}
),

fct_other_choices as (
    select * from {{ ref('fct_other_choices') }}
),

fct_confirmations as (
    select * from {{ ref('fct_confirmations') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

fct_complaints as (
    select * from {{ ref('fct_complaints') }}
),

asking_sends as (
    select
        dim_change_campaigns.change_key,
        dim_change_campaigns.source,
        dim_change_campaigns.account,
        dim_change_campaigns.stream_id,
        fct_sends.contact_key,
        fct_sends.send_key,

        coalesce(
            fct_sends.delivered_at, fct_sends.sent_at, fct_sends.first_seen_at
        ) as asked_at,
        case
            when coalesce(fct_sends.human_click_count, 1) > 0
                then fct_sends.first_clicked_at
        end as clicked_at
    from dim_change_campaigns
    inner join fct_sends
        on dim_change_campaigns.campaign_key = fct_sends.campaign_key
    where fct_sends.is_delivered and fct_sends.contact_key is not null
),

-- A reminder opens the time to answer anew.
asked_people as (
    select
        change_key,
        source,
        account,
        stream_id,
        contact_key,

        min(asked_at) as asked_at,
        max(asked_at)
        + interval '{{ var("re_permission_days") }} days' as answerable_until_at
    from asking_sends
    group by all
),

-- Where the export tells which link it was, the way out is no yes.
answers_in_the_mail as (
    select
        asking_sends.change_key,
        asking_sends.stream_id,
        asking_sends.contact_key,

        'reconfirmed' as answer
    from asking_sends
    inner join asked_people
        on
            asking_sends.change_key = asked_people.change_key
            and asking_sends.stream_id = asked_people.stream_id
            and asking_sends.contact_key = asked_people.contact_key
    left join fct_link_clicks
        on asking_sends.send_key = fct_link_clicks.send_key
    where
        coalesce(fct_link_clicks.url_kind, 'untold') <> 'unsubscribe'
        and coalesce(fct_link_clicks.first_clicked_at, asking_sends.clicked_at)
        <= asked_people.answerable_until_at
),

-- Who is asked in one system may answer in the one that keeps the lists.
places as (
    select
        source,
        account,
        source as place_source,
        account as place_account,

        timezone as place_timezone
    from dim_sources
    union all
    select
        dim_sources.source,
        dim_sources.account,
        list_homes.source as place_source,
        list_homes.account as place_account,

        list_homes.timezone as place_timezone
    from dim_sources
    inner join dim_sources as list_homes
        on
            dim_sources.list_source = list_homes.source
            and dim_sources.list_account = list_homes.account
            and dim_sources.source_key <> list_homes.source_key
),

-- An opt-out from one stream or list is no answer about another, unless the mail that
-- asked brought it.
events as (
    select
        source,
        account,
        contact_key,
        cast(null as string) as stream_id,
        cast(null as string) as campaign_key,

        'reconfirmed' as answer,

        confirmed_at as answered_at
    from fct_confirmations
    union all
    select
        source,
        account,
        contact_key,
        cast(null as string) as stream_id,
        cast(null as string) as campaign_key,

        'reconfirmed' as answer,

        chosen_at as answered_at
    from fct_other_choices
    where choice = 'preference_changed'
    union all
    select
        fct_opt_outs.source,
        fct_opt_outs.account,
        fct_opt_outs.contact_key,
        case
            when opt_out_scopes.reach <> 'account' then fct_opt_outs.stream_id
        end as stream_id,
        fct_opt_outs.campaign_key,

        'opted_out' as answer,

        fct_opt_outs.opted_out_at as answered_at
    from fct_opt_outs
    inner join opt_out_scopes
        on fct_opt_outs.opt_out_scope = opt_out_scopes.scope
    where fct_opt_outs.is_headline_scope and fct_opt_outs.is_by_recipient
    union all
    select
        source,
        account,
        contact_key,
        cast(null as string) as stream_id,
        cast(null as string) as campaign_key,

        'complained' as answer,

        complained_at as answered_at
    from fct_complaints
),

-- A day without a time may have been any hour of it.
answers_by_events as (
    select
        asked_people.change_key,
        asked_people.stream_id,
        asked_people.contact_key,

        events.answer
    from asked_people
    inner join places
        on
            asked_people.source = places.source
            and asked_people.account = places.account
    inner join events
        on
            places.place_source = events.source
            and places.place_account = events.account
            and asked_people.contact_key = events.contact_key
            and asked_people.answerable_until_at >= events.answered_at
    left join dim_change_campaigns
        on
            asked_people.change_key = dim_change_campaigns.change_key
            and asked_people.stream_id = dim_change_campaigns.stream_id
            and events.campaign_key = dim_change_campaigns.campaign_key
    where
        (
            asked_people.asked_at <= events.answered_at
            or asked_people.asked_at < events.answered_at + interval '1 day'
            and {{ is_bare_date('events.answered_at', 'places.place_timezone') }}
        )
        and (
            coalesce(events.stream_id, asked_people.stream_id)
            = asked_people.stream_id
            or dim_change_campaigns.campaign_key is not null
        )
),

answers as (
    select
        change_key,
        stream_id,
        contact_key,
        answer
    from answers_in_the_mail
    union all
    select
        change_key,
        stream_id,
        contact_key,
        answer
    from answers_by_events
),

-- What was said against the mail outweighs a click.
single_answers as (
    select
        change_key,
        stream_id,
        contact_key,

        case
            when bool_or(answer = 'complained') then 'complained'
            when bool_or(answer = 'opted_out') then 'opted_out'
            else 'reconfirmed'
        end as answer
    from answers
    group by all
),

later_mail as (
    select
        asked_people.change_key,
        asked_people.stream_id,
        asked_people.contact_key
    from asked_people
    inner join fct_sends
        on
            asked_people.stream_id = fct_sends.stream_id
            and asked_people.contact_key = fct_sends.contact_key
            and asked_people.answerable_until_at
            < coalesce(
                fct_sends.sent_at, fct_sends.delivered_at, fct_sends.first_seen_at
            )
    where fct_sends.is_delivered
    group by all
),

re_permission_answers as (
    select
        asked_people.change_key,
        asked_people.source,
        asked_people.account,
        asked_people.stream_id,
        asked_people.contact_key,

        coalesce(single_answers.answer, 'silent') as answer,

        later_mail.contact_key is not null as is_mailed_since,
        (select dim_runs.now_at from dim_runs) < asked_people.answerable_until_at
            as is_open,

        asked_people.asked_at,
        asked_people.answerable_until_at
    from asked_people
    left join single_answers
        on
            asked_people.change_key = single_answers.change_key
            and asked_people.stream_id = single_answers.stream_id
            and asked_people.contact_key = single_answers.contact_key
    left join later_mail
        on
            asked_people.change_key = later_mail.change_key
            and asked_people.stream_id = later_mail.stream_id
            and asked_people.contact_key = later_mail.contact_key
)

select * from re_permission_answers
