{# Around the clock: 23 and 1 are two hours apart. #}
{% macro hours_apart(hour, other_hour) -%}
    (12 - abs(12 - abs({{ hour }} - {{ other_hour }})))
{%- endmacro %}
