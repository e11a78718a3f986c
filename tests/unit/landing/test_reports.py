"""Reports of titled blocks: one JSON object, or one a block."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.landing import reports
from dagster_project.landing.reader import RefusedError, read_plain
from dagster_project.landing.recognition import recognise
from dagster_project.landing.records import frame
from dagster_project.landing.reports import parse_report
from tests.typed_tables import workbook
from tests.unit.landing.test_records import members, plain_of, rows_of, source_from

SINGLE = """\
Campaign report
"Subject:","Autumn, ""and"" more"
"Sent","2026-09-01 13:00:00"

"Campaign results"
"Total emails sent:","4,116"
"Opened:","1085 (26.66%)"
"Replies:",""

"Links activity"
"Links","Unique clicks","Total clicks"
"https://example.com/a","36","41"
"Unsubscribe link","",""
"""
PLAIN = SINGLE.replace('"Autumn, ""and"" more"', "Autumn")
SPLIT = """\
Campaign Report
"Title:","Two subjects"

"Combination 1 Stats"
"Subject Line:","First
line"
"Total Unsubs:","1"

"Combination 2 Stats"
"Subject Line:","Second"
"Total Unsubs:","many"

"Clicks by URL"
"URL","Total Clicks","Unique Clicks"

"Clicks by URL"
"""
MAPPING = """
source: acme
kind: esp
title: Acme
notes: none
exports:
  - name: report
    lands: campaign_stats
    reader: {formats: sections, delimiter: [",", ";"]}
    inputs:
      name: {path: $.top.Subject, required: true}
      sent: {path: '$."Campaign results"."Total emails sent"', required: true}
    fields: {campaign_id: name, sent_count: sent}
    delivered: unavailable
  - name: split
    lands: campaign_stats
    reader: {formats: [csv, sections], repeat: '^Combination \\d+'}
    inputs:
      name: {path: $.top.Title, required: true}
      gone: {path: '$.block."Total Unsubs"', required: true}
      variant: {path: $.block_title}
    fields: {campaign_id: name, unsubscribe_count: gone, variant: variant}
    delivered: unavailable
"""


def records_of(text: str, repeat: str | None = None) -> list[dict[str, Any]]:
    return [record for _, record in parse_report(text, ",", repeat)]


def test_a_report_is_one_object_of_its_blocks() -> None:
    assert parse_report(SINGLE, ",", None) == [
        (
            1,
            {
                "title": "Campaign report",
                "top": {"Subject": 'Autumn, "and" more', "Sent": "2026-09-01 13:00:00"},
                "Campaign results": {
                    "Total emails sent": "4,116",
                    "Opened": "1085 (26.66%)",
                    "Replies": "",
                },
                "Links activity": {
                    "rows": [
                        ["Links", "Unique clicks", "Total clicks"],
                        ["https://example.com/a", "36", "41"],
                        ["Unsubscribe link", "", ""],
                    ]
                },
            },
        )
    ]


def test_what_a_spreadsheet_makes_of_a_report_says_the_same() -> None:
    lines = PLAIN.splitlines()
    padded = [line + "," * (2 - line.count('","')) for line in lines]
    padded[0] = "Campaign report,,"
    text = "\n".join(padded).replace('"', "")
    found = records_of(text.replace("4,116", "4116"))[0]
    whole = records_of(PLAIN)[0]
    whole["Campaign results"]["Total emails sent"] = "4116"
    assert found == whole


def test_a_pattern_makes_a_record_of_each_block_so_titled() -> None:
    first, second = parse_report(SPLIT, ",", r"^Combination \d+")
    assert (first[0], second[0]) == (4, 9)
    assert first[1]["block_title"] == "Combination 1 Stats"
    assert first[1]["block"] == {"Subject Line": "First\nline", "Total Unsubs": "1"}
    assert second[1]["block"] == second[1]["Combination 2 Stats"]
    assert first[1]["top"] == second[1]["top"] == {"Title": "Two subjects"}
    assert first[1]["Clicks by URL (2)"] == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("id,email\n1,a\n", id="a table"),
        pytest.param('Report\n"Title:","open\n', id="an open quote"),
        pytest.param("email\n" + "a@example.com\n" * 2000, id="a list of addresses"),
    ],
)
def test_another_text_is_no_report(text: str) -> None:
    assert parse_report(text, ",", None) == []


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_report_is_recognised_by_its_labels(mark: str, tmp_path: Path) -> None:
    plain = plain_of(tmp_path, SINGLE.replace('","', f'"{mark}"'))
    found = recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    assert (found.export.name, found.layout) == ("report", "sections")
    (row,) = rows_of(frame(plain, found, tmp_path / "split", careful=False))
    assert json.loads(row[1])["top"]["Sent"] == "2026-09-01 13:00:00"


def test_a_record_is_found_by_the_first_line_of_its_block(tmp_path: Path) -> None:
    plain = plain_of(tmp_path, SPLIT)
    found = recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    framed = frame(plain, found, tmp_path / "split", careful=False)
    assert (found.export.name, framed.record_count) == ("split", 2)
    assert framed.lines_of({2}) == {2: 9}


def test_a_sheet_may_hold_a_report_too(tmp_path: Path) -> None:
    archived = tmp_path / "archived"
    rows = [
        ["Campaign Report"],
        ["Title:", "T"],
        [],
        ["Combination 1"],
        ["Total Unsubs:", 3],
    ]
    archived.write_bytes(workbook(One=rows))
    plain = read_plain(members(archived)[0], archived, tmp_path / "text", "utf-8")
    found = recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    assert found.layout == "sections"


def test_a_report_without_its_labels_is_refused_with_what_it_lacks(
    tmp_path: Path,
) -> None:
    plain = plain_of(tmp_path, SINGLE.replace("Total emails sent", "Sent to jane"))
    with pytest.raises(RefusedError, match="Total emails sent") as caught:
        recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    assert caught.value.reason == "missing_column"
    assert "jane" not in caught.value.detail


def test_a_text_too_large_to_parse_is_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "LARGEST_DOCUMENT", 10)
    with pytest.raises(RefusedError, match="lacks the required"):
        recognise(plain_of(tmp_path, SINGLE), "x", [source_from(tmp_path, MAPPING)])
