with

stg_domain_reputation as (
    select * from {{ ref('stg_domain_reputation') }}
),

stg_loads as (
    select * from {{ ref('stg_loads') }}
),

numbered_reports as (
    select
        stg_domain_reputation.source,
        stg_domain_reputation.account,
        stg_domain_reputation.domain,
        stg_domain_reputation.provider,

        stg_domain_reputation.domain_reputation,
        stg_domain_reputation.load,

        row_number() over (
            partition by
                stg_domain_reputation.source,
                stg_domain_reputation.account,
                stg_domain_reputation.domain,
                stg_domain_reputation.provider,
                stg_domain_reputation.measured_date
            order by
                stg_loads.exported_at desc nulls last,
                stg_domain_reputation.load desc,
                stg_domain_reputation.record_number desc,
                stg_domain_reputation.item_number desc
        ) as recency,

        stg_domain_reputation.spam_rate_pct,
        stg_domain_reputation.spam_rate_low_pct,
        stg_domain_reputation.spam_rate_high_pct,
        stg_domain_reputation.delivery_error_rate_pct,
        stg_domain_reputation.spf_success_rate_pct,
        stg_domain_reputation.dkim_success_rate_pct,
        stg_domain_reputation.dmarc_success_rate_pct,
        stg_domain_reputation.tls_rate_pct,

        stg_domain_reputation.measured_date,

        stg_loads.exported_at
    from stg_domain_reputation
    left join stg_loads
        on stg_domain_reputation.load = stg_loads.load
),

-- A provider's page has one export a figure, so each figure has its own newest one. A
-- rate and its interval belong together.
told_reports as (
    select
        source,
        account,
        domain,
        provider,

        domain_reputation,
        load,

        recency,
        min(case when spam_rate_pct is not null then recency end) over (
            partition by source, account, domain, provider, measured_date
        ) as spam_rate_recency,

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
    from numbered_reports
),

domain_days as (
    select
        {{ hash_key(['source', 'account', 'domain', 'measured_date', 'provider']) }}
            as domain_day_key,
        source,
        account,
        domain,
        provider,

        min_by(domain_reputation, recency) filter (
            where domain_reputation is not null
        ) as domain_reputation,
        min_by(load, recency) as load,

        max(spam_rate_pct) filter (where recency = spam_rate_recency)
            as spam_rate_pct,
        max(spam_rate_low_pct) filter (where recency = spam_rate_recency)
            as spam_rate_low_pct,
        max(spam_rate_high_pct) filter (where recency = spam_rate_recency)
            as spam_rate_high_pct,
        min_by(delivery_error_rate_pct, recency) filter (
            where delivery_error_rate_pct is not null
        ) as delivery_error_rate_pct,
        min_by(spf_success_rate_pct, recency) filter (
            where spf_success_rate_pct is not null
        ) as spf_success_rate_pct,
        min_by(dkim_success_rate_pct, recency) filter (
            where dkim_success_rate_pct is not null
        ) as dkim_success_rate_pct,
        min_by(dmarc_success_rate_pct, recency) filter (
            where dmarc_success_rate_pct is not null
        ) as dmarc_success_rate_pct,
        min_by(tls_rate_pct, recency) filter (
            where tls_rate_pct is not null
        ) as tls_rate_pct,

        measured_date,

        max(exported_at) as exported_at
    from told_reports
    group by all
)

select * from domain_days
