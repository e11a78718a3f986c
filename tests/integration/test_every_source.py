"""What every source's samples become in one warehouse: all of it passes every test.

A sample holds one record for each thing that is special, so this is the widest mail
that the models ever see at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dagster_project.settings import SOURCES
from tests.integration.pipeline import Deployment

SAMPLES = sorted(SOURCES.glob("*/sample*"))
NOW = "2026-11-01T12:00:00Z"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every sample in an account of its source, through the whole pipeline."""
    deployment = Deployment(tmp_path_factory.mktemp("every_source"))
    for sample in SAMPLES:
        folder: Path = deployment.inbox / sample.parent.name / "acme"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample, folder)
    deployment.run(now=NOW)
    return deployment


def test_every_file_is_loaded(deployment: Deployment) -> None:
    rows = deployment.query(
        "select file_name, state from load_ledger where state <> 'loaded'"
    )
    assert rows == []


def test_every_source_reaches_the_marts(deployment: Deployment) -> None:
    rows = deployment.query("select distinct source from source_trust")
    folders = {sample.parent.name for sample in SAMPLES}
    assert {row["source"] for row in rows} == folders


def test_no_opt_out_is_lost(deployment: Deployment) -> None:
    rows = deployment.query(
        "select source from opt_out_conservation where raw_count <>"
        " attributed_count + repeat_count + not_by_recipient_count"
        " + unattributed_count + rejected_count"
    )
    assert rows == []


def test_no_rate_is_infinite_or_no_number(deployment: Deployment) -> None:
    rows = deployment.query(
        "select campaign_id from campaign_unsubscribe_rates"
        " where not isfinite(unsubscribe_rate_pct)"
        " or (unsubscribe_rate_pct is not null and delivered_count is null)"
    )
    assert rows == []
