{% macro is_bare_date(moment, zone) -%}
    (
        {{ moment }} = date_trunc('day', {{ moment }})
        or timezone({{ zone }}, timezone('UTC', {{ moment }})) = date_trunc(
            'day', timezone({{ zone }}, timezone('UTC', {{ moment }}))
        )
    )
{%- endmacro %}
