"""The line of a path inside a YAML text."""

from __future__ import annotations

import pytest

from dagster_project.mapping.places import line_of, repeated_key, unreadable

TEXT = """\
# a comment
source: acme
exports:
  - name: events
    inputs:
      id: { column: Id,
            required: true }
  - &totals
    name: totals
    inputs:
      name: { column: Campaign }
  - <<: *totals
    name: more
  - <<: [{ notes: one }, *totals]
twice: 1
twice: 2
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param((), 2, id="of the whole text where it begins"),
        pytest.param(("source",), 2, id="of a key"),
        pytest.param(("exports", 0), 4, id="of a list's item"),
        pytest.param(("exports", 0, "inputs", "id"), 6, id="of a deep key"),
        pytest.param(("exports", 0, "inputs", "id", "required"), 7, id="inside braces"),
        pytest.param(("exports", 2, "name"), 13, id="of the key itself, not merged"),
        pytest.param(
            ("exports", 2, "inputs", "name"), 11, id="of a merged key at its anchor"
        ),
        pytest.param(("exports", 3, "notes"), 14, id="of the first of several merged"),
        pytest.param(("exports", 3, "inputs"), 10, id="of a later of several merged"),
        pytest.param(("twice",), 16, id="of the last of two equal keys"),
        pytest.param(("exports", 0, "lands"), 4, id="of what lacks a key"),
        pytest.param(("exports", 9), 3, id="of what lacks an item"),
        pytest.param(("exports", 1, "Export", "name"), 9, id="past an alternative"),
        pytest.param(("source", "deeper"), 2, id="of a text where more was expected"),
    ],
)
def test_line(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize("text", ["", "# nothing", "a: [", "a: 1\n b: 2"])
def test_text_without_places_has_no_line(text: str) -> None:
    assert line_of(text, ("a",)) is None


def test_key_that_stands_twice_is_found_with_both_lines() -> None:
    text = "a: &a {b: 1}\nc:\n  - <<: *a\n    b: 2\n  - d: 1\n    e: 2\n    d: 3\n"
    assert repeated_key(text) == (("c", 1, "d"), 5, 7)
    assert repeated_key("a: &a {b: 1}\nc: {<<: *a, b: 2}") is None
    assert repeated_key("") is None


def test_date_that_no_calendar_knows_is_found_with_its_line() -> None:
    assert unreadable("a:\n  - 2026-09-30\n  - 2026-09-31\n") == (("a", 1), 3)
    assert unreadable("a: 2026-09-30\nb: [1.5, yes, 0x1f, text, null]") is None
    assert unreadable("a: [") is None
