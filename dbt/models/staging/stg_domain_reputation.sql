with

domain_reputation as (
    select * from {{ source('landing', 'domain_reputation') }}
),

renamed as (
    select
        source,
        account,
        lower(trim(domain)) as domain,
        coalesce(provider, 'unknown') as provider,

        domain_reputation,
        load,

        record_number,
        item_number,

        spam_rate_pct,
        spam_rate_low_pct,
        spam_rate_high_pct,
        delivery_error_rate_pct,
        spf_success_rate_pct,
        dkim_success_rate_pct,
        dmarc_success_rate_pct,
        tls_rate_pct,

        cast(measured_at as date) as measured_date
    from domain_reputation
)

select * from renamed
