"""What the texts of a column look like: addresses, moments, counts, rates, words.

Moments are tried with the engine's own parser, so that a format that is drafted is one
that lands. Shapes say nothing of what a column means; ``guess.py`` does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal

import duckdb

from dagster_project.landing.identity import normalise
from dagster_project.scaffold.example import Leaf

ShapeKind = Literal[
    "empty", "address", "time", "flag", "percent", "count", "number", "text"
]

_MOST_DISTINCT = 300
_MOSTLY_PEOPLE = 0.4
"""Share of addresses from which a column is one of people; some lists are bad."""
_BROKEN = 0.15
"""Share of texts that may be broken without making a column something else."""
_DAYS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y"),
    *("%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%b %d, %Y", "%B %d, %Y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%a, %d %b %Y", "%a, %b %d, %Y", "%Y%m%d"),
)
_HOURS = (
    *("", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", "T%H:%M"),
    *(" at %I:%M %p", " at %H:%M", ", %H:%M", ", %H:%M:%S", ", %I:%M %p", " %I:%M%p"),
    *("%H%M%S", " %H:%M:%S.%f", ", %I:%M:%S %p"),
)
_ZONES = ("", " %z", "%z")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?)?")
_ISO_ZONED = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:?\d\d)"
)
_ISO_UTC = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)? (UTC|Z)")
_UNITS = {
    "unix_seconds": re.compile(r"(9[4-9]\d{7}|1\d{9}|20\d{8})([.]\d+)?"),
    "unix_milliseconds": re.compile(r"(9[4-9]\d{10}|1\d{12}|20\d{11})"),
}
"""From the year 2000 on."""
_ABOUT_TIME = frozenset(
    [
        "time",
        "date",
        "at",
        "timestamp",
        "ts",
        "datetime",
        "created",
        "updated",
        "sent",
        "when",
        "on",
    ]
)
_ABOUT_RATE = frozenset(["rate", "percent", "percentage", "pct", "ratio"])
_ABOUT_FLAG = frozenset(["is", "has"])
_FLAGS = frozenset(["true", "false", "yes", "no", "y", "n", "t", "f"])
STYLES: tuple[tuple[str | None, str], ...] = (
    *((None, "."), (",", "."), (".", ","), (" ", ","), (None, ","), (" ", ".")),
)
"""Marks of thousands and of the fraction, the usual ones first."""


@dataclass(frozen=True)
class Shape:
    """What the texts of one leaf look like.

    Attributes:
        kind: what they all are.
        formats: for moments: how they are written, as `times.formats` names it.
        others: other formats that fit just as well.
        zone: for moments: in_value, UTC, or empty where they say nothing.
        distinct: how many different texts there are.
        has_percent_signs: whether a rate carries its sign.
    """

    kind: ShapeKind
    formats: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    zone: str = ""
    distinct: int = 0
    has_percent_signs: bool = False

    def told(self) -> str:
        """In words for the draft; never a value."""
        if self.kind == "time":
            written = ", ".join(self.formats) or "ISO 8601"
            own = {"in_value": " with its zone", "UTC": " in UTC"}.get(self.zone, "")
            also = f"; fits {', '.join(self.others)} as well" if self.others else ""
            return f"time, {written}{own}{also}"
        if self.kind == "text":
            return f"text, {self.distinct} different"
        return "empty in this file" if self.kind == "empty" else self.kind


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name, however it is written."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", parted)
    return tuple(re.findall(r"[a-z0-9]+|[^\W\d_]+", parted.lower()))


def shape_of(leaf: Leaf, engine: duckdb.DuckDBPyConnection) -> Shape:
    """What a leaf's texts look like."""
    counted = Counter(leaf.values)
    texts = [text for text, _ in counted.most_common(_MOST_DISTINCT)]
    if not texts:
        return Shape("empty")
    said = set(tokens(leaf.path or leaf.name))
    count = len(counted)
    people = sum(_is_address(text) for text in texts)
    if "id" not in said and people >= _MOSTLY_PEOPLE * len(texts):
        return Shape("address", distinct=count)
    if (moment := _moment(texts, said, engine)) is not None:
        return moment
    lowered = {text.lower() for text in texts}
    is_flag = bool(said & _ABOUT_FLAG) and lowered <= _FLAGS | {"0", "1"}
    if is_flag or (lowered <= _FLAGS and len(lowered - {"t", "f", "y", "n"}) > 0):
        return Shape("flag", distinct=count)
    if any(_are(texts, partial(is_number, style=style)) for style in STYLES):
        signed = any(text.endswith("%") for text in texts)
        if signed or said & _ABOUT_RATE:
            return Shape("percent", distinct=count, has_percent_signs=signed)
        whole = any(_are(texts, partial(is_count, style=style)) for style in STYLES)
        return Shape("count" if whole else "number", distinct=count)
    return Shape("text", distinct=count)


