"""What ``optout sources`` tells: every source with what it covers, or one in full.

Everything is read from the mappings; nothing here knows a vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project.mapping.catalog import (
    COVERED,
    SUBJECTS,
    covered,
    filled_fields,
    identifying,
    told_events,
)
from dagster_project.mapping.document import MappingError, choices
from dagster_project.mapping.model import Export, Source


def source_rows(sources: Mapping[str, Source]) -> list[dict[str, Any]]:
    """A row a source: what fits into a table of a terminal."""
    return [
        {
            "source": source.source,
            "title": source.title,
            "kind": source.kind,
            "exports": len(source.exports),
            "covers": ", ".join(covered(source)),
        }
        for source in sources.values()
    ]


def source_named(sources: Mapping[str, Source], name: str) -> Source:
    """The source of that name.

    Raises:
        MappingError: with the closest names, when there is none.
    """
    if name not in sources:
        near = choices(name, sources)
        raise MappingError(f"No source is called {name}; expected one of {near}")
    return sources[name]


def described(source: Source) -> dict[str, Any]:
    """Everything the mapping of a source tells, for programs."""
    found = covered(source)
    return {
        "source": source.source,
        "title": source.title,
        "kind": source.kind,
        "covers": {subject: subject in found for subject in COVERED},
        "notes": source.notes.strip(),
        "settings": {
            name: {"default": setting.default, "allowed": setting.allowed}
            for name, setting in source.settings.items()
        },
        "exports": [_export(export) for export in source.exports],
    }


def _export(export: Export) -> dict[str, Any]:
    rate = export.vendor_rate
    told = told_events(export) if export.lands == "message_events" else ()
    return {
        "name": export.name,
        "lands": export.lands,
        "about": SUBJECTS[export.lands],
        "formats": export.reader.formats,
        "file_name": export.file_name,
        "required": list(identifying(export)),
        "fills": [field.name for field in filled_fields(export)],
        "events": list(told) if told is not None else None,
        "zone": export.times.zone,
        "delivered": export.delivered,
        "vendor_rate_base": rate.base if rate else None,
        "reasons": export.reasons is not None,
        "settle_days": export.settle_days,
        "notes": export.notes.strip(),
    }


def source_lines(source: Source) -> list[tuple[str, str]]:
    """One source in full, for people: a label and its text, a heading without label."""
    told = described(source)
    lines = [
        ("", f"{source.source}: {source.title} ({source.kind})"),
        ("covers", ", ".join(covered(source))),
        ("notes", _flowing(source.notes)),
    ]
    for name, setting in source.settings.items():
        allowed = " or ".join(setting.allowed) or "any text"
        lines.append((f"setting {name}", f"{allowed}; default {setting.default}"))
    for export in told["exports"]:
        lines.append(("", f"{export['name']}: {export['about']} ({export['lands']})"))
        lines += [entry for entry in _export_lines(export) if entry[1]]
    return lines


def _export_lines(export: Mapping[str, Any]) -> list[tuple[str, str]]:
    days = export["settle_days"]
    rate = export["vendor_rate_base"]
    events = export["events"]
    zones = {
        "in_value": "each time says its own",
        "account": "the account's timezone (accounts.yaml)",
    }
    return [
        ("formats", ", ".join(export["formats"])),
        ("file name", export["file_name"] or ""),
        ("needs", ", ".join(export["required"])),
        ("fills", ", ".join(export["fills"])),
        ("events", "whatever the file says" if events is None else ", ".join(events)),
        ("zone", zones.get(export["zone"], export["zone"])),
        ("delivered", ", else ".join(export["delivered"])),
        ("own rate", f"unsubscribes over {rate}" if rate else ""),
        ("reasons", "of people who left" if export["reasons"] else ""),
        ("settles", f"after {days} days" if days is not None else ""),
        ("notes", _flowing(export["notes"])),
    ]


def _flowing(text: str) -> str:
    return " ".join(text.split())
