with

mailing_audiences as (
    select * from {{ ref('mailing_audiences') }}
),

unusual_audiences as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        audience_evidence,

        audience_ratio,
        first_time_share_pct
    from mailing_audiences
    where audience_evidence is not null
)

select * from unusual_audiences
