"""Exit codes and advice of the command, without building anything."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.demo import write_demo
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


def test_a_source_is_told_in_full_and_an_unknown_one_with_the_closest(
    deployment: Deployment,
) -> None:
    done = deployment.call("sources", "zerobounce")
    assert done.returncode == 0
    assert "list_validations" in done.stdout
    done = deployment.call("sources", "zerobonce")
    assert done.returncode == 2
    assert "expected one of zerobounce" in done.stderr


def test_the_demo_says_what_it_writes_into_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = partial(write_demo, scale=0.02)
    monkeypatch.setattr("dagster_project.demo.write_demo", small)
    inbox, home = tmp_path / "inbox", tmp_path / "home"
    done = CliRunner().invoke(app, ["demo", str(inbox), "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert "exports of a year" in done.output
    assert f"{home}/config/accounts.yaml: what" in done.output
    assert f"{home}/config/changes.yaml: what" in done.output
    again = CliRunner().invoke(app, ["demo", str(inbox), "--home", str(home)])
    assert again.exit_code == 2
    assert "Name a new folder" in again.output


def test_the_schema_of_a_mapping_is_printed(deployment: Deployment) -> None:
    schema = json.loads(deployment.call("sources", "--schema").stdout)
    assert "campaign_stats" in schema["$defs"]["Export"]["properties"]["lands"]["enum"]


def test_a_source_begins_with_a_draft_that_nothing_loads_until_it_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("cli", "scaffold", "inspection.look"):
        monkeypatch.setattr(f"dagster_project.{module}.SOURCES", tmp_path)
    example = tmp_path / "export.csv"
    example.write_text("Campaign,Sent On,Left\nHello,2026-09-01T09:00:00Z,3\n")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments])

    begun = call("new-source", "acme", "--from", str(example))
    assert begun.exit_code == 0, begun.output
    draft = tmp_path / "acme" / "source.yaml"
    assert str(draft) in begun.output
    assert "guesses to confirm" in begun.output
    listed = call("sources")
    assert listed.exit_code == 2
    assert "acme/source.yaml line" in listed.output
    assert "is a guess; check it, then remove `!confirm`" in listed.output
    tried = call("inspect", str(example), "--source", "acme")
    assert tried.exit_code == 0, tried.output
    assert "would load as acme/totals" in tried.output
    text = draft.read_text(encoding="utf-8")
    draft.write_text(text.replace("!confirm ", ""), encoding="utf-8")
    assert call("sources", "acme").exit_code == 0
