{# The two-sided 95 % point of Student's distribution by its expansion about the normal
one (Cornish and Fisher 1938): from eight degrees of freedom on within 0.001. #}
{% macro student_quantile_975(degrees_of_freedom) -%}
    {%- set z = normal_quantile_975() -%}
    ({{ z }}
    + (pow({{ z }}, 3) + {{ z }}) / (4e0 * {{ degrees_of_freedom }})
    + (5e0 * pow({{ z }}, 5) + 16e0 * pow({{ z }}, 3) + 3e0 * {{ z }})
    / (96e0 * pow({{ degrees_of_freedom }}, 2))
    + (3e0 * pow({{ z }}, 7) + 19e0 * pow({{ z }}, 5) + 17e0 * pow({{ z }}, 3)
        - 15e0 * {{ z }}) / (384e0 * pow({{ degrees_of_freedom }}, 3)))
{%- endmacro %}
