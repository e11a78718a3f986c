"""Payloads that vendors really sent, where this machine has them beside the clone.

They are other people's files and are never copied into the repository; what they
taught stands in the authored samples.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dagster_project.landing.ledger import Load
from dagster_project.settings import PROJECT_ROOT

PAYLOADS = PROJECT_ROOT.parent / "shared" / "samples"

needs_payloads = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the vendors' payloads are not beside this clone"
)


def read_payloads(name: str) -> list[dict[str, Any]]:
    """The recorded payloads of a JSON file below the folder; none without it."""
    path = PAYLOADS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def assert_accounted(load: Load) -> None:
    """A file is refused with a reason, or each of its records has one fate."""
    if load.state == "refused":
        assert load.refusal_reason and load.refusal_detail
        return
    assert load.state in ("loaded", "duplicate")
    if load.state == "loaded":
        fates = load.loaded_count + load.duplicate_count + load.rejected_count
        assert load.record_count == fates + load.skipped_count


def fates_of(load: Load) -> tuple[int, int, int, dict[str, int]]:
    """Records loaded, duplicate and rejected, and those skipped with why."""
    assert_accounted(load)
    assert load.state == "loaded", load.refusal_detail
    return load.loaded_count, load.duplicate_count, load.rejected_count, load.skipped
