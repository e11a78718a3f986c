"""``optout export-segment``: people leave by address, privately and on record."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.landing import land
from dagster_project.landing.identity import ContactKey
from dagster_project.settings import SEEDS
from tests.conftest import SECRET, Deployment

KEY = ContactKey(SECRET.encode(), "")
MEMBERS = [
    ("dormant", "crm", "Newsletter", "jane@example.com"),
    ("dormant", "crm", "Newsletter", "=1+1@example.com"),
    ("dormant", "crm", "=Offers", "jane@example.com"),
    ("dormant", "shop", "Newsletter", "joe@example.com"),
    ("dormant", "shop", "Newsletter", "customer 17"),
    ("never_engaged", "shop", "Newsletter", "customer 17"),
]
CONTACTS = "email,list,status,exported_at\n"
EVENTS = "event_id,event_type,occurred_at,email\n"


def run(deployment: Deployment, *arguments: str | Path) -> Result:
    given = [str(argument) for argument in arguments]
    environment = {
        "OPTOUT_HOME": str(deployment.home),
        "OPTOUT_CONTACT_KEY": SECRET,
        "COLUMNS": "300",
    }
    return CliRunner().invoke(app, ["export-segment", *given], env=environment)


@pytest.fixture
def home(deployment: Deployment) -> Deployment:
    """Two accounts; one person is known from events only, one by an id only."""
    for name, email in (("a", "Jane@Example.com"), ("b", "=1+1@example.com")):
        row = f"{email},Newsletter,subscribed,2026-09-01T10:00:00Z\n"
        deployment.drop(f"generic/crm/{name}.csv", CONTACTS + row)
    rows = [
        f"e{number},delivered,2026-09-01T10:00:00Z,{email}\n"
        for number, email in enumerate(("joe@example.com", "customer 17"))
    ]
    deployment.drop("generic/shop/e.csv", EVENTS + "".join(rows))
    row = "e9,delivered,2026-09-01T10:00:00Z,else@example.com\n"
    deployment.drop("generic/shop/strangers.csv", EVENTS + row)
    deployment.land()
    with duckdb.connect(str(deployment.settings.at.warehouse)) as warehouse:
        warehouse.execute(
            "create schema seeds; create table seeds.segments as"
            f" from read_csv('{SEEDS / 'segments.csv'}');"
            " create schema statistics; create table statistics.segment_members"
            " (segment varchar, source varchar, account varchar, list varchar,"
            " contact_key varchar)"
        )
        warehouse.executemany(
            "insert into statistics.segment_members values ($1, 'generic', $2, $3, $4)",
            [(*place, KEY.of(address)) for *place, address in MEMBERS],
        )
    return deployment


def test_a_segment_is_a_file_of_its_owner_alone_and_every_file_is_on_record(
    home: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    of_file = land.addresses_of_file
    monkeypatch.setattr(
        land,
        "addresses_of_file",
        lambda shop, load, *rest: (
            read.append(load.file_name) or of_file(shop, load, *rest)
        ),
    )
    file = tmp_path / "dormant.csv"
    told = run(home, "dormant", file)
    assert told.exit_code == 0
    assert file.read_text(encoding="utf-8").splitlines() == [
        "email,list,segment",
        "jane@example.com,'=Offers,dormant",
        "'=1+1@example.com,Newsletter,dormant",
        "jane@example.com,Newsletter,dormant",
        "joe@example.com,Newsletter,dormant",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert told.output.startswith(f"Addresses in {file}: 4. One honest question")
    assert "not by an address: 1." in told.output
    assert "what follows: 1. Take it off" in told.output
    log = home.settings.at.logs / "exports.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    line = json.loads(log.read_text(encoding="utf-8"))
    assert line.pop("exported_at").endswith("Z")
    assert line == {
        "segment": "dormant",
        "account": None,
        "list": None,
        "count": 4,
        "file": str(file),
    }
    assert "@" not in told.output + log.read_text(encoding="utf-8")
    assert sorted(read) == [
        "generic/crm/a.csv",
        "generic/crm/b.csv",
        "generic/shop/e.csv",
    ], "nobody asked for strangers"


def test_a_list_and_an_account_narrow_a_segment(
    home: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "narrow.csv"
    narrowed = ("--list", "Newsletter", "--account", "generic/crm")
    told = run(home, "dormant", file, *narrowed, "--json")
    assert json.loads(told.output)["count"] == 2
    assert "joe" not in file.read_text(encoding="utf-8")


def test_without_a_name_every_segment_is_listed_with_its_people(
    home: Deployment,
) -> None:
    rows = json.loads(run(home, "--json").output)
    told = [
        (row["segment"], row["account"], row["list"], row["contact_count"])
        for row in rows
        if row["segment"] in ("undeliverable", "dormant")
    ]
    assert told == [
        ("dormant", "crm", "=Offers", 1),
        ("dormant", "crm", "Newsletter", 2),
        ("dormant", "shop", "Newsletter", 2),
        ("undeliverable", None, None, 0),
    ]
    assert "Read last more than half a year ago" in run(home).output


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["sleepy", "new.csv"], "There is no segment sleepy. Expected one of over_"),
        (["dormant"], "Name a new file: `optout export-segment dormant FILE`."),
        (["undeliverable", "new.csv"], "Nobody is in undeliverable"),
        (["dormant", "new.csv", "--list", "News"], "generic/crm =Offers, generic/crm "),
        (["never_engaged", "new.csv"], "No export has an address of the 1 people"),
        (["dormant", "old.csv"], "old.csv exists. Name a new file."),
        (["dormant", "gone/new.csv"], "new.csv cannot be made: No such file"),
    ],
    ids=["segment", "file", "nobody", "list", "ids only", "exists", "no folder"],
)
def test_what_cannot_be_written_is_refused_with_advice(
    arguments: list[str],
    advice: str,
    home: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.csv").write_text("mine", encoding="utf-8")
    told = run(home, *arguments)
    assert told.exit_code == 2
    assert advice in told.output
    assert not Path("new.csv").exists()
    assert Path("old.csv").read_text(encoding="utf-8") == "mine"
    assert not (home.settings.at.logs / "exports.log").exists()


def test_nothing_leaves_without_a_line_in_the_log(
    home: Deployment, tmp_path: Path
) -> None:
    (home.settings.at.logs / "exports.log").mkdir()
    told = run(home, "dormant", tmp_path / "new.csv")
    assert told.exit_code == 2
    assert "Nothing was written." in told.output
    assert not (tmp_path / "new.csv").exists()


def test_without_a_warehouse_or_with_another_versions_the_advice_is_to_run(
    home: Deployment,
) -> None:
    with duckdb.connect(str(home.settings.at.warehouse)) as warehouse:
        warehouse.execute("drop schema statistics cascade")
    assert "built by another version. `optout run`" in run(home).output
    home.settings.at.warehouse.unlink()
    assert "nobody is known. `optout run`" in run(home).output
