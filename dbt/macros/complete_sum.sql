{% macro complete_sum(count) -%}
    case when count({{ count }}) = count(*) then cast(sum({{ count }}) as bigint) end
{%- endmacro %}
