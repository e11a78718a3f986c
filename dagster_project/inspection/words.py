"""What ``optout inspect`` found, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_project.inspection.look import Judged
from dagster_project.landing.ledger import Load
from dagster_project.mapping.catalog import SUBJECTS

_MOST_LINES = 5
_WORDS = {"message_events": "read as other", "list_validations": "words unknown"}


def lines_of(judged: Judged) -> list[tuple[str, str]]:
    """One member's verdict for people: a heading, then labelled texts."""
    load, export = judged.load, judged.export
    lines = [("", load.member or load.arrival.name), ("verdict", _verdict(judged))]
    lines += [("nearly fits", _miss(miss)) for miss in judged.misses]
    if load.refusal_detail:
        line = f" (line {load.refusal_line})" if load.refusal_line else ""
        lines.append(("because", f"{load.refusal_detail}{line}"))
    if export is None or load.state == "duplicate":
        return lines
    lines += [
        ("records", _records(load)),
        *(("skipped", f"{why}: {count}") for why, count in load.skipped.items()),
        *(("rejected", _rejected(entry)) for entry in judged.rejected),
        *(
            ("not understood", f"{column}: {count} records")
            for column, count in load.unmapped.items()
        ),
        (_WORDS.get(str(load.lands), ""), ", ".join(judged.words)),
        ("ignored columns", ", ".join(load.ignored_columns)),
        ("addresses in", ", ".join(judged.with_addresses)),
        ("beside it", ", ".join(sorted(load.arrival.sidecar))),
        ("zone", _zone_told(judged)),
        ("delivered", _delivered(judged)),
        ("guesses", _guessed(judged)),
    ]
    return [(label, text) for label, text in lines if text]


def _miss(miss: Mapping[str, Any]) -> str:
    near = f"{miss['source']}/{miss['export']}"
    lacks = ", ".join(miss["lacks"])
    return f"{near}: has {miss['has']} of its required columns and lacks {lacks}"


def _verdict(judged: Judged) -> str:
    load, export = judged.load, judged.export
    fits = f"{load.source}/{export.name}" if export else ""
    if load.state == "duplicate":
        return f"fits {fits}; the same content as another member, so nothing would load"
    if not judged.is_refused and export is not None:
        return f"would load as {fits}: {SUBJECTS[export.lands]} ({export.lands})"
    known = f"fits {fits}, but " if fits else ""
    return f"{known}would be refused: {load.refusal_reason}"


def _records(load: Load) -> str:
    fates = {
        "loaded": load.loaded_count,
        "duplicate": load.duplicate_count,
        "skipped": load.skipped_count,
        "rejected": load.rejected_count,
    }
    told = ", ".join(f"{count:,} {fate}" for fate, count in fates.items())
    return f"{load.record_count:,} read: {told}; {load.row_count:,} rows"


def _rejected(entry: Mapping[str, Any]) -> str:
    lines = entry["lines"]
    some = ", ".join(str(line) for line in lines[:_MOST_LINES])
    more = f" and {len(lines) - _MOST_LINES} more" if len(lines) > _MOST_LINES else ""
    where = f" (line {some}{more})" if lines else ""
    return (
        f"{entry['records']:,} for {entry['column']}: {entry['reason']}, expected"
        f" {entry['expected']}{where}"
    )


def _zone_told(judged: Judged) -> str:
    assert judged.export is not None
    declared = judged.export.times.zone
    if declared == "in_value":
        return "each time says its own"
    if declared != "account":
        return f"{judged.zone}, by the mapping"
    if judged.load.defaults_used:
        return f"{judged.zone} by default; declare the account's in accounts.yaml"
    return f"{judged.zone}, as accounts.yaml declares"


def _delivered(judged: Judged) -> str:
    counted = [f"{how} for {count:,}" for how, count in judged.delivered.items()]
    return f"{', '.join(counted)} campaigns" if counted else ""


def _guessed(judged: Judged) -> str:
    if not judged.guesses:
        return ""
    return (
        f"{judged.guesses} of {judged.load.source}/source.yaml are taken as they stand;"
        " check each and remove its `!confirm` before `optout run`"
    )
