with

stg_changes as (
    select * from {{ ref('stg_changes') }}
),

stg_change_names as (
    select * from {{ ref('stg_change_names') }}
),

campaign_names as (
    select change_number
    from stg_change_names
    where names = 'campaign'
    group by all
),

-- As its owner tells two apart: by what was done to what, on which day. Its place in
-- the file, and its note, may change.
changes as (
    select
        {{ hash_key([
            'stg_changes.kind',
            'stg_changes.changed_date',
            'stg_changes.source',
            'stg_changes.account',
            'lower(trim(stg_changes.stream))',
            'lower(trim(stg_changes.list))',
        ]) }} as change_key,
        stg_changes.source,
        stg_changes.account,
        trim(stg_changes.stream) as stream,
        trim(stg_changes.list) as list,

        stg_changes.kind,
        stg_changes.note,

        stg_changes.change_number,

        stg_changes.is_compared_by_itself,
        campaign_names.change_number is not null as has_named_campaigns,

        stg_changes.changed_date,
        stg_changes.changed_at
    from stg_changes
    left join campaign_names
        on stg_changes.change_number = campaign_names.change_number
)

select * from changes
