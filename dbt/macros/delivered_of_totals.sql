{% macro delivered_of_totals() -%}
    case
        when delivered_how = 'recipients_minus_bounces'
            then sent_count - bounce_count - coalesce(dropped_count, 0)
        when delivered_how = 'unavailable' then null
        else delivered_count
    end
{%- endmacro %}
