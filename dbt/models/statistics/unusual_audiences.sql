with

mailing_audiences as (
    select * from {{ ref('mailing_audiences') }}
),

mailing_newcomers as (
    select * from {{ ref('mailing_newcomers') }}
),

-- Who has just joined, or was just loaded, leaves sooner whatever the mail holds.
unusual_audiences as (
    select
        audiences.mailing_key,
        audiences.source,
        audiences.account,
        audiences.stream_id,

        concat_ws('; ', audiences.audience_evidence, newcomers.newcomer_evidence)
            as audience_evidence,

        audiences.audience_ratio,
        audiences.first_time_share_pct
    from mailing_audiences as audiences
    inner join mailing_newcomers as newcomers
        on audiences.mailing_key = newcomers.mailing_key
    where audiences.audience_evidence is not null or newcomers.is_many_new_contacts
)

select * from unusual_audiences
