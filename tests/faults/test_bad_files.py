"""Hostile files, landed all together: each is judged alone and no good record is lost.

Every case is drawn anew from a seed: another order of columns, another place for the
bad record, another container and file name. ``--faults=long`` draws many times. What
should land is known from how the file was made, never from what landing says.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard

from dagster_project.landing import workbooks
from dagster_project.landing.ledger import Load
from tests.conftest import Deployment, deploy
from tests.typed_tables import parquet, workbook

pytestmark = pytest.mark.faults

COLUMNS = ("event_id", "event_type", "occurred_at", "email", "campaign_id")
SHORT, LONG = 1, 20


@dataclass
class Case:
    """A file and what must become of it.

    Attributes:
        content: its bytes.
        ids: event ids that land, in order; None where the whole file is refused.
        rejected: line -> reason.
        refusal: code of the refusal.
        repeated: how many records say the same again.
    """

    content: bytes
    ids: list[str] | None = None
    rejected: dict[int | None, str] = field(default_factory=dict)
    refusal: str | None = None
    repeated: int = 0


class Table:
    """A good export of events, drawn from a seed."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.columns = [*COLUMNS, "a note"]
        draw.shuffle(self.columns)
        self.ids = [f"e{draw.randrange(10**9)}" for _ in range(draw.randint(6, 12))]
        self.lines = [self.line(event_id) for event_id in self.ids]
        self.place = draw.randint(0, len(self.lines))

    def cells(self, event_id: str, **changes: str) -> list[str]:
        good = {
            "event_id": event_id,
            "event_type": self.draw.choice(["sent", "delivered", "opened"]),
            "occurred_at": f"2026-09-{self.draw.randint(1, 30):02}T08:00:00Z",
            "email": f"{event_id}@example.com",
            "campaign_id": self.draw.choice(["C1", "1.10", "007", "10e10"]),
            "a note": self.draw.choice(
                ["", '"a, ""b"""', "\u2600", "NA", "=1+1", "-2"]
            ),
        }
        return [(good | changes)[column] for column in self.columns]

    def line(self, event_id: str, **changes: str) -> str:
        return ",".join(self.cells(event_id, **changes))

    def text(self, *bad: str, line_end: str = "\n") -> str:
        """The export, with bad lines at the drawn place."""
        lines = [*self.lines[: self.place], *bad, *self.lines[self.place :]]
        return line_end.join([",".join(self.columns), *lines, ""])

    @property
    def bad_line(self) -> int:
        """Line of the first bad record: the header is line 1."""
        return self.place + 2

    def not_first(self) -> Table:
        """Its first megabyte tells what a file is: one record must fit in there."""
        self.place = max(self.place, 1)
        return self

    def whole(self, content: bytes | str) -> Case:
        """Every record lands."""
        return Case(
            content if isinstance(content, bytes) else content.encode(), self.ids
        )

    def but_one(self, reason: str, *bad: str) -> Case:
        """Every record lands but the bad one."""
        return Case(self.text(*bad).encode(), self.ids, {self.bad_line: reason})


def refused(reason: str, content: bytes | str) -> Case:
    return Case(
        content if isinstance(content, bytes) else content.encode(), refusal=reason
    )


def zipped(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in entries.items():
            container.writestr(name, content)
    return buffer.getvalue()


def cut(content: bytes, draw: random.Random) -> bytes:
    """Some bytes short, anywhere behind the first ones."""
    return content[: draw.randint(20, len(content) - 1)]


def packed(text: str) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(text.encode())


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def rows_of(table: Table, *bad: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.text(*bad))))


def as_workbook(table: Table, *bad: str) -> bytes:
    return workbook(Export=rows_of(table, *bad))


def as_parquet(table: Table, *bad: str) -> bytes:
    header, *rows = rows_of(table, *bad)
    columns = zip(*rows, strict=True)
    return parquet(pa.table(dict(zip(header, map(list, columns), strict=True))))


