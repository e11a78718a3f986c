"""Rejected records, listed for whoever has to mend the export."""

from __future__ import annotations

import gzip

import pytest

from dagster_project.landing.rejects import rejected_records
from tests.conftest import Deployment

EVENTS = (
    "event_id,event_type,occurred_at,email\n"
    "e1,sent,2026-09-01T09:00:00Z,jane@example.com\n"
    "e2,sent,tomorrow,joe@example.com\n"
)
REJECTED = {
    "line_number": 3,
    "column_name": "occurred_at",
    "reason": "bad_utc",
    "expected": "a moment as the mapping declares (zone, formats)",
}


@pytest.fixture
def two_files(deployment: Deployment) -> Deployment:
    deployment.drop("generic/a.csv", EVENTS)
    deployment.drop("generic/b.gz", gzip.compress(EVENTS.replace("e1", "e7").encode()))
    deployment.land()
    return deployment


@pytest.mark.parametrize(
    ("file", "files"),
    [
        pytest.param(None, ["generic/a.csv", "generic/b.gz"], id="all files"),
        pytest.param("b.gz", ["generic/b.gz"], id="part of a name"),
        pytest.param("1", ["generic/a.csv"], id="a number"),
        pytest.param("0000000002", ["generic/b.gz"], id="a load"),
        pytest.param("nothing", [], id="a file nobody knows"),
    ],
)
def test_rejects_are_listed_without_what_a_person_wrote(
    file: str | None, files: list[str], two_files: Deployment
) -> None:
    found = rejected_records(two_files.settings, file, show_values=False)
    assert found == [{"file": name} | REJECTED for name in files]


def test_values_are_read_from_the_archive_when_asked_for(two_files: Deployment) -> None:
    (two_files.inbox / "generic" / "b.gz").unlink()
    found = rejected_records(two_files.settings, "b.gz", show_values=True)
    assert [row["record"] for row in found] == ["e2,sent,tomorrow,joe@example.com"]
    assert list(two_files.settings.at.temporary.iterdir()) == []
