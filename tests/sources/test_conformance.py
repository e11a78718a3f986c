"""What every source promises, run over every folder that holds a ``source.yaml``.

A folder proves itself with ``sample*`` files beside it and, for each, an ``expected*``
file of the same name (CSV, or JSON as a list of objects): the canonical rows in order,
one row an item. Besides landing columns an expected row may say

``record_number``, ``item_number``  which record it came from (default: counted up, 1)
``fate``       loaded (default), duplicate, ``skipped <why>``, ``rejected <reason> <column>``
``unmapped``   the column whose word no mapping knows
``address``    the person, compared as the contact key
``note``       why; read by people only

A landing column that no expected row names must be NULL everywhere.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dagster_project.landing import sidecar
from dagster_project.landing.containers import members
from dagster_project.landing.documents import inside
from dagster_project.landing.identity import ContactKey, mailbox_provider
from dagster_project.landing.ledger import Load
from dagster_project.landing.mail import messages
from dagster_project.landing.reader import read_plain
from dagster_project.landing.reports import parse_report
from dagster_project.mapping.canonical import LANDING_TABLES, table_columns
from dagster_project.mapping.model import Export, Source, load_source
from dagster_project.settings import DBT_PROJECT, EXPECTATIONS, SOURCES
from tests.conftest import DROPPED_AT, Deployment, deploy
from tests.typed_tables import without_last_row

FOLDERS = sorted(path.parent for path in SOURCES.glob("*/source.yaml"))
SAMPLES = [
    path
    for folder in FOLDERS
    for path in sorted(folder.glob("sample*"))
    if sidecar.export_of(path.name) is None
]
LATER = DROPPED_AT + timedelta(hours=6)
MOST_RECORDS = 20
MOST_RECORDS_WHY = "a sample is read by people"
FATES = ("loaded", "duplicate", "rejected", "skipped")
"""The first of its items' fates is a record's."""
NOT_LANDED = ("fate", "unmapped", "address", "note")
ENGINE_FILLS = {
    *("source", "account", "record_number", "item_number"),
    *("event_key", "contact_key", "mailbox_provider", "load"),
}
SNAPSHOTS = {"campaign_stats", "contact_snapshots", "list_validations"}
PACKAGE = SOURCES.parent


def _id(path: Path) -> str:
    return path.name if path in FOLDERS else f"{path.parent.name}-{path.stem}"


@dataclass(frozen=True)
class Landed:
    """A landed file: its mapping, ledger entry, rows and rejects."""

    sample: Path
    load: Load
    rows: list[dict[str, Any]]
    rejected: list[dict[str, Any]]

    @property
    def export(self) -> Export:
        return source_of(self.sample.parent).export(self.load.export or "")

    @property
    def table(self) -> str:
        return self.export.lands


@cache
def source_of(folder: Path) -> Source:
    return load_source(folder)


class Landings:
    """Every sample, landed in one deployment as an owner would."""

    after_the_first_run: Mapping[str, list[dict[str, Any]]]
    after_the_copies: Mapping[str, list[dict[str, Any]]]

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def drop(self, sample: Path, name: str, content: bytes, at: datetime) -> None:
        place = f"{sample.parent.name}/acme/{name}"
        self.deployment.drop(place, content, at)
        for beside in sample.parent.glob(f"{sample.name}.meta.*"):
            ending = beside.name.removeprefix(sample.name)
            self.deployment.drop(place + ending, beside.read_bytes(), at)

    def look(self) -> None:
        """Land what waits and read everything."""
        self.deployment.land()
        self.loads = self.deployment.loads()
        order = "load, record_number, item_number"
        self.tables = {
            table: self.deployment.rows(table, order) for table in LANDING_TABLES
        }

    def of(self, sample: Path, name: str = "") -> Landed:
        load = self.loads[f"{sample.parent.name}/acme/{name or sample.name}"]
        assert load.state != "refused", load.refusal_detail
        chosen = {
            table: [row for row in rows if row["load"] == load.load]
            for table, rows in self.tables.items()
        }
        rejected = chosen.pop("rejected_records")
        rows = chosen.pop(load.lands or "")
        assert not any(chosen.values()), "one file fills one table"
        return Landed(sample, load, rows, rejected)


@pytest.fixture(scope="module")
def landings(tmp_path_factory: pytest.TempPathFactory) -> Landings:
    """Every sample alone; then each again, renamed, gzipped and as a later export."""
    landings = Landings(deploy(tmp_path_factory.mktemp("conformance")))
    for sample in SAMPLES:
        landings.drop(sample, sample.name, sample.read_bytes(), DROPPED_AT)
    landings.look()
    landings.after_the_first_run = landings.tables
    for sample in SAMPLES:
        content = sample.read_bytes()
        landings.drop(sample, f"copy of {sample.name}", content, LATER)
        landings.drop(sample, f"{sample.name}.gz", gzip.compress(content), LATER)
    landings.look()
    landings.after_the_copies = landings.tables
    for sample in SAMPLES:
        load = landings.loads[f"{sample.parent.name}/acme/{sample.name}"]
        if load.export is None:  # its own tests say so; the others go on
            continue
        export = source_of(sample.parent).export(load.export)
        content = without_its_end(sample, export)
        landings.drop(sample, f"later {sample.name}", content, LATER)
    landings.look()
    return landings


@pytest.fixture(scope="module")
def tokyo(tmp_path_factory: pytest.TempPathFactory) -> Landings:
    """Every sample in accounts whose owner says that they are in Tokyo."""
    landings = Landings(deploy(tmp_path_factory.mktemp("tokyo")))
    zone = "{acme: {timezone: Asia/Tokyo}}"
    accounts = ", ".join(f"{folder.name}: {zone}" for folder in FOLDERS)
    landings.deployment.configure(f"accounts: {{{accounts}}}")
    for sample in SAMPLES:
        landings.drop(sample, sample.name, sample.read_bytes(), DROPPED_AT)
    landings.look()
    return landings


def read_expected(sample: Path) -> list[dict[str, Any]]:
    """What the author says the sample means; empty cells are unknown."""
    stem = sample.with_name(sample.name.replace("sample", "expected", 1))
    if (path := stem.with_suffix(".json")).exists():
        listed = json.loads(path.read_text(encoding="utf-8"))
    else:
        text = stem.with_suffix(".csv").read_text(encoding="utf-8")
        listed = list(csv.DictReader(io.StringIO(text)))
    rows = []
    for place, given in enumerate(listed, start=1):
        row = {name: value for name, value in given.items() if value not in ("", None)}
        row["record_number"] = int(row.get("record_number", place))
        row["item_number"] = int(row.get("item_number", 1))
        rows.append({"fate": "loaded"} | row)
    return rows


def as_kind(kind: str, value: Any) -> Any:
    """A cell of an expected file as the value that its landing column holds."""
    if value is None:
        return None
    match kind:
        case "count":
            return int(value)
        case "number" | "percent":
            return pytest.approx(float(value))
        case "time":
            return datetime.fromisoformat(str(value))
        case "flag":
            return str(value).lower() == "true"
    return str(value)


def fates(sample: Path) -> Counter[str]:
    """How many records of the sample end how; one that lands in part has landed."""
    ends: dict[int, str] = {}
    for row in read_expected(sample):
        fate = row["fate"].split(" ")[0]
        earlier = ends.get(row["record_number"], FATES[-1])
        ends[row["record_number"]] = min(earlier, fate, key=FATES.index)
    return Counter(ends.values())


VENDORS = [folder for folder in FOLDERS if source_of(folder).kind != "any"]


def filling(table: str) -> list[Path]:
    """Folders with an export that lands in a table."""
    return [folder for folder in FOLDERS if table in source_of(folder).covers]


def samples_of(folder: Path, landings: Landings, table: str) -> list[Landed]:
    """The folder's landed samples that fill a table."""
    mine = [landings.of(path) for path in SAMPLES if path.parent == folder]
    return [found for found in mine if found.table == table]


