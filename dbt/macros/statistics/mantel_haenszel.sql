{# Aggregates over strata: cases among persons exposed, and among the others. Each is
NULL where one of both sides has no case at all. #}
{% macro mantel_haenszel_ratio(cases, persons, other_cases, other_persons) -%}
    {{ stratum_sum(cases ~ ' * ' ~ other_persons, persons, other_persons) }}
    / nullif({{ stratum_sum(other_cases ~ ' * ' ~ persons, persons, other_persons) }}, 0)
{%- endmacro %}

{# Of the ratio's logarithm: Greenland and Robins 1985. #}
{% macro mantel_haenszel_ratio_variance(
    cases, persons, other_cases, other_persons
) -%}
    sum((
        1e0 * {{ persons }} * {{ other_persons }} * ({{ cases }} + {{ other_cases }})
        - 1e0 * {{ cases }} * {{ other_cases }} * ({{ persons }} + {{ other_persons }})
    ) / pow({{ persons }} + {{ other_persons }}, 2))
    / nullif(
        {{ stratum_sum(cases ~ ' * ' ~ other_persons, persons, other_persons) }}
        * {{ stratum_sum(other_cases ~ ' * ' ~ persons, persons, other_persons) }}, 0
    )
{%- endmacro %}

{# The sum over strata of a product of counts for each person of the stratum. #}
{% macro stratum_sum(product, persons, other_persons) -%}
    sum(1e0 * {{ product }} / nullif({{ persons }} + {{ other_persons }}, 0))
{%- endmacro %}

{% macro mantel_haenszel_odds_ratio(cases, persons, other_cases, other_persons) -%}
    {{ stratum_sum(
        cases ~ ' * (' ~ other_persons ~ ' - ' ~ other_cases ~ ')', persons, other_persons
    ) }}
    / nullif({{ stratum_sum(
        other_cases ~ ' * (' ~ persons ~ ' - ' ~ cases ~ ')', persons, other_persons
    ) }}, 0)
{%- endmacro %}
