{# P(X >= successes): below a level exactly where Clopper and Pearson's bound is above
the rate. #}
{% macro binomial_upper_tail(successes, trials, rate) -%}
    case
        when {{ successes }} + {{ trials }} is null then null
        when {{ successes }} <= 0 then 1e0
        when {{ successes }} > {{ trials }} then 0e0
        else {{ incomplete_beta(
            rate, successes, '(' ~ trials ~ ' - ' ~ successes ~ ' + 1)'
        ) }}
    end
{%- endmacro %}
