"""Writes workbooks and Parquet files for tests, as plainly as their formats allow."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_TYPES = 'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"'
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EPOCH = datetime(1899, 12, 30)
_MOMENT = 1
"""The style whose number format is a moment."""

Rows = Sequence[Sequence[Any]]


def workbook(*, hidden: Sequence[str] = (), **sheets: Rows) -> bytes:
    """A workbook with these sheets, in order; None leaves a cell out."""
    parts = {
        "[Content_Types].xml": f'<Types {_TYPES}><Default Extension="xml"'
        ' ContentType="application/xml"/><Override PartName="/xl/workbook.xml"'
        f' ContentType="{_SHEET_TYPE}.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships {_RELATIONS}><Relationship Id="rId1"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": _listed_sheets(list(sheets), hidden),
        "xl/_rels/workbook.xml.rels": _related_sheets(len(sheets)),
        "xl/styles.xml": f'<styleSheet {_MAIN}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), start=1):
        parts[f"xl/worksheets/sheet{number}.xml"] = sheet_xml(rows)
    return zipped_parts(parts)


def zipped_parts(parts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as container:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            container.writestr(entry, text)
    return buffer.getvalue()


def _listed_sheets(names: list[str], hidden: Sequence[str]) -> str:
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"'
        + (' state="hidden"/>' if name in hidden else "/>")
        for number, name in enumerate(names, start=1)
    )
    return f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'


def _related_sheets(count: int) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet"'
        f' Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, count + 1)
    )
    return (
        f'<Relationships {_RELATIONS}>{listed}<Relationship Id="rId999"'
        f' Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    )


def sheet_xml(rows: Rows) -> str:
    """A sheet's own XML: one line a row, so that tests can cut one off."""
    written = "".join(
        f'<row r="{number}">'
        + "".join(
            _cell(_letters(place) + str(number), value)
            for place, value in enumerate(row)
            if value is not None
        )
        + "</row>\n"
        for number, row in enumerate(rows, start=1)
    )
    return f"<worksheet {_MAIN}><sheetData>\n{written}</sheetData></worksheet>"


def _letters(place: int) -> str:
    return ("" if place < 26 else chr(64 + place // 26)) + chr(65 + place % 26)


def _cell(place: str, value: Any) -> str:
    match value:
        case bool():
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{value!r}</v></c>'
        case datetime() | date():
            moment = datetime.fromisoformat(value.isoformat())
            days = (moment - _EPOCH).total_seconds() / 86400
            return f'<c r="{place}" s="{_MOMENT}"><v>{days!r}</v></c>'
        case str() if value.startswith("#"):
            return f'<c r="{place}" t="e"><v>{value}</v></c>'
    text = f'<t xml:space="preserve">{escape(value)}</t>'
    return f'<c r="{place}" t="inlineStr"><is>{text}</is></c>'


def parquet(table: pa.Table, **options: Any) -> bytes:
    """A Parquet file of the table."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def without_last_row(content: bytes) -> bytes:
    """The same workbook of one sheet, or Parquet file, without its last row."""
    if content.startswith(b"PAR1"):
        table = pq.read_table(io.BytesIO(content))
        return parquet(table.slice(0, table.num_rows - 1))
    with zipfile.ZipFile(io.BytesIO(content)) as container:
        parts = {name: container.read(name).decode() for name in container.namelist()}
    (sheet,) = [name for name, text in parts.items() if "<row " in text]
    before, row, after = parts[sheet].rpartition("<row ")
    assert row and "</row>" in after
    parts[sheet] = before + after.partition("</row>")[2]
    return zipped_parts(parts)
