"""The canonical words, read from the dbt seeds: Python and SQL share one list."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SEEDED = {
    "event_types": "event_type",
    "bounce_classes": "bounce_class",
    "drop_reasons": "drop_reason",
    "opt_out_scopes": "scope",
    "opt_out_method_words": "method",
    "initiators": "initiator",
    "contact_statuses": "status",
    "opt_in_methods": "method",
    "exit_causes": "cause",
    "send_types": "send_type",
    "opt_out_reason_words": "reason",
    "validation_statuses": "status",
    "validation_reasons": "reason",
    "risks": "risk",
    "snapshot_scopes": "scope",
}
"""Seed file -> the column that holds its words."""

_FALLBACKS = ("unmapped", "other", "unknown")
"""What a word outside its vocabulary becomes, first one the vocabulary has."""


@dataclass(frozen=True)
class Vocabulary:
    """One closed list of words and what an unknown word becomes."""

    name: str
    words: tuple[str, ...]

    @property
    def fallback(self) -> str | None:
        """The word for anything unmapped, or None where the list has no such word."""
        return next((word for word in _FALLBACKS if word in self.words), None)


@cache
def vocabularies(seeds: Path) -> dict[str, Vocabulary]:
    """Read every vocabulary once.

    Args:
        seeds: the folder of the dbt seeds.

    Raises:
        FileNotFoundError: when a seed is missing.
    """
    found = {}
    for name, column in _SEEDED.items():
        with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        found[name] = Vocabulary(name, tuple(row[column] for row in rows))
    return found


@cache
def mailbox_providers(seeds: Path) -> dict[str, str]:
    """Mailbox domain -> provider group; an absent domain belongs to ``other``."""
    path = seeds / "mailbox_providers.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {row["domain"]: row["mailbox_provider"] for row in rows}
