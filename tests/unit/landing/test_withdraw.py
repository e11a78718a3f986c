"""Undoing one landed file: gone from the lake, kept out, and taken back."""

from __future__ import annotations

import gzip

import pytest

from dagster_project.landing.land import (
    NoSuchFileError,
    NothingToDoError,
    reland_archive,
    require_something,
    withdraw,
)
from dagster_project.landing.ledger import Archive
from tests.conftest import Deployment

HEADER = "campaign_id,sent_at,unsubscribes,sent,delivered"
MAY = f"{HEADER}\nmay,2026-05-04T09:00:00Z,2,1000,990\n"
JUNE = f"{HEADER}\njune,2026-06-01T09:00:00Z,3,1000,980\n"


@pytest.fixture
def landed(deployment: Deployment) -> Deployment:
    deployment.drop("generic/shop/may.csv", MAY)
    deployment.drop("generic/shop/june.csv", JUNE)
    deployment.land()
    return deployment


def _campaigns(deployment: Deployment) -> list[str]:
    rows = deployment.rows("campaign_stats", "campaign_id")
    return [row["campaign_id"] for row in rows]


def _states(deployment: Deployment) -> dict[str, str]:
    return {name: load.state for name, load in deployment.loads().items()}


def test_a_withdrawn_file_leaves_the_lake_and_stays_in_the_archive(
    landed: Deployment,
) -> None:
    load = withdraw(landed.settings, "june.csv")
    assert (load.state, load.row_count) == ("withdrawn", 0)
    assert _campaigns(landed) == ["may"]
    assert len(Archive(landed.settings.at).arrivals()) == 2


def test_it_stays_withdrawn_in_later_runs_and_in_a_rebuild(
    landed: Deployment,
) -> None:
    withdraw(landed.settings, "june.csv")
    landed.land(days=1)
    assert _campaigns(landed) == ["may"]
    reland_archive(landed.settings)
    assert _campaigns(landed) == ["may"]
    assert _states(landed)["generic/shop/june.csv"] == "withdrawn"


def test_the_same_content_under_another_name_stays_out_too(
    landed: Deployment,
) -> None:
    withdraw(landed.settings, "june.csv")
    landed.drop("generic/shop/again.csv.gz", gzip.compress(JUNE.encode()))
    landed.land()
    assert _campaigns(landed) == ["may"]
    assert _states(landed)["generic/shop/again.csv.gz"] == "duplicate"
    reland_archive(landed.settings)
    assert _campaigns(landed) == ["may"]


def test_it_stays_withdrawn_when_its_mapping_is_read_anew(
    landed: Deployment,
) -> None:
    withdraw(landed.settings, "june.csv")
    landed.configure("accounts: {generic: {shop: {timezone: Europe/Paris}}}")
    landed.land()
    assert _campaigns(landed) == ["may"]


def test_the_same_content_of_another_account_is_not_withdrawn(
    landed: Deployment,
) -> None:
    withdraw(landed.settings, "june.csv")
    landed.drop("generic/other/june.csv", JUNE)
    landed.land()
    assert _campaigns(landed) == ["june", "may"]


def test_a_withdrawal_can_be_taken_back(landed: Deployment) -> None:
    withdraw(landed.settings, "june.csv")
    assert withdraw(landed.settings, "june.csv", undo=True).state == "loaded"
    assert _campaigns(landed) == ["june", "may"]
    reland_archive(landed.settings)
    assert _campaigns(landed) == ["june", "may"]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("july.csv", "No loaded file is called july.csv"),
        (".csv", "2 loaded files are called so"),
        ("", "2 loaded files are called so"),
    ],
    ids=["nothing answers", "two answer", "everything answers"],
)
def test_only_one_file_is_withdrawn(landed: Deployment, file: str, says: str) -> None:
    with pytest.raises(NoSuchFileError, match=says):
        withdraw(landed.settings, file)
    assert _campaigns(landed) == ["june", "may"]


def test_a_load_number_names_a_file(landed: Deployment) -> None:
    number = landed.loads()["generic/shop/june.csv"].load
    withdraw(landed.settings, number.lstrip("0"))
    assert _campaigns(landed) == ["may"]


def test_when_everything_is_withdrawn_there_is_nothing_to_build_from(
    landed: Deployment,
) -> None:
    require_something(landed.settings.at)
    withdraw(landed.settings, "june.csv")
    withdraw(landed.settings, "may.csv")
    with pytest.raises(NothingToDoError, match="2 files were judged"):
        require_something(landed.settings.at)
