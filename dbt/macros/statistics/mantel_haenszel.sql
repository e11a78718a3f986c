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
    ) / nullif(pow({{ persons }} + {{ other_persons }}, 2), 0))
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

{# Of the odds ratio's logarithm: Robins, Breslow and Greenland 1986. #}
{% macro mantel_haenszel_odds_variance(cases, persons, other_cases, other_persons) -%}
    {%- set concordant = '1e0 * ' ~ cases ~ ' * (' ~ other_persons ~ ' - ' ~ other_cases
        ~ ') / nullif(' ~ persons ~ ' + ' ~ other_persons ~ ', 0)' -%}
    {%- set discordant = '1e0 * ' ~ other_cases ~ ' * (' ~ persons ~ ' - ' ~ cases
        ~ ') / nullif(' ~ persons ~ ' + ' ~ other_persons ~ ', 0)' -%}
    {%- set agreeing = '(' ~ cases ~ ' + ' ~ other_persons ~ ' - ' ~ other_cases
        ~ ') / nullif(1e0 * ' ~ persons ~ ' + ' ~ other_persons ~ ', 0)' -%}
    sum({{ agreeing }} * {{ concordant }}) / nullif(2e0 * pow(sum({{ concordant }}), 2), 0)
    + sum(
        {{ agreeing }} * {{ discordant }} + (1e0 - {{ agreeing }}) * {{ concordant }}
    ) / nullif(2e0 * sum({{ concordant }}) * sum({{ discordant }}), 0)
    + sum((1e0 - {{ agreeing }}) * {{ discordant }})
    / nullif(2e0 * pow(sum({{ discordant }}), 2), 0)
{%- endmacro %}

{# One degree of freedom, without correction for continuity: Mantel and Haenszel 1959. #}
{% macro mantel_haenszel_chi_square(cases, persons, other_cases, other_persons) -%}
    {%- set all_cases = '(' ~ cases ~ ' + ' ~ other_cases ~ ')' -%}
    {%- set everybody = '(' ~ persons ~ ' + ' ~ other_persons ~ ')' -%}
    pow(sum(
        {{ cases }} - 1e0 * {{ persons }} * {{ all_cases }} / nullif({{ everybody }}, 0)
    ), 2) / nullif(sum(
        1e0 * {{ persons }} * {{ other_persons }} * {{ all_cases }}
        * ({{ everybody }} - {{ all_cases }})
        / nullif(pow({{ everybody }}, 2) * ({{ everybody }} - 1), 0)
    ), 0)
{%- endmacro %}
