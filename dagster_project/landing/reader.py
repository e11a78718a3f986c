"""Bytes to plain text: checksums, encodings, limits and an own count.

What comes out is UTF-8 with plain line feeds and no byte-order mark. Where the bytes
come from is told by ``containers.py``; what the text means belongs to ``records.py``.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import zstandard

CHUNK = 1 << 20
HEAD = 1 << 20
MOST_RATIO = 100
"""Unpacked to packed bytes beyond which a container is a bomb ..."""
RATIO_APPLIES_FROM = 10 << 20
"""... once it has given this many bytes."""
MOST_BYTES = 64 << 30

ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PACKED = (*ZIPS, b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08")
_ARRAY_LINE = re.compile(rb"\n[ \t]*\[")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class RefusedError(Exception):
    """A whole file cannot be trusted.

    Attributes:
        reason: a code for programs.
        detail: for people: what was expected and what to do; never a value.
        line: physical line where known.
        column: the column where known.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        line: int | None = None,
        column: str | None = None,
    ) -> None:
        """Keep the parts; the text is the detail."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Member:
    """One text inside an archived file: the file itself, or a member of a zip.

    Attributes:
        name: member name inside a zip of several, else the empty text.
        open: gives the unpacked bytes, checking checksums to the end.
        packed_bytes: size in the container, for the bomb test.
        is_packed: whether the bytes differ from what lies in the archive.
        received: SHA-256 and size of the bytes behind the text, where ``open`` gives a
            text of ours: UTF-8 CSV with commas, made of typed cells.
        is_sheet: whether it is one of several sheets of the archived file itself.
    """

    name: str
    open: Callable[[], BinaryIO]
    packed_bytes: int
    is_packed: bool
    received: Callable[[], tuple[str, int]] | None = None
    is_sheet: bool = False


@dataclass
class Plain:
    """A member's text on disk, judged.

    Attributes:
        path: UTF-8 text, line feeds only, no byte-order mark.
        content_sha256: of the unpacked bytes as received.
        byte_count: of the unpacked bytes.
        line_count: lines that are not blank.
        record_count: lines outside quotes that are not blank, the header included.
        head: the first megabyte of the text.
        has_quotes: whether a double quote occurs (table-like files only).
        has_blank_lines: whether line numbers and record numbers may part.
        has_array_lines: whether a line begins as a JSON array does.
        has_typed_cells: whether the text is a CSV of ours, made of typed cells.
    """

    path: Path
    content_sha256: str
    byte_count: int
    line_count: int
    record_count: int
    head: str
    has_quotes: bool
    has_blank_lines: bool
    has_array_lines: bool = False
    has_typed_cells: bool = False


class TextStream(io.RawIOBase):
    """A text of ours that is made while it is read, chunk by chunk."""

    def __init__(self, chunks: Generator[bytes, None, None]) -> None:
        """Take the chunks; none is made before it is asked for."""
        self._chunks = chunks

    def close(self) -> None:
        """Make no more of it."""
        self._chunks.close()
        super().close()

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next chunk, however long; the empty one is the end."""
        return next((chunk for chunk in self._chunks if chunk), b"")