TOTALS = dict.fromkeys(COLUMNS, "") | {"event_id": "Total"}
CASES: dict[str, Callable[[Table], Case]] = {
    # Containers.
    "a gzip": lambda t: t.whole(gzip.compress(t.text().encode())),
    "a zstandard file": lambda t: t.whole(packed(t.text())),
    "a zip": lambda t: t.whole(zipped(inside=t.text().encode())),
    "a gzip of two members": lambda t: t.whole(
        gzip.compress(t.text()[:50].encode()) + gzip.compress(t.text()[50:].encode())
    ),
    "a cut gzip": lambda t: refused(
        "broken_container", cut(gzip.compress(t.text().encode()), t.draw)
    ),
    "a gzip with a wrong checksum": lambda t: refused(
        "broken_container", flipped(gzip.compress(t.text().encode()), -8)
    ),
    "a cut zstandard file": lambda t: refused(
        "broken_container", cut(packed(t.text()), t.draw)
    ),
    "a cut zip": lambda t: refused(
        "broken_container", zipped(a=t.text().encode())[: -t.draw.randint(1, 60)]
    ),
    "a zip in a zip": lambda t: refused(
        "nested", zipped(a=zipped(b=t.text().encode()))
    ),
    "a bomb": lambda t: refused("too_large", gzip.compress(b"1," * (6 << 20))),
    # Typed tables.
    "a workbook": lambda t: t.whole(as_workbook(t)),
    "a workbook with a bad row": lambda t: Case(
        as_workbook(t, t.line("x", occurred_at="never")),
        t.ids,
        {t.bad_line: "bad_utc"},
    ),
    "a cut workbook": lambda t: refused(
        "broken_container", cut(as_workbook(t), t.draw)
    ),
    "a workbook with a wrong byte": lambda t: refused(
        "broken_container",
        flipped(
            as_workbook(t),
            as_workbook(t).index(b"sheet1.xml") + t.draw.randint(60, 160),
        ),
    ),
    "a workbook behind a password": lambda t: refused(
        "encrypted",
        workbooks.MAGIC + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
    ),
    "a Parquet file": lambda t: t.whole(as_parquet(t)),
    "a packed Parquet file": lambda t: t.whole(gzip.compress(as_parquet(t))),
    "a Parquet file with a bad row": lambda t: Case(
        as_parquet(t, t.line("x", occurred_at="never")),
        t.ids,
        {t.bad_line: "bad_utc"},
    ),
    "a cut Parquet file": lambda t: refused(
        "broken_container", cut(as_parquet(t), t.draw)
    ),
    # Encodings.
    "a byte-order mark": lambda t: t.whole(t.text().encode("utf-8-sig")),
    "UTF-16 with its mark": lambda t: t.whole(
        b"\xff\xfe" + t.text().encode("utf-16-le")
    ),
    "UTF-16 without its mark": lambda t: refused(
        "nul_byte", t.text().encode("utf-16-be")
    ),
    "one row of Latin-1": lambda t: refused(
        "bad_encoding",
        t.text(t.line("x", campaign_id="Bj\u00f8rn")).encode("latin-1", "replace"),
    ),
    "zeros at the end": lambda t: refused("nul_byte", t.text().encode() + bytes(64)),
    "a zero in a field": lambda t: refused(
        "nul_byte", t.text(t.line("x", campaign_id="a\0b"))
    ),
    # Line ends.
    "carriage returns and line feeds": lambda t: t.whole(t.text(line_end="\r\n")),
    "carriage returns alone": lambda t: t.whole(t.text(line_end="\r")),
    "mixed line ends": lambda t: t.whole(t.text().replace("\n", "\r\n", 3)),
    "blank lines": lambda t: t.whole("\n\n" + t.text("", "", "")),
    "no line end at the end": lambda t: t.whole(t.text().rstrip("\n")),
    "a line end inside quotes": lambda t: t.whole(
        t.text().replace(",".join(t.columns), ",".join(f'"{c}"' for c in t.columns))
        if t.draw.random() < 0.5
        else t.text().replace('"a, ""b"""', '"a,\n\n""b"""')
    ),
    # Headers.
    "nothing": lambda t: refused("empty", b""),
    "only blank lines": lambda t: refused("empty", "\n \n\n"),
    "only a header": lambda t: Case((",".join(t.columns) + "\n").encode(), []),
    "no header": lambda t: refused("unknown_export", "\n".join(t.lines) + "\n"),
    "a preamble": lambda t: refused("unknown_export", "Report of today\n\n" + t.text()),
    "semicolons": lambda t: refused("unknown_export", t.text().replace(",", ";")),
    "a required column missing": lambda t: refused(
        "missing_column", t.text().replace("occurred_at", "when", 1)
    ),
    "a required column twice": lambda t: refused(
        "doubled_column", t.text().replace("campaign_id", "Email ", 1)
    ),
    "another case and blanks in the header": lambda t: t.whole(
        t.text().replace("event_id", " Event_ID ", 1).replace("email", "EMAIL", 1)
    ),
    "an error saved as a table": lambda t: refused(
        "unknown_export", '{"success":false,"message":"not ready"}'
    ),
    # Records.
    "a field too few": lambda t: t.but_one("wrong_field_count", "a,b,c"),
    "a field too many": lambda t: t.but_one("wrong_field_count", t.line("x") + ",more"),
    "an open quote": lambda t: t.but_one(
        "bad_quotes", '"' + t.line("x", **{"a note": ""})
    ),
    "text behind a closing quote": lambda t: t.but_one(
        "bad_quotes", '"a"b' + t.line("x", **{"a note": ""})
    ),
    "a comment line": lambda t: t.but_one("wrong_field_count", "# exported today"),
    "the header again": lambda t: t.but_one("bad_utc", ",".join(t.columns)),
    "a line of totals": lambda t: t.but_one("missing_value", t.line(**TOTALS)),
    "a file cut inside its last record": lambda t: Case(
        (t.text() + "cut,in").encode(), t.ids, {len(t.ids) + 2: "wrong_field_count"}
    ),
    "a record of three megabytes": lambda t: t.but_one(
        "bad_quotes", t.line("x", campaign_id="9" * 3_000_000)
    ),
    "a time without a zone": lambda t: t.but_one(
        "bad_utc", t.line("x", occurred_at="2026-09-01 08:00")
    ),
    "a time in seconds": lambda t: t.but_one(
        "bad_utc", t.line("x", occurred_at="1788250000")
    ),
    "a time that does not exist": lambda t: t.but_one(
        "bad_utc", t.line("x", occurred_at="2026-02-30T08:00:00Z")
    ),
    "the year 1970": lambda t: t.but_one(
        "time_too_early", t.line("x", occurred_at="1970-01-01T00:00:00Z")
    ),
    "the year 9999": lambda t: t.but_one(
        "future_time", t.line("x", occurred_at="9999-01-01T00:00:00Z")
    ),
    "nobody's event": lambda t: t.but_one("missing_value", t.line("x", email=" ")),
    "the same event again": lambda t: Case(
        t.text(t.line(t.ids[0])).encode(), t.ids, repeated=1
    ),
    "an address that is none": lambda t: Case(
        t.text(t.line("x", email="not an address")).encode(),
        [*t.ids[: t.place], "x", *t.ids[t.place :]],
    ),
    "more bad than good": lambda t: refused(
        "too_many_rejected", t.text(*["a,b"] * (len(t.ids) + 1))
    ),
    "as many bad as good": lambda t: Case(
        t.text(*["a,b"] * len(t.ids)).encode(),
        t.ids,
        {t.bad_line + n: "wrong_field_count" for n in range(len(t.ids))},
    ),
    "hostile texts": lambda t: Case(
        t.text(t.line("x'; drop table staged; --", campaign_id="{{ 1/0 }}")).encode(),
        [*t.ids[: t.place], "x'; drop table staged; --", *t.ids[t.place :]],
    ),
}


