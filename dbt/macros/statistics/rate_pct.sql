{% macro rate_pct(numerator, denominator) -%}
    100e0 * {{ numerator }} / nullif({{ denominator }}, 0)
{%- endmacro %}
