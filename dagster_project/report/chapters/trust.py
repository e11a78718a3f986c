"""Can I trust this: exclusions, late and unread files, changes, open questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report import trusted, words
from dagster_project.report.queries import Frames
from dagster_project.report.rows.trust import (
    Freshness,
    LoadedFile,
    RevisionCount,
    Trust,
)
from dagster_project.report.trusted import Answers, Change, CheckGroup, parts

CHECKS_OF_TIMES = ("send_times_agree", "sent_not_after_export")
"""Checks whose two sides are seconds; all others count messages or people."""

SECONDS_IN_AN_HOUR = 3600

MEASURES = {
    "sent_count": "sent",
    "delivered_count": "delivered",
    "unsubscribe_count": "unsubscribes",
    "complaint_count": "complaints",
    "hard_bounce_count": "hard bounces",
    "soft_bounce_count": "soft bounces",
    "bounce_count": "bounces",
    "block_count": "blocks",
    "unique_open_count": "people who opened",
    "human_open_count": "people who opened in person",
    "unique_click_count": "people who clicked",
}
"""Name of a count -> what it counts, where the name alone does not say it."""

CHANGE_KINDS = {
    "restated_totals": "newer totals",
    "late_events": "later events",
}

FILES = 50

ACCOUNTS = 8

SHOWN_FAULTS = 4

FOLDED_EXCLUDED_SENDS = 100

OPEN_QUESTIONS = 6

TRUST_PARTS = (
    ("reconciled", "series-1", "reconciled: an independent number in the files agrees"),
    ("unchecked", "series-3", "nothing to check against"),
    ("unknown", "series-none", "no delivered count"),
    ("excluded", "critical", "excluded: its counts contradict each other"),
)
"""Part of an account's sends, its colour, and its name in the legend."""


def account_sentence(trust: Trust) -> str:
    """Whether the rates of an account can be trusted, in one sentence."""
    whole = trust.campaign_count
    if whole is None:
        return "How many sends there are is unknown."
    if whole == 0:
        return "No send: its files bring no mail to be judged."
    reconciled = trust.reconciled_campaign_count
    if reconciled is None:
        told = [f"how many of {words.plural(whole, 'send')} reconcile is unknown"]
    elif reconciled == whole:
        told = [
            f"{'all ' if whole > 1 else ''}{words.plural(whole, 'send')} reconciled"
        ]
    else:
        told = [
            f"{words.count(reconciled)} of {words.plural(whole, 'send')} reconciled"
        ]
    excluded, unknown = trust.excluded_campaign_count, trust.unknown_campaign_count
    if excluded is None:
        told.append("how many contradict themselves is unknown")
    elif excluded:
        whose = "its" if excluded == 1 else "their"
        told.append(
            f"{words.count(excluded)} excluded because {whose} counts contradict each"
            " other"
        )
    if unknown is None:
        told.append("how many lack a delivered count is unknown")
    elif unknown:
        told.append(
            f"{words.count(unknown)} {'has' if unknown == 1 else 'have'} no"
            " delivered count"
        )
    split = parts(trust)
    if split and split.unchecked:
        told.append(f"{words.count(split.unchecked)} had nothing to be checked against")
    young = trust.provisional_campaign_count
    if young is None:
        told.append("how many still settle is unknown")
    elif young:
        told.append(
            f"{words.count(young)} still {'settles' if young == 1 else 'settle'}"
        )
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


def amount(check_name: str, value: float | None) -> str:
    """One side of a check, in what the check measures."""
    if value is None:
        return words.UNKNOWN
    if check_name in CHECKS_OF_TIMES:
        hours = value / SECONDS_IN_AN_HOUR
        return f"{hours:,.0f} {'hour' if round(hours) == 1 else 'hours'}"
    return f"{value:,.0f}" if value == round(value) or value >= 10 else f"{value:.2g}"


def group_title(group: CheckGroup) -> str:
    """How many sends a check tells of, and what it looks at."""
    label = group.label or words.spelled_out(group.check_name) or "reason unknown"
    return f"{words.plural(len(group.exclusions), 'send')}: {label}"


def rhythm(row: Freshness) -> str:
    """How often an export usually comes."""
    gap = row.usual_gap_days
    if gap is None:
        return words.UNKNOWN
    return "every day" if round(gap, 1) == 1 else f"every {words.days(gap)}"


def punctual_sentence(freshness: Sequence[Freshness]) -> str:
    """How the exports come that are not late."""
    if not freshness:
        return "Unknown: no file has arrived yet."
    late = sum(row.is_late is True for row in freshness)
    on_time = sum(row.is_late is False for row in freshness)
    silent = len(freshness) - late - on_time
    told = [] if late else ["Nothing is late"]
    if on_time:
        told.append(
            f"{words.plural(on_time, 'export')} {'comes' if on_time == 1 else 'come'}"
            " on time"
        )
    if silent:
        told.append(
            f"{words.plural(silent, 'export')} came too seldom to have a rhythm, so"
            f" whether {'it is' if silent == 1 else 'they are'} late is unknown"
        )
    return f"{'; '.join(told)}." if told else ""


def reading_sentence(trust: Sequence[Trust], losses: Sequence[Trust]) -> str:
    """How much was read without loss."""
    if not trust:
        return "Unknown: no file has arrived yet."
    records = sum(row.record_count or 0 for row in trust)
    files = sum(row.file_count or 0 for row in trust)
    read = f"{words.plural(records, 'record')} in {words.plural(files, 'file')}"
    if not losses:
        return f"Nothing: {read}, none rejected, every word known, no file refused."
    clean = len(trust) - len(losses)
    text = f"Of {read}, this was left out or not understood."
    if clean:
        text += (
            f" {words.small(clean, 'other account').capitalize()} lost nothing."
            if clean > 1
            else " The other account lost nothing."
        )
    return text