def delivered_of(row: Mapping[str, Any]) -> int:
    """What a totals row says was delivered, reported or from what it was sent."""
    if row["delivered_how"] == "recipients_minus_bounces":
        bounces = row["bounce_count"]
        if bounces is None:
            hard, soft = row["hard_bounce_count"], row["soft_bounce_count"]
            bounces = hard + soft + (row["block_count"] or 0)
        return int(row["sent_count"] - bounces - (row["dropped_count"] or 0))
    return int(row["delivered_count"])


def text_of(path: Path) -> str:
    """A sample as people would read it, whatever it is packed in."""
    with tempfile.TemporaryDirectory() as folder:
        texts = [
            read_plain(member, path, Path(folder) / "text", "utf-8").path.read_text(
                "utf-8"
            )
            for member in members(path)
        ]
    return "".join(texts)


def without_its_end(sample: Path, export: Export) -> bytes:
    """The same export as it would look without its last record."""
    if sample.suffix in (".xlsx", ".parquet"):
        return without_last_row(sample.read_bytes())
    text = sample.read_text(encoding="utf-8")
    if "sections" in export.reader.formats:
        mark = export.reader.delimiter[0]
        *others, last = parse_report(text, mark, export.reader.repeat)
        lines = text.splitlines(keepends=True)
        return "".join(lines[: last[0] - 1] if others else [*lines, "\n"]).encode()
    if "mail" in export.reader.formats:
        *others, last = messages(io.StringIO(text))
        lines = text.splitlines(keepends=True)
        return "".join(lines[: last[0] - 1] if others else [*lines, "\n"]).encode()
    if sample.suffix == ".json":
        document = json.loads(text)
        page = document[-1] if isinstance(document, list) else document
        inner = inside(page, export.reader.items)
        (inner if isinstance(inner, list) else document).pop()
        return json.dumps(document).encode()
    return "".join(text.splitlines(keepends=True)[:-1]).encode()


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_every_record_has_one_declared_fate_and_the_ledger_adds_up(
    sample: Path, landings: Landings
) -> None:
    load = landings.of(sample).load
    assert load.record_count == (
        load.loaded_count
        + load.duplicate_count
        + load.rejected_count
        + load.skipped_count
    )
    assert load.record_count <= MOST_RECORDS, MOST_RECORDS_WHY
    expected = fates(sample)
    assert {
        "loaded": load.loaded_count,
        "duplicate": load.duplicate_count,
        "rejected": load.rejected_count,
        "skipped": load.skipped_count,
    } == {fate: expected[fate] for fate in FATES}


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_rows_are_the_expected_ones_and_nothing_else_is_filled(
    sample: Path, landings: Landings, contact_key: ContactKey
) -> None:
    found = landings.of(sample)
    kinds = {column.name: column.kind for column in table_columns(found.table)}
    expected = [row for row in read_expected(sample) if row["fate"] == "loaded"]
    named = {name for row in expected for name in row} - set(NOT_LANDED)
    assert named <= set(kinds), "expected names columns that the table does not have"
    assert [(row["record_number"], row["item_number"]) for row in found.rows] == [
        (row["record_number"], row["item_number"]) for row in expected
    ]
    for row, wanted in zip(found.rows, expected, strict=True):
        should = {name: as_kind(kinds[name], wanted.get(name)) for name in named}
        if address := wanted.get("address"):
            should["contact_key"] = contact_key.of(address)
            should["mailbox_provider"] = mailbox_provider(address, {})
        should |= {"source": sample.parent.name, "account": "acme"}
        assert {name: row[name] for name in should} == should
    unnamed = set(kinds) - named - ENGINE_FILLS
    filled = {
        name for row in found.rows for name in unnamed if row[name] is not None
    } - {"source", "account"}
    assert not filled, f"filled, though no expected row names it: {sorted(filled)}"


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_rejects_and_skips_say_why_and_where(sample: Path, landings: Landings) -> None:
    found = landings.of(sample)
    expected = read_expected(sample)
    assert [
        (row["record_number"], f"rejected {row['reason']} {row['column_name']}")
        for row in found.rejected
    ] == [
        (row["record_number"], row["fate"])
        for row in expected
        if row["fate"].startswith("rejected")
    ]
    assert all(row["expected"] for row in found.rejected)
    skips = {
        (row["record_number"], row["fate"].removeprefix("skipped "))
        for row in expected
        if row["fate"].startswith("skipped")
    }
    assert found.load.skipped == dict(Counter(why for _, why in skips))


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_words_without_a_mapping_are_counted_and_only_those(
    sample: Path, landings: Landings
) -> None:
    surprises = {
        (row["record_number"], row["unmapped"])
        for row in read_expected(sample)
        if "unmapped" in row
    }
    counted = Counter(column for _, column in surprises)
    assert landings.of(sample).load.unmapped == dict(counted)


