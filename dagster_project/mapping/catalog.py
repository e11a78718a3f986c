"""What a mapping's exports can tell: the fields each fills and the columns they need.

Read by the coverage of a deployment, which names the file that would answer what the
files so far cannot, and by what lists the sources. Compiling and landing know nothing
of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_project.mapping.canonical import TableName
from dagster_project.mapping.model import Export, Source

SUBJECTS: dict[TableName, str] = {
    "campaign_stats": "totals",
    "message_events": "events",
    "contact_snapshots": "contacts",
    "list_validations": "validations",
    "domain_reputation": "reputation",
}
"""What a landing table is about, in a word."""
COVERED = ("totals", "events", "contacts", "reasons", "validations", "reputation")
"""Everything a source may cover, in the order of telling."""


@dataclass(frozen=True)
class FilledField:
    """A canonical field that an export fills.

    Attributes:
        name: the field.
        column: the file's column it is read from; None where the file has no columns
            or several values decide.
    """

    name: str
    column: str | None


def filled_fields(export: Export) -> tuple[FilledField, ...]:
    """Every canonical field the export's files can fill, by name."""
    return tuple(
        FilledField(name, column) for name, column in sorted(_columns_by_field(export))
    )


def told_events(export: Export) -> tuple[str, ...] | None:
    """The event types the export can tell, None where its files may tell any."""
    if not export.events:
        return None
    told = [rule.event_type or rule.otherwise for rule in export.events]
    return tuple(sorted({event for event in told if event}))


def required_columns(export: Export) -> tuple[str, ...]:
    """The columns without which no file is recognised, as the mapping lists them."""
    return tuple(entry.column[0] for entry in export.required.values() if entry.column)


def covered(source: Source) -> tuple[str, ...]:
    """What a source covers: its tables' subjects, and whether people say why."""
    found = {SUBJECTS[export.lands] for export in source.exports}
    if any(export.reasons for export in source.exports):
        found.add("reasons")
    return tuple(subject for subject in COVERED if subject in found)


def identifying(export: Export) -> tuple[str, ...]:
    """The columns or paths without which no file is recognised, as first named."""
    return tuple(
        (entry.column or entry.path or [name])[0]
        for name, entry in export.required.items()
    )


def _columns_by_field(export: Export) -> Iterator[tuple[str, str | None]]:
    given = dict(export.fields)
    for name in {name for rule in export.events for name in rule.set} - set(given):
        yield name, None
    if export.events:
        yield "event_type", None
    if export.reasons is not None:
        yield "reason", _column(export, export.reasons.value[0])
    if export.address is not None:
        yield "contact_key", _column(export, export.address)
    if (
        "recipients_minus_bounces" in export.delivered
        and "delivered_count" not in given
    ):
        yield "delivered_count", None
    for name, expression in given.items():
        yield name, _column(export, expression)


def _column(export: Export, expression: str) -> str | None:
    """The column a bare input stands for."""
    entry = export.inputs.get(expression.strip())
    return entry.column[0] if entry is not None and entry.column else None
