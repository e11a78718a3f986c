{#- One row with both totals when a mart has lost or doubled something of its fact. -#}
{% test same_total(
    model, expression, other, other_expression, where='true', other_where='true'
) %}
select
    mart.total as mart_total,
    fact.total as fact_total
from (select {{ expression }} as total from {{ model }} where {{ where }}) as mart
cross join (
    select {{ other_expression }} as total from {{ other }} where {{ other_where }}
) as fact
where coalesce(mart.total, 0) != coalesce(fact.total, 0)
{% endtest %}
