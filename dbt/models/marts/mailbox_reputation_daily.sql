with

fct_domain_reputation as (
    select * from {{ ref('fct_domain_reputation') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

mailbox_reputation_daily as (
    select
        domain_day_key,
        source,
        account,
        domain,
        provider,
        (select dim_runs.build_id from dim_runs) as build_id,

        domain_reputation,

        spam_rate_pct,
        spam_rate_low_pct,
        spam_rate_high_pct,
        delivery_error_rate_pct,
        spf_success_rate_pct,
        dkim_success_rate_pct,
        dmarc_success_rate_pct,
        tls_rate_pct,

        measured_date,

        exported_at
    from fct_domain_reputation
)

select * from mailbox_reputation_daily