def as_json(table: Table, event_id: str) -> str:
    cells = zip(table.columns, table.cells(event_id, **{"a note": ""}), strict=True)
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in cells) + "}"


def lines_with(table: Table, *bad: str) -> str:
    lines = [as_json(table, event_id) for event_id in table.ids]
    return "\n".join([*lines[: table.place], *bad, *lines[table.place :], ""])


def but_one_line(table: Table, bad: str, reason: str = "bad_json") -> Case:
    text = lines_with(table, bad).encode("utf-8", "surrogatepass")
    return Case(text, table.ids, {table.place + 1: reason})


CASES |= {
    "objects a line": lambda t: t.whole(lines_with(t)),
    "objects between blank lines": lambda t: t.whole(lines_with(t, "", "  ", "")),
    "a cut object": lambda t: but_one_line(t, as_json(t, "x")[:-9]),
    "two objects on a line": lambda t: but_one_line(
        t, as_json(t, "x") + as_json(t, "y")
    ),
    "a number for a record": lambda t: but_one_line(t, "7"),
    "a list for a record": lambda t: but_one_line(t, "[1, 2]"),
    "an empty object": lambda t: but_one_line(t, "{}", "missing_value"),
    "half a surrogate pair": lambda t: but_one_line(
        t, as_json(t, "x").replace('"x"', '"\\ud83d"')
    ),
    "brackets without an end": lambda t: but_one_line(t, '{"a":' + "[" * 200_000),
    "brackets with an end": lambda t: but_one_line(
        t, '{"a":' + "[" * 200_000 + "]" * 200_000 + "}", "missing_value"
    ),
    "an object of three megabytes": lambda t: but_one_line(
        t.not_first(), as_json(t, "x" * 3_000_000)
    ),
    "a number of five thousand digits": lambda t: but_one_line(
        t, '{"occurred_at":' + "9" * 5000 + "}", "bad_utc"
    ),
    "zeros between objects": lambda t: refused("nul_byte", lines_with(t, "\0\0")),
}


