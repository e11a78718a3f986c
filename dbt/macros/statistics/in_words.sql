{# NULL stays NULL, so that a sentence about something unknown is left out. #}
{% macro count_in_words(count) -%}
    format('{:,}', cast({{ count }} as bigint))
{%- endmacro %}

{% macro number_in_words(number, decimals) -%}
    format('{:,.{{ decimals }}f}', cast({{ number }} as double))
{%- endmacro %}

{# Of a row of measure_levels. #}
{% macro ratio_in_words(level) -%}
    {{ number_in_words(level ~ '.ratio', 2) }} || ' times as before (90 %: '
    || {{ number_in_words(level ~ '.ratio_low', 2) }} || ' to '
    || {{ number_in_words(level ~ '.ratio_high', 2) }} || ', '
    || {{ level }}.direction || ')'
{%- endmacro %}
