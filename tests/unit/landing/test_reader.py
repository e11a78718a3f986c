"""Bytes are judged before any engine sees them: containers, encodings, line ends, counts."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import random
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.landing import reader
from dagster_project.landing.containers import members
from dagster_project.landing.reader import Plain, RefusedError, read_plain

ROWS = "".join(
    f"{number},person{number}@example.com\n"
    for number in random.Random(1).sample(range(10**6), 4000)
)
TEXT = ("id,email\n" + ROWS).encode()
ZIPPED = gzip.compress(TEXT, mtime=0)


def read(
    folder: Path, content: bytes, encoding: str = "utf-8", *, member: int = 0
) -> Plain:
    archived = folder / "archived"
    archived.write_bytes(content)
    return read_plain(members(archived)[member], archived, folder / "text", encoding)


def refusal(folder: Path, content: bytes, encoding: str = "utf-8") -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read(folder, content, encoding)
    assert str(caught.value) == caught.value.detail
    return caught.value


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as container:
        for name, content in entries:
            container.writestr(name, content)
    return buffer.getvalue()


# -- gzip ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(5, id="inside its header"),
        pytest.param(len(ZIPPED) // 10, id="after a tenth"),
        pytest.param(len(ZIPPED) // 2, id="in the middle"),
        pytest.param(len(ZIPPED) * 9 // 10, id="after nine tenths"),
        pytest.param(len(ZIPPED) - 8, id="before its checksum"),
        pytest.param(len(ZIPPED) - 1, id="one byte short"),
    ],
)
def test_a_gzip_cut_anywhere_is_refused(length: int, tmp_path: Path) -> None:
    assert refusal(tmp_path, ZIPPED[:length]).reason == "broken_container"


@pytest.mark.parametrize("place", [-8, -4], ids=["checksum", "length"])
def test_a_gzip_with_a_wrong_trailer_is_refused(place: int, tmp_path: Path) -> None:
    damaged = bytearray(ZIPPED)
    damaged[place] ^= 1
    assert refusal(tmp_path, bytes(damaged)).reason == "broken_container"


def test_a_gzip_of_two_members_gives_both(tmp_path: Path) -> None:
    plain = read(tmp_path, gzip.compress(b"id\n1\n") + gzip.compress(b"2\n3\n"))
    assert plain.path.read_bytes() == b"id\n1\n2\n3\n"
    assert plain.record_count == 4


def test_a_gzip_whose_second_member_is_cut_is_refused(tmp_path: Path) -> None:
    content = gzip.compress(b"id\n1\n") + ZIPPED[: len(ZIPPED) // 2]
    assert refusal(tmp_path, content).reason == "broken_container"


def test_garbage_behind_a_gzip_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, ZIPPED + b"more").reason == "broken_container"


# -- zstandard -------------------------------------------------------------------

BLOCKS = random.Random(2).randbytes(300_000).hex().encode() + b"\n"
FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(BLOCKS)


@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9], ids=lambda share: f"{share}")
def test_a_zstandard_frame_cut_anywhere_is_refused(
    share: float, tmp_path: Path
) -> None:
    length = max(6, int(len(FRAME) * share))
    assert refusal(tmp_path, FRAME[:length]).reason == "broken_container"


def test_a_zstandard_frame_without_its_checksum_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, FRAME[:-4]).reason == "broken_container"


def test_a_flipped_bit_in_a_zstandard_frame_is_refused(tmp_path: Path) -> None:
    damaged = bytearray(FRAME)
    damaged[len(damaged) // 2] ^= 1
    assert refusal(tmp_path, bytes(damaged)).reason == "broken_container"


def test_two_zstandard_frames_give_both(tmp_path: Path) -> None:
    pack = zstandard.ZstdCompressor().compress
    plain = read(tmp_path, pack(b"id\n1\n") + pack(BLOCKS))
    assert plain.path.read_bytes() == b"id\n1\n" + BLOCKS


# -- zip -------------------------------------------------------------------------


def test_a_zip_of_one_file_is_that_file(tmp_path: Path) -> None:
    archived = tmp_path / "archived"
    archived.write_bytes(zipped(("any/name.csv", TEXT)))
    (member,) = members(archived)
    assert member.name == ""
    assert read_plain(member, archived, tmp_path / "text", "utf-8").line_count == 4001


def test_a_zip_of_several_files_gives_each_and_leaves_litter_out(
    tmp_path: Path,
) -> None:
    archived = tmp_path / "archived"
    litter = (("__MACOSX/._a.csv", b"x"), ("b/", b""), (".DS_Store", b"x"))
    archived.write_bytes(zipped(("a.csv", b"1\n"), *litter, ("b/c.csv", b"2\n3\n")))
    found = {
        member.name: read_plain(member, archived, tmp_path / "text", "utf-8").line_count
        for member in members(archived)
    }
    assert found == {"a.csv": 1, "b/c.csv": 2}


def test_a_member_that_points_outside_is_only_a_name(tmp_path: Path) -> None:
    content = zipped(("../../evil.csv", b"1\n"), ("/etc/evil.csv", b"2\n"))
    archived = tmp_path / "in" / "archived"
    archived.parent.mkdir()
    archived.write_bytes(content)
    for member in members(archived):
        read_plain(member, archived, tmp_path / "in" / "text", "utf-8")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "archived",
        "in",
        "text",
    ]


def _flagged(content: bytes, offset: int, value: int) -> bytes:
    """Change one byte of the headers of every member, local and central."""
    changed = bytearray(content)
    for magic, base in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := changed.find(magic, start)) >= 0:
            changed[start + base + offset] = value
            start += 4
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(_flagged(zipped(("a", TEXT)), 0, 1), "encrypted", id="encrypted"),
        pytest.param(
            _flagged(zipped(("a", TEXT)), 2, 99), "unknown_packing", id="packed by 99"
        ),
        pytest.param(zipped(("a.zip", zipped(("b", TEXT)))), "nested", id="zip in zip"),
        pytest.param(zipped(("a.gz", ZIPPED)), "nested", id="gzip in zip"),
        pytest.param(gzip.compress(ZIPPED), "nested", id="gzip in gzip"),
        pytest.param(zipped(("a", TEXT))[:-30], "broken_container", id="cut zip"),
        pytest.param(zipped(), "empty", id="empty zip"),
        pytest.param(
            zipped(*((f"{n}.csv", b"1\n") for n in range(1001))),
            "too_large",
            id="a thousand and one members",
        ),
    ],
)
def test_a_zip_that_cannot_be_trusted_is_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    assert refusal(tmp_path, content).reason == reason


@pytest.mark.parametrize(
    "method",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
    ids=["stored", "deflate", "bzip2", "lzma"],
)
def test_a_damaged_member_is_refused_however_it_is_packed(
    method: int, tmp_path: Path
) -> None:
    content = bytearray(zipped(("a.csv", TEXT), method=method))
    middle = content.index(b"a.csv") + 2000
    content[middle : middle + 8] = b"\xff" * 8
    assert refusal(tmp_path, bytes(content)).reason == "broken_container"


SPACES = b" " * (30 << 20)  # above the 10 MB from which 100:1 is a bomb


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: gzip.compress(SPACES), id="gzip"),
        pytest.param(
            lambda: zstandard.ZstdCompressor().compress(SPACES), id="zstandard"
        ),
        pytest.param(lambda: zipped(("a", SPACES)), id="zip"),
    ],
)
def test_a_bomb_is_refused(bomb, tmp_path: Path) -> None:
    assert refusal(tmp_path, bomb()).reason == "too_large"


def test_a_zstandard_bomb_is_unpacked_in_small_bites(tmp_path: Path) -> None:
    size = 1 << 17
    frame = zstandard.ZstdCompressor().compress(b" " * size)
    archived = tmp_path / "archived"
    archived.write_bytes(frame * (100_000 // len(frame)))
    (member,) = members(archived)
    with member.open() as stream:
        taken = stream.read(reader.CHUNK)
    # The packed bytes come 4,096 at a time, so that many whole frames at most.
    assert size <= len(taken) <= (4096 // len(frame) + 2) * size


def test_a_dense_but_small_file_is_no_bomb(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(b"x" * (1 << 20))).byte_count == 1 << 20


# -- encodings -------------------------------------------------------------------

PERSON = "id,name\n1,Bjørn ☀\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(PERSON.encode(), "utf-8", id="UTF-8"),
        pytest.param(PERSON.encode("utf-8-sig"), "utf-8", id="UTF-8 with its mark"),
        pytest.param(b"\xff\xfe" + PERSON.encode("utf-16-le"), "utf-8", id="UTF-16 LE"),
        pytest.param(b"\xfe\xff" + PERSON.encode("utf-16-be"), "utf-8", id="UTF-16 BE"),
        pytest.param(PERSON.encode("utf-8-sig"), "latin-1", id="the mark wins"),
    ],
)
def test_text_becomes_utf8_without_a_mark(
    content: bytes, encoding: str, tmp_path: Path
) -> None:
    plain = read(tmp_path, content, encoding)
    assert plain.path.read_bytes() == PERSON.encode()
    assert plain.content_sha256 == hashlib.sha256(content).hexdigest()
    assert plain.byte_count == len(content)


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    plain = read(tmp_path, "id,name\n1,Bjørn\n".encode("latin-1"), "latin-1")
    assert plain.head == "id,name\n1,Bjørn\n"


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        pytest.param(b"id\n1\nBj\xf8rn\n", "bad_encoding", 3, id="Latin-1 late"),
        pytest.param(
            b"id\n\x93quoted\x94\n", "bad_encoding", 2, id="typographic quotes"
        ),
        pytest.param(b"id\n\xc0\xaf\n", "bad_encoding", 2, id="overlong UTF-8"),
        pytest.param(b"id\n1\xe2\x98", "bad_encoding", 2, id="cut inside a character"),
        pytest.param(b"id\n1\n2\x00\n", "nul_byte", 3, id="zero byte"),
        pytest.param(b"id\n1\n" + b"\0" * 9, "nul_byte", 3, id="tail of zeros"),
        pytest.param(
            "id\n1\n".encode("utf-16-be"), "nul_byte", 1, id="UTF-16 unmarked"
        ),
        pytest.param(
            b"\xff\xfe" + b"i\0d\0\n", "bad_encoding", 1, id="half a UTF-16 unit"
        ),
    ],
)
def test_text_that_is_not_what_it_says_is_refused_with_its_line(
    content: bytes, reason: str, line: int, tmp_path: Path
) -> None:
    refused = refusal(tmp_path, content)
    assert (refused.reason, refused.line) == (reason, line)


def test_a_bad_byte_far_inside_is_found_on_its_line(tmp_path: Path) -> None:
    # 16 bytes a line: line 200,001 starts at byte 3,200,000, in the fourth megabyte.
    content = b"0123456789abcde\n" * 200_000 + b"\xf8\n"
    assert refusal(tmp_path, content).line == 200_001


# -- lines and records -----------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"id\r\n1\r\n", b"id\n1\n", id="CRLF"),
        pytest.param(b"id\r1\r", b"id\n1\n", id="lone CR"),
        pytest.param(b"id\r\n1\n2\r3", b"id\n1\n2\n3", id="mixed"),
        pytest.param(b"id\r\n\r\n1\r\r2\r\n", b"id\n\n1\n\n2\n", id="with blank lines"),
    ],
)
@pytest.mark.parametrize(
    "chunk", [1, 2, 3, 1 << 20], ids=lambda size: f"{size} at once"
)
def test_every_line_end_becomes_a_line_feed(
    content: bytes,
    lines: bytes,
    chunk: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "CHUNK", chunk)
    assert read(tmp_path, content).path.read_bytes() == lines


def test_a_sound_file_is_read_where_it_lies(tmp_path: Path) -> None:
    plain = read(tmp_path, TEXT)
    assert plain.path == tmp_path / "archived"
    assert not (tmp_path / "text").exists()


def test_a_hash_is_of_the_bytes_as_received(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfid\r\n1\r\n"
    expected = hashlib.sha256(content).hexdigest()
    assert read(tmp_path, content).content_sha256 == expected
    assert read(tmp_path, gzip.compress(content)).content_sha256 == expected
    assert read(tmp_path, zipped(("a", content))).content_sha256 == expected


@pytest.mark.parametrize(
    ("content", "records", "lines"),
    [
        pytest.param(b"id\n1\n2", 3, 3, id="without a last line end"),
        pytest.param(b"\n\n\nid\n\n\n\n1\n\n", 2, 2, id="between blank lines"),
        pytest.param(b'id\n"a\nb"\n', 2, 3, id="a line end inside quotes"),
        pytest.param(b'id\n"a\n\n\nb"\n2\n', 3, 4, id="blank lines inside quotes"),
        pytest.param(b'id\n"say ""hi""\n"\n', 2, 3, id="doubled quotes"),
        pytest.param(b'{"a": "x"}\n\n{"b": 1}\n', 2, 2, id="objects a line"),
    ],
)
def test_records_are_counted_without_the_engine(
    content: bytes, records: int, lines: int, tmp_path: Path
) -> None:
    plain = read(tmp_path, content)
    assert (plain.record_count, plain.line_count) == (records, lines)


fields = st.tuples(st.text(alphabet='ab,"\n\r é', max_size=6), st.booleans())
tables = st.lists(st.lists(fields, min_size=2, max_size=3), min_size=1, max_size=8)


def written(row: list[tuple[str, bool]]) -> str:
    """One record: quoted where it must be, and where the draw says so."""
    return ",".join(
        '"' + text.replace('"', '""') + '"'
        if is_quoted or set(text) & set(',"\n\r')
        else text
        for text, is_quoted in row
    )


@given(
    table=tables,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    blanks=st.integers(min_value=0, max_value=3),
    chunk=st.sampled_from([1, 2, 5, 1 << 20]),
)
def test_our_count_is_the_csv_modules_count(
    table: list[list[tuple[str, bool]]],
    line_end: str,
    blanks: int,
    chunk: int,
    tmp_path: Path,
) -> None:
    text = "".join(line_end * blanks + written(row) + line_end for row in table)
    counted = sum(bool(row) for row in csv.reader(io.StringIO(text, newline="")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "CHUNK", chunk)
        plain = read(tmp_path, text.encode())
    assert plain.record_count == counted == len(table)


def test_the_format_is_told_by_the_first_bytes_and_not_by_the_name(
    tmp_path: Path,
) -> None:
    archived = tmp_path / "export.csv"
    archived.write_bytes(ZIPPED)
    (member,) = members(archived)
    assert read_plain(member, archived, tmp_path / "text", "utf-8").line_count == 4001
