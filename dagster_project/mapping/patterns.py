"""Patterns that people write in YAML and that the engine's RE2 has to understand.

RE2 promises linear time and so lacks some of what Python's ``re`` has. A pattern must
mean the same to both, so that a mistake is told when it is read, not by a broken run.
"""

from __future__ import annotations

import re
import warnings
from math import prod

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = frozenset("dDwWsSbBAnrtfvax")
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_GROUP = re.compile(r"\((?!\?(?:P<\w+>|[ims]*(?:-[ims]+)?:|[ims]+\)))\?.{0,2}")
_STACKED = re.compile(r"[*+?}]\+")
_COUNTS = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
_MOST_REPEATS = 1000


def check_pattern(pattern: str) -> str:
    """The pattern itself, once both Python and RE2 are known to read it alike.

    Raises:
        ValueError: saying what of it RE2 does not have.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    for escape in _ESCAPE.finditer(pattern):
        _check_escape(escape[1])
    # Whatever is escaped is a letter from here on; a word's edge stays to be seen.
    bare = _ESCAPE.sub(lambda e: "\b" if e[1] == "b" else "x", pattern)
    if any("\b" in found for found in _CLASS.findall(bare)):
        raise ValueError("expected no \\b between brackets: it is the edge of a word")
    outside = _CLASS.sub("x", bare)
    if group := _GROUP.search(outside):
        raise ValueError(
            f"expected a pattern without `{group[0]}`: look-around, conditions and"
            " back-references do not exist here (RE2)"
        )
    if stacked := _STACKED.search(outside):
        raise ValueError(f"expected one repetition, not `{stacked[0]}`")
    _check_counts(outside)
    return pattern


def _check_counts(pattern: str) -> None:
    repeats = [1]
    for least, comma, most in _COUNTS.findall(pattern):
        if comma and not least:
            raise ValueError(f"expected `{{0,{most}}}` for `{{,{most}}}`")
        repeats.append(max(int(least or 0), int(most or 0), 1))
    # A counted group multiplies what is counted inside it.
    together = prod(repeats) if "){" in pattern else max(repeats)
    if together > _MOST_REPEATS:
        raise ValueError(f"expected at most {_MOST_REPEATS} repetitions")


def _check_escape(letter: str) -> None:
    if letter.isdigit():
        raise ValueError(
            f"back-references such as `\\{letter}` do not exist here (RE2)"
        )
    if (letter.isalpha() and letter not in _ESCAPES) or ord(letter) > 127:
        known = " ".join(f"\\{known}" for known in sorted(_ESCAPES))
        raise ValueError(f"expected one of {known} or a sign, not `\\{letter}`")
