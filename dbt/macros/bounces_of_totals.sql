{% macro bounces_of_totals() -%}
    coalesce(
        bounce_count,
        hard_bounce_count + soft_bounce_count + coalesce(block_count, 0)
    )
{%- endmacro %}
