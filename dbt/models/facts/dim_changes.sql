select
    cast(null as varchar) as change_key,
    cast(null as bigint) as change_number,
    cast(null as varchar) as kind,
    cast(null as varchar) as note,
    cast(null as varchar) as list,
    cast(null as boolean) as is_compared_by_itself,
    cast(null as boolean) as has_named_campaigns,
    cast(null as date) as changed_date,
    cast(null as timestamp) as changed_at
where false
