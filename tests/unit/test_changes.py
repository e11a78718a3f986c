"""``config/changes.yaml``: what the owner changed, checked before anything is read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.changes import Changes, load_changes


def write(folder: Path, text: str) -> Path:
    (folder / "changes.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("text", ["", "changes:", "changes: []", "# none", "[]"])
def test_an_empty_file_declares_no_change(text: str, tmp_path: Path) -> None:
    assert load_changes(tmp_path) == Changes()
    assert load_changes(write(tmp_path, text)).declared == ()


def test_a_change_says_what_was_done_to_what_and_when(tmp_path: Path) -> None:
    text = """\
- date: 2026-02-01
  kind: preference_center
  stream: Newsletter
  account: mailchimp/newsletter
- {date: 2026-03-01, kind: double_opt_in, source: generic, account: crm, list: News}
- {date: 2026-04-01, kind: re_permission, campaigns: ["0042"], compare_with: []}
- {date: 2026-05-01, kind: other, source: generic, compare_with: [Offers]}
"""
    declared = load_changes(write(tmp_path, text)).declared
    assert [change.date.month for change in declared] == [2, 3, 4, 5]
    assert declared[0].date == date(2026, 2, 1)
    assert [change.place for change in declared] == [
        ("mailchimp", "newsletter"),
        ("generic", "crm"),
        (None, None),
        ("generic", None),
    ]
    assert [change.compare_with for change in declared] == [None, None, (), ("Offers",)]
    assert declared[2].campaigns == ("0042",)
    under_a_key = "changes:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    assert load_changes(write(tmp_path, under_a_key)).declared == declared
