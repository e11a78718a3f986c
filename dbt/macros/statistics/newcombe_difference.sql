{# The difference of two rates from their two Wilson intervals. #}
{% macro newcombe_difference_low_pct(
    successes, trials, other_successes, other_trials
) -%}
    {{ rate_pct(successes, trials) }} - {{ rate_pct(other_successes, other_trials) }}
    - sqrt(
        pow({{ rate_pct(successes, trials) }}
            - {{ wilson_low_pct(successes, trials) }}, 2)
        + pow({{ wilson_high_pct(other_successes, other_trials) }}
            - {{ rate_pct(other_successes, other_trials) }}, 2)
    )
{%- endmacro %}

{% macro newcombe_difference_high_pct(
    successes, trials, other_successes, other_trials
) -%}
    -1e0 * ({{ newcombe_difference_low_pct(
        other_successes, other_trials, successes, trials
    ) }})
{%- endmacro %}
