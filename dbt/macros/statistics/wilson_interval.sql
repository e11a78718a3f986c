{% macro wilson_low_pct(successes, trials) -%}
    case
        when {{ successes }} = 0 and {{ trials }} > 0 then 0e0
        when {{ successes }} between 1 and {{ trials }}
            then 100e0 * (
                {{ wilson_centre(successes, trials) }}
                - {{ wilson_half_width(successes, trials) }}
            )
    end
{%- endmacro %}

{% macro wilson_high_pct(successes, trials) -%}
    case
        when {{ successes }} = {{ trials }} and {{ trials }} > 0 then 100e0
        when {{ successes }} between 0 and {{ trials }} and {{ trials }} > 0
            then 100e0 * (
                {{ wilson_centre(successes, trials) }}
                + {{ wilson_half_width(successes, trials) }}
            )
    end
{%- endmacro %}

{% macro wilson_centre(successes, trials) -%}
    {%- set z = normal_quantile_975() -%}
    ({{ successes }} + {{ z }} * {{ z }} / 2e0) / ({{ trials }} + {{ z }} * {{ z }})
{%- endmacro %}

{% macro wilson_half_width(successes, trials) -%}
    {%- set z = normal_quantile_975() -%}
    {{ z }} * sqrt(
        1e0 * {{ successes }} * ({{ trials }} - {{ successes }}) / {{ trials }}
        + {{ z }} * {{ z }} / 4e0
    ) / ({{ trials }} + {{ z }} * {{ z }})
{%- endmacro %}

{# Mathematics, not a threshold: the two-sided 95 % point of the normal distribution. #}
{% macro normal_quantile_975() -%}
    1.959963984540054e0
{%- endmacro %}
