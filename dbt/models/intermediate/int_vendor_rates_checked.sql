with

int_vendor_rates_explained as (
    select * from {{ ref('int_vendor_rates_explained') }}
),

-- A rate on another denominator is the vendor's business as long as we know which; a
-- rate in another unit means that the export is not the one its mapping describes.
-- A rate beside no count, or no denominator at all, has nothing to be held against.
-- Where nobody left, a rate of 0 is as true as a fraction and over any denominator.
rate_checks as (
    select
        campaign_key,
        'vendor_rate_explained' as check_name,

        case
            when not is_comparable then 'unknown'
            when vendor_rate_denominator = 'unexplained' then 'broken'
            when unsubscribe_count = 0 then 'unknown'
            else 'reconciled'
        end as verdict,

        unsubscribe_count as left_value,
        case when not is_fraction then denominator_count end as right_value,
        vendor_unsubscribe_rate_half_unit_pct as tolerance
    from int_vendor_rates_explained
    union all
    select
        campaign_key,
        'vendor_rate_is_in_percent' as check_name,

        case
            when coalesce(unsubscribe_count, 0) = 0 then 'unknown'
            when is_fraction then 'broken'
            else 'reconciled'
        end as verdict,

        unsubscribe_count as left_value,
        denominator_count as right_value,
        vendor_unsubscribe_rate_half_unit_pct as tolerance
    from int_vendor_rates_explained
)

select * from rate_checks
