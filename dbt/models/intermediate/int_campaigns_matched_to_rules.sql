with

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_campaigns_described_from_events as (
    select * from {{ ref('int_campaigns_described_from_events') }}
),

stg_campaign_rules as (
    select * from {{ ref('stg_campaign_rules') }}
),

-- What totals call a campaign counts before what events call it.
told_texts as (
    select
        source,
        account,
        campaign_id,
        variant,

        campaign_name,
        subject,
        tags,
        folder,
        audience,

        1 as preference
    from int_campaign_stats_narrowed_to_newest
    union all
    select
        source,
        account,
        campaign_id,
        variant,

        campaign_name,
        subject,
        tags,
        cast(null as string) as folder,
        coalesce(audience, list) as audience,

        2 as preference
    from int_campaigns_described_from_events
),

campaign_texts as (
    select
        {{ hash_key(['source', 'account', 'campaign_id', 'variant']) }}
            as campaign_key,
        source,
        account,

        min_by(campaign_name, preference) filter (
            where campaign_name is not null
        ) as campaign_name,
        min_by(subject, preference) filter (where subject is not null) as subject,
        min_by(tags, preference) filter (where tags is not null) as tags,
        min_by(folder, preference) filter (where folder is not null) as folder,
        min_by(audience, preference) filter (where audience is not null) as audience
    from told_texts
    group by source, account, campaign_id, variant
),

campaign_tags as (
    select
        campaign_key,
        source,
        account,

        unnest(string_split(tags, ',')) as tag
    from campaign_texts
    where tags is not null
),

-- A tag is asked for by itself, so that ^ and $ mean its own ends.
matched_tags as (
    select
        campaign_tags.campaign_key,
        rules.decides,
        rules.rule_number
    from campaign_tags
    inner join stg_campaign_rules as rules
        on
            campaign_tags.source = rules.source
            and campaign_tags.account = rules.account
    where regexp_matches(trim(campaign_tags.tag), rules.tag_pattern, 'i')
    group by all
),

-- A text that a campaign lacks is NULL, and matches nothing.
matched_rules as (
    select
        campaign_texts.campaign_key,
        rules.decides,

        rules.value,

        rules.rule_number
    from campaign_texts
    inner join stg_campaign_rules as rules
        on
            campaign_texts.source = rules.source
            and campaign_texts.account = rules.account
    left join matched_tags
        on
            campaign_texts.campaign_key = matched_tags.campaign_key
            and rules.decides = matched_tags.decides
            and rules.rule_number = matched_tags.rule_number
    where
        (
            rules.name_pattern is null
            or regexp_matches(campaign_texts.campaign_name, rules.name_pattern, 'i')
        )
        and (
            rules.subject_pattern is null
            or regexp_matches(campaign_texts.subject, rules.subject_pattern, 'i')
        )
        and (
            rules.folder_pattern is null
            or regexp_matches(campaign_texts.folder, rules.folder_pattern, 'i')
        )
        and (
            rules.audience_pattern is null
            or regexp_matches(campaign_texts.audience, rules.audience_pattern, 'i')
        )
        and (rules.tag_pattern is null or matched_tags.campaign_key is not null)
),

ruled_campaigns as (
    select
        campaign_key,

        min_by(value, rule_number) filter (where decides = 'stream') as stream,
        min_by(value, rule_number) filter (
            where decides = 'content_category'
        ) as content_category
    from matched_rules
    group by all
)

select * from ruled_campaigns
