{# Weeks, with their fraction, from a Monday at 00:00 to a moment: a ruler, no date. #}
{% macro weeks_to(moment) -%}
    {{ seconds_between("timestamp '1970-01-05 00:00:00'", moment) }} / 604800e0
{%- endmacro %}
