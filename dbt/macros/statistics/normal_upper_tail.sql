{# P(Z >= z). Written out, because engines differ in which error function they have. #}
{% macro normal_upper_tail(z) -%}
    case
        when {{ z }} >= 0 then {{ positive_normal_tail(z) }}
        else 1e0 - {{ positive_normal_tail('(-1e0 * ' ~ z ~ ')') }}
    end
{%- endmacro %}

{% macro positive_normal_tail(z) -%}
    {%- set shrunk = '(1e0 / (1e0 + 0.5e0 * ' ~ z ~ ' / sqrt(2e0)))' -%}
    (0.5e0 * {{ shrunk }} * exp(
        -0.5e0 * {{ z }} * {{ z }}
        + {{ fitted_erfc_logarithm('((2e0 * ' ~ shrunk ~ ' - 1.1e0) / 0.9e0)') }}
    ))
{%- endmacro %}

{# ln(erfc(w) exp(w * w) / t) over u = (2 t - 1.1) / 0.9, t = 1 / (1 + w / 2): a fit
whose relative error is 2.5e-8, by Horner's rule. #}
{% macro fitted_erfc_logarithm(u) -%}
    {%- set terms = [
        '-0.6041041274e0', '0.6126027943e0', '0.02654627469e0', '-0.03639814166e0',
        '-0.003468450084e0', '0.005516926721e0', '9.18671338e-05', '-0.001008389108e0',
        '0.0001213093754e0', '0.0001312841121e0', '-3.133312479e-05',
    ] -%}
    {{ terms | join(' + ' ~ u ~ ' * (') }}{{ ')' * (terms | length - 1) }}
{%- endmacro %}
