{# Whether luck at the edge would give as many more rarely than the level. Most counts
decide that by a bound; only those between the bounds need the exact tail. #}
{% macro is_rate_above(successes, trials, edge_pct) -%}
    {%- set rate = '(' ~ edge_pct ~ ' / 100e0)' -%}
    {%- set level = var('confirmation_level') -%}
    case
        when {{ trials }} > 0 and 100 * {{ successes }} > {{ edge_pct }} * {{ trials }}
            then case
                when {{ chernoff_logarithm(successes, trials, rate) }} < ln({{ level }})
                    then true
                when {{ slud_tail(successes, trials, rate) }} >= {{ level }} then false
                else {{ binomial_upper_tail(successes, trials, rate) }} < {{ level }}
            end
        else false
    end
{%- endmacro %}

{# The tail is never above this (Chernoff 1952). #}
{% macro chernoff_logarithm(successes, trials, rate) -%}
    - {{ successes }} * ln({{ successes }} / ({{ rate }} * {{ trials }})) - case
        when {{ successes }} < {{ trials }}
            then ({{ trials }} - {{ successes }}) * ln(
                ({{ trials }} - {{ successes }})
                / ((1e0 - {{ rate }}) * {{ trials }})
            )
        else 0e0
    end
{%- endmacro %}

{# Up to a rate of a quarter the tail is never below the normal one (Slud 1977), and
that never below this (Polya 1945). #}
{% macro slud_tail(successes, trials, rate) -%}
    case
        when {{ rate }} <= 0.25e0
            then 0.5e0 - 0.5e0 * sqrt(1e0 - exp(
                -2e0 * pow({{ successes }} - {{ rate }} * {{ trials }}, 2)
                / (pi() * {{ rate }} * (1e0 - {{ rate }}) * {{ trials }})
            ))
        else 0e0
    end
{%- endmacro %}
