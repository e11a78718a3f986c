"""What is unusual about a send: nothing in steady years, and each planted thing.

Every stream is of one world, and all go through the shipped models in one build.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.shipped import Shipped

STEADY = 20
WEEKS = 104
FIRST = np.datetime64("2024-01-04T09:00:00")
FLAGS = (
    "is_unusual_audience",
    "is_new_audience",
    "is_many_new_contacts",
    "is_post_gap",
    "is_frequency_up",
    "is_unusual_category",
    "is_promotional_run",
    "is_unusual_send_time",
)


def _years(stream: str, random: np.random.Generator) -> pd.DataFrame:
    """Two years of weekly mail: every fourth sells, three weeks of summer have none."""
    week = np.arange(WEEKS)
    week = week[~np.isin(week % 52, [28, 29, 30])]
    minutes = random.integers(-90, 90, len(week))
    return pd.DataFrame(
        {
            "stream_id": stream,
            "week": week,
            "sent_at": FIRST
            + week * np.timedelta64(7, "D")
            + minutes * np.timedelta64(1, "m"),
            "content_category": np.where(week % 4 == 3, "promotion", "editorial"),
            "audience": "Readers",
            "delivered_count": random.normal(5000, 500, len(week)).astype(int),
            "new_count": random.binomial(800, 0.08, len(week)),
        }
    )


def _planted(random: np.random.Generator) -> pd.DataFrame:
    """One stream with everything, each in weeks of its own of the second year."""
    planted = _years("planted", random).set_index("week")
    planted.loc[64:66, "content_category"] = "Promotion"
    planted.loc[70, "content_category"] = "trade"
    planted.loc[72, ["audience", "delivered_count"]] = ["Trade", 900]
    planted.loc[74, "new_count"] = 300
    planted.loc[76, "sent_at"] += np.timedelta64(3 * 24 + 11, "h")
    extra = planted.loc[90:97].assign(
        sent_at=lambda mailings: mailings["sent_at"] + np.timedelta64(4, "D")
    )
    return pd.concat([planted, extra]).reset_index()


@pytest.fixture(scope="module")
def contexts(shipped: Shipped) -> pd.DataFrame:
    """One row per send, as the mart has them."""
    random = np.random.default_rng(7)
    mailings = pd.concat(
        [*(_years(f"steady {n}", random) for n in range(STEADY)), _planted(random)]
    ).reset_index(drop=True)
    mailings = mailings.assign(
        source="generic",
        account="shop",
        campaign_key=mailings.index.astype(str),
        campaign_id=mailings.index.astype(str),
        maturity="final",
        is_excluded=False,
        unsubscribe_count=random.poisson(mailings["delivered_count"] * 0.002),
    )
    world = shipped.open()
    world.seeds()
    world.table("dim_runs", "select 'build' as build_id")
    world.table(
        "dim_sources",
        [
            {
                "source": "generic",
                "account": "shop",
                "timezone": "Europe/Copenhagen",
                "is_timezone_declared": True,
            }
        ],
    )
    campaigns = mailings.drop(columns=["week", "new_count"])
    world.table("fct_campaigns", campaigns)
    world.table("dim_campaigns", mailings[["campaign_key", "stream_id", "campaign_id"]])
    world.table(
        "send_groups",
        pd.concat(
            [
                mailings[["campaign_key"]].assign(
                    is_newcomer=True, delivered_count=mailings["new_count"]
                ),
                mailings[["campaign_key"]].assign(
                    is_newcomer=False, delivered_count=800 - mailings["new_count"]
                ),
            ]
        ),
    )
    world.build_upstream("send_context")
    rows: list[dict[str, Any]] = world.rows("select * from send_context")
    return mailings[["campaign_id", "week"]].merge(pd.DataFrame(rows), on="campaign_id")


@pytest.fixture(scope="module")
def planted(contexts: pd.DataFrame) -> pd.DataFrame:
    """Of the stream with everything, what is unusual."""
    return contexts[
        contexts["stream_id"].eq("planted") & contexts["unusual_count"].gt(0)
    ]


def test_of_steady_streams_nothing_is_unusual(
    contexts: pd.DataFrame,
) -> None:
    steady = contexts[contexts["stream_id"] != "planted"]
    assert len(steady) == STEADY * (WEEKS - 6)
    assert steady["unusual"].dropna().tolist() == []
    assert not steady[list(FLAGS)].any(axis=None)


@pytest.mark.parametrize(
    ("flag", "weeks", "words"),
    [
        # Week 63 is the promotion of its month, and so is week 67.
        (
            "is_promotional_run",
            [65, 66, 67],
            "3 promotions in a row, before at most 1",
        ),
        (
            "is_unusual_category",
            [70],
            'about "trade", as none before in this stream, usually "editorial"',
        ),
        ("is_new_audience", [72], 'audience "Trade" was never mailed in this stream'),
        ("is_unusual_audience", [72], "delivered to 900, usually "),
        # 300 of 800 people.
        ("is_many_new_contacts", [74], "38 % of the recipients joined in the last 30"),
    ],
)
def test_what_was_planted_is_named(
    planted: pd.DataFrame, flag: str, weeks: list[int], words: str
) -> None:
    found = planted[planted[flag]]
    assert found["week"].tolist() == weeks
    assert words in found["unusual"].iloc[0]


def test_a_send_at_another_time_is_named_with_its_habit(planted: pd.DataFrame) -> None:
    found = planted[planted["is_unusual_send_time"]]
    assert found["week"].tolist() == [76, 90, 91]
    assert found["unusual"].iloc[0].startswith("sent on a Sunday, usually Thursday; ")
    assert found["unusual"].iloc[1] == "sent on a Monday, usually Thursday"


def test_a_doubled_frequency_is_named_while_it_is_new(planted: pd.DataFrame) -> None:
    found = planted[planted["is_frequency_up"]]
    # Four a month, fewer after the summer: seven are more than that explains. It ends
    # with six among the 28 days before.
    assert (
        found["unusual"].iloc[0].startswith("7 sends of this stream in 28 days, 4 in")
    )
    assert (found["week"].min(), found["week"].max()) == (92, 95)
