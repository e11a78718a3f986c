with

dim_sources as (
    select * from {{ ref('dim_sources') }}
),

dim_source_exports as (
    select * from {{ ref('dim_source_exports') }}
),

dim_question_files as (
    select * from {{ ref('dim_question_files') }}
),

fct_coverage_evidence as (
    select * from {{ ref('fct_coverage_evidence') }}
),

fct_loads as (
    select * from {{ ref('fct_loads') }}
),

dim_runs as (
    select * from {{ ref('dim_runs') }}
),

coverage_questions as (
    select * from {{ ref('coverage_questions') }}
),

coverage_roles as (
    select * from {{ ref('coverage_roles') }}
),

landed_tables as (
    select
        fct_loads.source,
        fct_loads.account,
        dim_source_exports.landing_table
    from fct_loads
    inner join dim_source_exports
        on
            fct_loads.source = dim_source_exports.source
            and fct_loads.exports = dim_source_exports.export
    where fct_loads.state = 'loaded'
    group by all
),

-- A validator is not asked for unsubscribe rates. Documented columns may hold anything,
-- so what their files hold decides what they are asked.
account_roles as (
    select
        dim_sources.source,
        dim_sources.account,
        coverage_roles.applies_to
    from dim_sources
    inner join coverage_roles
        on dim_sources.source_kind = coverage_roles.source_kind
    left join landed_tables
        on
            dim_sources.source = landed_tables.source
            and dim_sources.account = landed_tables.account
            and coverage_roles.landing_table = landed_tables.landing_table
    where
        coverage_roles.landing_table is null
        or landed_tables.landing_table is not null
    group by all
),

asked_questions as (
    select
        account_roles.source,
        account_roles.account,
        coverage_questions.question,

        coverage_questions.rank as question_rank,
        coverage_questions.question_text,
        coverage_questions.mart,
        coverage_questions.why_not,
        coverage_questions.shared_through,

        coalesce(fct_coverage_evidence.evidence_count, 0) as evidence_count,
        coverage_questions.needed_count,

        coalesce(fct_coverage_evidence.evidence_count, 0)
        >= coverage_questions.needed_count as is_answerable
    from account_roles
    inner join coverage_questions
        on account_roles.applies_to = coverage_questions.applies_to
    left join fct_coverage_evidence
        on
            account_roles.source = fct_coverage_evidence.source
            and account_roles.account = fct_coverage_evidence.account
            and coverage_questions.needs = fct_coverage_evidence.requirement
),

-- A question may need several files at once (the same rank). The account's own source
-- may have sent one of them already; documented columns are an account of their own.
possible_files as (
    select
        asked_questions.source,
        asked_questions.account,
        asked_questions.question,
        dim_question_files.rank,
        dim_question_files.needed_table,
        dim_question_files.source as file_source,

        min_by(dim_question_files.file_words, dim_question_files.export_rank)
            as file_words,

        asked_questions.source = dim_question_files.source as is_own_source,
        coalesce(bool_or(fct_coverage_evidence.evidence_count > 0), false)
            as is_told_already
    from asked_questions
    inner join dim_question_files
        on
            asked_questions.question = dim_question_files.question
            and (
                asked_questions.source = dim_question_files.source
                or dim_question_files.source_kind = 'any'
            )
    left join fct_coverage_evidence
        on
            asked_questions.source = fct_coverage_evidence.source
            and asked_questions.account = fct_coverage_evidence.account
            and dim_question_files.when_missing = fct_coverage_evidence.requirement
    where not asked_questions.is_answerable
    group by all
),

needed_file_counts as (
    select
        question,
        rank,

        count(distinct needed_table) as needed_file_count
    from dim_question_files
    group by all
),

-- Where all files are there already, they do not name the same sends: all are named.
file_sets as (
    select
        possible_files.source,
        possible_files.account,
        possible_files.question,
        possible_files.rank,
        possible_files.file_source,

        coalesce(
            string_agg(
                possible_files.file_words,
                '; and ' order by possible_files.needed_table
            ) filter (
                where
                not (possible_files.is_own_source and possible_files.is_told_already)
            ),
            string_agg(
                possible_files.file_words,
                '; and ' order by possible_files.needed_table
            )
        ) as file_to_export,

        possible_files.is_own_source
    from possible_files
    inner join needed_file_counts
        on
            possible_files.question = needed_file_counts.question
            and possible_files.rank = needed_file_counts.rank
    group by
        possible_files.source,
        possible_files.account,
        possible_files.question,
        possible_files.rank,
        possible_files.file_source,
        possible_files.is_own_source,
        needed_file_counts.needed_file_count
    having count(*) = needed_file_counts.needed_file_count
),

best_files as (
    select
        source,
        account,
        question,

        row_number() over (
            partition by source, account, question
            order by is_own_source desc, rank asc, file_source asc
        ) as preference,
        file_to_export
    from file_sets
),

-- Who left is often known to another system of the same company, the one that holds its
-- contacts. Whether its people are the same ones, only the owner knows.
other_answers as (
    select
        asked_questions.source,
        asked_questions.account,
        asked_questions.question,

        string_agg(
            concat(others.source, '/', others.account),
            ', ' order by others.source, others.account
        ) as answered_by
    from asked_questions
    inner join asked_questions as others
        on asked_questions.question = others.question
    inner join landed_tables
        on
            others.source = landed_tables.source
            and others.account = landed_tables.account
            and others.shared_through = landed_tables.landing_table
    where
        not asked_questions.is_answerable
        and others.is_answerable
    group by all
),

coverage as (
    select
        asked_questions.source,
        asked_questions.account,
        asked_questions.question,
        (select dim_runs.build_id from dim_runs) as build_id,

        asked_questions.question_rank,
        asked_questions.question_text,
        asked_questions.mart,
        case
            when asked_questions.is_answerable then null
            when asked_questions.evidence_count > 0
                then concat(
                    asked_questions.why_not,
                    ' Needed: ',
                    asked_questions.needed_count,
                    ', found: ',
                    asked_questions.evidence_count,
                    '.'
                )
            else asked_questions.why_not
        end as why_not,
        best_files.file_to_export,
        other_answers.answered_by,

        asked_questions.evidence_count,
        asked_questions.needed_count,

        asked_questions.is_answerable
    from asked_questions
    left join best_files
        on
            asked_questions.source = best_files.source
            and asked_questions.account = best_files.account
            and asked_questions.question = best_files.question
            and best_files.preference = 1
    left join other_answers
        on
            asked_questions.source = other_answers.source
            and asked_questions.account = other_answers.account
            and asked_questions.question = other_answers.question
)

select * from coverage