def drawn(name: str, seed: int) -> Case:
    return CASES[name](Table(random.Random(f"{name} {seed}")))


def file_name(name: str, seed: int) -> str:
    """A name that says nothing about the content; a folder that tells cases apart."""
    draw = random.Random(f"file {name} {seed}")
    shown = draw.choice(
        ["export", "a'b", "données ☀", "{{ name }}", "$(touch x)", "-rf"]
    )
    suffix = draw.choice([".csv", ".gz", ".json", ".txt", ""])
    return f"generic/case{list(CASES).index(name)}-{seed}/{shown}{suffix}"


@pytest.fixture(scope="module")
def landed(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> tuple[Deployment, dict[str, Load], int]:
    """Every case in one inbox: a bad file must not disturb the others either."""
    seeds = LONG if pytestconfig.getoption("--faults") == "long" else SHORT
    deployment = deploy(tmp_path_factory.mktemp("hostile"))
    for name in CASES:
        for seed in range(seeds):
            deployment.drop(file_name(name, seed), drawn(name, seed).content)
    deployment.land()
    return deployment, deployment.loads(), seeds


@pytest.fixture(scope="module")
def lake(
    landed: tuple[Deployment, dict[str, Load], int],
) -> dict[str, dict[str, list[dict[str, object]]]]:
    """Rows of each table by the package they lie in."""
    deployment, _, _ = landed
    by_load: dict[str, dict[str, list[dict[str, object]]]] = {}
    for table in ("message_events", "rejected_records"):
        for row in deployment.rows(table, "load, record_number"):
            place = by_load.setdefault(str(row["load"]), {})
            place.setdefault(table, []).append(row)
    return by_load


@pytest.mark.parametrize("name", CASES)
def test_a_file_lands_or_is_refused_as_its_making_says(
    name: str,
    landed: tuple[Deployment, dict[str, Load], int],
    lake: dict[str, dict[str, list[dict[str, object]]]],
) -> None:
    _, loads, seeds = landed
    for seed in range(seeds):
        case, load = drawn(name, seed), loads[file_name(name, seed)]
        rows = lake.get(load.load, {})
        landed_rows = rows.get("message_events", [])
        assert load.refusal_reason == case.refusal
        assert (load.state == "loaded") == (case.ids is not None)
        keys = [hashlib.md5(str(i).encode()).hexdigest() for i in case.ids or ()]
        assert [row["event_key"] for row in landed_rows] == keys
        rejected = rows.get("rejected_records", [])
        assert {row["line_number"]: row["reason"] for row in rejected} == case.rejected
        assert (load.loaded_count, load.rejected_count, load.duplicate_count) == (
            len(keys),
            len(case.rejected),
            case.repeated,
        )
        assert load.record_count == len(keys) + len(case.rejected) + case.repeated


@pytest.mark.parametrize("name", [n for n in CASES if drawn(n, 0).refusal])
def test_a_refusal_says_what_to_do_and_shows_no_value(
    name: str, landed: tuple[Deployment, dict[str, Load], int]
) -> None:
    _, loads, _ = landed
    load = loads[file_name(name, 0)]
    detail = load.refusal_detail or ""
    assert len(detail) > 20 and detail.endswith(".")
    values = [
        cell
        for line in Table(random.Random(f"{name} 0")).lines
        for cell in line.split(",")
    ]
    shown = [value for value in values if len(value) > 4 and value in detail]
    assert shown == []


def test_nothing_is_written_outside_the_home(
    landed: tuple[Deployment, dict[str, Load], int],
) -> None:
    deployment, _, _ = landed
    beside = {path.name for path in deployment.home.parent.iterdir()}
    assert beside == {"home", "inbox"}
    assert list(deployment.settings.at.temporary.iterdir()) == []
    assert not Path("x").exists()
