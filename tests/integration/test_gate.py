"""Nothing gets past the gate: not a limit, not a broken guard, not a click in the UI."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dagster_project.settings import EXPECTATIONS
from tests.integration import exports
from tests.integration.pipeline import NOW, Deployment

pytestmark = pytest.mark.slow

CAMPAIGN = "campaign_id,sent_at,unsubscribes,sent,delivered,hard_bounces,soft_bounces"
MARCH = f"{CAMPAIGN}\nmarch,2026-03-02T09:00:00Z,4,1000,990,6,4\n"
WRONG = f"{CAMPAIGN}\nwrong,2026-03-09T09:00:00Z,9,1000,900,60,40\n"

IMPOSSIBLE = """
guards: fct_campaigns
description: Never holds.
keys: [account]
frame: select account, 1 as number from facts.dim_sources
expectations:
- type: expect_column_values_to_be_between
  kwargs: {column: number, min_value: 2}
  severity: critical
  because: The test wants it so.
  advice: Nothing helps.
"""

KILLED = """
import os, signal
from dagster_project import quality
quality.judge = lambda *of: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One home that has published once."""
    deployment = Deployment(tmp_path_factory.mktemp("gate"))
    exports.write(deployment.inbox / "generic/shop/march.csv", MARCH)
    deployment.run()
    return deployment


@pytest.fixture
def is_long(pytestconfig: pytest.Config) -> None:
    """Unit tests hold the same; with ``--faults=long`` whole runs show it too."""
    if pytestconfig.getoption("--faults") != "long":
        pytest.skip("--faults=long runs the pipeline for it")


def _published(deployment: Deployment) -> bytes:
    return (deployment.home / "published" / "marts.duckdb").read_bytes()


def _suites(folder: Path, name: str, text: str) -> str:
    """The shipped suites and one more; the line of Python that makes them count."""
    shutil.copytree(EXPECTATIONS, folder / "suites")
    (folder / "suites" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return (
        "from pathlib import Path; import dagster_project.settings as settings;"
        f"settings.EXPECTATIONS = Path({str(folder / 'suites')!r})"
    )


def test_the_check_command_judges_the_facts_as_they_are(
    deployment: Deployment,
) -> None:
    before = _published(deployment)
    done = deployment.call("check", "--json", "--docs")
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    assert checked["is_passed"] is True
    sums = {row["check_name"]: row for row in checked["reconciliation"]}
    assert sums["delivered_not_above_sent"]["reconciled"] == 1
    assert _published(deployment) == before

    page = Path(checked["page"])
    assert page.is_relative_to(deployment.home / "report")
    told = "".join(
        path.read_text(encoding="utf-8") for path in page.parent.rglob("*.html")
    )
    assert "Nothing is delivered that was not sent." in told


def test_a_stopped_build_is_not_published_by_materialising_its_marts(
    deployment: Deployment, tmp_path: Path
) -> None:
    before = _published(deployment)
    change = _suites(tmp_path, "impossible", IMPOSSIBLE)
    done = deployment.call_changed(change, "run", "--json", "--now", "2026-05-01")
    assert done.returncode == 3, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding == (
        "Number, expected at least 2: shop (1). The test wants it so. Nothing helps."
    )
    assert _published(deployment) == before

    past_the_gate = deployment.materialize('group:"marts"', "or", 'group:"published"')
    assert past_the_gate.returncode != 0
    assert "The gate has stopped build" in past_the_gate.stderr + past_the_gate.stdout
    assert _published(deployment) == before

    asked_again = deployment.call_changed(change, "check", "--json")
    assert asked_again.returncode == 3, asked_again.stderr
    verdicts = {
        suite["suite"]: suite["is_passed"]
        for suite in json.loads(asked_again.stdout)["suites"]
    }
    assert verdicts.pop("impossible") is False
    assert set(verdicts.values()) == {True}


def test_a_suite_file_that_cannot_be_read_stops_the_marts(
    deployment: Deployment, tmp_path: Path, is_long: None
) -> None:
    before = _published(deployment)
    change = _suites(tmp_path, "opt_out_conservation", "guards: [fct_opt_outs")
    done = deployment.call_changed(change, "run", "--json", "--now", "2026-05-01")
    assert done.returncode == 3, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert "opt_out_conservation.yaml cannot be read" in finding
    assert _published(deployment) == before


def test_a_check_whose_process_is_killed_has_not_passed(
    deployment: Deployment, is_long: None
) -> None:
    before = _published(deployment)
    done = deployment.call_changed(KILLED, "run", "--json", "--now", NOW)
    assert done.returncode == -9
    past_the_gate = deployment.materialize('group:"published"')
    assert past_the_gate.returncode != 0
    told = past_the_gate.stderr + past_the_gate.stdout
    assert "The gate has not judged build" in told
    assert _published(deployment) == before


def test_a_withdrawn_file_leaves_the_marts_as_if_it_had_never_come(
    deployment: Deployment,
) -> None:
    before = deployment.marts(leave_out=("load_ledger",))
    exports.write(deployment.inbox / "generic/shop/wrong.csv", WRONG)
    deployment.run()
    assert deployment.marts(leave_out=("load_ledger",)) != before

    done = deployment.call("withdraw", "wrong.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert deployment.marts(leave_out=("load_ledger", "source_trust")) == {
        name: rows for name, rows in before.items() if name != "source_trust"
    }
    states = deployment.query("select file_name, state from load_ledger order by all")
    assert [row["state"] for row in states] == ["loaded", "withdrawn"]

    unknown = deployment.call("withdraw", "wrong.csv")
    assert unknown.returncode == 2
    assert "No loaded or refused file is called wrong.csv" in unknown.stderr
