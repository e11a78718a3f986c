"""Patterns of people: what Python and the engine's RE2 read alike, and nothing else."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.mapping.patterns import check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "sale",
        "^(sale|offer)s?$",
        r"\bweekly\b",
        r"20\d\d-[01]\d",
        r"[^\]a-z_-]+",
        r"(?i:news)|(?P<kind>digest)",
        r"\[test\]",
        "(?s)a.b",
        "é{2,3}",
        "a*?",
    ],
)
def test_plain_pattern_is_read_as_it_stands(pattern: str) -> None:
    assert check_pattern(pattern) == pattern
    assert engine_reads(pattern)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        pytest.param("(sale", "a regular expression: missing", id="open bracket"),
        pytest.param("sale(?!s)", r"without `\(\?!s`.*look-around", id="not followed"),
        pytest.param("(?<=x)sale", r"without `\(\?<=`.*look-around", id="preceded"),
        pytest.param("(?>sale)", "look-around, conditions", id="atomic group"),
        pytest.param(r"(a)\1", r"`\\1` do not exist", id="back-reference"),
        pytest.param("(?P<n>a)(?P=n)", "back-references", id="named back-reference"),
        pytest.param("(?x)sale", r"without `\(\?x", id="comments in patterns"),
        pytest.param("a++", r"one repetition, not `\+\+`", id="possessive"),
        pytest.param(r"sale\Z", r"not `\\Z`", id="end in Python's letter"),
        pytest.param(r"[\b]", "edge of a word", id="edge of a word in brackets"),
        pytest.param("a{,3}", "expected `{0,3}`", id="count without a beginning"),
        pytest.param("a{1001}", "at most 1000", id="many repetitions"),
        pytest.param("(?:a{500}){3}", "at most 1000", id="repeated repetitions"),
    ],
)
def test_pattern_that_one_of_both_does_not_know_is_refused(
    pattern: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        check_pattern(pattern)


PARTS = [
    *"ab é.^$|*+?{}[]()-\\",
    *(r"\d", r"\W", r"\b", r"\.", r"\x41", r"\Z", r"\1", r"\n", r"\_", r"\p{L}"),
    *("[a-z]", "[^b]", "[]a]", r"[\]x]", r"[\b]", "[[:alpha:]]"),
    *("(?:a|b)", "(?P<n>a)", "(?i)", "(?=a)", "(?<!a)", "(?#x)", "{2}", "{,3}", "a++"),
]


@given(st.lists(st.sampled_from(PARTS), max_size=5).map("".join))
def test_whatever_is_accepted_the_engine_reads(pattern: str) -> None:
    try:
        check_pattern(pattern)
    except ValueError:
        return
    assert engine_reads(pattern)


def engine_reads(pattern: str) -> bool:
    with duckdb.connect() as engine:
        engine.execute(
            "select regexp_matches(text, pattern, 'i')"
            " from (select 'abc' as text, cast(? as varchar) as pattern)",
            [pattern],
        ).fetchall()
    return True
