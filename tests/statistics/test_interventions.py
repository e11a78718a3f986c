"""Worlds with a planted effect, or none, through the shipped models."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.interventions import EFFECT, KINDS, SEEDS, Judgement, judge
from benchmarks.shipped import Shipped, World


@pytest.fixture(scope="module")
def judgements(shipped: Shipped) -> dict[tuple[str, float], Judgement]:
    """By kind of world and planted effect in percent."""
    return {(each.kind, each.planted_pct): each for each in judge(shipped)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_holds_the_planted_effect(
    judgements: dict[tuple[str, float], Judgement], kind: str
) -> None:
    planted = judgements[kind, 100 * EFFECT]
    assert planted.worlds == len(SEEDS) == 100
    assert planted.covered >= 90, planted
    assert planted.found_pct == pytest.approx(100 * EFFECT, abs=5)
    # Everything "not proven" would hold as well: some of them must be found.
    assert planted.called[0] >= 25
    assert planted.called[1] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_did_nothing_is_hardly_ever_called_an_effect(
    judgements: dict[tuple[str, float], Judgement], kind: str
) -> None:
    idle = judgements[kind, 0]
    assert idle.worlds == 100
    assert idle.covered >= 90, idle
    assert max(idle.called) <= 5, idle
    assert idle.found_pct == pytest.approx(0, abs=5)


WEEKLY = range(-13, 13)
OPT_OUTS = {
    # A season from the change on costs all of them half as many again.
    "changed": [40] * 13 + [30] * 13,
    "steady": [20] * 13 + [30] * 13,
    "calm": [80] * 13 + [120] * 13,
    "falling": [200 - 12 * week for week in range(13)] + [40] * 13,
    "changed too": [20] * 13 + [60] * 13,
    "seldom": [20] * 4,
}


@pytest.fixture
def told(world: World) -> dict[str, dict[str, Any]]:
    """What is said of each change, by its note."""
    monday = "timestamp '2026-01-05' + interval 1 hour"
    sent = ", ".join(
        f"('{name}', {week}, {count})"
        for name, counts in OPT_OUTS.items()
        for week, count in zip(WEEKLY, counts, strict=False)
    )
    world.table(
        "fct_campaigns",
        "select 'esp' as source, 'main' as account, stream_id, week as campaign_id,"
        " 'campaign' as send_type, 'final' as maturity, false as is_excluded,"
        " 10000 as delivered_count, opt_outs as unsubscribe_count,"
        f" {monday} + to_days(7 * week) as sent_at"
        f" from (values {sent}) as sends(stream_id, week, opt_outs)",
    )
    world.table(
        "dim_streams",
        "select distinct source, account, stream_id, stream_id as stream_name, send_type"
        " from fct_campaigns",
    )
    world.table("dim_runs", "select 'build' as build_id, date '2026-04-01' as now_at")
    for unused in ("fct_list_spells", "dim_lists", "dim_sources"):
        world.table(unused, [])
    world.table("dim_change_campaigns", [])
    changes = [
        ("page", "preference_center", "2026-01-05", "changed", True),
        ("alone", "preference_center", "2026-01-05", "changed too", False),
        ("late", "other", "2026-03-16", "steady", True),
        ("few", "other", "2026-01-05", "seldom", True),
        ("typo", "other", "2026-01-05", None, True),
    ]
    world.table(
        "dim_changes",
        [
            {
                "change_key": note,
                "note": note,
                "kind": kind,
                "changed_at": f"{day} 00:00:00",
                "is_compared_by_itself": is_compared,
            }
            for note, kind, day, _, is_compared in changes
        ],
    )
    world.table(
        "dim_change_streams",
        [
            {
                "change_key": note,
                "source": "esp",
                "account": "main",
                "stream_id": stream,
                "is_unknown": stream is None,
                "arm": "treated",
            }
            for note, _, _, stream, _ in changes
        ],
    )
    world.build_upstream("intervention_effects")
    return {
        row["note"]: row for row in world.rows("select * from intervention_effects")
    }


def test_streams_to_compare_with_are_found_and_told(
    told: dict[str, dict[str, Any]],
) -> None:
    # "steady" has a change of its own in these weeks, and "falling" fell before it.
    page = told["page"]
    assert page["control_streams"] == "calm"
    assert page["method"] == "difference_in_differences"
    assert "Not compared with falling" in page["caveat"]
    # 40 would have become 60 as 80 became 120; they are 30 of 10,000.
    assert page["expected_after_rate_pct"] == pytest.approx(0.6)
    assert page["effect_pct"] == pytest.approx(-50)
    assert page["rate_difference_pct"] == pytest.approx(-0.3)
    assert page["people_kept_count"] == 13 * 30
    assert page["verdict"] == "worked"
    assert page["claim_position"] in ("larger", "compatible")


def test_what_cannot_be_judged_says_why(told: dict[str, dict[str, Any]]) -> None:
    assert told["alone"]["verdict"] == "backfired"
    assert told["alone"]["method"] == "before_after"
    assert "what would have happened anyway" in told["alone"]["caveat"]
    verdicts = {note: row["verdict"] for note, row in told.items()}
    assert verdicts["late"] == "too_early"
    assert verdicts["few"] == "too_little_mail"
    assert verdicts["typo"] == "unknown_stream"
    assert told["late"]["is_open"]
    for note in ("late", "few", "typo"):
        assert told[note]["effect_pct"] is None
        assert told[note]["claim_position"] == "unknown"
