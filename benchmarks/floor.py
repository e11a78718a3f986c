"""The floor: the least SQL that turns a raw file into the same facts and marts.

Written by hand for one known file: no archive, no keyed hashes, no rejected records, no
contracts, no tests, no gate. Copies are removed only where they would change a number
(opens and clicks); everything else is a minimum or a flag. Leaves one DuckDB file with
the tables `sends`, `campaign_rates`, `monthly_rates` and `opt_out_reasons`.

Run as a process of its own: `python -m benchmarks.floor`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.files import LAYOUTS

_COLUMNS = (
    "event_id",
    "event_type",
    "occurred_at",
    "email",
    "campaign_id",
    "stream",
    "bounce_class",
    "is_machine",
    "url",
    "reason",
    "list",
)
_TYPES = {"occurred_at": "TIMESTAMP", "is_machine": "BOOLEAN"}
_UNUSED = ("url", "list")


def _relation(path: Path, layout: str) -> str:
    typed = {name: _TYPES.get(name, "VARCHAR") for name in _COLUMNS}
    if layout == "csv":
        return (
            f"read_csv('{path}', header=true, auto_detect=false, delim=',',"
            f" quote='\"', escape='\"', columns={typed})"
        )
    if layout == "ndjson":
        wanted = {n: t for n, t in typed.items() if n not in _UNUSED}
        return f"read_json('{path}', format='newline_delimited', columns={wanted})"
    return f"read_parquet('{path}')"


_EVENTS = """
create temp table events as
select
    event_id,
    event_type,
    cast(occurred_at as timestamp) as occurred_at,
    lower(email) as contact,
    campaign_id,
    stream,
    bounce_class,
    is_machine,
    reason
from {relation}
"""

_SENDS = """
create table sends as
with single_events as (
    select * exclude (event_id) from events
    where event_type not in ('opened', 'clicked')
    union all
    select
        any_value(event_type) as event_type,
        any_value(occurred_at) as occurred_at,
        any_value(contact) as contact,
        any_value(campaign_id) as campaign_id,
        any_value(stream) as stream,
        cast(null as varchar) as bounce_class,
        any_value(is_machine) as is_machine,
        cast(null as varchar) as reason
    from events
    where event_type in ('opened', 'clicked')
    group by event_id
)
select
    campaign_id,
    stream,
    contact,
    count(*) filter (event_type = 'opened') as open_count,
    count(*) filter (event_type = 'opened' and not is_machine) as human_open_count,
    count(*) filter (event_type = 'clicked') as click_count,
    min(bounce_class) filter (event_type = 'bounced') as bounce_class,
    min(reason) filter (event_type = 'unsubscribed') as reason,
    min(occurred_at) filter (event_type = 'sent') as sent_at,
    min(occurred_at) filter (event_type = 'delivered') as delivered_at,
    min(occurred_at) filter (event_type = 'bounced') as bounced_at,
    min(occurred_at) filter (event_type = 'opened') as first_opened_at,
    min(occurred_at) filter (event_type = 'clicked') as first_clicked_at,
    min(occurred_at) filter (event_type = 'unsubscribed') as opted_out_at,
    min(occurred_at) filter (event_type = 'complained') as complained_at
from single_events
group by all
"""

_CAMPAIGN_RATES = """
create table campaign_rates as
with counted as (
    select
        campaign_id,
        stream,
        min(sent_at) as sent_at,
        count(*) as sent_count,
        -- Without one delivered event nobody knows whether deliveries are reported.
        nullif(count(delivered_at) filter (bounced_at is null), 0) as delivered_count,
        count(*) filter (bounce_class = 'hard') as hard_bounce_count,
        count(*) filter (bounce_class = 'soft') as soft_bounce_count,
        count(first_opened_at) as unique_open_count,
        count(*) filter (human_open_count > 0) as human_open_count,
        count(first_clicked_at) as unique_click_count,
        count(opted_out_at) as unsubscribe_count,
        count(complained_at) as complaint_count,
        sum(open_count)::bigint as open_count,
        sum(click_count)::bigint as click_count
    from sends
    group by all
),
rated as (
    select
        *,
        100e0 * unsubscribe_count / nullif(delivered_count, 0) as unsubscribe_rate_pct,
        100e0 * complaint_count / nullif(delivered_count, 0) as complaint_rate_pct
    from counted
)
select
    *,
    case
        when unsubscribe_rate_pct < 0.2 then 'healthy'
        when unsubscribe_rate_pct <= 0.5 then 'acceptable'
        when unsubscribe_rate_pct <= 1 then 'investigate'
        when unsubscribe_rate_pct > 1 then 'critical'
    end as observed_band,
    median(unsubscribe_rate_pct) over (
        partition by stream order by sent_at, campaign_id
        rows between 26 preceding and 1 preceding
    ) as previous_rate_median_pct
from rated
"""

_MONTHLY_RATES = """
create table monthly_rates as
select
    stream,
    date_trunc('month', sent_at)::date as month,
    sum(delivered_count)::bigint as delivered_count,
    sum(unsubscribe_count)::bigint as unsubscribe_count,
    100e0 * sum(unsubscribe_count) / nullif(sum(delivered_count), 0)
        as unsubscribe_rate_pct
from campaign_rates
group by all
"""

_OPT_OUT_REASONS = """
create table opt_out_reasons as
select
    date_trunc('month', opted_out_at)::date as month,
    coalesce(reason, 'not_asked') as reason,
    count(*) as reason_count
from sends
where opted_out_at is not null
group by all
"""


def build(path: Path, layout: str, target: Path, memory_limit: str) -> dict[str, float]:
    """Build everything from one file.

    Returns:
        Seconds by step.
    """
    steps = {
        "read": _EVENTS.format(relation=_relation(path, layout)),
        "sends": _SENDS,
        "campaign_rates": _CAMPAIGN_RATES,
        "monthly_rates": _MONTHLY_RATES,
        "opt_out_reasons": _OPT_OUT_REASONS,
        "checkpoint": "checkpoint",
    }
    target.mkdir(parents=True, exist_ok=True)
    seconds = {}
    with duckdb.connect(str(target / "floor.duckdb")) as engine:
        engine.execute(f"set memory_limit = '{memory_limit}'")
        engine.execute(f"set temp_directory = '{target / 'spill'}'")
        engine.execute("set preserve_insertion_order = false")
        engine.execute("set TimeZone = 'UTC'")
        for name, statement in steps.items():
            start = time.perf_counter()
            engine.execute(statement)
            seconds[name] = round(time.perf_counter() - start, 3)
    return seconds


def main() -> None:
    """Build and say how long each step took."""
    parser = argparse.ArgumentParser(description="The hand-written floor.")
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--memory-limit", default="4GB")
    given = parser.parse_args()
    seconds = build(given.events, given.layout, given.to, given.memory_limit)
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
