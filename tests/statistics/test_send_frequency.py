"""What mailing more often does, in drawn lists whose truth is known.

Readers get more of the mail and leave less, so that frequent mail looks harmless. Every
list is an account of one world, and all go through the shipped models in one build.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.shipped import Shipped

LISTS = 20
TRUE_RATIOS = np.repeat([1.0, 1.5], LISTS)
CONTACTS = 1500
WEEKS = 32
MONDAY = np.datetime64("2025-01-06T00:00:00")
HOUR = np.timedelta64(1, "h")
SEND_HOURS = np.array([9, 57, 105])


def _people(random: np.random.Generator) -> pd.DataFrame:
    """One row per person: readers mostly get three mails a week, the others one."""
    true_ratio = np.repeat(TRUE_RATIOS, CONTACTS)
    count = len(true_ratio)
    is_reader = random.random(count) < 0.5
    mails_a_week = np.where(random.random(count) < np.where(is_reader, 0.8, 0.2), 3, 1)
    weekly_hazard = np.where(is_reader, 0.002, 0.012) * np.where(
        mails_a_week == 3, true_ratio, 1.0
    )
    weeks_stayed = random.geometric(weekly_hazard) - 1 + random.random(count)
    return pd.DataFrame(
        {
            "account": np.repeat(np.arange(len(TRUE_RATIOS)), CONTACTS).astype(str),
            "contact_key": np.arange(count).astype(str),
            "open_share": np.where(is_reader, 0.6, 0.1),
            "mails_a_week": mails_a_week,
            "weeks_stayed": weeks_stayed,
        }
    )


def _sends(people: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Everything that was delivered to them before they left."""
    hours = (np.arange(WEEKS)[:, None] * 168 + SEND_HOURS).ravel()
    ranks = np.tile(np.arange(len(SEND_HOURS)), WEEKS)
    is_sent = (ranks[None, :] < people["mails_a_week"].to_numpy()[:, None]) & (
        hours[None, :] < people["weeks_stayed"].to_numpy()[:, None] * 168
    )
    person, mail = np.nonzero(is_sent)
    sends = people.loc[person, ["account", "contact_key"]].reset_index(drop=True)
    delivered_at = MONDAY + hours[mail] * HOUR
    is_opened = random.random(len(person)) < people["open_share"].to_numpy()[person]
    return sends.assign(
        source="generic",
        send_key=np.arange(len(person)),
        is_delivered=True,
        is_opened=is_opened,
        delivered_at=delivered_at,
        first_opened_at=np.where(is_opened, delivered_at + HOUR, np.datetime64("NaT")),
    )


def _spells(people: pd.DataFrame) -> pd.DataFrame:
    has_left = people["weeks_stayed"] < WEEKS
    left_at = MONDAY + (people["weeks_stayed"] * 168 * 3600).astype("timedelta64[s]")
    return people[["account", "contact_key"]].assign(
        source="generic",
        list="Club",
        spell_key=people["contact_key"],
        exit_cause=np.where(has_left, "unsubscribe", None),
        is_entry_known=True,
        entered_at=MONDAY - np.timedelta64(400, "D"),
        left_at=left_at.where(has_left),
        first_seen_at=MONDAY,
        last_seen_at=MONDAY + np.timedelta64(WEEKS * 7, "D"),
    )


@pytest.fixture(scope="module")
def effects(shipped: Shipped) -> pd.DataFrame:
    """One row per list, as the mart has them."""
    random = np.random.default_rng(15)
    people = _people(random)
    accounts = pd.DataFrame({"account": people["account"].unique()})
    world = shipped.open()
    world.seeds()
    world.table("dim_runs", "select 'build' as build_id")
    world.table(
        "dim_dates",
        "select cast(day as date) as date_day, isodow(day) as weekday from range("
        "timestamp '2025-01-01', timestamp '2026-01-01', interval 1 day) as days(day)",
    )
    world.table(
        "dim_sources",
        accounts.assign(
            source="generic", list_source="generic", list_account=accounts["account"]
        ),
    )
    world.table(
        "dim_lists",
        accounts.assign(
            source="generic",
            list="Club",
            has_members=True,
            first_snapshot_at=MONDAY,
            last_snapshot_at=MONDAY + np.timedelta64(WEEKS * 7, "D"),
        ),
    )
    world.table("dim_streams", [])
    world.table("fct_campaigns", [])
    world.table("fct_list_spells", _spells(people))
    world.table("fct_sends", _sends(people, random))
    world.build_upstream("send_frequency_effect")
    rows: list[dict[str, Any]] = world.rows(
        "select * from send_frequency_effect where list = 'Club'"
        " order by cast(account as integer)"
    )
    return pd.DataFrame(rows).assign(true_ratio=TRUE_RATIOS)


def test_crude_rates_say_that_frequent_mail_keeps_people(effects: pd.DataFrame) -> None:
    assert effects["reference_buckets"].eq("1").all()
    assert effects["compared_buckets"].eq("3+").all()
    assert effects["crude_ratio_per_send"].max() < 0.5
    assert effects["crude_ratio_per_week"].max() < 1


@pytest.mark.parametrize("true_ratio", [1.0, 1.5])
def test_the_effect_is_recovered_within_its_interval(
    effects: pd.DataFrame, true_ratio: float
) -> None:
    lists = effects[effects["true_ratio"] == true_ratio]
    covers = lists["effect_ratio_low"].le(true_ratio) & lists["effect_ratio_high"].ge(
        true_ratio
    )
    # Of 20 intervals of 95 %, fewer than 17 cover in one draw of 60.
    assert covers.sum() >= 17
    # Twenty together are not a quarter as wide as one.
    assert np.exp(np.log(lists["effect_ratio"]).mean()) == pytest.approx(
        true_ratio, rel=0.08
    )


def test_a_verdict_needs_an_effect(effects: pd.DataFrame) -> None:
    found = effects.groupby("true_ratio")["verdict"].value_counts()
    assert found[1.0]["not_proven"] >= 17
    assert found[1.5]["more_leave"] > LISTS / 2
    assert "fewer_leave" not in found[1.5]