def _is_address(text: str) -> bool:
    return "@" in text and normalise(text) is not None


def _are(texts: Sequence[str], test: Callable[[str], object]) -> bool:
    """Whether texts are of a kind, but for a few broken ones."""
    return sum(bool(test(text)) for text in texts) >= _enough(len(texts))


def _enough(count: int) -> int:
    return count - int(_BROKEN * count)


def is_count(text: str, style: tuple[str | None, str]) -> bool:
    """Whether a text is a whole number as such an export writes it."""
    return re.fullmatch(rf"{_whole(style)}([{style[1]}]0+)?", text) is not None


def is_number(text: str, style: tuple[str | None, str]) -> bool:
    """Whether a text is a number, or a rate, as such an export writes it."""
    fraction = rf"[{style[1]}]\d+"
    pattern = rf"[+-]?({_whole(style)}({fraction})?|{fraction})\s*%?"
    return re.fullmatch(pattern, text) is not None


def _whole(style: tuple[str | None, str]) -> str:
    thousands = style[0]
    return rf"(\d+|\d{{1,3}}([{thousands}]\d{{3}})+)" if thousands else r"(\d+)"


def number_style(texts: Iterable[str]) -> tuple[str | None, str]:
    """How an export writes numbers: the first way that most of them fit."""
    listed = list(texts)
    return max(
        STYLES,
        key=lambda style: (
            sum(is_number(text, style) for text in listed),
            -STYLES.index(style),
        ),
    )


def _moment(
    texts: list[str], said: set[str], engine: duckdb.DuckDBPyConnection
) -> Shape | None:
    count = len(texts)
    if _are(texts, _ISO_ZONED.fullmatch):
        return Shape("time", zone="in_value", distinct=count)
    if _are(texts, _ISO_UTC.fullmatch):
        return Shape("time", ("iso",), zone="UTC", distinct=count)
    if _are(texts, _ISO.fullmatch):
        return Shape("time", ("iso",), distinct=count)
    if said & _ABOUT_TIME:
        for unit, pattern in _UNITS.items():
            if _are(texts, pattern.fullmatch):
                return Shape("time", (unit,), zone="in_value", distinct=count)
    looks_so = said & _ABOUT_TIME or any(re.search(r"\d[/:.-]\d", t) for t in texts)
    if not looks_so or any(len(text) > 40 for text in texts):
        return None
    fitting = _fitting(texts, engine)
    if not said & _ABOUT_TIME:
        # Versions and codes are no dates of the first century.
        fitting = {entry: n for entry, n in fitting.items() if "%y" not in entry}
    most = max(fitting.values(), default=0)
    best = [entry for entry, fits in fitting.items() if fits == most]
    if 2 * most < count or not best:
        return None
    zone = "in_value" if best[0].endswith("%z") else ""
    others = [entry for entry in best[1:] if ("%z" in entry) == ("%z" in best[0])]
    if most >= _enough(count):
        return Shape("time", (best[0],), tuple(others), zone, count)
    # Two ways of writing, such as with short and with full names of months.
    for second in fitting:
        both = [best[0], second]
        if second not in best and _read(texts, both, engine) == count:
            return Shape("time", tuple(both), (), zone, count)
    return None


def _read(
    texts: list[str], formats: list[str], engine: duckdb.DuckDBPyConnection
) -> int:
    tries = ", ".join(_parsed(entry) for entry in formats)
    row = engine.execute(
        f"select count(coalesce({tries})) from (select unnest(?) as moment)", [texts]
    ).fetchone()
    return int(row[0]) if row else 0


def _parsed(entry: str) -> str:
    moment = f"cast(try_strptime(moment, '{entry}') as timestamp)"
    return f"case when year({moment}) between 1990 and 2100 then {moment} end"


def _fitting(texts: list[str], engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Formats that the engine reads some text with, and how many."""
    formats = ["".join(parts) for parts in product(_DAYS, _HOURS, _ZONES)]
    formats = [entry for entry in formats if ":" in entry or "%z" not in entry]
    tried = ", ".join(f"count(try_strptime(moment, '{entry}'))" for entry in formats)
    row = engine.execute(
        f"select {tried} from (select unnest(?) as moment)", [texts]
    ).fetchone()
    assert row is not None
    possible = [entry for entry, fits in zip(formats, row, strict=True) if fits]
    # Only now the dearer question whether such a year is meant.
    read = {entry: _read(texts, [entry], engine) for entry in possible}
    return {entry: fits for entry, fits in read.items() if fits}
