"""Workbooks and Parquet: their cells become the text that an export would print."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import random
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dagster_project.landing import columnar, containers, reader, workbooks
from dagster_project.landing import land as land_module
from dagster_project.landing.containers import members
from dagster_project.landing.reader import Plain, RefusedError, read_plain
from dagster_project.landing.recognition import recognise
from dagster_project.landing.rejects import rejected_records
from tests.conftest import Deployment
from tests.typed_tables import (
    parquet,
    sheet_xml,
    without_last_row,
    workbook,
    zipped_parts,
)
from tests.unit.landing.test_records import TABLE, source_from

MOMENT = datetime(2026, 9, 1, 9, 30)
EVENTS = [
    ["event_id", "event_type", "occurred_at", "email"],
    ["e1", "sent", "2026-09-01T09:00:00Z", "jane@example.com"],
    ["e2", "opened", "2026-09-01T10:00:00Z", "jane@example.com"],
]


def texts_of(folder: Path, content: bytes) -> dict[str, Plain]:
    """Every member read, by name."""
    archived = folder / "archived"
    archived.write_bytes(content)
    return {
        member.name: read_plain(member, archived, folder / f"text{place}", "utf-8")
        for place, member in enumerate(members(archived))
    }


def rows_of(plain: Plain) -> list[list[str]]:
    with plain.path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


def refusal_of(folder: Path, content: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        texts_of(folder, content)
    assert len(caught.value.detail) > 20 and caught.value.detail.endswith(".")
    return caught.value


# -- workbooks -------------------------------------------------------------------


def test_cells_become_the_text_of_a_careful_export(tmp_path: Path) -> None:
    cells: dict[Any, str] = {
        1: "1",
        64517.0: "64517",
        -0.5: "-0.5",
        5e-05: "5e-05",
        0.28499999999999998: "0.285",
        MOMENT: "2026-09-01 09:30:00",
        datetime(2026, 9, 1, 9, 30, 0, 10_000): "2026-09-01 09:30:00.010000",
        date(2026, 9, 1): "2026-09-01",
        '  007, "x" ': '  007, "x" ',
        "a\r\nb": "a\nb",
        "donn\u00e9es \u2600": "donn\u00e9es \u2600",
        "#N/A": "",
    }
    rows = [["kind", "value", "flag"]]
    rows += [["x", value, bool(place % 2)] for place, value in enumerate(cells)]
    (plain,) = texts_of(tmp_path, workbook(Sheet1=rows)).values()
    assert plain.has_typed_cells
    found = rows_of(plain)
    assert found[0] == ["kind", "value", "flag"]
    assert [row[1] for row in found[1:]] == list(cells.values())
    assert [row[2] for row in found[1:3]] == ["false", "true"]
    assert plain.record_count == len(rows)


def test_blank_rows_and_columns_are_no_records(tmp_path: Path) -> None:
    rows = [[], [], [None, "id", "email"], [], [None, "1", "a", ""], [None, "", ""]]
    (plain,) = texts_of(tmp_path, workbook(Sheet1=rows)).values()
    assert rows_of(plain) == [[], [], ["id", "email"], [], ["1", "a"], []]
    assert plain.record_count == 2


def test_each_visible_sheet_that_holds_something_is_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    content = workbook(
        One=[["a"]], Off=[["b"]], Blank=[[""]], Two=[["c"]], hidden=["Off"]
    )
    found = texts_of(tmp_path, content)
    assert {name: rows_of(plain) for name, plain in found.items()} == {
        "One": [["a"]],
        "Two": [["c"]],
    }
    one, two = found.values()
    assert one.content_sha256 != two.content_sha256


def test_one_sheet_is_the_file_itself_and_known_by_its_bytes(tmp_path: Path) -> None:
    content = workbook(One=[["a"]], Blank=[])
    found = texts_of(tmp_path, content)
    assert list(found) == [""]
    assert found[""].content_sha256 == hashlib.sha256(content).hexdigest()
    assert found[""].byte_count == len(content)


def test_a_workbook_is_read_inside_a_container_too(tmp_path: Path) -> None:
    content = workbook(One=[["a"]])
    alone = texts_of(tmp_path, content)[""].content_sha256
    assert texts_of(tmp_path, gzip.compress(content))[""].content_sha256 == alone
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        container.writestr("a.xlsx", content)
        container.writestr("b.xlsx", workbook(One=[["b"]], Two=[["c"]]))
        container.writestr("c.csv", "d\n")
    found = texts_of(tmp_path, buffer.getvalue())
    assert {name: rows_of(plain)[0][0] for name, plain in found.items()} == {
        "a.xlsx": "a",
        "b.xlsx!One": "b",
        "b.xlsx!Two": "c",
        "c.csv": "d",
    }


def _parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as container:
        return {name: container.read(name).decode() for name in container.namelist()}


def _with_sheet(xml: str) -> bytes:
    return zipped_parts(
        _parts(workbook(One=[["a"]])) | {"xl/worksheets/sheet1.xml": xml}
    )


FAR = '<c r="{}"><v>1</v></c>'
PROTECTED = workbooks.MAGIC + bytes(504) + "EncryptedPackage".encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(workbook(One=EVENTS)[:-30], "broken_container", id="cut"),
        pytest.param(
            _with_sheet("<worksheet><sheetData><row"), "broken_container", id="half XML"
        ),
        pytest.param(
            _with_sheet(sheet_xml([]).replace("</sheetData>", "</wrong>")),
            "broken_container",
            id="wrong XML",
        ),
        pytest.param(
            zipped_parts({"xl/workbook.xml": "<workbook/>"}),
            "broken_container",
            id="nothing but its contents",
        ),
        pytest.param(
            workbook(One=[], Two=[[None, ""]]), "empty", id="only blank sheets"
        ),
        pytest.param(PROTECTED, "encrypted", id="behind a password"),
        pytest.param(
            workbooks.MAGIC + bytes(600), "unknown_packing", id="the old kind"
        ),
        pytest.param(
            zipped_parts({"xl/workbook.bin": "x"}), "unknown_packing", id="a binary one"
        ),
        pytest.param(
            zipped_parts({"mimetype": "x", "content.xml": "x"}),
            "unknown_packing",
            id="of another office",
        ),
        pytest.param(
            _with_sheet(
                sheet_xml([]).replace(
                    "<sheetData>",
                    "<sheetData><row>"
                    + FAR.format("A1")
                    + FAR.format("XFD1048576")
                    + "</row>",
                )
            ),
            "too_large",
            id="two cells far apart",
        ),
        pytest.param(
            zipped_parts({"xl/workbook.xml": "x" * (20 << 20)}),
            "too_large",
            id="a bomb",
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_in_our_words(
    content: bytes, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert refusal_of(tmp_path, content).reason == reason
    assert capfd.readouterr() == ("", "")


def test_a_damaged_byte_anywhere_in_a_sheet_is_noticed(tmp_path: Path) -> None:
    content = workbook(One=[[f"p{number}@example.com"] for number in range(200)])
    at = content.index(b"xl/worksheets/sheet1.xml") + 200
    flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert refusal_of(tmp_path, flipped).reason == "broken_container"


def test_a_workbook_too_large_to_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "LARGEST_INSIDE", 100)
    assert refusal_of(tmp_path, workbook(One=EVENTS)).reason == "too_large"


# -- Parquet ---------------------------------------------------------------------


def test_columns_become_the_text_of_a_careful_export(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ['a,\n"b"', "", None],
            "count": pa.array([1, -2, None], pa.int32()),
            "number": [64517.0, 0.285, float("nan")],
            "cost": pa.array([Decimal("1.10"), None, None]),
            "flag": [True, False, None],
            "day": [date(2026, 9, 1), None, None],
            "local": pa.array([MOMENT, None, None], pa.timestamp("ms")),
            "moment": pa.array(
                [MOMENT.replace(tzinfo=UTC), None, None],
                pa.timestamp("us", "America/New_York"),
            ),
            "bytes": [b"caf\xc3\xa9", None, None],
            "word": pa.array(["x", "y", None]).dictionary_encode(),
            "list": [["a", "b"], [], None],
            "struct": [{"k": 1, "t": "z"}, None, None],
        }
    )
    (plain,) = texts_of(tmp_path, parquet(table)).values()
    header, first, second, third = rows_of(plain)
    assert dict(zip(header, first, strict=True)) == {
        "text": 'a,\n"b"',
        "count": "1",
        "number": "64517",
        "cost": "1.10",
        "flag": "true",
        "day": "2026-09-01",
        "local": "2026-09-01 09:30:00",
        "moment": "2026-09-01 09:30:00Z",
        "bytes": "caf\u00e9",
        "word": "x",
        "list": '["a","b"]',
        "struct": '{"k":1,"t":"z"}',
    }
    assert second[:3] == ["", "-2", "0.285"]
    assert third == [""] * len(header)
    assert plain.has_typed_cells and plain.record_count == 4


def test_a_parquet_file_is_known_by_its_bytes_wherever_it_lies(tmp_path: Path) -> None:
    content = parquet(pa.table({"a": ["x", None]}))
    plain = texts_of(tmp_path, content)[""]
    assert plain.content_sha256 == hashlib.sha256(content).hexdigest()
    assert plain.record_count == 3
    packed = texts_of(tmp_path, gzip.compress(content))[""]
    assert packed.content_sha256 == plain.content_sha256


def test_a_large_parquet_file_comes_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columnar, "_ROWS", 3)
    table = pa.table({"number": list(range(10))})
    (plain,) = texts_of(tmp_path, parquet(table, row_group_size=4)).values()
    assert [row[0] for row in rows_of(plain)] == ["number", *map(str, range(10))]


def test_a_parquet_file_that_unpacks_to_far_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "RATIO_APPLIES_FROM", 1 << 20)
    content = parquet(pa.table({"text": ["x" * 1000] * 10_000}))
    assert len(content) < 100_000
    assert refusal_of(tmp_path, content).reason == "too_large"


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_damage_is_noticed_and_never_told_in_the_librarys_words(
    compression: str, tmp_path: Path
) -> None:
    names = [f"p{number}@example.com" for number in range(500)]
    table = pa.table({"email": names, "n": list(range(500))})
    content = parquet(table, compression=compression, write_page_checksum=True)
    draw = random.Random(compression)
    for _ in range(8):
        place = draw.randrange(4, len(content))
        flipped = content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]
        for damaged in (flipped, content[:place]):
            try:
                (plain,) = texts_of(tmp_path, damaged).values()
            except RefusedError as refused:
                assert refused.reason in ("broken_container", "too_large", "nul_byte")
            else:
                # Damage beside the pages: metadata that nobody reads.
                assert plain.record_count == 501
                assert len(damaged) == len(content)


@pytest.mark.parametrize(
    "content",
    [workbook(One=EVENTS, Blank=[]), parquet(pa.table({"a": ["1", "2"]}))],
    ids=["a workbook", "a Parquet file"],
)
def test_tests_can_shorten_them(content: bytes, tmp_path: Path) -> None:
    (whole,) = texts_of(tmp_path, content).values()
    rows = rows_of(whole)
    (shorter,) = texts_of(tmp_path, without_last_row(content)).values()
    assert rows_of(shorter) == rows[:-1]


# -- downstream ------------------------------------------------------------------


def test_a_workbook_lands_as_its_csv_would(deployment: Deployment) -> None:
    late = ["e3", "sent", "never", "jo\ne@example.com"]
    rows = [[], *EVENTS[:2], [], late, EVENTS[2]]
    deployment.drop("generic/a.xlsx", workbook(Events=rows, Notes=[["Nothing"]]))
    deployment.land()
    loads = deployment.loads()
    events, notes = loads["generic/a.xlsx!Events"], loads["generic/a.xlsx!Notes"]
    assert (events.state, events.loaded_count, events.rejected_count) == (
        "loaded",
        2,
        1,
    )
    assert (notes.state, notes.refusal_reason) == ("refused", "unknown_export")
    shown = rejected_records(deployment.settings, "Events", show_values=True)
    # The third row of the sheet that is not blank is its fifth.
    assert [(row["line_number"], row["record"]) for row in shown] == [
        (5, ",".join(late))
    ]
    assert deployment.land(days=1).judged == []


NAMED = """
source: acme
kind: esp
title: Acme
notes: none
exports:
  - name: events
    lands: message_events
    reader: {formats: csv}
    inputs:
      id: {column: id, required: true}
      email: {column: email}
      send: {file_name: '^(\\d+)_'}
      kind: {file_name: '!(\\w+)$'}
    address: email
    times: {zone: UTC}
    key: [id]
    fields: {event_type: kind, campaign_id: send, occurred_at: "'2026-09-01'"}
