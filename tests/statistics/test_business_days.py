"""The calendar that the ten business days of an opt-out are counted by."""

from __future__ import annotations

from datetime import datetime

from benchmarks.shipped import World


def test_business_days_leave_out_weekends_and_holidays_of_both_countries(
    world: World,
) -> None:
    world.table("int_campaigns_united", [{"sent_at": datetime(2026, 1, 5)}])
    world.table(
        "int_list_spells_built", [{"entered_at": datetime(2026, 1, 6), "left_at": None}]
    )
    world.table("int_opt_outs_rolled_up", [{"opted_out_at": datetime(2026, 1, 6)}])
    world.table("stg_runs", [{"now_at": datetime(2026, 3, 1)}])
    world.build_upstream("dim_dates")
    counted = {
        str(row["date_day"]): row["business_day_number"]
        for row in world.rows("select * from dim_dates")
    }
    # 261 weekdays, less 11 holidays of the United States and 5 that only Canada has:
    # Good Friday, Victoria Day, Canada Day, 30 September, Boxing Day.
    assert len(counted) == 365
    assert counted["2026-12-31"] == 261 - 11 - 5
    # Opted out on Friday 20 November: Thanksgiving is no day, so the tenth one after is
    # Monday 7 December.
    assert counted["2026-12-04"] - counted["2026-11-20"] == 9
    assert counted["2026-12-07"] - counted["2026-11-20"] == 10
    # 4 July is a Saturday, so Friday the 3rd is the holiday; Boxing Day moves to Monday.
    assert counted["2026-07-03"] == counted["2026-07-02"]
    assert counted["2026-12-28"] == counted["2026-12-24"]
