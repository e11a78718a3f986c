"""``config/changes.yaml``: what the owner changed, checked before anything is read."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.changes import Change, Changes, change_kinds, load_changes
from dagster_project.configuration import ConfigurationError
from dagster_project.settings import PROJECT_ROOT
from tests.conftest import Deployment


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


GOOD = """\
changes:
  - date: 2026-02-01
    kind: preference_center
    stream: Newsletter
  - date: 2026-03-01
    kind: frequency
    stream: Offers
    compare_with: [Newsletter]
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(
            "kind: preference_center",
            "kind: preference_centre",
            r"line 3: changes\.0\.kind: expected one of frequency, .*other; did you"
            r" mean preference_center\?",
            id="a kind that is none",
        ),
        pytest.param(
            "compare_with: [Newsletter]",
            "campare_with: [Newsletter]",
            r"line 8: changes\.1\.campare_with: no such key; expected one of date,",
            id="a misspelt key",
        ),
        pytest.param(
            "changes:",
            "change:",
            r"line 1: change: no such key; expected one of changes",
            id="another key at the top",
        ),
        pytest.param(
            "date: 2026-02-01",
            "date: 2026-02-31",
            r"line 2: changes\.0\.date: a day that no calendar knows",
            id="a day that no calendar knows",
        ),
        pytest.param(
            "date: 2026-02-01",
            "date: 0226-02-01",
            r"line 2: changes\.0\.date: expected a year from 1990 to 2100",
            id="a year before mail",
        ),
        pytest.param(
            "    kind: frequency\n",
            "",
            r"line 5: changes\.1\.kind: Field required",
            id="a change without a kind",
        ),
        pytest.param(
            "stream: Newsletter\n",
            "stream: 2026\n",
            r"line 4: changes\.0\.stream: expected text; put quotes around",
            id="a number for a name",
        ),
        pytest.param(
            "[Newsletter]",
            "[' offers']",
            r"line 5: changes\.1: compare_with: expected streams that did not change",
            id="a stream compared with itself",
        ),
        pytest.param(
            "compare_with: [Newsletter]",
            "campaigns: [spring]",
            r"line 5: changes\.1: campaigns: only re_permission has",
            id="campaigns that asked nothing",
        ),
        pytest.param(
            "compare_with: [Newsletter]",
            "list: Newsletter",
            r"line 5: changes\.1: list: frequency is seen in mail that was sent",
            id="a list where mail is judged",
        ),
        pytest.param(
            "kind: frequency",
            "kind: double_opt_in",
            r"line 5: changes\.1: compare_with: double_opt_in changes who joins",
            id="streams to compare joiners with",
        ),
        pytest.param(
            "stream: Offers",
            "account: newsletter",
            r"line 5: changes\.1: account: expected source/account, such as",
            id="an account without a source",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, says: str, tmp_path: Path
) -> None:
    assert len(load_changes(write(tmp_path, GOOD)).declared) == 2
    with pytest.raises(ConfigurationError, match=rf"config/changes\.yaml, {says}"):
        load_changes(write(tmp_path, GOOD.replace(old, new, 1)))


def test_what_began_together_is_one_change(tmp_path: Path) -> None:
    twice = (
        "- {date: 2026-02-01, kind: content, stream: News, note: footer}\n"
        "- {date: 2026-02-01, kind: content, stream: ' NEWS ', note: header}\n"
    )
    with pytest.raises(
        ConfigurationError,
        match=r"line 2: changes\.1: the same kind .*line 1: changes\.0",
    ):
        load_changes(write(tmp_path, twice))


def test_a_change_begins_in_the_zone_of_its_account_and_is_another_build(
    deployment: Deployment,
) -> None:
    deployment.configure("accounts: {generic: {crm: {timezone: Europe/Copenhagen}}}")
    deployment.drop("generic/crm/note.csv", "unreadable")
    first = deployment.land().build_id
    write(
        deployment.settings.at.config,
        "- {date: 2026-07-01, kind: other, account: generic/crm, compare_with: [A]}\n"
        "- {date: 2026-07-01, kind: re_permission, campaigns: ['1']}\n",
    )
    assert deployment.land().build_id != first
    context = deployment.settings.at.context
    changes = pq.read_table(context / "changes.parquet").to_pylist()
    # Midnight in Copenhagen in July is 22:00 in UTC.
    assert [f"{change['changed_at']:%m-%d %H:%M}" for change in changes] == [
        "06-30 22:00",
        "07-01 00:00",
    ]
    assert [change["is_compared_by_itself"] for change in changes] == [False, True]
    names = pq.read_table(context / "change_names.parquet").to_pylist()
    assert [(name["names"], name["name"]) for name in names] == [
        ("control", "A"),
        ("campaign", "1"),
    ]


def test_nothing_is_landed_with_a_source_that_nobody_knows(
    deployment: Deployment,
) -> None:
    deployment.configure("accounts: {}")
    write(
        deployment.settings.at.config,
        "- date: 2026-07-01\n  kind: other\n  account: mailchump/news\n",
    )
    deployment.drop("generic/a.csv", "x")
    with pytest.raises(
        ConfigurationError,
        match=r"line 3: changes\.0\.account: expected one of .*generic",
    ):
        deployment.land()
    assert deployment.loads() == {}


PAGE = (PROJECT_ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_documented_example_shows_every_key(tmp_path: Path) -> None:
    declared = load_changes(write(tmp_path, EXAMPLES[0])).declared
    shown = {name for change in declared for name in change.model_fields_set}
    assert shown == set(Change.model_fields) - {"source"}


def test_every_kind_is_documented() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(change_kinds())
