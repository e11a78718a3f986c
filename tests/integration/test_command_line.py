"""Exit codes and advice of the command, without building anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.scaffold import new_source
from dagster_project.settings import Home
from dagster_project.warehouse import hold
from tests.integration.pipeline import Deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    deployment = Deployment(tmp_path)
    deployment.inbox.mkdir()
    return deployment


def test_an_empty_inbox_gives_advice_and_publishes_nothing(
    deployment: Deployment,
) -> None:
    done = deployment.call("run")
    assert done.returncode == 2
    assert "optout demo" in done.stderr
    assert not (deployment.home / "published" / "marts.duckdb").exists()


def test_a_held_home_is_left_alone(deployment: Deployment) -> None:
    (deployment.inbox / "file.csv").write_text("a,b\n1,2\n")
    with hold(Home(deployment.home)):
        done = deployment.call("run")
    assert done.returncode == 5
    assert "process" in done.stderr
    assert "since" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("accounts: {mailchimp: {news: {timezone: Mars/Olympus}}}", "timezone"),
        ("accounts: {mailchimp: {news: {colour: red}}}", "colour"),
        ("- not\n- a mapping\n", "accounts"),
    ],
    ids=["unknown zone", "unknown key", "wrong shape"],
)
def test_a_wrong_accounts_file_names_the_place(
    deployment: Deployment, text: str, told: str
) -> None:
    (deployment.inbox / "file.csv").write_text("a,b\n1,2\n")
    config = deployment.home / "config"
    config.mkdir(parents=True)
    (config / "accounts.yaml").write_text(text)
    done = deployment.call("run")
    assert done.returncode == 2
    assert "accounts.yaml" in done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_clock_that_is_none_is_refused(deployment: Deployment) -> None:
    done = deployment.call("run", "--now", "yesterday")
    assert done.returncode == 2
    assert "now" in done.stderr


def test_sources_are_listed_for_programs(deployment: Deployment) -> None:
    done = deployment.call("sources", "--json")
    covered = {
        (source["source"], export["lands"])
        for source in json.loads(done.stdout)
        for export in source["exports"]
    }
    assert ("mailchimp", "campaign_stats") in covered
    assert ("amazon_ses", "message_events") in covered


def test_help_is_light(deployment: Deployment) -> None:
    heavy = "{'dagster', 'great_expectations', 'dbt', 'pandas', 'duckdb', 'pyarrow'}"
    program = (
        "import sys, dagster_project.cli;"
        f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_draft_has_the_examples_columns_and_none_of_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.scaffold.SOURCES", tmp_path)
    example = tmp_path / "export.csv"
    example.write_text("Sent To,Left\nreader@example.com,3\n")
    draft = new_source("acme", example).read_text(encoding="utf-8")
    assert "sent_to:" in draft
    assert "column: Sent To" in draft
    assert "reader@" not in draft
