{% macro hash_key(parts) -%}
    md5(concat_ws(chr(31)
    {%- for part in parts %}, coalesce(cast({{ part }} as string), ''){% endfor -%}
    ))
{%- endmacro %}
