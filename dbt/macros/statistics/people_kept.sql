{# Of a row of effects: those who would have left without it, less those who did. #}
{% macro people_kept(effect_pct) -%}
    case
        when effects.measure = 'unsubscribe'
            then cast(round(
                effects.expected_after_rate_pct / 100e0
                * {{ effect_pct }} / -100e0
                * effects.after_exposure_count
            ) as bigint)
    end
{%- endmacro %}
