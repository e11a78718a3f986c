with

campaign_rules as (
    select * from {{ source('context', 'campaign_rules') }}
),

renamed as (
    select
        source,
        account,
        decides,

        value,
        name_pattern,
        subject_pattern,
        tag_pattern,
        folder_pattern,
        audience_pattern,

        rule_number
    from campaign_rules
)

select * from renamed
