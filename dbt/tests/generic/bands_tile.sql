{# From 0 upwards every rate is in exactly one band. #}
{% test bands_tile(model, kind) %}

select *
from (
    select
        *,
        lag(upper_pct, 1, 0) over ladder as previous_pct,
        lag(is_upper_inclusive, 1, false) over ladder as is_previous_inclusive,
        lead(lower_pct) over ladder as next_pct
    from {{ model }}
    where kind = '{{ kind }}'
    window ladder as (order by lower_pct, upper_pct)
) as edges
where
    lower_pct is distinct from previous_pct
    or is_lower_inclusive = is_previous_inclusive
    or (upper_pct is null) <> (next_pct is null)

{% endtest %}
