"""Reports of titled blocks, as some vendors print one campaign, read as JSON objects.

The first line is the report's title. Lines of a label and its value follow, then
blocks: a title on a line of its own, and under it labels with values, or a small table.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Any

from dagster_project.landing.documents import LARGEST_DOCUMENT
from dagster_project.landing.reader import Plain

_MOST_BLOCKS = 1000
"""A text with more is a list of something, and no report."""

Placed = tuple[int, dict[str, Any]]
"""A record and its first line."""


@dataclass
class _Block:
    title: str
    line: int
    content: dict[str, Any] = field(default_factory=dict)


def read_report(plain: Plain, delimiter: str, repeat: str | None) -> list[Placed]:
    """The records of a file that may be a report; none where it is something else."""
    beginning = plain.head.lstrip("\n").partition("\n")[0]
    if plain.byte_count > LARGEST_DOCUMENT or not parse_report(
        beginning, delimiter, None
    ):
        return []
    return parse_report(plain.path.read_text(encoding="utf-8"), delimiter, repeat)


def parse_report(text: str, delimiter: str, repeat: str | None) -> list[Placed]:
    """The records of a report: itself, or a record a block.

    Args:
        text: the report, or the beginning of one.
        delimiter: between a label and its value.
        repeat: title pattern of the blocks of which each is a record.

    Returns:
        Records with the first line of each; none where the text is no report.
    """
    try:
        blocks = _blocks(text, delimiter)
    except csv.Error:
        return []
    if not blocks:
        return []
    top, *others = blocks
    report: dict[str, Any] = {"title": top.title, "top": top.content}
    for block in others:
        name, number = block.title, 1
        while name in report:
            number += 1
            name = f"{block.title} ({number})"
        report[name] = block.content
    if repeat is None:
        return [(top.line, report)]
    return [
        (block.line, report | {"block": block.content, "block_title": block.title})
        for block in others
        if re.search(repeat, block.title)
    ]


def _blocks(text: str, delimiter: str) -> list[_Block]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    blocks: list[_Block] = []
    line, after_blank = 1, True
    for row in reader:
        cells = [cell.strip() for cell in row]
        first, line = line, reader.line_num + 1
        filled = _without_blank_end(cells)
        if not filled:
            after_blank = True
            continue
        is_alone = len(filled) == 1 and not filled[0].endswith(":")
        if is_alone and (after_blank or len(cells) == 1):
            blocks.append(_Block(filled[0], first))
        elif blocks:
            _add(blocks[-1].content, cells, filled)
        if not blocks or len(blocks) > _MOST_BLOCKS:
            return []
        after_blank = False
    return blocks


def _add(content: dict[str, Any], cells: list[str], filled: list[str]) -> None:
    is_table = len(filled) > 2 or ("rows" in content and len(cells) > 2)
    if is_table:
        content.setdefault("rows", []).append(cells)
    else:
        label = filled[0].removesuffix(":").rstrip()
        content.setdefault(label, filled[1] if len(filled) > 1 else "")


def _without_blank_end(cells: list[str]) -> list[str]:
    """What a spreadsheet has not added: it makes all lines equally long."""
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return cells[:width]
