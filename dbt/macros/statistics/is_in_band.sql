{% macro is_in_band(numerator, denominator, band) -%}
    {{ denominator }} > 0
    and (
        100 * {{ numerator }} > {{ band }}.lower_pct * {{ denominator }}
        or 100 * {{ numerator }} = {{ band }}.lower_pct * {{ denominator }}
        and {{ band }}.is_lower_inclusive
    )
    and (
        {{ band }}.upper_pct is null
        or 100 * {{ numerator }} < {{ band }}.upper_pct * {{ denominator }}
        or 100 * {{ numerator }} = {{ band }}.upper_pct * {{ denominator }}
        and {{ band }}.is_upper_inclusive
    )
{%- endmacro %}
