with

mailings as (
    select * from {{ ref('mailings') }}
),

promotional_words as (
    select * from {{ ref('promotional_words') }}
),

-- Between blanks, so that a word is found as a whole: promo is none of promontory.
worded_categories as (
    select
        content_category,

        concat(
            ' ', regexp_replace(lower(content_category), '[^\pL\pN]+', ' ', 'g'), ' '
        ) as category_words
    from mailings
    where content_category is not null
    group by all
),

promotional_categories as (
    select
        worded_categories.content_category,

        bool_or(
            worded_categories.category_words like concat('% ', words.word, ' %')
            and worded_categories.category_words
            not like concat('% non ', words.word, ' %')
        ) as is_promotional
    from worded_categories
    cross join promotional_words as words
    group by all
),

told_contents as (
    select
        mailings.mailing_key,
        mailings.source,
        mailings.account,
        mailings.stream_id,

        mailings.content_category,
        lower(trim(mailings.content_category)) as compared_category,
        mailings.mailing_number,

        promotional_categories.is_promotional,
        mailings.mailing_number = min(mailings.mailing_number) over (
            partition by
                mailings.stream_id, lower(trim(mailings.content_category))
        ) as is_first_of_category
    from mailings
    left join promotional_categories
        on mailings.content_category = promotional_categories.content_category
),

-- A run ends with a mailing that is no promotion, and with one that nobody can tell.
numbered_runs as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        content_category,
        compared_category,
        mailing_number,
        sum(case when is_promotional then 0 else 1 end) over (
            partition by stream_id
            order by mailing_number
            rows between unbounded preceding and current row
        ) as run_number,

        is_promotional,
        is_first_of_category
    from told_contents
),

counted_runs as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        content_category,
        compared_category,
        mailing_number,

        case
            when is_promotional is not null
                then count(case when is_promotional then 1 end) over (
                    partition by stream_id, run_number
                    order by mailing_number
                    rows between unbounded preceding and current row
                )
        end as promotional_run_count,

        is_promotional,
        is_first_of_category
    from numbered_runs
),

mailings_in_runs as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        content_category,
        compared_category,
        mailing_number,
        mailing_number - promotional_run_count + 1 as run_starts_at_number,

        promotional_run_count,

        is_promotional,
        is_first_of_category
    from counted_runs
),

-- What the stream was about before, category by category.
earlier_categories as (
    select
        later.mailing_key,
        earlier.compared_category,

        min(earlier.content_category) as content_category,
        max(earlier.mailing_number) as newest_number,

        count(*) as mailing_count,
        count(case when earlier.is_promotional then 1 end) as promotional_count,
        count(case when earlier.mailing_number < later.run_starts_at_number then 1 end)
            as before_run_count,
        count(
            case
                when
                    earlier.is_promotional
                    and earlier.mailing_number < later.run_starts_at_number
                    then 1
            end
        ) as before_run_promotional_count,
        max(
            case
                when earlier.mailing_number < later.run_starts_at_number
                    then earlier.promotional_run_count
            end
        ) as longest_run_count
    from mailings_in_runs as later
    inner join mailings_in_runs as earlier
        on
            later.stream_id = earlier.stream_id
            and later.mailing_number > earlier.mailing_number
            and later.mailing_number - {{ var('baseline_campaign_limit') }}
            <= earlier.mailing_number
    where earlier.compared_category is not null
    group by all
),

ranked_categories as (
    select
        mailing_key,
        compared_category,

        content_category,

        mailing_count,
        promotional_count,
        before_run_count,
        before_run_promotional_count,
        longest_run_count,
        row_number() over (
            partition by mailing_key
            order by mailing_count desc, newest_number desc
        ) as commonness
    from earlier_categories
),

earlier_contents as (
    select
        later.mailing_key,

        max(case when ranked.commonness = 1 then ranked.content_category end)
            as usual_category,

        cast(sum(ranked.mailing_count) as bigint) as earlier_count,
        coalesce(max(
            case
                when ranked.compared_category = later.compared_category
                    then ranked.mailing_count
            end
        ), 0) as earlier_category_count,
        count(case when ranked.mailing_count = 1 then 1 end) as single_category_count,
        cast(sum(ranked.promotional_count) as bigint) as earlier_promotional_count,
        cast(sum(ranked.before_run_count) as bigint) as before_run_count,
        cast(sum(ranked.before_run_promotional_count) as bigint)
            as before_run_promotional_count,
        max(ranked.longest_run_count) as longest_earlier_run_count
    from mailings_in_runs as later
    inner join ranked_categories as ranked
        on later.mailing_key = ranked.mailing_key
    group by all
),

compared_contents as (
    select
        mailings_in_runs.mailing_key,
        mailings_in_runs.source,
        mailings_in_runs.account,
        mailings_in_runs.stream_id,

        mailings_in_runs.content_category,
        earlier.usual_category,

        mailings_in_runs.promotional_run_count,
        coalesce(earlier.earlier_count, 0) as earlier_count,
        case
            when mailings_in_runs.compared_category is not null
                then coalesce(earlier.earlier_category_count, 0)
        end as earlier_category_count,
        coalesce(earlier.single_category_count, 0) as single_category_count,
        coalesce(earlier.earlier_promotional_count, 0) as earlier_promotional_count,
        coalesce(earlier.before_run_count, 0) as before_run_count,
        coalesce(earlier.before_run_promotional_count, 0)
            as before_run_promotional_count,
        earlier.longest_earlier_run_count,

        mailings_in_runs.is_promotional,
        mailings_in_runs.is_first_of_category
    from mailings_in_runs
    left join earlier_contents as earlier
        on mailings_in_runs.mailing_key = earlier.mailing_key
),

-- Where one mailing in so many is about something else again, another one is the habit:
-- what came once is how often something new is to be expected (Good and Turing). And a
-- run is none where promotions are so many that they often follow each other.
mailing_contents as (
    select
        mailing_key,
        source,
        account,
        stream_id,

        content_category,
        usual_category,
        case
            when content_category is null then 'unknown'
            when earlier_count < {{ var('habit_minimum_mailings') }} then 'unknown'
            when
                100 * single_category_count
                > {{ var('changing_content_share_pct') }} * earlier_count
                then 'usual'
            when is_first_of_category then 'new'
            when
                100 * earlier_category_count
                < {{ var('unusual_category_share_pct') }} * earlier_count
                then 'unusual'
            else 'usual'
        end as category_vs_usual,

        promotional_run_count,
        earlier_count,
        earlier_category_count,
        earlier_promotional_count,
        before_run_count,
        before_run_promotional_count,
        longest_earlier_run_count,

        {{ rate_pct('earlier_category_count', 'earlier_count') }}
            as category_share_pct,
        {{ rate_pct('earlier_promotional_count', 'earlier_count') }}
            as earlier_promotional_share_pct,
        {{ rate_pct('before_run_promotional_count', 'before_run_count') }}
            as before_run_promotional_share_pct,

        is_promotional,
        coalesce(
            promotional_run_count >= {{ var('promotional_run_mailings') }}
            and promotional_run_count > longest_earlier_run_count
            and before_run_count >= {{ var('minimum_history') }}
            and pow(
                (before_run_promotional_count + 0.5e0) / (before_run_count + 1e0),
                promotional_run_count
            ) < {{ var('promotional_run_chance') }}e0,
            false
        ) as is_promotional_run
    from compared_contents
)

select * from mailing_contents
