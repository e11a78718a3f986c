"""One person's standing: by any spelling, from the facts, without naming the person."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.landing.identity import load_key
from dagster_project.settings import DBT_PROJECT, Home

ADDRESS = "jane.doe@example.com"
NOON = datetime(2026, 3, 1, 12)


def _tables() -> dict[str, dict[str, str]]:
    """Names and types of the columns of every fact, as its contract says."""
    listed = DBT_PROJECT / "models" / "facts" / "_facts__models.yml"
    models = yaml.safe_load(listed.read_text(encoding="utf-8"))["models"]
    return {
        model["name"]: {
            column["name"]: column["data_type"] for column in model["columns"]
        }
        for model in models
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose facts know Jane and somebody else."""
    place = Home(tmp_path / "home")
    place.make()
    jane = load_key(place.key, None, may_create=True).of(ADDRESS)
    who = {"source": "generic", "account": "shop", "contact_key": jane}
    spell = {**who, "list": "Club", "entered_at": NOON, "is_entry_known": True}
    send = {**who, "campaign_key": "C1", "campaign_id": "C1", "outcome": "delivered"}
    rows: dict[str, list[dict[str, Any]]] = {
        "dim_contacts": [
            {"contact_key": jane, "first_seen_at": NOON, "last_seen_at": NOON}
        ],
        "fct_list_spells": [
            {**spell, "left_at": NOON, "exit_cause": "unsubscribe"},
            {**spell, "list": "News"},
            {**spell, "contact_key": "somebody else"},
        ],
        "fct_opt_outs": [
            {**who, "opt_out_scope": "list", "list": "Club", "opted_out_at": NOON}
        ],
        "fct_complaints": [],
        "fct_list_validations": [{**who, "provider": "checker", "verified_at": NOON}],
        "fct_sends": [{**send, "send_key": str(number)} for number in range(25)],
        "dim_campaigns": [{"campaign_key": "C1", "campaign_name": "Spring"}],
    }
    types = _tables()
    with duckdb.connect(str(place.warehouse)) as warehouse:
        warehouse.execute("create schema facts")
        for table, told in rows.items():
            columns = ", ".join(f"{name} {kind}" for name, kind in types[table].items())
            warehouse.execute(f"create table facts.{table} ({columns})")
            for row in told:
                marks = ", ".join("?" for _ in row)
                warehouse.execute(
                    f"insert into facts.{table} ({', '.join(row)}) values ({marks})",
                    list(row.values()),
                )
    return place


def ask(home: Home, typed: str, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["contact", "--home", str(home.root), *arguments], input=typed
    )


def test_a_person_is_found_by_any_spelling(home: Home) -> None:
    done = ask(home, f"  Jane Doe <{ADDRESS.upper()}>\n", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    standings = {row["list"]: row["standing"] for row in found["lists"]}
    assert standings == {"News": "on the list", "Club": "left"}
    assert [row["standing"] for row in found["opt_outs"]] == ["in force"]
    assert found["complaints"] == []
    assert [row["provider"] for row in found["verdicts"]] == ["checker"]
    assert len(found["sends"]) == 25
    assert found["sends"][0]["campaign_name"] == "Spring"


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["to read", "for programs"])
def test_the_answer_names_neither_the_address_nor_its_key(
    home: Home, form: tuple[str, ...]
) -> None:
    told = ask(home, f"{ADDRESS}\n", *form).output
    assert "Club" in told
    assert ADDRESS not in told
    assert load_key(home.key, None, may_create=False).of(ADDRESS) not in told


@pytest.mark.parametrize(
    ("typed", "arguments", "advice"),
    [
        ("joe@example.com\n", (), "Nobody of that address"),
        ("joe\n", (), "no e-mail address"),
        ("", (), "no e-mail address"),
        ("", (ADDRESS,), "shell's history"),
    ],
    ids=["unknown", "no address", "nothing", "as an argument"],
)
def test_who_cannot_be_found_gives_advice_and_is_not_repeated(
    home: Home, typed: str, arguments: tuple[str, ...], advice: str
) -> None:
    done = ask(home, typed, *arguments)
    assert done.exit_code == 2
    assert advice in " ".join(done.output.split())
    assert "@example.com" not in done.output.replace("name@example.com", "")


def test_without_a_warehouse_or_with_another_versions_the_advice_is_to_run(
    home: Home, tmp_path: Path
) -> None:
    with duckdb.connect(str(home.warehouse)) as warehouse:
        warehouse.execute("drop table facts.fct_list_validations")
    for place in (home, Home(tmp_path / "nowhere")):
        done = ask(place, f"{ADDRESS}\n")
        assert done.exit_code == 2
        assert "optout run" in " ".join(done.output.split())
    assert not (tmp_path / "nowhere").exists()
