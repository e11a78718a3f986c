"""``optout reasons``: comments leave the archive redacted, labels prove rules or not."""

from __future__ import annotations

import csv
import json
import stat
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from dagster_project.comments import redacted
from dagster_project.share import Share
from tests.conftest import SECRET, Deployment

HEADER = "event_id,event_type,occurred_at,email,campaign_id,reason\n"
SAID = [
    *[("C1", f"Too many emails, number {number}") for number in range(6)],
    ("C1", "Write to jane@example.com or +49 170 123 45 67, see https://x.org/a?b=1"),
    ("", "So boring"),
    ("", "Viel zu viele Mails"),
    ("C2", "=1+1 is not why"),
    ("C2", "changed my mind"),
]


def run(deployment: Deployment, *arguments: str | Path) -> Result:
    given = [str(argument) for argument in arguments]
    environment = {
        "OPTOUT_HOME": str(deployment.home),
        "OPTOUT_CONTACT_KEY": SECRET,
        "COLUMNS": "300",
    }
    return CliRunner().invoke(app, ["reasons", *given], env=environment)


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture
def home(deployment: Deployment) -> Deployment:
    """Ten people's own words and an option, twice; one is attributed to a campaign."""
    rows = "".join(
        f'{{}}e{number},unsubscribed,2026-09-01T10:00:00Z,p{number}@example.com,{mail},"'
        f'{text}"\n'
        for number, (mail, text) in enumerate(SAID)
    )
    deployment.drop("generic/a.csv", HEADER + rows.replace("{}", ""))
    deployment.drop("generic/b.csv", HEADER + rows.replace("{}", "again "))
    deployment.land()
    (bored,) = [
        row["contact_key"]
        for row in deployment.rows("message_events")
        if row["event_key"] and row["reason_rule"] == "en_boring"
    ][:1]
    with duckdb.connect(str(deployment.settings.at.warehouse)) as warehouse:
        warehouse.execute(
            "create schema facts; create table facts.fct_opt_outs as"
            " select 'generic' as reason_source, $1 as contact_key,"
            " 'C1' as campaign_id, true as has_own_words, 'en' as reason_language,"
            " 'en_boring' as reason_rule union all"
            " select 'generic', 'x', 'C9', true, 'en', null union all"
            " select 'generic', 'y', 'C9', true, null, null union all"
            " select 'generic', 'z', 'C9', false, null, null",
            [bored],
        )
    return deployment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail jane.doe+x@example.co.uk\n now", "mail (address) now"),
        ("see www.example.com/x or http://a.b", "see (link) or (link)"),
        ("call +1 (555) 010-9999 or 2026", "call (number) or 2026"),
        ("=cmd()", "'=cmd()"),
    ],
)
def test_a_comment_is_told_without_what_leads_to_a_person(
    text: str, shown: str
) -> None:
    assert redacted(text) == shown


def test_a_sample_has_each_stratum_and_is_for_its_owner_alone(
    home: Deployment, tmp_path: Path
) -> None:
    file, again = tmp_path / "sample.csv", tmp_path / "again.csv"
    told = run(home, "sample", file, "--size", "6")
    assert told.exit_code == 0, told.output
    rows = read(file)
    # Four strata share six places: only two of the six of the largest are drawn.
    assert Counter((row["rule"], row["language"]) for row in rows) == {
        ("en_too_many", "en"): 2,
        ("en_boring", "en"): 1,
        ("de_too_many", "de"): 1,
        ("none", "en"): 2,
    }
    counts = {row["rule"]: row["stratum_count"] for row in rows}
    assert counts["en_too_many"] == "6"
    assert {row["label"] for row in rows} == {""}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [row for row in rows if row["comment"] in told.output]
    assert run(home, "sample", again, "--size", "6").exit_code == 0
    assert again.read_bytes() == file.read_bytes()
    refused = run(home, "sample", file)
    assert refused.exit_code == 2
    assert "Name a new file" in refused.output


def test_comments_of_a_campaign_are_redacted_and_told_to_no_terminal(
    home: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "comments.csv"
    told = run(home, "comments", "C1", file)
    assert told.exit_code == 0, told.output
    rows = read(file)
    # Six and the redacted one name C1; who was bored is attributed to it. Each once.
    assert len(rows) == 8
    assert {row["comment"] for row in rows} >= {
        "So boring",
        "Write to (address) or (number), see (link)",
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "boring" not in told.output
    nobody = run(home, "comments", "C3", tmp_path / "none.csv")
    assert nobody.exit_code == 2
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize(
    ("right", "labels", "low", "high"),
    [
        (18, 20, 0.70, 0.97),
        (45, 50, 0.79, 0.96),
        (90, 100, 0.83, 0.94),
        (0, 5, 0, 0.43),
    ],
)
def test_the_interval_of_a_precision_is_the_score_interval(
    right: int, labels: int, low: float, high: float
) -> None:
    told = Share(right, labels).interval
    assert told is not None
    assert [round(end / 100, 2) for end in told] == [low, high]


def test_a_rule_is_verified_by_enough_labels_that_agree(
    home: Deployment, tmp_path: Path
) -> None:
    # 47 of 50: 83.8 % and more. 45 of 50: 78.6 %. 49 of 49: too few.
    said = {
        "en_too_many": ["Too frequent"] * 46
        + ["no_value, too_frequent"]
        + ["other"] * 3,
        "en_boring": ["no_value"] * 45 + ["not_relevant"] * 5,
        "de_too_many": ["too_frequent"] * 49 + [""] * 9,
        "none": ["unclassified", "unclassified", "privacy"],
    }
    file = tmp_path / "labelled.csv"
    lines = [f'"{label}",{rule}' for rule, labels in said.items() for label in labels]
    file.write_text("\n".join(["label,rule", *lines]) + "\n", encoding="utf-8")
    told = json.loads(run(home, "score", file, "--json").stdout)
    assert {
        row["rule"]: (row["labels"], row["right"], row["verdict"])
        for row in told["rules"]
    } == {
        "en_too_many": (50, 47, "verified"),
        "en_boring": (50, 45, "unverified"),
        "de_too_many": (49, 49, "unverified"),
    }
    assert (told["abstained_labels"], told["abstained_with_a_reason"]) == (3, 1)
    assert told["coverage"] == [
        {
            "language": "en",
            "comment_count": 2,
            "classified_count": 1,
            "classified_pct": 50.0,
        },
        {
            "language": "unknown",
            "comment_count": 1,
            "classified_count": 0,
            "classified_pct": 0.0,
        },
    ]
    assert "verified" in run(home, "score", file).stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("label,rule\ntoo_often,en_boring\n", "line 2: too_often is no reason"),
        ("label,rule\nno_value,en_gone\n", "no rule is called en_gone any more"),
        ("label,rule\n,en_boring\n", "has no label yet"),
        ("comment\nx\n", "label and rule is missing"),
    ],
)
def test_a_file_of_labels_is_refused_with_advice(
    deployment: Deployment, tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "labelled.csv"
    file.write_text(content, encoding="utf-8")
    refused = run(deployment, "score", file)
    assert refused.exit_code == 2
    assert says in " ".join(refused.output.split())
