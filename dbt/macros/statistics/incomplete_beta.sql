{# I_x(a, b). The series runs from the side where it is short. #}
{% macro incomplete_beta(point, first, second) -%}
    case
        when {{ point }} + {{ first }} + {{ second }} is null then null
        when {{ point }} <= 0 or {{ second }} <= 0 then 0e0
        when {{ point }} >= 1 or {{ first }} <= 0 then 1e0
        when {{ point }} <= 0.5e0
            then {{ incomplete_beta_series(point, first, second) }}
        else 1e0 - {{ incomplete_beta_series(
            '(1e0 - ' ~ point ~ ')', second, first
        ) }}
    end
{%- endmacro %}

{# Positive terms, each inside one exp: a factor before the sum would overflow. #}
{% macro incomplete_beta_series(point, first, second) -%}
    least(1e0, list_sum(list_transform(
        range(0, {{ incomplete_beta_term_count(point, first, second) }}),
        lambda term: exp(
            ({{ first }} + term) * ln({{ point }})
            + {{ second }} * ln(1e0 - {{ point }})
            + lgamma({{ first }} + {{ second }} + term)
            - lgamma({{ first }} + 1 + term)
            - lgamma({{ second }})
        )
    )))
{%- endmacro %}

{# Up to the largest term, twelve standard deviations on, and some for small counts. #}
{% macro incomplete_beta_term_count(point, first, second) -%}
    cast(ceil((
        greatest(0e0, {{ point }} * ({{ first }} + {{ second }}) - {{ first }})
        + 12e0 * sqrt({{ point }} * ({{ first }} + {{ second }}))
    ) / (1e0 - {{ point }})) + 120 as bigint)
{%- endmacro %}
