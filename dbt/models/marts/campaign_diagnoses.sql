with

mailings as (
    select * from {{ ref('mailings') }}
),

stream_evidence as (
    select * from {{ ref('stream_evidence') }}
),

campaign_findings as (
    select * from {{ ref('campaign_findings') }}
),

stream_findings as (
    select * from {{ ref('stream_findings') }}
),

findings as (
    select * from {{ ref('findings') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

all_findings as (
    select
        mailings.source,
        mailings.account,
        mailings.stream_id,
        mailings.campaign_id,
        mailings.campaign_name,
        'campaign' as level,
        campaign_findings.finding,
        campaign_findings.confidence,
        campaign_findings.evidence,
        campaign_findings.lost_count,
        campaign_findings.lost_low_count,
        campaign_findings.lost_high_count,
        campaign_findings.statistic,
        campaign_findings.statistic_name,
        campaign_findings.p_value,
        mailings.sent_at
    from campaign_findings
    inner join mailings
        on campaign_findings.mailing_key = mailings.mailing_key
    union all
    select
        stream_findings.source,
        stream_findings.account,
        stream_findings.stream_id,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as campaign_name,
        'stream' as level,
        stream_findings.finding,
        stream_findings.confidence,
        stream_findings.evidence,
        stream_findings.lost_count,
        stream_findings.lost_low_count,
        stream_findings.lost_high_count,
        stream_findings.statistic,
        stream_findings.statistic_name,
        stream_findings.p_value,
        stream_evidence.sent_at
    from stream_findings
    inner join stream_evidence
        on stream_findings.stream_id = stream_evidence.stream_id
),

-- That a cause is unknown is never confirmed.
advised_findings as (
    select
        {{ hash_key([
            'all_findings.source', 'all_findings.account', 'all_findings.stream_id',
            'all_findings.campaign_id', 'all_findings.finding',
        ]) }} as diagnosis_key,
        all_findings.source,
        all_findings.account,
        all_findings.stream_id,
        all_findings.campaign_id,

        all_findings.campaign_name,
        all_findings.level,
        all_findings.finding,
        findings.label as finding_label,
        case
            when all_findings.confidence = 'confirmed' and not findings.is_cause
                then 'probable'
            else all_findings.confidence
        end as confidence,
        all_findings.evidence,
        all_findings.statistic_name,
        findings.recommended_action,
        findings.action_source,
        findings.rank as finding_rank,

        cast(round(all_findings.lost_count) as bigint) as people_lost_count,
        cast(round(all_findings.lost_low_count) as bigint) as people_lost_low_count,
        cast(round(all_findings.lost_high_count) as bigint) as people_lost_high_count,

        all_findings.statistic,
        all_findings.p_value,

        all_findings.sent_at
    from all_findings
    left join findings
        on
            all_findings.finding = findings.finding
            and all_findings.level = findings.level
),

campaign_diagnoses as (
    select
        diagnosis_key,
        source,
        account,
        stream_id,
        campaign_id,
        (select dim_runs.build_id from dim_runs) as build_id,

        campaign_name,
        level,
        finding,
        finding_label,
        confidence,
        evidence,
        statistic_name,
        recommended_action,
        action_source,
        row_number() over (
            order by
                people_lost_count desc nulls last,
                finding_rank asc,
                sent_at desc,
                source asc,
                account asc,
                stream_id asc,
                campaign_id asc
        ) as rank,

        people_lost_count,
        people_lost_low_count,
        people_lost_high_count,

        statistic,
        p_value,

        sent_at
    from advised_findings
)

select * from campaign_diagnoses
