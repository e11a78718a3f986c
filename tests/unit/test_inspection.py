"""`optout inspect`: landing's own verdict on one file, told without leaving a trace."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.inspection import Judged, inspect_file, lines_of
from dagster_project.landing.land import NoSuchFileError
from dagster_project.mapping.document import MappingError
from dagster_project.settings import SOURCES, Settings
from tests.conftest import Deployment

EVENTS = """\
event_id,event_type,occurred_at,email,campaign_id,list
1,delivered,2026-09-01T09:00:00Z,ann@example.com,C1,main
2,teleported,2026-09-01T09:00:01Z,ann@example.com,C1,main
3,opened,yesterday,ann@example.com,C1,main
3,opened,2026-09-01T09:00:02Z,ann@example.com,C1,bob@example.com
"""
TOTALS = "campaign_id,sent_at,unsubscribes,delivered,colour\n1,{at},3,900,red\n"
GOOD_TOTALS = TOTALS.format(at="2026-09-01T09:00:00Z")
LOCAL = """\
Unique Id,Title,Send Date,Total Recipients,Successful Deliveries,Unsubscribes
a1,Hello,"Sep 01, 2026 09:00 am",1000,990,3
"""


@pytest.fixture
def look(
    tmp_path: Path, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[Judged]]:
    """Write a file outside every inbox and inspect it; nothing may stay behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def inspect(content: str | bytes, name: str = "a.csv", **options: Any) -> Any:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = inspect_file(path, deployment.settings, **options)
        assert list(temporary.iterdir()) == []
        assert not (deployment.home / "landing").exists()
        return found

    return inspect


