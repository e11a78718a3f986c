"""The sheets of a workbook (.xlsx) as CSV texts.

``sheets.py`` reads them in a process of its own. A workbook of a few kilobytes may ask
for any amount of memory, and the reader's messages quote cells: what goes wrong there
ends that process only, and is told here in our words.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, cast

from dagster_project.landing import sheets as child
from dagster_project.landing.reader import (
    CHUNK,
    MOST_RATIO,
    RATIO_APPLIES_FROM,
    Member,
    RefusedError,
    TextStream,
)

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Of compound files: old workbooks, and new ones behind a password."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_XLSX, _OTHER_KINDS = "xl/workbook.xml", {"xl/workbook.bin", "content.xml"}


def is_workbook(names: list[str]) -> bool:
    """Whether a zip with these members is a workbook, readable or not."""
    return _XLSX in names or not _OTHER_KINDS.isdisjoint(names)


def sheets(member: Member, content: bytes) -> list[Member]:
    """Each visible sheet that is not empty; none where the bytes are no workbook.

    Args:
        member: what holds the workbook.
        content: its bytes.

    Raises:
        RefusedError: for a workbook that is damaged, protected or of another kind.
    """
    if content.startswith(MAGIC):
        raise _another_kind(content)
    names = _checked(content)
    if not is_workbook(names):
        return []
    if _XLSX not in names:
        raise RefusedError(
            "unknown_packing", "A workbook of another kind. Save it as .xlsx or CSV."
        )
    listed = json.loads(b"".join(_asked(content, "list")))
    if not listed:
        raise RefusedError("empty", "No visible sheet of the workbook holds anything.")
    return [
        _sheet(member, content, index, name if len(listed) > 1 else "")
        for index, name in listed
    ]


def _another_kind(content: bytes) -> RefusedError:
    if _ENCRYPTED in content:
        return _protected()
    return RefusedError(
        "unknown_packing", "A workbook of the old kind (.xls). Save it as .xlsx."
    )


def _checked(content: bytes) -> list[str]:
    """Names of the zip's members, once their checksums and sizes are seen to be right.

    Raises:
        RefusedError: when one is damaged or far larger than the workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            names = container.namelist()
            if is_workbook(names):
                size = sum(info.file_size for info in container.infolist())
                if size > max(RATIO_APPLIES_FROM, MOST_RATIO * len(content)):
                    raise RefusedError(
                        "too_large",
                        f"Unpacks to more than {MOST_RATIO} times its size.",
                    )
                if container.testzip() is not None:
                    raise zipfile.BadZipFile
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
        raise _damaged() from None
    except RuntimeError:  # a member of the zip is encrypted
        raise _protected() from None
    return names


def _protected() -> RefusedError:
    return RefusedError(
        "encrypted", "The workbook has a password. Save it without one."
    )


def _too_large() -> RefusedError:
    return RefusedError(
        "too_large",
        "The workbook spans more cells than can be read. Delete the empty rows and"
        " columns that are only formatted, or export it as CSV.",
    )


def _damaged() -> RefusedError:
    return RefusedError(
        "broken_container", "The workbook is cut or damaged. Download or copy it again."
    )


def _sheet(member: Member, content: bytes, index: int, name: str) -> Member:
    def received() -> tuple[str, int]:
        digest = hashlib.sha256(content)
        if name:
            # Its sheets share the bytes, and are not each other's duplicates.
            digest.update(b"\0" + name.encode())
        return digest.hexdigest(), len(content)

    return Member(
        name="!".join(part for part in (member.name, name) if part),
        open=lambda: cast(BinaryIO, TextStream(_asked(content, str(index)))),
        packed_bytes=len(content),
        is_packed=True,
        received=received,
        is_sheet=bool(name) and not member.name,
    )


def _asked(content: bytes, question: str) -> Generator[bytes, None, None]:
    """What the process of its own says, in chunks.

    Raises:
        RefusedError: when it ends in any way but well.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(child.__file__)), question],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        # It reads everything before it says anything: neither waits for the other.
        with contextlib.suppress(BrokenPipeError):  # it has ended; its code says why
            process.stdin.write(content)
            process.stdin.close()
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        ended = process.wait()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if ended == child.NO_MEMORY or ended < 0:
        raise _too_large()
    if ended == child.PASSWORD:
        raise _protected()
    if ended != 0:
        raise _damaged()
