{# P(X >= count) of a Poisson whose rate varies with the squared variation. #}
{% macro negative_binomial_upper_tail(count, expected, squared_variation) -%}
    case
        when {{ count }} + {{ expected }} is null then null
        when {{ count }} <= 0 then 1e0
        else {{ incomplete_beta(
            '(' ~ expected ~ ' / (' ~ expected ~ ' + 1e0 / ' ~ squared_variation ~ '))',
            count, '(1e0 / ' ~ squared_variation ~ ')'
        ) }}
    end
{%- endmacro %}

{# Anscombe's transformation, which gives such a count the variance 1. Asked first
what is known: the greater of NULL and a number is the number. #}
{% macro negative_binomial_z(count, expected, squared_variation) -%}
    case
        when {{ count }} + {{ expected }} + {{ squared_variation }} is not null
            then 2e0 * sqrt({{ dispersion_less('0.5e0', squared_variation) }}) * (
                {{ stabilised_count('(' ~ count ~ ' - 0.5e0)', squared_variation) }}
                - {{ stabilised_count(expected, squared_variation) }}
            )
    end
{%- endmacro %}

{# The count that has this z: the inverse of negative_binomial_z. #}
{% macro negative_binomial_point(z, expected, squared_variation) -%}
    case
        when {{ expected }} + {{ squared_variation }} is not null
            then greatest(0e0, {{ dispersion_less('0.75e0', squared_variation) }}
                * pow(sinh(greatest(
                    0e0, {{ stabilised_count(expected, squared_variation) }} + {{ z }}
                    / (2e0 * sqrt({{ dispersion_less('0.5e0', squared_variation) }}))
                )), 2) - 0.375e0 + 0.5e0)
    end
{%- endmacro %}

{% macro stabilised_count(count, squared_variation) -%}
    asinh(sqrt(
        greatest({{ count }} + 0.375e0, 0e0)
        / {{ dispersion_less('0.75e0', squared_variation) }}
    ))
{%- endmacro %}

{% macro dispersion_less(constant, squared_variation) -%}
    greatest(1e0 / {{ squared_variation }} - {{ constant }}, 0.05e0)
{%- endmacro %}
