with

stg_source_exports as (
    select * from {{ ref('stg_source_exports') }}
),

stg_source_export_fields as (
    select * from {{ ref('stg_source_export_fields') }}
),

coverage_files as (
    select * from {{ ref('coverage_files') }}
),

listed_needs as (
    select
        question,
        rank,
        needed_table,

        replace(needed_event_types, ' ', ', ') as event_list,
        when_missing,
        string_split(needed_fields, ' ') as field_list,
        string_split(needed_event_types, ' ') as needed_event_list
    from coverage_files
),

-- No declared list of events means that the files may tell any.
eligible_exports as (
    select
        listed_needs.question,
        listed_needs.rank,
        listed_needs.needed_table,
        stg_source_exports.source,
        stg_source_exports.export,

        stg_source_exports.source_kind,
        stg_source_exports.title,
        stg_source_exports.required_columns,
        listed_needs.event_list,
        listed_needs.when_missing,
        listed_needs.field_list,

        stg_source_exports.export_rank
    from listed_needs
    inner join stg_source_exports
        on listed_needs.needed_table = stg_source_exports.landing_table
    where
        stg_source_exports.event_types is null
        or listed_needs.needed_event_list is null
        or list_has_all(
            string_split(stg_source_exports.event_types, ', '),
            listed_needs.needed_event_list
        )
),

-- The columns that make the file recognised are named already.
filled_needs as (
    select
        eligible_exports.question,
        eligible_exports.rank,
        eligible_exports.needed_table,
        eligible_exports.source,
        eligible_exports.export,

        eligible_exports.source_kind,
        eligible_exports.title,
        eligible_exports.required_columns,
        eligible_exports.event_list,
        eligible_exports.when_missing,

        eligible_exports.export_rank,
        len(eligible_exports.field_list) as needed_field_count,
        count(*) as filled_field_count,
        string_agg(
            stg_source_export_fields.column_name,
            ', ' order by list_position(
                eligible_exports.field_list, stg_source_export_fields.field
            )
        ) filter (
            where not list_contains(
                string_split(coalesce(eligible_exports.required_columns, ''), ', '),
                stg_source_export_fields.column_name
            )
        ) as further_columns
    from eligible_exports
    inner join stg_source_export_fields
        on
            eligible_exports.source = stg_source_export_fields.source
            and eligible_exports.export = stg_source_export_fields.export
            and list_contains(
                eligible_exports.field_list, stg_source_export_fields.field
            )
    group by all
),

-- Who writes a file by hand must know all of its columns; a vendor's export has them,
-- and only what may be left out of it is worth a word.
worded_files as (
    select
        question,
        rank,
        needed_table,
        source,
        export,

        source_kind,
        when_missing,
        case
            when source_kind = 'any' then concat(source, ' source')
            else title
        end as source_words,
        case
            when event_list is not null then concat(' (', event_list, ')')
            else ''
        end as event_words,
        case
            when source_kind = 'any'
                then concat_ws(', ', required_columns, further_columns)
            else further_columns
        end as column_words,

        export_rank
    from filled_needs
    where filled_field_count = needed_field_count
),

-- What only the owner knows comes in no export: it is written down by hand.
owners_files as (
    select
        question,
        rank,
        needed_table,
        'config' as source,
        needed_table as export,

        'any' as source_kind,
        when_missing,
        concat('config/', needed_table, '.yaml') as file_words,

        0 as export_rank
    from listed_needs
    where field_list is null
),

question_files as (
    select
        question,
        rank,
        needed_table,
        source,
        export,

        source_kind,
        when_missing,
        concat(
            source_words,
            ': ',
            export,
            event_words,
            case when column_words <> '' then concat(' with ', column_words) else '' end
        ) as file_words,

        export_rank
    from worded_files
    union all
    select
        question,
        rank,
        needed_table,
        source,
        export,

        source_kind,
        when_missing,
        file_words,

        export_rank
    from owners_files
),

keyed_files as (
    select
        {{ hash_key(['question', 'rank', 'needed_table', 'source', 'export']) }}
            as question_file_key,
        question,
        rank,
        needed_table,
        source,
        export,

        source_kind,
        when_missing,
        file_words,

        export_rank
    from question_files
)

select * from keyed_files
