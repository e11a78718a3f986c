"""How numbers and findings are said: every sentence of the page that depends on data.

Plain text, escaped by the template; only the headline marks its numbers and escapes
what it quotes itself. Unknown is a word with a reason, never a 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from math import floor, log10

from dagster_project.report.rows.sends import (
    UNPROVEN,
    Band,
)

UNKNOWN = "unknown"

SPACE = "\N{NO-BREAK SPACE}"

DASH = "\N{EN DASH}"

MINUS = "\N{MINUS SIGN}"

DUST = 1e-9
"""Nearer to 0 is rounding, not a number."""

FINE_PCT = 0.1
"""Below it a third digit is dust."""

_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

BANDS = {UNPROVEN: "not proven"}
"""Bands that are not called by their own word."""


def percent(value: float | None, edges: Sequence[float] = ()) -> str:
    """Two or three significant digits, more where these would cross a band's edge."""
    if value is None:
        return UNKNOWN
    text = significant(value, 3 if value >= FINE_PCT else 2)
    if value < 10 and "." in text and text.endswith("0"):
        text = significant(value, 2)
    for digits in range(3, 12):
        if all(_side(float(text), edge) == _side(value, edge) for edge in edges):
            break
        text = significant(value, digits)
    return f"{text}{SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval, the sign of percent once."""
    if low is None or high is None:
        return UNKNOWN
    return f"{significant(low, 2)}{DASH}{significant(high, 2)}{SPACE}%"


def significant(value: float, digits: int) -> str:
    """A number with as many digits as say something; the dust of a sum is none."""
    if abs(value) < DUST:
        return "0"
    return f"{value:.{max(0, digits - 1 - floor(log10(abs(value))))}f}"


def _side(value: float, edge: float) -> int:
    return (value > edge) - (value < edge)


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return UNKNOWN if value is None else f"{round(value):,}"


def signed(value: float | None) -> str:
    """A whole number of people with its sign."""
    if value is None:
        return UNKNOWN
    people = round(value)
    return "0" if people == 0 else f"{'+' if people > 0 else MINUS}{abs(people):,}"


def people(value: int | None, low: int | None, high: int | None) -> tuple[str, str]:
    """People beyond expectation, and between which numbers they surely lie."""
    if value is None or low is None or high is None:
        return signed(value), ""
    return signed(value), f"{signed(low)} to {signed(high)}"


def growth(value: float | None) -> str:
    """By how much something grew."""
    if value is None:
        return UNKNOWN
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(value):,.0f}{SPACE}%"


def number(value: float | None, digits: int = 1) -> str:
    """A number that is no percentage."""
    if value is None:
        return UNKNOWN
    return f"{value:.{digits}f}".replace("-", MINUS)


def times(ratio: float | None) -> str:
    """How many times as much."""
    return UNKNOWN if ratio is None else f"{_significant_ratio(ratio)}×"


def ratio_range(low: float | None, high: float | None) -> str:
    """Both ends of a ratio's interval."""
    if low is None or high is None:
        return UNKNOWN
    return f"{_significant_ratio(low)} to {_significant_ratio(high)}"


def _significant_ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def compact(value: float | None) -> str:
    """A constant, as short as it is."""
    return UNKNOWN if value is None else f"{value:.3g}".replace("-", MINUS)


def day(moment: datetime | date | None) -> str:
    """A day as people write it."""
    if moment is None:
        return UNKNOWN
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def month(first_day: date | None) -> str:
    """A month as people write it."""
    if first_day is None:
        return UNKNOWN
    return f"{_MONTHS[first_day.month - 1]} {first_day.year}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def small(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun, a small one as a word."""
    noun = one if number == 1 else many or one + "s"
    return f"{_SMALL[number] if number < len(_SMALL) else format(number, ',')} {noun}"


def is_or_are(number: int) -> str:
    """The verb of a count."""
    return "is" if number == 1 else "are"


def band_range(band: Band) -> str:
    """The stretch of rates a band covers."""
    low, high = band.lower_pct or 0.0, band.upper_pct
    if high is None:
        return f"above {low:g}{SPACE}%"
    if not low:
        return f"below {high:g}{SPACE}%"
    return f"{'' if band.is_lower_inclusive else 'above '}{low:g}{DASH}{high:g}{SPACE}%"


def list_name(word: str) -> str:
    """A list as people call it; a mart sums those of an account under ``(all)``."""
    return {"(all)": "All lists", "(unknown)": "List not told"}.get(word, word)


def spelled_out(code: str | None) -> str:
    """A code of the marts with spaces."""
    return (code or "").replace("_", " ")


def band_name(band: str | None) -> str:
    """What a band is called."""
    return BANDS.get(band or "", band or "none")


def days(number: float | None) -> str:
    """A length of time."""
    if number is None:
        return UNKNOWN
    rounded = round(number, 1)
    return f"{rounded:g} {'day' if rounded == 1 else 'days'}"


def share(part: int | None, share_pct: float | None, whole: int | None) -> str:
    """A share with what it is a share of; empty where it says nothing more."""
    if not part or share_pct is None or whole is None:
        return ""
    return f"{percent(share_pct)} of {count(whole)}"


def points(value: float | None) -> str:
    """How far a rate moved, in percentage points."""
    if value is None:
        return UNKNOWN
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{significant(abs(value), 2)} points"
