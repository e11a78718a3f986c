"""The harness itself: what is filled is read, what is not is built or refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from benchmarks.shipped import Shipped, World

CAMPAIGNS = [
    {
        "campaign_key": str(number),
        "source": "generic",
        "account": "shop",
        "stream_id": "news",
        "campaign_id": str(number),
        "sent_at": datetime(2026, 1, 1 + number),
        "delivered_count": 1000,
        "unsubscribe_count": 2,
        "is_excluded": False,
    }
    for number in range(5)
]


def test_a_mart_is_built_from_the_rows_that_were_filled(world: World) -> None:
    world.table("fct_campaigns", CAMPAIGNS)
    world.build_upstream("unsubscribe_rates_monthly")
    # 5 campaigns of 2 opt-outs in 1,000: 10 / 5,000 x 100 = 0.2, which is acceptable.
    assert world.rows(
        "select unsubscribe_rate_pct, observed_band, sent_count"
        " from unsubscribe_rates_monthly where stream_id = 'news'"
    ) == [
        {"unsubscribe_rate_pct": 0.2, "observed_band": "acceptable", "sent_count": None}
    ]


def test_no_rows_fill_a_table_with_its_columns(world: World) -> None:
    world.table("fct_campaigns", [])
    world.build_upstream("unsubscribe_rates_monthly")
    assert world.rows("from unsubscribe_rates_monthly") == []


def test_a_column_that_the_model_has_not_is_refused(world: World) -> None:
    with pytest.raises(LookupError, match="fct_campaigns has no column delivered"):
        world.table("fct_campaigns", [{"delivered": 1}])


def test_a_model_of_the_lake_has_to_be_filled(world: World) -> None:
    with pytest.raises(LookupError, match="stg_loads reads source"):
        world.build_upstream("load_ledger")


def test_a_macro_renders_with_the_macros_it_calls(shipped: Shipped) -> None:
    sql = shipped.scalar("wilson_low_pct", "unsubscribes", "delivered")
    assert "1.959963984540054e0" in sql
    assert "{" not in sql
