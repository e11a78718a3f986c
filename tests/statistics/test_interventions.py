"""Worlds with a planted effect, or none, through the shipped models."""

from __future__ import annotations

import pytest

from benchmarks.interventions import EFFECT, KINDS, SEEDS, Judgement, judge
from benchmarks.shipped import Shipped


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
