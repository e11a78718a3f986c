"""Where the numbers come from: bases, conservation of opt-outs, and every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dagster_project.report import words
from dagster_project.report.queries import Frames
from dagster_project.report.rows.sends import Send

ASSUMPTIONS = 50

BASES = {
    "reported": ("Stated by the export", "The export prints how many were delivered."),
    "events": ("Counted from events", "One event for each mail that arrived."),
    "recipients_minus_bounces": (
        "Recipients minus bounces",
        "The export prints recipients and bounces and says the rest arrived.",
    ),
    "unavailable": (
        "Not known",
        "Nothing says how many arrived, so these sends have no rate.",
    ),
}

PRINTED_DENOMINATORS = {
    "sent": "divide by the mails sent",
    "delivered": "divide by the mails delivered",
    "opens": "divide by the opens",
    "unexplained": "follow from none of its own counts",
}

FILE_STATES = {
    "loaded": "loaded",
    "duplicate": "known before, loaded once",
    "refused": "refused as a whole",
    "withdrawn": "withdrawn by hand",
}


def automated_sentence(sends: Iterable[Send]) -> str | None:
    """Opt-outs that a link scanner may have made."""
    number = sum(send.suspect_automated_count or 0 for send in sends)
    if not number:
        return None
    return (
        f"{words.plural(number, 'opt-out')} came within seconds of delivery, as"
        " security scanners that follow every link cause them. They are counted,"
        " because these people receive no mail any more."
    )


def chapter(frames: Frames) -> dict[str, Any]:
    """Where the counts come from, and where every record went."""
    bases = Counter(
        send.delivered_count_basis or "unavailable" for send in frames.sends
    )
    printed = Counter(
        send.vendor_rate_denominator
        for send in frames.sends
        if send.vendor_rate_denominator
    )
    states = Counter(file.state for file in frames.files if file.state)
    return {
        "bases": [
            (*BASES.get(basis, (basis.replace("_", " "), "")), number)
            for basis, number in _most_first(bases)
        ],
        "printed": [
            (PRINTED_DENOMINATORS.get(base, base), number)
            for base, number in _most_first(printed)
        ],
        "conservation": frames.conservation,
        "automated": automated_sentence(frames.sends),
        "states": [
            (FILE_STATES.get(state, state), number)
            for state, number in _most_first(states)
        ],
        "assumed": sorted(
            {
                (file.source or "", file.account or "", file.defaults_used)
                for file in frames.files
                if file.defaults_used and file.state == "loaded"
            }
        )[:ASSUMPTIONS],
        "records": sum(file.record_count or 0 for file in frames.files),
        "rejected": sum(file.rejected_count or 0 for file in frames.files),
    }


def _most_first(numbers: Counter[str]) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
