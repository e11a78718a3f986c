with

fct_list_spells as (
    select * from {{ ref('fct_list_spells') }}
),

dim_lists as (
    select * from {{ ref('dim_lists') }}
),

exit_causes as (
    select * from {{ ref('exit_causes') }}
),

-- Whoever stands in the first export of a list without a sign-up date was there before:
-- part of the opening balance, not growth. Whoever was only ever seen leaving comes and
-- goes in one moment: a loss, but of nobody known to be there when the month began. The
-- smaller of the two moments is also right where an export dates the joining too late.
list_spells as (
    select
        fct_list_spells.spell_key,
        fct_list_spells.source,
        fct_list_spells.account,
        fct_list_spells.list,
        fct_list_spells.contact_key,

        fct_list_spells.signup_source,
        fct_list_spells.opt_in_method,
        fct_list_spells.exit_cause,
        fct_list_spells.exit_recorded_from,

        exit_causes.rank as cause_rank,

        coalesce(
            not fct_list_spells.is_entry_known
            and fct_list_spells.first_seen_at = dim_lists.first_snapshot_at,
            false
        ) as is_opening,
        fct_list_spells.entered_at is null as is_exit_only,
        fct_list_spells.is_entry_known,

        least(fct_list_spells.entered_at, fct_list_spells.left_at) as entered_at,
        fct_list_spells.left_at,
        fct_list_spells.first_seen_at,
        fct_list_spells.last_seen_at
    from fct_list_spells
    inner join dim_lists
        on
            fct_list_spells.source = dim_lists.source
            and fct_list_spells.account = dim_lists.account
            and fct_list_spells.list = dim_lists.list
    left join exit_causes
        on fct_list_spells.exit_cause = exit_causes.cause
    where coalesce(dim_lists.has_members, true)
),

-- The account loses a person only when no list holds them any more: spells that overlap
-- or touch are one stay.
spells_starting_a_stay as (
    select
        spell_key,
        source,
        account,
        contact_key,

        signup_source,
        opt_in_method,
        exit_recorded_from,

        cause_rank,
        case
            when bool_or(left_at is null) over earlier_spells then 0
            when max(left_at) over earlier_spells >= entered_at then 0
            else 1
        end as new_stay_count,

        is_opening,
        is_exit_only,
        is_entry_known,

        entered_at,
        left_at,
        first_seen_at,
        last_seen_at
    from list_spells
    window earlier_spells as (
        partition by source, account, contact_key
        order by entered_at asc, spell_key asc
        rows between unbounded preceding and 1 preceding
    )
),

spells_of_a_stay as (
    select
        source,
        account,
        contact_key,

        signup_source,
        opt_in_method,
        exit_recorded_from,

        cause_rank,
        sum(new_stay_count) over (
            partition by source, account, contact_key
            order by entered_at asc, spell_key asc
            rows between unbounded preceding and current row
        ) as stay_number,

        new_stay_count = 1 as is_first_spell,
        is_opening,
        is_exit_only,
        is_entry_known,

        entered_at,
        left_at,
        first_seen_at,
        last_seen_at
    from spells_starting_a_stay
),

stays as (
    select
        source,
        account,
        contact_key,

        max(signup_source) filter (where is_first_spell) as signup_source,
        max(opt_in_method) filter (where is_first_spell) as opt_in_method,

        stay_number,

        bool_or(is_opening and is_first_spell) as is_opening,
        bool_and(is_exit_only) as is_exit_only,
        bool_or(is_entry_known and is_first_spell) as is_entry_known,

        min(entered_at) as entered_at,
        case when count(left_at) = count(*) then max(left_at) end as left_at,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from spells_of_a_stay
    group by all
),

-- The last list to let go says why; of two at the same moment, the cause that ranks
-- first.
final_causes as (
    select
        stays.source,
        stays.account,
        stays.contact_key,

        max(spells_of_a_stay.exit_recorded_from) as exit_recorded_from,

        stays.stay_number,

        min(spells_of_a_stay.cause_rank) as cause_rank
    from stays
    inner join spells_of_a_stay
        on
            stays.source = spells_of_a_stay.source
            and stays.account = spells_of_a_stay.account
            and stays.contact_key = spells_of_a_stay.contact_key
            and stays.stay_number = spells_of_a_stay.stay_number
            and stays.left_at = spells_of_a_stay.left_at
    group by all
),

account_stays as (
    select
        {{ hash_key([
            'stays.source', 'stays.account', 'stays.contact_key', 'stays.stay_number',
        ]) }} as membership_key,
        stays.source,
        stays.account,
        stays.contact_key,

        stays.signup_source,
        stays.opt_in_method,
        exit_causes.cause as exit_cause,
        final_causes.exit_recorded_from,

        stays.is_opening,
        stays.is_exit_only,
        stays.is_entry_known,

        stays.entered_at,
        stays.left_at,
        stays.first_seen_at,
        stays.last_seen_at
    from stays
    left join final_causes
        on
            stays.source = final_causes.source
            and stays.account = final_causes.account
            and stays.contact_key = final_causes.contact_key
            and stays.stay_number = final_causes.stay_number
    left join exit_causes
        on final_causes.cause_rank = exit_causes.rank
),

memberships as (
    select
        spell_key as membership_key,
        source,
        account,
        list,
        contact_key,

        signup_source,
        opt_in_method,
        exit_cause,
        exit_recorded_from,

        is_opening,
        is_exit_only,
        is_entry_known,
        left_at is null as is_censored,

        entered_at,
        left_at,
        first_seen_at,
        last_seen_at
    from list_spells
    union all
    select
        membership_key,
        source,
        account,
        '(all)' as list,
        contact_key,

        signup_source,
        opt_in_method,
        exit_cause,
        exit_recorded_from,

        is_opening,
        is_exit_only,
        is_entry_known,
        left_at is null as is_censored,

        entered_at,
        left_at,
        first_seen_at,
        last_seen_at
    from account_stays
)

select * from memberships
