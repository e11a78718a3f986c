{% macro whole_months(earlier, later) -%}
    {%- set months -%} date_diff('month', {{ earlier }}, {{ later }}) {%- endset -%}
    {{ months }} - case
        when {{ earlier }} + {{ months }} * interval '1 month' > {{ later }} then 1
        else 0
    end
{%- endmacro %}
