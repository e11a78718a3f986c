"""Files that name people: written for their owner's eyes, never over another file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_FORMULA = ("=", "+", "-", "@", "\t")
"""How a cell begins that a spreadsheet would reckon."""


class PrivateFileError(Exception):
    """There is no place for the file; the text says what to do."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would reckon a cell of this text."""
    return text.startswith(_FORMULA)


def as_text(text: str) -> str:
    """A cell that stays what it says: after an apostrophe nothing is reckoned."""
    return f"'{text}" if is_formula(text) else text


def write_private(
    file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]
) -> None:
    """Write a new CSV file that only its owner may read.

    Raises:
        PrivateFileError: when the file exists or cannot be made.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise PrivateFileError(f"{file} exists. Name a new file.") from None
    except OSError as error:
        raise PrivateFileError(f"{file} cannot be made: {error.strerror}.") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
