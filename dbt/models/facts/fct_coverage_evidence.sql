with

fct_campaigns as (
    select * from {{ ref('fct_campaigns') }}
),

fct_denominator_checks as (
    select * from {{ ref('fct_denominator_checks') }}
),

fct_opt_outs as (
    select * from {{ ref('fct_opt_outs') }}
),

fct_sends as (
    select * from {{ ref('fct_sends') }}
),

fct_link_clicks as (
    select * from {{ ref('fct_link_clicks') }}
),

dim_change_campaigns as (
    select * from {{ ref('dim_change_campaigns') }}
),

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

fct_list_validations as (
    select * from {{ ref('fct_list_validations') }}
),

fct_domain_reputation as (
    select * from {{ ref('fct_domain_reputation') }}
),

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

int_contact_statuses_ordered as (
    select * from {{ ref('int_contact_statuses_ordered') }}
),

fct_list_snapshots as (
    select * from {{ ref('fct_list_snapshots') }}
),

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_streams as (
    select * from {{ ref('dim_streams') }}
),

dim_change_streams as (
    select * from {{ ref('dim_change_streams') }}
),

send_types as (
    select * from {{ ref('send_types') }}
),

denominator_checks as (
    select * from {{ ref('denominator_checks') }}
),

opt_out_reason_words as (
    select * from {{ ref('opt_out_reason_words') }}
),

trusted_campaigns as (
    select
        campaign_key,
        source,
        account,
        stream_id,

        audience,
        content_category,

        unsubscribe_count,
        complaint_count,
        hard_bounce_count,
        soft_bounce_count,
        human_open_count
    from fct_campaigns
    where not is_excluded and delivered_count > 0
),

streams as (
    select
        source,
        account,
        stream_id,

        count(unsubscribe_count) as campaign_count
    from trusted_campaigns
    group by all
),

confirmed_campaigns as (
    select
        trusted_campaigns.source,
        trusted_campaigns.account,
        trusted_campaigns.campaign_key
    from trusted_campaigns
    inner join fct_denominator_checks
        on trusted_campaigns.campaign_key = fct_denominator_checks.campaign_key
    inner join denominator_checks
        on fct_denominator_checks.check_name = denominator_checks.check_name
    where
        denominator_checks.is_confirming
        and fct_denominator_checks.verdict in ('reconciled', 'within_tolerance')
    group by all
),

changed_streams as (
    select
        change_key,
        source,
        account,
        stream_id
    from dim_change_streams
    where arm = 'treated' and stream_id is not null
),

recipient_opt_outs as (
    select
        source,
        account,
        contact_key,

        opt_out_method,
        primary_reason
    from fct_opt_outs
    where is_by_recipient
),

-- Opens and clicks alone name a few of the people who were mailed.
mailed_people as (
    select
        source,
        account,
        contact_key,

        count(*) as message_count,
        count(coalesce(first_human_opened_at, first_clicked_at)) as read_count
    from fct_sends
    where sent_at is not null or delivered_at is not null or bounced_at is not null
    group by all
),

members as (
    select
        source,
        account,
        contact_key
    from fct_list_spells
    where entered_at is not null
    group by all
),

people_with_verdict as (
    select contact_key
    from fct_list_validations
    group by all
),

people_mailed_anywhere as (
    select contact_key
    from mailed_people
    group by all
),

whole_lists as (
    select
        source,
        account,
        list,

        count(*) filter (where resolved_scope = 'full') as whole_export_count
    from fct_list_snapshots
    group by all
),

arrivals as (
    select
        source,
        account,
        exports,

        count(distinct cast(exported_at as date)) - 1 as gap_count
    from fct_loads
    where
        state in ('loaded', 'duplicate')
        and exports is not null
        and exported_at is not null
    group by all
),

