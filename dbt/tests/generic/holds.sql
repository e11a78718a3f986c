{#- Rows in which the rule is false. A rule about something unknown (NULL) holds. -#}
{% test holds(model, rule) %}
select *
from {{ model }}
where not ({{ rule }})
{% endtest %}
