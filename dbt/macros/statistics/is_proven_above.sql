{# Whether the exact one-sided binomial test rejects that the rate is at most `rate`. #}
{% macro is_proven_above(successes, trials, rate) -%}
    case
        when {{ successes }} <= {{ rate }} * {{ trials }} then false
        when {{ chernoff_log_bound(successes, trials, rate) }}
            < ln({{ var('confirmation_level') }}) then true
        when {{ rate }} <= 0.25e0 and {{ normal_upper_tail(
                '((' ~ successes ~ ' - ' ~ rate ~ ' * ' ~ trials ~ ') / sqrt('
                ~ rate ~ ' * (1e0 - ' ~ rate ~ ') * ' ~ trials ~ '))'
            ) }} >= {{ var('confirmation_level') }} then false
        else {{ binomial_upper_tail(successes, trials, rate) }}
            < {{ var('confirmation_level') }}
    end
{%- endmacro %}

{# ln of an upper bound of the tail, successes being above rate * trials. #}
{% macro chernoff_log_bound(successes, trials, rate) -%}
    - {{ successes }} * ln({{ successes }} / ({{ rate }} * {{ trials }}))
    - case
        when {{ successes }} < {{ trials }}
            then ({{ trials }} - {{ successes }}) * ln(
                ({{ trials }} - {{ successes }}) / ((1e0 - {{ rate }}) * {{ trials }})
            )
        else 0e0
    end
{%- endmacro %}
