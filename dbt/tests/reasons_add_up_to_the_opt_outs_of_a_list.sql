-- Every opt-out has one reason: in each list and period the reasons, not_asked and the
-- suppressed ones included, add up to its opt-outs.
select
    source,
    account,
    list,
    period_kind,
    period_start,
    campaign_id,
    variant,
    max(opt_out_count) as opt_out_count,
    sum(reason_count) as reason_count
from {{ ref('opt_out_reasons') }}
group by source, account, list, period_kind, period_start, campaign_id, variant
having sum(reason_count) <> max(opt_out_count)
