"""Do the product and the floor say the same? Asked campaign by campaign, exactly.

A time means nothing beside another number, so the runner asks this first. The product's
side is what readers get: the published mart, and the warehouse's sends for what no mart
tells (sends, and every single open and click).

Run as a process of its own (`python -m benchmarks.equality`), because a large parent
would be counted as memory of everything it starts.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

MEASURES = {
    "sends": "count of sends: one row a campaign and contact",
    "delivered": "delivered_count",
    "hard_bounces": "hard_bounce_count",
    "soft_bounces": "soft_bounce_count",
    "unique_opens": "contacts who opened",
    "human_opens": "contacts who opened, machines left out",
    "unique_clicks": "contacts who clicked",
    "unsubscribes": "unsubscribe_count",
    "complaints": "complaint_count",
    "opens": "every open once, copies left out",
    "clicks": "every click once, copies left out",
}
MOST_EXAMPLES = 10

_FLOOR = """
select
    campaign_id,
    sent_count as sends,
    delivered_count as delivered,
    hard_bounce_count as hard_bounces,
    soft_bounce_count as soft_bounces,
    unique_open_count as unique_opens,
    human_open_count as human_opens,
    unique_click_count as unique_clicks,
    unsubscribe_count as unsubscribes,
    complaint_count as complaints,
    open_count as opens,
    click_count as clicks
from floor.campaign_rates
"""

_PRODUCT = """
select
    campaign_id,
    sends.sends,
    rates.delivered_count as delivered,
    rates.hard_bounce_count as hard_bounces,
    rates.soft_bounce_count as soft_bounces,
    rates.unique_open_count as unique_opens,
    rates.human_open_count as human_opens,
    rates.unique_click_count as unique_clicks,
    rates.unsubscribe_count as unsubscribes,
    rates.complaint_count as complaints,
    sends.opens,
    sends.clicks
from published.main.campaign_unsubscribe_rates as rates
full join (
    select
        campaign_id,
        count(*) as sends,
        sum(open_count)::bigint as opens,
        sum(click_count)::bigint as clicks
    from warehouse.facts.fct_sends
    group by all
) as sends using (campaign_id)
"""


@dataclass
class Comparison:
    """What both sides say.

    Attributes:
        floor: sum over campaigns by measure.
        product: the same of the product.
        campaigns: campaigns of either side.
        differing_campaigns: those with any measure that is not the same on both.
        examples: some of them: campaign, measure, both values.
    """

    floor: dict[str, int]
    product: dict[str, int]
    campaigns: int
    differing_campaigns: int
    examples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether times may be compared; nothing counted is nothing proven."""
        return self.differing_campaigns == 0 and self.floor["delivered"] > 0


def compare(floor_database: Path, home: Path) -> Comparison:
    """Hold the floor's file against a home of the product."""
    with duckdb.connect(":memory:") as engine:
        engine.execute(f"attach '{floor_database}' as floor (read_only)")
        engine.execute(f"attach '{home}/warehouse.duckdb' as warehouse (read_only)")
        engine.execute(
            f"attach '{home}/published/marts.duckdb' as published (read_only)"
        )
        engine.execute(f"create temp table floor_side as {_FLOOR}")
        engine.execute(f"create temp table product_side as {_PRODUCT}")
        engine.execute(f"create temp table measured as {_by_measure()}")
        compared = "floor_value is not distinct from product_value"
        campaigns, differing = _rows(
            engine,
            "select count(distinct campaign_id),"
            f" count(distinct campaign_id) filter (not ({compared})) from measured",
        )[0]
        examples = _rows(
            engine,
            "select campaign_id, measure, floor_value, product_value from measured"
            f" where not ({compared}) order by all limit {MOST_EXAMPLES}",
        )
        return Comparison(
            floor=_sums(engine, "floor_side"),
            product=_sums(engine, "product_side"),
            campaigns=campaigns,
            differing_campaigns=differing,
            examples=[
                {"campaign_id": c, "measure": m, "floor": f, "product": p}
                for c, m, f, p in examples
            ],
        )


def _by_measure() -> str:
    return " union all ".join(
        f"select campaign_id, '{measure}' as measure,"
        f" floor_side.{measure} as floor_value, product_side.{measure} as product_value"
        " from floor_side full join product_side using (campaign_id)"
        for measure in MEASURES
    )


def _sums(engine: duckdb.DuckDBPyConnection, side: str) -> dict[str, int]:
    summed = ", ".join(f"coalesce(sum({m}), 0)::bigint" for m in MEASURES)
    values = _rows(engine, f"select {summed} from {side}")[0]
    return dict(zip(MEASURES, values, strict=True))


def _rows(engine: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = engine.execute(sql).fetchall()
    return rows


def main() -> None:
    """Compare and say the outcome as JSON."""
    parser = argparse.ArgumentParser(description="Product against floor.")
    parser.add_argument("--floor", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    comparison = compare(given.floor, given.home)
    told = asdict(comparison) | {"is_equal": comparison.is_equal}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
