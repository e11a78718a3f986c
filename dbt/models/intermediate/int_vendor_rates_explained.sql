with

int_campaign_stats_narrowed_to_newest as (
    select * from {{ ref('int_campaign_stats_narrowed_to_newest') }}
),

int_campaigns_put_on_one_basis as (
    select * from {{ ref('int_campaigns_put_on_one_basis') }}
),

printed_rates as (
    select
        totals.campaign_key,

        totals.vendor_rate_base,

        totals.unsubscribe_count,
        totals.sent_count,
        coalesce(
            totals.delivered_count,
            case
                when bases.delivered_count_basis = 'recipients_minus_bounces'
                    then bases.delivered_count
            end
        ) as delivered_count,
        totals.unique_open_count,

        totals.vendor_unsubscribe_rate_pct,
        coalesce(
            totals.vendor_unsubscribe_rate_half_unit_pct,
            {{ var('default_vendor_rate_half_unit_pct') }}
        ) as vendor_unsubscribe_rate_half_unit_pct
    from int_campaign_stats_narrowed_to_newest as totals
    inner join int_campaigns_put_on_one_basis as bases
        on totals.campaign_key = bases.campaign_key
    where totals.vendor_unsubscribe_rate_pct is not null
),

-- Where rounding lets two denominators fit, the declared one is believed, then the
-- right one: a printed rate is suspected only when delivered cannot explain it.
possible_denominators as (
    select
        campaign_key,
        'delivered' as vendor_rate_denominator,
        1 as preference_rank,
        delivered_count as denominator_count
    from printed_rates
    union all
    select
        campaign_key,
        'sent' as vendor_rate_denominator,
        2 as preference_rank,
        sent_count as denominator_count
    from printed_rates
    union all
    select
        campaign_key,
        'opens' as vendor_rate_denominator,
        3 as preference_rank,
        unique_open_count as denominator_count
    from printed_rates
),

-- Read as a percentage, and as the fraction that an export may print instead.
possible_rates as (
    select
        campaign_key,

        unsubscribe_count,

        vendor_unsubscribe_rate_pct as rate_pct,
        vendor_unsubscribe_rate_half_unit_pct as half_unit_pct,

        false as is_fraction
    from printed_rates
    union all
    select
        campaign_key,

        unsubscribe_count,

        100 * vendor_unsubscribe_rate_pct as rate_pct,
        100 * vendor_unsubscribe_rate_half_unit_pct as half_unit_pct,

        true as is_fraction
    from printed_rates
    where vendor_unsubscribe_rate_pct > 0
),

-- No division: a denominator of 0 explains nothing, and the allowance is for the noise
-- of binary fractions at an exact half unit.
fitting_denominators as (
    select
        printed_rates.campaign_key,
        possible_denominators.vendor_rate_denominator,
        possible_denominators.denominator_count,

        possible_rates.is_fraction,

        row_number() over (
            partition by printed_rates.campaign_key
            order by
                possible_rates.is_fraction asc,
                possible_denominators.vendor_rate_denominator
                = printed_rates.vendor_rate_base desc nulls last,
                possible_denominators.preference_rank asc
        ) as fit_rank
    from printed_rates
    inner join possible_rates
        on printed_rates.campaign_key = possible_rates.campaign_key
    inner join possible_denominators
        on printed_rates.campaign_key = possible_denominators.campaign_key
    where
        possible_denominators.denominator_count > 0
        and abs(
            possible_rates.rate_pct * possible_denominators.denominator_count
            - 100 * possible_rates.unsubscribe_count
        ) <= (possible_rates.half_unit_pct + 1e-9)
        * possible_denominators.denominator_count
),

explained_rates as (
    select
        printed_rates.campaign_key,

        case
            when not fitting_denominators.is_fraction
                then fitting_denominators.vendor_rate_denominator
            else 'unexplained'
        end as vendor_rate_denominator,

        printed_rates.unsubscribe_count,
        fitting_denominators.denominator_count,

        printed_rates.vendor_unsubscribe_rate_half_unit_pct,

        coalesce(fitting_denominators.is_fraction, false) as is_fraction,
        printed_rates.unsubscribe_count is not null
        and coalesce(
            printed_rates.delivered_count,
            printed_rates.sent_count,
            printed_rates.unique_open_count
        ) is not null as is_comparable
    from printed_rates
    left join fitting_denominators
        on
            printed_rates.campaign_key = fitting_denominators.campaign_key
            and fitting_denominators.fit_rank = 1
)

select * from explained_rates