def read_plain(member: Member, archived: Path, target: Path, encoding: str) -> Plain:
    """Unpack, check and count one member in one pass over its bytes.

    Args:
        member: from :func:`members`.
        archived: the archived file, used as it lies when nothing has to change.
        target: where to write the text when something has to.
        encoding: tried strictly where no byte-order mark says otherwise.

    Raises:
        RefusedError: see the reasons inside; never quotes a byte of the content.
    """
    try:
        with member.open() as stream:
            first = stream.read(4)
            bom, found = next(
                ((mark, name) for mark, name in _BOMS if first.startswith(mark)),
                (b"", "utf-8" if member.received else encoding),
            )
            if first.startswith(_PACKED) and member.is_packed:
                raise RefusedError(
                    "nested", "A container inside a container. Unpack it."
                )
            rewrite = member.is_packed or bool(bom) or found != "utf-8"
            scan = _Scan(found, len(bom))
            written = target if rewrite else None
            plain = _scan_stream(stream, first, member, scan, archived, written)
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise RefusedError("broken_container", _broken(error)) from None
    except (zstandard.ZstdError, lzma.LZMAError, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk's fault, not the file's
        raise RefusedError("broken_container", _broken(None)) from None
    except NotImplementedError:
        raise RefusedError(
            "unknown_packing", "The zip is packed in an unusual way. Unpack it."
        ) from None
    if not rewrite and scan.has_carriage_returns:
        # Rare for large files: one more pass beats two line-end rules everywhere else.
        with member.open() as stream:
            scan = _Scan(found, 0)
            first = stream.read(4)
            plain = _scan_stream(stream, first, member, scan, archived, target)
    if member.received:
        plain.has_typed_cells = True
        plain.content_sha256, plain.byte_count = member.received()
    return plain


def readings(
    member: Member, archived: Path, target: Path, encodings: Iterable[str]
) -> Iterator[tuple[str, Plain]]:
    """The text in each encoding that fits; take one, for the end is an error.

    Raises:
        RefusedError: when the text is empty, or its reader was content with none.
    """
    refused: RefusedError | None = None
    for encoding in encodings:
        try:
            plain = read_plain(member, archived, target, encoding)
        except RefusedError as error:
            if error.reason != "bad_encoding":
                raise
            refused = refused or error
            continue
        if not plain.head.strip():
            raise RefusedError("empty", "The file is empty. Export it again.")
        yield encoding, plain
    raise refused or RefusedError("bad_encoding", "No declared encoding fits.")


def _broken(error: Exception | None) -> str:
    what = "ends before its end mark" if isinstance(error, EOFError) else "is damaged"
    return f"The compressed file {what}. Download or copy it again."


@dataclass
class _Scan:
    """Counts and checks over normalised chunks."""

    encoding: str
    skip: int
    lines: int = 0
    blanks: int = 0
    records: int = 0
    is_inside_quotes: bool = False
    has_quotes: bool = False
    has_carriage_returns: bool = False
    has_array_lines: bool = False
    looks_like_json: bool | None = None
    last: bytes = b"\n"
    head: bytearray = field(default_factory=bytearray)

    def take(self, chunk: bytes) -> None:
        """Count one chunk of UTF-8 whose lines end with line feeds."""
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]
        if self.looks_like_json is None and (start := chunk.lstrip()):
            self.looks_like_json = start[:1] in (b"{", b"[")
        # Most files have no bracket at all, which is found out far faster.
        if not self.has_array_lines and b"[" in chunk:
            self.has_array_lines = bool(_ARRAY_LINE.search(self.last + chunk))
        newlines, blanks = chunk.count(b"\n"), _blank_lines(self.last, chunk)
        self.lines += newlines
        self.blanks += blanks
        if self.looks_like_json or (b'"' not in chunk and not self.is_inside_quotes):
            self.records += newlines - blanks
        elif b'"' in chunk:
            self._count_outside_quotes(chunk)
        self.last = chunk[-1:] or self.last

    def _count_outside_quotes(self, chunk: bytes) -> None:
        """Count line ends that end a record, by the parity of the quotes before."""
        self.has_quotes = True
        codes = np.frombuffer(self.last + chunk, dtype=np.uint8)
        quotes = np.flatnonzero(codes[1:] == ord('"'))
        ends = np.flatnonzero(codes[1:] == ord("\n"))
        parity = (np.searchsorted(quotes, ends) + self.is_inside_quotes) % 2
        ends = ends[parity == 0]
        self.records += int((codes[ends] != ord("\n")).sum())
        self.is_inside_quotes ^= bool(len(quotes) % 2)


