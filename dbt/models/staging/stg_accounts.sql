with

accounts as (
    select * from {{ source('context', 'accounts') }}
),

renamed as (
    select
        source,
        account,

        timezone,
        industry,
        opt_in,
        split_part(lists_in, '/', 1) as lists_in_source,
        split_part(lists_in, '/', 2) as lists_in_account,

        promised_per_week,
        settle_days,

        coalesce(is_timezone_declared, false) as is_timezone_declared,
        coalesce(is_group_headline, false) as is_group_headline,
        coalesce(streams_by_audience, false) as has_streams_by_audience
    from accounts
)

select * from renamed
