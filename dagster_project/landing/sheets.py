"""Reads one workbook from standard input; run as a script, see ``workbooks.py``.

``list`` prints the visible sheets that hold anything, as JSON; a number prints that
sheet as CSV in which a line is a row of the sheet, unless a cell has lines itself.
Nothing of the project may be imported here.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import resource
import sys
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

MOST_MEMORY = 3 << 30
"""Bytes of address space, where the system can hold a process to it."""
DAMAGED, PASSWORD, NO_MEMORY = 3, 4, 5

Cell = int | float | str | bool | time | date | datetime | timedelta


def main(question: str) -> int:
    """Answer one question about the workbook on standard input."""
    with contextlib.suppress(OSError, ValueError):  # not every system can
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        content = io.BytesIO(sys.stdin.buffer.read())
        workbook = CalamineWorkbook.from_filelike(content)
        if question == "list":
            sys.stdout.write(json.dumps(_listed(workbook)))
        else:
            _print(workbook.get_sheet_by_index(int(question)).iter_rows())
    except PasswordError:
        return PASSWORD
    except MemoryError:
        return NO_MEMORY
    except CalamineError:
        return DAMAGED
    return 0


def _listed(workbook: CalamineWorkbook) -> list[tuple[int, str]]:
    return [
        (index, sheet.name)
        for index, sheet in enumerate(workbook.sheets_metadata)
        if sheet.typ == SheetTypeEnum.WorkSheet
        and sheet.visible == SheetVisibleEnum.Visible
        and any(map(_width, workbook.get_sheet_by_index(index).iter_rows()))
    ]


def _width(row: list[Cell]) -> int:
    """How many cells lie before the blank ones at the row's end."""
    width = len(row)
    while width and row[width - 1] == "":
        width -= 1
    return width


def _print(rows: Iterable[list[Cell]]) -> None:
    kept = [row[: _width(row)] for row in rows]
    width = max(map(len, kept), default=0)
    text = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in kept:
        if row:
            cells = [as_text(cell) for cell in row]
            writer.writerow(cells + [""] * (width - len(row)))
        else:
            text.write("\n")
    text.flush()


def as_text(cell: Cell) -> str:
    """A cell as a careful CSV export would print it."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return f"{cell:.0f}"
        case datetime():
            return cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case str():
            return cell.replace("\r\n", "\n").replace("\r", "\n")
    return str(cell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