def zipped(**texts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as container:
        for name, text in texts.items():
            container.writestr(f"{name}.csv", text)
    return content.getvalue()


def told(judged: Judged) -> dict[str, str]:
    return dict(lines_of(judged))


def test_a_file_that_fits_is_counted_and_shown(look: Callable[..., Any]) -> None:
    [judged] = look(EVENTS)
    summary = judged.summary()
    assert (summary["source"], summary["export"]) == ("generic", "events")
    assert summary["would_load"]
    assert summary["records"] == {
        "read": 4,
        "loaded": 3,
        "duplicate": 0,
        "skipped": 0,
        "rejected": 1,
    }
    assert summary["rejected"] == [
        {
            "column": "occurred_at",
            "reason": "bad_utc",
            "expected": "a moment as the mapping declares (zone, formats)",
            "records": 1,
            "lines": [4],
        }
    ]
    assert summary["not_understood"] == {"event_type": 1}
    assert summary["words_not_understood"] == ["teleported"]
    words = told(judged)
    assert words["verdict"] == "would load as generic/events: events (message_events)"
    assert words["read as other"] == "teleported"
    assert words["rejected"].endswith("(line 4)")


def test_a_preview_shows_columns_that_say_something_and_no_address(
    look: Callable[..., Any],
) -> None:
    [judged] = look(EVENTS, rows=9)
    assert [row["record"] for row in judged.rows] == [1, 2, 4]
    assert set(judged.rows[0]) == {
        *("record", "contact_key", "mailbox_provider", "event_type", "event_subtype"),
        *("occurred_at", "campaign_id", "list"),
    }
    assert len({row["contact_key"] for row in judged.rows}) == 1
    assert all(len(row["contact_key"]) == 11 for row in judged.rows)
    assert judged.rows[2]["list"] == "(an address)"
    assert judged.with_addresses == ["list"]
    everything = json.dumps(judged.summary()) + str(lines_of(judged))
    assert "@" not in everything
    assert look(EVENTS, rows=0)[0].rows == []


def test_a_persons_key_is_of_this_look_only(look: Callable[..., Any]) -> None:
    keys = {look(EVENTS)[0].rows[0]["contact_key"] for _ in range(2)}
    assert len(keys) == 2


def test_what_nothing_reads_is_told_with_what_it_lacks(
    look: Callable[..., Any],
) -> None:
    [judged] = look(LOCAL.replace("Unsubscribes", "Gone"))
    summary = judged.summary()
    assert not summary["would_load"]
    assert summary["refusal"]["reason"] == "missing_column"
    nearest = summary["nearest"][0]
    assert (nearest["source"], nearest["export"]) == ("mailchimp", "campaigns")
    assert (nearest["has"], nearest["lacks"]) == (5, ["Unsubscribes"])
    nearly = [text for label, text in lines_of(judged) if label == "nearly fits"]
    assert nearly[0] == (
        "mailchimp/campaigns: has 5 of its required columns and lacks Unsubscribes"
    )
    assert summary["source"] is None


def test_every_member_of_a_container_is_judged(look: Callable[..., Any]) -> None:
    content = zipped(one=EVENTS, two=GOOD_TOTALS, three=EVENTS, four="a,b\n1,2\n")
    found = {judged.load.member: judged for judged in look(content, "all.zip")}
    assert found["one.csv"].summary()["would_load"]
    assert found["two.csv"].delivered == {"reported": 1}
    assert told(found["two.csv"])["delivered"] == "reported for 1 campaigns"
    assert told(found["two.csv"])["ignored columns"] == "colour"
    assert "same content" in told(found["three.csv"])["verdict"]
    assert found["four.csv"].is_refused


def test_a_file_of_bad_records_is_refused_and_each_of_them_told(
    look: Callable[..., Any],
) -> None:
    [judged] = look(TOTALS.format(at="soon") + "2,2026-09-01T09:00:00Z,x,1,red\n")
    summary = judged.summary()
    assert summary["refusal"]["reason"] == "too_many_rejected"
    assert {(row["column"], *row["lines"]) for row in summary["rejected"]} == {
        ("sent_at", 2),
        ("unsubscribes", 3),
    }
    assert summary["records"]["rejected"] == 2


def test_the_zone_in_force_is_told(
    look: Callable[..., Any], deployment: Deployment
) -> None:
    [judged] = look(LOCAL)
    assert (judged.zone, judged.summary()["is_default_zone"]) == ("UTC", True)
    assert judged.rows[0]["sent_at"] == "2026-09-01 09:00:00"
    deployment.configure("accounts: {mailchimp: {news: {timezone: Europe/Copenhagen}}}")
    [judged] = look(LOCAL, account="news")
    assert (judged.zone, judged.summary()["is_default_zone"]) == (
        "Europe/Copenhagen",
        False,
    )
    assert judged.rows[0]["sent_at"] == "2026-09-01 07:00:00"
    assert told(judged)["zone"] == "Europe/Copenhagen, as accounts.yaml declares"


def test_a_file_in_the_inbox_is_judged_where_it_lies(deployment: Deployment) -> None:
    deployment.configure("accounts: {mailchimp: {news: {timezone: Asia/Tokyo}}}")
    path = deployment.drop("mailchimp/news/a.csv", LOCAL)
    [judged] = inspect_file(path, deployment.settings)
    assert judged.zone == "Asia/Tokyo"
    strange = deployment.drop("mialchimp/a.csv", LOCAL)
    [judged] = inspect_file(strange, deployment.settings)
    assert judged.summary()["refusal"]["reason"] == "unknown_source"


def test_what_lies_beside_a_file_comes_along(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.csv.meta.yaml").write_text("campaign_id: C9\n", encoding="utf-8")
    [judged] = look(EVENTS)
    assert judged.summary()["sidecar"] == ["campaign_id"]
    assert told(judged)["beside it"] == "campaign_id"


@pytest.mark.parametrize("name", ["a.csv.part", ".hidden.csv", "a.csv.meta.yaml"])
def test_what_the_inbox_would_leave_is_told(
    name: str, look: Callable[..., Any]
) -> None:
    with pytest.raises(NoSuchFileError, match="would wait in the inbox"):
        look(EVENTS, name)


def test_what_is_not_there_is_told(deployment: Deployment, tmp_path: Path) -> None:
    with pytest.raises(NoSuchFileError, match="There is no file"):
        inspect_file(tmp_path / "gone.csv", deployment.settings)


def test_an_unknown_source_is_told_with_the_closest(look: Callable[..., Any]) -> None:
    with pytest.raises(MappingError, match="expected one of generic, "):
        look(EVENTS, source="generik")


@pytest.fixture
def drafted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source whose mapping still holds a guess."""
    text = (SOURCES / "generic" / "source.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "sources" / "acme"
    folder.mkdir(parents=True)
    text = text.replace("source: generic", "source: acme")
    text = text.replace("kind: any", "kind: !confirm any")
    (folder / "source.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("dagster_project.inspection.look.SOURCES", folder.parent)
    return folder


def test_a_draft_is_tried_as_it_stands_and_only_when_named(
    look: Callable[..., Any], drafted: Path
) -> None:
    [judged] = look(EVENTS, source="acme")
    assert judged.summary()["would_load"]
    assert judged.guesses == 1
    assert "remove its `!confirm`" in told(judged)["guesses"]
    with pytest.raises(MappingError, match="kind: is a guess"):
        look(EVENTS)


def test_the_command_leaves_with_its_verdict(
    tmp_path: Path, settings: Settings
) -> None:
    def call(*arguments: str) -> Any:
        home = str(tmp_path / "home")
        return CliRunner().invoke(app, ["inspect", "--home", home, *arguments])

    (tmp_path / "a.csv").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "b.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = call(str(tmp_path / "a.csv"))
    assert done.exit_code == 0, done.output
    assert "would load as generic/events" in done.output
    assert "record 1" in done.output
    assert "@" not in done.output
    done = call(str(tmp_path / "b.csv"), "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)[0]["would_load"] is False
    assert call(str(tmp_path / "gone.csv")).exit_code == 2
    assert not (tmp_path / "home").exists()