def _blank_lines(before: bytes, chunk: bytes) -> int:
    """Line ends that follow a line end at once."""
    first = int(before == b"\n" and chunk.startswith(b"\n"))
    if b"\n\n" not in chunk:
        return first
    ends = np.frombuffer(chunk, dtype=np.uint8) == ord("\n")
    return first + int((ends[1:] & ends[:-1]).sum())


def _scan_stream(
    stream: BinaryIO,
    first: bytes,
    member: Member,
    scan: _Scan,
    archived: Path,
    target: Path | None,
) -> Plain:
    digest = hashlib.sha256()
    total = 0
    decoder = codecs.getincrementaldecoder(scan.encoding)("strict")
    pending = b""
    writer = target.open("wb") if target else None
    try:
        for raw in _chunks(stream, first):
            digest.update(raw)
            total += len(raw)
            _check_size(total, member)
            text = _decoded(
                raw if total > len(raw) else raw[scan.skip :], decoder, scan
            )
            text, pending = _one_line_end(pending + text, scan)
            scan.take(text)
            if writer:
                writer.write(text)
        _finish(decoder, scan)
        if pending:
            scan.take(b"\n")
            if writer:
                writer.write(b"\n")
    finally:
        if writer:
            writer.close()
    unfinished = scan.last != b"\n"
    return Plain(
        path=target or archived,
        content_sha256=digest.hexdigest(),
        byte_count=total,
        line_count=scan.lines - scan.blanks + unfinished,
        record_count=scan.records + unfinished,
        head=scan.head.decode("utf-8", errors="ignore"),
        has_quotes=scan.has_quotes,
        has_blank_lines=scan.blanks > 0,
        has_array_lines=scan.has_array_lines,
    )


def _chunks(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    chunk = first + stream.read(CHUNK)
    while chunk:
        yield chunk
        chunk = stream.read(CHUNK)


def _check_size(total: int, member: Member) -> None:
    too_dense = (
        member.is_packed
        and total > RATIO_APPLIES_FROM
        and total > MOST_RATIO * max(member.packed_bytes, 1)
    )
    if too_dense or total > MOST_BYTES:
        raise RefusedError(
            "too_large",
            f"Unpacks to more than {MOST_RATIO} times its size, or {MOST_BYTES} bytes.",
        )


def _decoded(raw: bytes, decoder: codecs.IncrementalDecoder, scan: _Scan) -> bytes:
    """The chunk as UTF-8, decoded strictly where it is not plain ASCII."""
    is_utf8 = scan.encoding == "utf-8"
    try:
        if is_utf8 and raw.isascii() and not decoder.getstate()[0]:
            text = raw
        else:
            decoded = decoder.decode(raw)
            text = raw if is_utf8 else decoded.encode("utf-8")
    except UnicodeDecodeError as error:
        line = scan.lines + raw[: max(error.start, 0)].count(b"\n") + 1
        raise _bad_encoding(scan, line) from None
    if (at := text.find(b"\0")) >= 0:
        line = scan.lines + text[:at].count(b"\n") + 1
        raise RefusedError(
            "nul_byte",
            "A zero byte in the text: cut by a crash, or UTF-16 without its mark."
            " Export it again as UTF-8.",
            line,
        )
    return text


def _finish(decoder: codecs.IncrementalDecoder, scan: _Scan) -> None:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _bad_encoding(scan, scan.lines + 1) from None


def _bad_encoding(scan: _Scan, line: int) -> RefusedError:
    return RefusedError(
        "bad_encoding",
        f"Not {scan.encoding} on line {line}. Export it as UTF-8, or declare its"
        " encoding in the mapping.",
        line,
    )


def _one_line_end(text: bytes, scan: _Scan) -> tuple[bytes, bytes]:
    """Make every line end a line feed; a last carriage return waits for its pair."""
    if b"\r" not in text:
        return text, b""
    scan.has_carriage_returns = True
    pending = b"\r" if text.endswith(b"\r") else b""
    text = text.removesuffix(b"\r")
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), pending
