{% macro decimal_in_words(number) -%}
    rtrim(rtrim(cast({{ number }} as string), '0'), '.')
{%- endmacro %}