@pytest.mark.parametrize("folder", filling("message_events"), ids=_id)
def test_every_event_has_a_key_of_its_own(folder: Path, landings: Landings) -> None:
    for found in samples_of(folder, landings, "message_events"):
        keys = [row["event_key"] for row in found.rows]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_times_are_utc_by_their_own_mark_or_by_the_declared_zone(
    sample: Path, landings: Landings, tokyo: Landings
) -> None:
    found, moved = landings.of(sample), tokyo.of(sample)
    declared = found.export.times.zone == "account"
    assert found.load.defaults_used == (["timezone UTC"] if declared else [])
    assert moved.load.defaults_used == []
    times = [
        column.name
        for column in table_columns(found.table)
        if column.kind == "time" and column.name in found.export.fields
    ]
    assert times, "no column says when"
    # Tokyo is nine hours ahead all year: the same wall clock is nine hours earlier.
    shift = timedelta(hours=9) if declared else timedelta()
    for before, after in zip(found.rows, moved.rows, strict=True):
        for column in times:
            moment = before[column]
            is_dated_by_the_file = moment in (None, DROPPED_AT)
            wanted = moment if is_dated_by_the_file else moment - shift
            assert after[column] == wanted
    if found.table == "campaign_stats":
        in_file = found.export.times.zone == "in_value"
        bases = {row["time_basis"] for row in found.rows}
        assert bases == {"in_file" if in_file else "declared"}


