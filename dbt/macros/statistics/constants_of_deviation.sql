{# Mathematics, not thresholds: what one standard deviation of a normal variable makes. #}
{% macro mean_moving_range() -%}
    1.128e0
{%- endmacro %}

{% macro normal_deviation_per_median() -%}
    1.4826e0
{%- endmacro %}

{% macro normal_quantile_95() -%}
    1.6448536269514722e0
{%- endmacro %}

{% macro normal_quantile_80() -%}
    0.8416212335729143e0
{%- endmacro %}
