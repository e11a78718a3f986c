"""What an archived file holds: itself, what is packed in it, or a workbook's sheets.

Told by first bytes and never by a name. No engine decompresses or sniffs here: cut gzip
streams, wrong checksums and cut zstd frames load a part without an error elsewhere.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import zstandard

from dagster_project.landing import columnar, workbooks
from dagster_project.landing.reader import CHUNK, ZIPS, Member, RefusedError

MOST_MEMBERS = 1000
LARGEST_INSIDE = 64 << 20
"""Bytes of a workbook, or of a Parquet file in a container: they are read whole."""
_DAMAGE = (
    *(EOFError, OSError, NotImplementedError, zlib.error, lzma.LZMAError),
    *(zipfile.BadZipFile, zstandard.ZstdError),
)
_ZSTD_BITE = 1 << 12
"""Packed bytes taken at once: a zstd block of 4 bytes may unpack to 128 KB."""


class _ZstdStream(io.RawIOBase):
    """Reads zstd frames and insists that the last one is complete."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._started = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        out = bytearray()
        while len(out) < CHUNK and (bite := self._source.read(_ZSTD_BITE)):
            self._started = True
            out += self._feed(bite)
        if not out and self._started and not self._frame.eof:
            raise EOFError("zstd frame is not complete")
        return bytes(out)

    def _feed(self, chunk: bytes) -> bytes:
        out = b""
        while chunk:
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            out += self._frame.decompress(chunk)
            chunk = self._frame.unused_data if self._frame.eof else b""
        return out


def members(archived: Path) -> list[Member]:
    """What an archived file holds, by its first bytes and not by its name.

    Raises:
        RefusedError: for a container that is broken, encrypted or too large.
    """
    with archived.open("rb") as handle:
        magic = handle.read(4)
    size = archived.stat().st_size
    if magic[:2] == b"\x1f\x8b":
        held = [Member("", partial(gzip.open, archived), size, True)]  # type: ignore[arg-type]
    elif magic == b"\x28\xb5\x2f\xfd":
        held = [Member("", lambda: _ZstdStream(archived.open("rb")), size, True)]  # type: ignore[return-value, arg-type]
    else:
        held = [Member("", lambda: archived.open("rb"), size, False)]
    if magic in ZIPS:
        container = _opened(archived)
        if not workbooks.is_workbook(container.namelist()):
            held = _zip_members(container)
    return [inner for member in held for inner in _expanded(member, archived)]


def _opened(archived: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archived)
    except zipfile.BadZipFile:
        raise RefusedError(
            "broken_container", "The zip is cut or damaged. Download it again."
        ) from None


def _zip_members(container: zipfile.ZipFile) -> list[Member]:
    infos = [info for info in container.infolist() if _is_export(info)]
    if not infos:
        raise RefusedError("empty", "The zip holds no file.")
    if len(infos) > MOST_MEMBERS:
        raise RefusedError("too_large", f"More than {MOST_MEMBERS} members in the zip.")
    if any(info.flag_bits & 1 for info in infos):
        raise RefusedError(
            "encrypted", "The zip is encrypted. Unpack it and drop its files."
        )
    single = len(infos) == 1
    return [
        Member(
            "" if single else info.filename,
            lambda info=info: container.open(info),  # type: ignore[misc, arg-type]
            info.compress_size,
            True,
        )
        for info in infos
    ]


def _is_export(info: zipfile.ZipInfo) -> bool:
    name = info.filename.rsplit("/", 1)[-1]
    return not (info.is_dir() or name.startswith(".") or "__MACOSX" in info.filename)


def _expanded(member: Member, archived: Path) -> list[Member]:
    """The tables inside a member that holds some, else the member itself."""
    try:
        with member.open() as stream:
            first = stream.read(8)[:8]
        if first.startswith(columnar.MAGIC):
            source = _whole(member) if member.is_packed else archived
            return [columnar.table(member, source)]
        if first.startswith(workbooks.MAGIC) or first.startswith(ZIPS):
            content = _whole(member)
            return workbooks.sheets(member, content) or [member]
    except RefusedError as refused:
        # Told when it is read: the other members of a zip are not to blame.
        return [Member(member.name, _refusing(refused), 0, True)]
    except _DAMAGE:
        pass  # whoever reads the member says what is wrong
    return [member]


def _refusing(refused: RefusedError) -> Callable[[], BinaryIO]:
    def fail() -> BinaryIO:
        raise refused

    return fail


def _whole(member: Member) -> bytes:
    content = bytearray()
    with member.open() as stream:
        while chunk := stream.read(CHUNK):
            content += chunk
            if len(content) > LARGEST_INSIDE:
                raise RefusedError(
                    "too_large",
                    f"A workbook or packed table over {LARGEST_INSIDE >> 20} MB must be"
                    " read whole. Export it as CSV.",
                )
    return bytes(content)
