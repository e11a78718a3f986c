select
    cast(null as varchar) as change_key,
    cast(null as varchar) as source,
    cast(null as varchar) as account,
    cast(null as varchar) as stream_id,
    cast(null as varchar) as declared_stream,
    cast(null as varchar) as arm
where false
