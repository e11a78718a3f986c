"""What every verdict of every validator means, row by row of one table.

``validation_value_map.csv`` says, for a vendor's word and flags, the status, reason,
flags, deliverability and risk. Each row is written as a record of every export that can
hold it, landed, and must be exactly that. ``given`` names inputs of the mapping;
``flags`` are true, with a minus false, and unknown where they are not named.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project.mapping.model import Export, load_source
from dagster_project.settings import SOURCES
from tests.conftest import Deployment, deploy

VALUE_MAP = Path(__file__).with_name("validation_value_map.csv")
ROWS = list(csv.DictReader(VALUE_MAP.open(encoding="utf-8")))
FLAGS = ("role", "disposable", "catch_all", "spamtrap", "abuse", "free", "mailbox_full")
FLAG_COLUMNS = [f"is_{flag}" for flag in (*FLAGS, "typo")]
VALIDATORS = {
    source.source: [
        export
        for export in source.exports
        if export.lands == "list_validations" and not export.reader.header
    ]
    for folder in sorted(SOURCES.glob("*/source.yaml"))
    if "list_validations" in (source := load_source(folder.parent)).covers
    and source.kind != "any"
}


@dataclass(frozen=True)
class Case:
    """One row of the table as a record of one export."""

    source: str
    export: Export
    row: dict[str, str]

    def __str__(self) -> str:
        told = (self.row[name] for name in ("status", "substatus", "given"))
        return " ".join([self.source, self.export.name, *filter(None, told)])

    @property
    def texts(self) -> dict[str, str]:
        """Every input of the record, by its name in the mapping."""
        pairs = (pair.split("=", 1) for pair in self.row["given"].split())
        texts = dict(pairs)
        for column in ("status", "substatus"):
            if value := self.row[column]:
                texts[_input_of(self.export, f"raw_{column}")] = value
        return texts

    @property
    def is_possible(self) -> bool:
        wanted = self.row["export"] in ("", self.export.name)
        return wanted and set(self.texts) <= set(self.export.inputs)


def _input_of(export: Export, column: str) -> str:
    """The input that the column keeps as the vendor wrote it."""
    names = re.findall(r"[a-z_]+", export.fields.get(column, ""))
    return next((name for name in names if name in export.inputs), "")


CASES = [
    case
    for source, exports in VALIDATORS.items()
    for export in exports
    for row in ROWS
    if row["source"] == source and (case := Case(source, export, row)).is_possible
]


def _exports() -> dict[tuple[str, str], list[Case]]:
    found: dict[tuple[str, str], list[Case]] = {}
    for case in CASES:
        found.setdefault((case.source, case.export.name), []).append(case)
    return found


EXPORTS = _exports()


def write(export: Export, records: list[dict[str, str]]) -> str:
    """A file of that export: CSV where it may be one, else one JSON object a line."""
    # The first record has all that identifies the file; nobody looks at it.
    filled = {name: "1" for name in export.required}
    addressed = [
        {_address(export): f"person{number}@example.com"} | record
        for number, record in enumerate([filled, *records])
    ]
    if "csv" in export.reader.formats:
        return _table(export, addressed)
    lines = [_document(export, record) for record in addressed]
    if export.reader.items:
        key = export.reader.items.removeprefix("$.")
        return json.dumps({key: lines}, indent=1)
    return "".join(json.dumps(line) + "\n" for line in lines)


def _address(export: Export) -> str:
    return "email" if "email" in export.inputs else str(export.address)


def _table(export: Export, records: list[dict[str, str]]) -> str:
    named = {name: entry for name, entry in export.inputs.items() if entry.column}
    handle = io.StringIO()
    writer = csv.writer(handle)
    writer.writerow([entry.column[0] for entry in named.values()])
    writer.writerows([[record.get(name) for name in named] for record in records])
    return handle.getvalue()


def _document(export: Export, record: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    wrapping = (
        export.reader.unwrap[0].removeprefix("$.") if export.reader.unwrap else ""
    )
    for name, text in record.items():
        path = export.inputs[name].json_paths[0].removeprefix("$.").replace('"', "")
        *parents, key = [*filter(None, [wrapping]), *path.split(".")]
        inside = document
        for parent in parents:
            inside = inside.setdefault(parent, {})
        if isinstance(inside.get(key), dict):
            continue
        inside[key] = _value(text)
    return document


def _value(text: str) -> Any:
    if text.startswith("["):
        return text.strip("[]").split("|")
    return {"true": True, "false": False}.get(text, text)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Every case: a file an export, a record a row."""
    deployment = deploy(tmp_path_factory.mktemp("value_map"))
    for (source, export), cases in EXPORTS.items():
        text = write(cases[0].export, [case.texts for case in cases])
        deployment.drop(f"{source}/map/{export}.txt", text)
    deployment.land()
    return deployment