@pytest.mark.parametrize("folder", filling("campaign_stats"), ids=_id)
def test_the_delivered_count_says_how_it_is_known(
    folder: Path, landings: Landings
) -> None:
    for found in samples_of(folder, landings, "campaign_stats"):
        for row in found.rows:
            how = row["delivered_how"]
            assert how == "unavailable" or how in found.export.delivered
            assert (row["delivered_count"] is not None) == (how == "reported")
            if how == "recipients_minus_bounces":
                assert row["sent_count"] is not None
                parts = (row["hard_bounce_count"], row["soft_bounce_count"])
                assert row["bounce_count"] is not None or None not in parts


@pytest.mark.parametrize("folder", filling("campaign_stats"), ids=_id)
def test_the_vendors_own_rate_is_reproduced_on_its_declared_base_or_absent(
    folder: Path, landings: Landings
) -> None:
    divisors = {
        "sent": lambda row: row["sent_count"],
        "delivered": delivered_of,
        "opens": lambda row: row["unique_open_count"],
    }
    for found in samples_of(folder, landings, "campaign_stats"):
        declared = found.export.vendor_rate
        base = declared.base if declared else None
        printed = [
            row for row in found.rows if row["vendor_unsubscribe_rate_pct"] is not None
        ]
        assert bool(printed) == (declared is not None), "declare the printed rate"
        assert {row["vendor_rate_base"] for row in printed or found.rows} == {base}
        for row in printed if base else ():
            ours = 100 * row["unsubscribe_count"] / divisors[base](row)
            half_unit = row["vendor_unsubscribe_rate_half_unit_pct"]
            assert (
                abs(ours - row["vendor_unsubscribe_rate_pct"]) <= half_unit * 1.000001
            )


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
@pytest.mark.parametrize("name", ["copy of {}", "{}.gz"], ids=["renamed", "gzipped"])
def test_the_same_content_again_is_a_duplicate_and_adds_nothing(
    name: str, sample: Path, landings: Landings
) -> None:
    first, again = landings.of(sample), landings.of(sample, name.format(sample.name))
    reads_names = first.export.reads_name
    assert (again.load.state == "loaded") == reads_names
    assert again.load.duplicate_of == (None if reads_names else first.load.load)
    if not reads_names:
        assert again.rows == []


