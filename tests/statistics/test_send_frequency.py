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
CONTACTS = 2000
WEEKS = 32
TRUE_RATIO = 1.5
MONDAY = np.datetime64("2025-01-06T00:00:00")
HOUR = np.timedelta64(1, "h")
SEND_HOURS = np.array([9, 57, 105])


def _people(random: np.random.Generator) -> pd.DataFrame:
    """One row per person: readers mostly get three mails a week, the others one."""
    count = LISTS * CONTACTS
    is_reader = random.random(count) < 0.5
    mails_a_week = np.where(random.random(count) < np.where(is_reader, 0.8, 0.2), 3, 1)
    weekly_hazard = np.where(is_reader, 0.002, 0.012) * np.where(
        mails_a_week == 3, TRUE_RATIO, 1.0
    )
    weeks_stayed = random.geometric(weekly_hazard) - 1 + random.random(count)
    return pd.DataFrame(
        {
            "account": np.repeat(np.arange(LISTS), CONTACTS).astype(str),
            "contact_key": np.arange(count).astype(str),
            "open_share": np.where(is_reader, 0.45, 0.06),
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
    world.table("dim_campaigns", [])
    world.table("fct_list_spells", _spells(people))
    world.table("fct_sends", _sends(people, random))
    world.build_upstream("send_frequency_effect")
    rows: list[dict[str, Any]] = world.rows(
        "select * from send_frequency_effect where list = 'Club' order by account"
    )
    return pd.DataFrame(rows)


def test_the_planted_effect_is_recovered_where_crude_rates_show_the_opposite(
    effects: pd.DataFrame,
) -> None:
    print(effects.drop(columns=["build_id", "source"]).to_string())
    print(np.exp(np.log(effects.effect_ratio).mean()))
    assert len(effects) == LISTS
    covered = effects["effect_ratio_low"].le(TRUE_RATIO) & effects[
        "effect_ratio_high"
    ].ge(TRUE_RATIO)
    print(covered.mean())