@pytest.fixture(scope="module")
def verdicts(landed: Deployment) -> dict[tuple[str, int], dict[str, Any]]:
    """The landed rows by file and place."""
    names = {load.load: name for name, load in landed.loads().items()}
    return {
        (names[row["load"]], row["record_number"]): row
        for row in landed.rows("list_validations")
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_verdict_means_exactly_what_the_table_says(
    case: Case, verdicts: dict[tuple[str, int], dict[str, Any]]
) -> None:
    place = EXPORTS[case.source, case.export.name].index(case) + 2
    found = verdicts.get((f"{case.source}/map/{case.export.name}.txt", place))
    if case.row["validation_status"] == "skipped":
        assert found is None
        return
    assert found is not None, "not landed"
    flags = {f"is_{flag}": True for flag in case.row["flags"].split()}
    flags = {name.replace("-", ""): not name.startswith("is_-") for name in flags}
    deliverable = {"true": True, "false": False}.get(case.row["is_deliverable"])
    wanted = {
        "validation_status": case.row["validation_status"],
        "validation_reason": case.row["validation_reason"] or None,
        "is_deliverable": deliverable,
        "risk": case.row["risk"],
        "is_mapped": not case.row["unmapped"],
        **{name: flags.get(name) for name in FLAG_COLUMNS},
    }
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(("source", "export"), EXPORTS)
def test_what_no_mapping_knows_is_counted_and_what_is_no_verdict_skipped(
    source: str, export: str, landed: Deployment
) -> None:
    load = landed.loads()[f"{source}/map/{export}.txt"]
    assert load.state == "loaded", load.refusal_detail
    rows = [case.row for case in EXPORTS[source, export]]
    unmapped = {row["unmapped"] for row in rows if row["unmapped"]}
    # The first record, which only identifies the file, may have strange words too.
    for column in unmapped:
        count = sum(row["unmapped"] == column for row in rows)
        assert load.unmapped[column] in (count, count + 1)
    skipped = [row for row in rows if row["validation_status"] == "skipped"]
    for row in skipped:
        assert load.skipped[row["validation_reason"]] >= 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.values()))
def test_every_row_of_the_table_is_met_by_an_export(row: dict[str, str]) -> None:
    assert any(case.row is row for case in CASES)


@pytest.mark.parametrize("source", VALIDATORS)
def test_every_validator_has_its_rows(source: str) -> None:
    listed = [row for row in ROWS if row["source"] == source]
    assert listed, "its words belong into validation_value_map.csv"
    assert any(row["unmapped"] for row in listed), "show a word nobody knows"


SPELLINGS = ("1 0", "Y N", "y n", "yes no", "Yes No", "true false")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_flag_means_the_same_in_every_spelling_a_caller_may_choose(
    spelling: str, delimiter: str, deployment: Deployment
) -> None:
    yes, no = spelling.split()
    lines = [
        ["email", "role_account", "free_email_host", "email_status"],
        ["role@example.com", yes, no, "valid"],
        ["free@example.com", no, yes, "valid"],
        ["silent@example.com", "", "", "valid"],
    ]
    text = "".join(delimiter.join(line) + "\r\n" for line in lines)
    deployment.drop("neverbounce/map/download.csv", text)
    deployment.land()
    rows = deployment.rows("list_validations", "record_number")
    assert [(row["is_role"], row["is_free"]) for row in rows] == [
        (True, False),
        (False, True),
        (None, None),
    ]


def test_an_archive_of_two_lists_says_by_their_names_who_is_good(
    deployment: Deployment,
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as lists:
        lists.writestr("good.txt", "plain@example.com\ninfo@example.com\n")
        lists.writestr("bad.txt", "gone@example.com\n")
    deployment.drop("uchecker/map/task_123.zip", archive.getvalue())
    deployment.drop("uchecker/map/task_123.zip.meta.yaml", "job_id: 123\n")
    deployment.land()
    rows = deployment.rows("list_validations", "load, record_number")
    told = sorted((row["raw_status"], row["is_deliverable"]) for row in rows)
    assert told == [("bad", False), ("good", True), ("good", True)]
    assert {row["job_id"] for row in rows} == {"123"}


def test_both_phases_of_one_job_stay_apart(deployment: Deployment) -> None:
    text = "email,ZB Status,ZB Sub Status\nperson@example.com,{},\n"
    for phase, status in (("phase_1", "catch-all"), ("phase_2", "valid")):
        name = f"zerobounce/map/{phase}.csv"
        deployment.drop(name, text.format(status))
        deployment.drop(f"{name}.meta.yaml", f"phase: {phase}\nfile_id: 7\n")
    deployment.land()
    rows = deployment.rows("list_validations", "channel")
    assert [
        (row["channel"], row["job_id"], row["validation_status"]) for row in rows
    ] == [
        ("bulk_phase_1", "7", "risky"),
        ("bulk_phase_2", "7", "deliverable"),
    ]


def test_the_same_address_is_judged_once_a_channel(deployment: Deployment) -> None:
    table = "email,quality,result\nperson@example.com,risky,unknown\n"
    answer = '{"email":"person@example.com","result":"ok","resultcode":1}\n'
    deployment.drop("millionverifier/map/list.csv", table)
    deployment.drop("millionverifier/map/answers.ndjson", answer)
    deployment.land()
    rows = deployment.rows("list_validations", "channel")
    assert [(row["channel"], row["validation_status"]) for row in rows] == [
        ("api", "deliverable"),
        ("bulk", "unknown"),
    ]
