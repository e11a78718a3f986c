"""The dbt project on a lake that holds nothing: models, data tests and unit tests."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from dagster_project import dbt_project
from dagster_project.accounts import Accounts
from dagster_project.landing import context
from dagster_project.landing.ledger import Ledger
from dagster_project.landing.package import ensure_anchor
from dagster_project.settings import DBT_PROJECT, Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What became of every node, unit tests included."""
    settings = Settings(home=tmp_path_factory.mktemp("dbt"), now="2026-04-01T00:00:00Z")
    home = settings.at
    home.make()
    ensure_anchor(home.landing)
    context.write(settings, Ledger(home), Accounts({}), {})
    done = subprocess.run(
        [dbt_project.executable(), "build", "--project-dir", DBT_PROJECT],
        env={**os.environ, **settings.tool_environment()},
        cwd=home.dbt,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    written: Path = dbt_project.target(settings) / "run_results.json"
    return json.loads(written.read_text(encoding="utf-8"))["results"]


def _of_kind(results: list[dict[str, str]], kind: str) -> dict[str, str]:
    found = {result["unique_id"]: result["status"] for result in results}
    return {key: value for key, value in found.items() if key.startswith(f"{kind}.")}


def test_every_unit_test_passes(results: list[dict[str, str]]) -> None:
    found = _of_kind(results, "unit_test")
    assert set(found.values()) == {"pass"}
    # A folder that is not collected would pass in silence.
    named = {key.split(".")[2] for key in found}
    assert {"fct_opt_outs", "campaign_unsubscribe_rates"} <= named


def test_every_model_and_data_test_holds_on_an_empty_lake(
    results: list[dict[str, str]],
) -> None:
    assert set(_of_kind(results, "model").values()) == {"success"}
    assert set(_of_kind(results, "test").values()) == {"pass"}
