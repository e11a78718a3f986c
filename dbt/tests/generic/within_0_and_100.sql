{#- Rows with a percentage below 0, above 100, infinite or not a number. -#}
{% test within_0_and_100(model, columns) %}
select *
from {{ model }}
where
    {% for column in columns -%}
    not {{ column }} between 0 and 100{% if not loop.last %} or {% endif %}
    {% endfor %}
{% endtest %}