def test_copies_add_rows_only_where_the_name_means_something(
    landings: Landings,
) -> None:
    before, after = (
        {row["load"] for rows in tables.values() for row in rows}
        for tables in (landings.after_the_first_run, landings.after_the_copies)
    )
    renamed = {
        load.load
        for load in landings.loads.values()
        if load.source
        and load.export
        and source_of(SOURCES / load.source).export(load.export).reads_name
    }
    assert after - before <= renamed
    for table, rows in landings.after_the_first_run.items():
        again = landings.after_the_copies[table]
        assert rows == [row for row in again if row["load"] in before]


@pytest.mark.parametrize("sample", SAMPLES, ids=_id)
def test_a_later_export_is_appended_and_leaves_the_earlier_rows_alone(
    sample: Path, landings: Landings
) -> None:
    first, later = landings.of(sample), landings.of(sample, f"later {sample.name}")
    earlier = [
        row
        for row in landings.after_the_copies[first.table]
        if row["load"] == first.load.load
    ]
    assert first.rows == earlier
    # The sample's records but the last, dated by the later file where only a file does.
    # A report or a message of one record only cannot be shortened.
    count, left = first.load.record_count, later.load.record_count
    assert left == count - 1 or (left, count) == (1, 1)
    numbers = {row["record_number"] for row in read_expected(sample)}
    last = max(numbers) if left < count else math.inf
    wanted = [
        {
            name: LATER if value == DROPPED_AT else value
            for name, value in (row | {"load": later.load.load}).items()
        }
        for row in earlier
        if row["record_number"] < last
    ]
    assert later.rows == wanted


@pytest.mark.parametrize("folder", FOLDERS, ids=_id)
def test_every_export_has_a_sample(folder: Path, landings: Landings) -> None:
    shown = {landings.of(path).load.export for path in SAMPLES if path.parent == folder}
    assert shown == {export.name for export in source_of(folder).exports}


@pytest.mark.parametrize("folder", FOLDERS, ids=_id)
def test_every_rule_of_its_events_is_met_by_a_sample(
    folder: Path, landings: Landings
) -> None:
    samples = [path for path in SAMPLES if path.parent == folder]
    skipped = {why for path in samples for why in landings.of(path).load.skipped}
    types = {
        row["event_type"]
        for path in samples
        if landings.of(path).table == "message_events"
        for row in landings.of(path).rows
    }
    exports = source_of(folder).exports
    rules = [rule for export in exports for rule in export.events]
    declared = {rule.why for export in exports for rule in export.skip}
    skipped.discard("empty_post")  # every mapping of lines has that one
    assert declared | {rule.skip for rule in rules if rule.skip} == skipped
    assert {rule.event_type for rule in rules if rule.event_type} <= types


@pytest.mark.parametrize("folder", FOLDERS, ids=_id)
def test_its_files_show_nobody_real(folder: Path) -> None:
    for path in (*folder.glob("sample*"), *folder.glob("expected*")):
        text = text_of(path)
        domains = re.findall(r"[\w.+-]+@([\w.-]+)", text)
        assert {domain.lower() for domain in domains} <= {"example.com"}, path.name


@pytest.mark.parametrize("folder", VENDORS, ids=_id)
def test_its_name_stands_nowhere_outside_its_folder(folder: Path) -> None:
    name = re.compile(rf"\b{folder.name.replace('_', '[ _-]?')}\b", re.IGNORECASE)
    searched = [
        *(DBT_PROJECT, EXPECTATIONS, PACKAGE / "mapping", PACKAGE / "landing"),
        PACKAGE / "defs",
    ]
    kinds = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"}
    files = [path for root in searched for path in root.rglob("*")]
    found = [
        str(path)
        for path in files
        if path.suffix in kinds
        # One vendor has the name of a type of the language.
        and name.search(path.read_text(encoding="utf-8").replace("Iterable", ""))
    ]
    assert found == []