"""


def test_a_sheet_is_known_by_its_workbooks_name_and_its_own(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_from(deployment.home.parent / "sources", NAMED)
    monkeypatch.setattr(land_module, "SOURCES", deployment.home.parent / "sources")
    rows = [["id", "email"], ["1", "jane@example.com"]]
    deployment.drop("acme/7_report.xlsx", workbook(opened=rows, clicked=rows))
    deployment.land()
    found = deployment.rows("message_events", "load")
    assert [row["event_type"] for row in found] == ["opened", "clicked"]
    assert [row["campaign_id"] for row in found] == ["7", "7"]


def test_typed_moments_pass_beside_the_formats_of_the_export(
    deployment: Deployment,
) -> None:
    deployment.configure("accounts: {mailchimp: {eu: {timezone: Europe/Berlin}}}")
    header = ["Title", "Send Date", "Total Recipients", "Successful Deliveries"]
    header += ["Unsubscribes", "Unique Id", "Soft Bounces", "Hard Bounces"]
    sent = [MOMENT, "Sep 01, 2026 09:30 am"]
    rows = [[f"c{n}", at, 1000.0, 990, 3, f"u{n}", 4, 6] for n, at in enumerate(sent)]
    deployment.drop("mailchimp/eu/a.xlsx", workbook(Campaigns=[header, *rows]))
    zoned = [MOMENT.replace(tzinfo=UTC)] * 2
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    table = pa.table(
        {name: list(column) for name, column in columns.items() if name != "Send Date"}
    )
    deployment.drop(
        "mailchimp/eu/a.parquet",
        parquet(table.append_column("Send Date", pa.array(zoned))),
    )
    deployment.land()
    found = deployment.rows("campaign_stats", "load, record_number")
    summer = datetime(2026, 9, 1, 7, 30)
    assert [row["sent_at"] for row in found] == [MOMENT, MOMENT, summer, summer]
    assert {row["sent_count"] for row in found} == {1000}


def test_typed_numbers_never_meet_another_decimal_mark(
    tmp_path: Path,
) -> None:
    (plain,) = texts_of(
        tmp_path, workbook(One=[["id", "email"], [1.234, "a"]])
    ).values()
    assert recognise(plain, "x", [source_from(tmp_path)]).layout == "table"
    comma = TABLE.replace("    inputs:", '    numbers: {decimal: ","}\n    inputs:')
    with pytest.raises(RefusedError, match="No mapping reads"):
        recognise(plain, "x", [source_from(tmp_path, comma)])
