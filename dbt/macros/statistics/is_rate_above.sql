{# Whether luck at the edge would give as many more rarely than the level. Where the rate
itself is not above, the tail need not be counted. #}
{% macro is_rate_above(successes, trials, edge_pct) -%}
    case
        when {{ trials }} > 0 and 100 * {{ successes }} > {{ edge_pct }} * {{ trials }}
            then {{ binomial_upper_tail(
                successes, trials, '(' ~ edge_pct ~ ' / 100e0)'
            ) }} < {{ var('confirmation_level') }}
        else false
    end
{%- endmacro %}