def moved_sentence(counts: Iterable[RevisionCount]) -> str:
    """What later files changed about earlier numbers."""
    numbers: Counter[tuple[bool, bool]] = Counter()
    for row in counts:
        numbers[row.is_after_final, row.is_rate_moved] += row.change_count
    if not numbers:
        return "Nothing: no later file changed what an earlier one said."
    after_final, settling = numbers[True, True], numbers[False, True]
    still = numbers[True, False] + numbers[False, False]
    told = [
        f"{words.small(after_final, 'rate').capitalize()} moved after"
        f" {'it was' if after_final == 1 else 'they were'} final"
        if after_final
        else "No rate moved after it was final"
    ]
    if settling:
        told.append(
            f"{words.plural(settling, 'change')} moved a rate while its send still"
            " settled, as is usual"
        )
    if still:
        told.append(
            f"{words.plural(still, 'change')} moved counts and no unsubscribe rate"
        )
    return f"{'; '.join(told)}."


def measures(change: Change) -> list[str]:
    """Each count that a file changed, before and after."""
    return [
        f"{_measure(row.measure)}"
        f" {words.count(row.old_value)} → {words.count(row.new_value)}"
        + (f" ({words.signed(row.difference)})" if row.difference is not None else "")
        for row in change.revisions
    ]


def _measure(name: str) -> str:
    return MEASURES.get(name, words.spelled_out(name.removesuffix("_count")))


def answers_sentence(answers: Answers) -> str:
    """How many questions the files of an account answer."""
    missing = len(answers.unanswered)
    whole = missing + len(answers.answered)
    if not missing:
        return (
            f"all {words.plural(whole, 'question')} can be answered"
            if whole > 1
            else "its question can be answered"
        )
    return (
        f"{words.count(whole - missing)} of {words.plural(whole, 'question')} can be"
        " answered"
    )


@dataclass(frozen=True)
class AccountLine:
    """Whether an account can be trusted, in a sentence and a strip."""

    source: str
    account: str
    sentence: str
    late: int
    parts: list[tuple[str, int]]


@dataclass(frozen=True)
class ChangeRow:
    """What one file changed about one send, as it is shown."""

    change: Change
    measures: list[str]
    points: str
    kind: str


def chapter(frames: Frames) -> dict[str, Any]:
    """The parts in the order of the questions that people ask."""
    lines = [_account_line(row) for row in trusted.most_sends_first(frames.trust)]
    shown = {name for line in lines for name, _ in line.parts}
    losses = trusted.with_losses(frames.trust)
    moved = [
        ChangeRow(
            change=change,
            measures=measures(change),
            points=words.points(change.rate_difference_pct),
            kind=CHANGE_KINDS.get(
                change.change_kind or "", words.spelled_out(change.change_kind)
            ),
        )
        for change in trusted.changes(frames)
    ]
    states = Counter(file.state for file in frames.files if file.state)
    imperfect = [
        file
        for file in frames.files
        if file.state == "loaded" and (file.rejected_count or file.unmapped_count)
    ]
    answers = trusted.answers(frames.questions)
    return {
        "lines": lines,
        "shown_lines": ACCOUNTS,
        "colours": {part: colour for part, colour, _ in TRUST_PARTS},
        "legend": [
            (name, colour) for part, colour, name in TRUST_PARTS if part in shown
        ],
        "groups": [(group_title(group), group) for group in trusted.exclusions(frames)],
        "notes": [(group_title(group), group) for group in trusted.notes(frames)],
        "shown": SHOWN_FAULTS,
        "folded_sends": FOLDED_EXCLUDED_SENDS,
        "late": [(row, rhythm(row)) for row in trusted.late(frames.freshness)],
        "punctual": punctual_sentence(frames.freshness),
        "reading": reading_sentence(frames.trust, losses),
        "losses": losses,
        "has_unmapped": any(row.unmapped_record_count for row in losses),
        "gaps": trusted.with_gaps(frames.trust),
        "refused": _some(file for file in frames.files if file.state == "refused"),
        "withdrawn": _some(file for file in frames.files if file.state == "withdrawn"),
        "imperfect": imperfect[:FILES],
        "refused_left_out": max(0, states["refused"] - FILES),
        "withdrawn_left_out": max(0, states["withdrawn"] - FILES),
        "imperfect_left_out": max(0, len(imperfect) - FILES),
        "moved": moved_sentence(frames.revision_counts),
        "moved_after_final": [row for row in moved if row.change.is_after_final],
        "moved_settling": [row for row in moved if not row.change.is_after_final],
        "moved_left_out": max(
            0,
            sum(row.change_count for row in frames.revision_counts) - len(moved),
        ),
        "answers": [(answers_sentence(row), row) for row in answers],
        "is_long": sum(len(row.unanswered) for row in answers) > OPEN_QUESTIONS,
    }


def _account_line(row: Trust) -> AccountLine:
    split = trusted.parts(row)
    numbers = [(part, getattr(split, part)) for part, _, _ in TRUST_PARTS if split]
    return AccountLine(
        source=row.source,
        account=row.account,
        sentence=account_sentence(row),
        late=row.late_export_count or 0,
        parts=[(part, number) for part, number in numbers if number],
    )


def _some(files: Iterable[LoadedFile]) -> list[LoadedFile]:
    return list(files)[:FILES]