evidence as (
    select
        source,
        account,
        'campaigns_with_rate' as requirement,
        count(unsubscribe_count) as evidence_count
    from trusted_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_rate_in_one_stream' as requirement,
        max(campaign_count) as evidence_count
    from streams
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_category' as requirement,
        count(content_category) as evidence_count
    from trusted_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_audience' as requirement,
        count(audience) as evidence_count
    from trusted_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_confirmed' as requirement,
        count(*) as evidence_count
    from confirmed_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_events' as requirement,
        count(events_delivered_count) as evidence_count
    from fct_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_totals' as requirement,
        count(reported_delivered_count) as evidence_count
    from fct_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_on_both_bases' as requirement,
        count(*) as evidence_count
    from fct_campaigns
    where events_delivered_count is not null and reported_delivered_count is not null
    group by all
    union all
    select
        source,
        account,
        'campaigns_told_again' as requirement,
        count(*) as evidence_count
    from fct_campaigns
    where last_load > first_load
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_complaints' as requirement,
        count(complaint_count) as evidence_count
    from trusted_campaigns
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_bounce_classes' as requirement,
        count(*) as evidence_count
    from trusted_campaigns
    where hard_bounce_count is not null and soft_bounce_count is not null
    group by all
    union all
    select
        source,
        account,
        'campaigns_with_human_opens' as requirement,
        count(human_open_count) as evidence_count
    from trusted_campaigns
    group by all
    union all
    select
        dim_streams.source,
        dim_streams.account,
        'flows' as requirement,
        count(*) as evidence_count
    from dim_streams
    inner join send_types
        on dim_streams.send_type = send_types.send_type
    where send_types.is_triggered
    group by all
    union all
    select
        source,
        account,
        'changes_of_streams' as requirement,
        count(*) as evidence_count
    from changed_streams
    group by all
    union all
    select
        source,
        account,
        'opt_outs_of_persons' as requirement,
        count(*) as evidence_count
    from recipient_opt_outs
    group by all
    union all
    select
        recipient_opt_outs.source,
        recipient_opt_outs.account,
        'opt_outs_with_reason' as requirement,
        count(*) as evidence_count
    from recipient_opt_outs
    inner join opt_out_reason_words
        on recipient_opt_outs.primary_reason = opt_out_reason_words.reason
    where opt_out_reason_words.is_answered
    group by all
    union all
    select
        source,
        account,
        'opt_outs_with_method' as requirement,
        count(*) as evidence_count
    from recipient_opt_outs
    where opt_out_method <> 'unknown'
    group by all
    union all
    select
        recipient_opt_outs.source,
        recipient_opt_outs.account,
        'opt_outs_of_people_mailed' as requirement,
        count(*) as evidence_count
    from recipient_opt_outs
    inner join mailed_people
        on
            recipient_opt_outs.source = mailed_people.source
            and recipient_opt_outs.account = mailed_people.account
            and recipient_opt_outs.contact_key = mailed_people.contact_key
    group by all
    union all
    select
        source,
        account,
        'messages_to_persons' as requirement,
        cast(sum(message_count) as bigint) as evidence_count
    from mailed_people
    group by all
    union all
    select
        mailed_people.source,
        mailed_people.account,
        'messages_to_members' as requirement,
        cast(sum(mailed_people.message_count) as bigint) as evidence_count
    from mailed_people
    inner join dim_sources
        on
            mailed_people.source = dim_sources.source
            and mailed_people.account = dim_sources.account
    inner join members
        on
            dim_sources.list_source = members.source
            and dim_sources.list_account = members.account
            and mailed_people.contact_key = members.contact_key
    group by all
    union all
    select
        mailed_people.source,
        mailed_people.account,
        'messages_read_by_members' as requirement,
        cast(sum(mailed_people.read_count) as bigint) as evidence_count
    from mailed_people
    inner join dim_sources
        on
            mailed_people.source = dim_sources.source
            and mailed_people.account = dim_sources.account
    inner join members
        on
            dim_sources.list_source = members.source
            and dim_sources.list_account = members.account
            and mailed_people.contact_key = members.contact_key
    group by all
    union all
    select
        source,
        account,
        'complaints_of_persons' as requirement,
        count(*) as evidence_count
    from fct_sends
    where is_complained
    group by all
    union all
    select
        source,
        account,
        'clicks_with_link' as requirement,
        count(*) as evidence_count
    from fct_link_clicks
    group by all
    union all
    select
        dim_change_campaigns.source,
        dim_change_campaigns.account,
        'people_asked_again' as requirement,
        count(*) as evidence_count
    from dim_change_campaigns
    inner join fct_campaigns
        on dim_change_campaigns.campaign_key = fct_campaigns.campaign_key
    where
        fct_campaigns.delivered_count_basis = 'events'
        or fct_campaigns.recipient_count is not null
    group by all
    union all
    select
        source,
        account,
        'whole_exports_of_one_list' as requirement,
        max(whole_export_count) as evidence_count
    from whole_lists
    group by all
    union all
    select
        source,
        account,
        'exits_with_date_and_cause' as requirement,
        count(*) as evidence_count
    from int_contact_statuses_ordered
    where
        not is_on_list
        and status_changed_at is not null
        and exit_cause <> 'unknown'
    group by all
    union all
    select
        source,
        account,
        'joinings_with_date' as requirement,
        count(*) as evidence_count
    from fct_list_spells
    where is_entry_known
    group by all
    union all
    select
        source,
        account,
        'joinings_with_signup_source' as requirement,
        count(*) as evidence_count
    from fct_list_spells
    where is_entry_known and signup_source is not null
    group by all
    union all
    select
        fct_list_spells.source,
        fct_list_spells.account,
        'contacts_with_verdict' as requirement,
        count(*) as evidence_count
    from fct_list_spells
    inner join people_with_verdict
        on fct_list_spells.contact_key = people_with_verdict.contact_key
    where fct_list_spells.left_at is null
    group by all
    union all
    select
        source,
        account,
        'verdicts' as requirement,
        count(*) as evidence_count
    from fct_list_validations
    group by all
    union all
    select
        fct_list_validations.source,
        fct_list_validations.account,
        'verdicts_on_people_mailed' as requirement,
        count(*) as evidence_count
    from fct_list_validations
    inner join people_mailed_anywhere
        on fct_list_validations.contact_key = people_mailed_anywhere.contact_key
    group by all
    union all
    select
        source,
        account,
        'domain_days' as requirement,
        count(*) as evidence_count
    from fct_domain_reputation
    group by all
    union all
    select
        source,
        account,
        'exports_with_known_cadence' as requirement,
        count(*) as evidence_count
    from arrivals
    where gap_count >= {{ var('freshness_minimum_gaps') }}
    group by all
    union all
    select
        source,
        account,
        'files_loaded' as requirement,
        count(*) as evidence_count
    from fct_loads
    where state = 'loaded'
    group by all
),

coverage_evidence as (
    select
        {{ hash_key(['source', 'account', 'requirement']) }} as evidence_key,
        source,
        account,
        requirement,

        evidence_count
    from evidence
)

select * from coverage_evidence
