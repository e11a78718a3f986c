with

int_list_spells_built as (
    select * from {{ ref('int_list_spells_built') }}
)

select * from int_list_spells_built
