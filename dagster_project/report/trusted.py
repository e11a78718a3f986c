"""What the marts say about the numbers themselves: can the headline be trusted.

Groups and orders only, as in ``findings``: verdicts, delays and revisions come from the
marts. What goes where is in ``page``, how it is said in ``words``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_project.report.queries import Frames
from dagster_project.report.rows.sends import Send
from dagster_project.report.rows.trust import (
    FailedCheck,
    Freshness,
    Question,
    Revision,
    Trust,
)


@dataclass(frozen=True)
class Exclusion:
    """One send under the check that excludes it.

    Attributes:
        check: the numbers of that check; None where the audit does not hold them.
        others: the other checks it fails.
    """

    send: Send
    check: FailedCheck | None
    others: tuple[FailedCheck, ...]


@dataclass(frozen=True)
class CheckGroup:
    """The sends that one check tells of, the most mail first."""

    check_name: str
    label: str | None
    explanation: str | None
    advice: str | None
    exclusions: tuple[Exclusion, ...]

    @property
    def has_numbers(self) -> bool:
        """Whether there are two counts to put side by side."""
        return any(
            exclusion.check and exclusion.check.left_value is not None
            for exclusion in self.exclusions
        )


def exclusions(frames: Frames) -> list[CheckGroup]:
    """Every excluded send once, under the first check it fails; most sends first."""
    failed = _by_campaign(check for check in frames.failed_checks if check.is_excluded)
    groups: defaultdict[str, list[Exclusion]] = defaultdict(list)
    for send in _most_mail_first(send for send in frames.sends if send.is_excluded):
        checks = {check.check_name: check for check in failed[send.campaign_key]}
        # The reason lists the checks in their rank.
        leading = (send.exclusion_reason or next(iter(checks), "")).split(", ")[0]
        groups[leading].append(
            Exclusion(send, checks.pop(leading, None), tuple(checks.values()))
        )
    return _groups(groups)


def notes(frames: Frames) -> list[CheckGroup]:
    """Checks that broke and exclude nothing, with the sends they tell of."""
    failed = _by_campaign(
        check for check in frames.failed_checks if not check.is_excluded
    )
    groups: defaultdict[str, list[Exclusion]] = defaultdict(list)
    for send in _most_mail_first(
        send for send in frames.sends if send.campaign_key in failed
    ):
        for check in failed[send.campaign_key]:
            groups[check.check_name].append(Exclusion(send, check, ()))
    return _groups(groups)


def _by_campaign(checks: Iterable[FailedCheck]) -> defaultdict[str, list[FailedCheck]]:
    found: defaultdict[str, list[FailedCheck]] = defaultdict(list)
    for check in checks:
        found[check.campaign_key].append(check)
    return found


def _most_mail_first(sends: Iterable[Send]) -> list[Send]:
    return sorted(
        sends, key=lambda send: (-(send.delivered_count or 0), send.campaign_key)
    )


def _groups(groups: dict[str, list[Exclusion]]) -> list[CheckGroup]:
    found = []
    for name, members in groups.items():
        told = next((member.check for member in members if member.check), None)
        found.append(
            CheckGroup(
                check_name=name,
                label=told.label if told else None,
                explanation=told.explanation if told else None,
                advice=told.advice if told else None,
                exclusions=tuple(members),
            )
        )
    return sorted(found, key=lambda group: (-len(group.exclusions), group.check_name))


@dataclass(frozen=True)
class Parts:
    """The sends of an account, each in one part."""

    reconciled: int
    unchecked: int
    unknown: int
    excluded: int


def parts(trust: Trust) -> Parts | None:
    """None where there is no send, or where one of the counts is not known."""
    whole, reconciled, excluded, unknown = (
        trust.campaign_count,
        trust.reconciled_campaign_count,
        trust.excluded_campaign_count,
        trust.unknown_campaign_count,
    )
    if not whole or reconciled is None or excluded is None or unknown is None:
        return None
    rest = max(0, whole - reconciled - excluded - unknown)
    return Parts(reconciled, rest, unknown, excluded)


def most_sends_first(accounts: Iterable[Trust]) -> list[Trust]:
    """Accounts in the order of how much is judged by them."""
    return sorted(
        accounts, key=lambda row: (-(row.campaign_count or 0), row.source, row.account)
    )


def late(freshness: Iterable[Freshness]) -> list[Freshness]:
    """Exports beyond their own rhythm, the longest overdue first."""
    return sorted(
        (row for row in freshness if row.is_late),
        key=lambda row: (
            (row.allowed_gap_days or 0) - (row.days_since_last or 0),
            row.source,
            row.account,
            row.export,
        ),
    )


def with_losses(trust: Iterable[Trust]) -> list[Trust]:
    """Accounts of which something could not be read, or is not known to be read."""
    return [
        row
        for row in trust
        if any(
            number is None or number > 0
            for number in (
                row.rejected_record_count,
                row.unmapped_record_count,
                row.refused_file_count,
                row.withdrawn_file_count,
            )
        )
    ]


def with_gaps(trust: Iterable[Trust]) -> list[Trust]:
    """Accounts of which something is tied to no send, or had to be inferred.

    Unlike a loss, a count that is not known is no news here: many sources have none.
    """
    return [
        row
        for row in trust
        if row.unattributed_opt_out_count
        or row.inferred_delivered_count
        or row.unlinked_bounce_count
        or row.is_conserved is False
    ]


@dataclass(frozen=True)
class Change:
    """What one file changed about one send."""

    campaign_key: str
    campaign_id: str
    variant: str
    send: Send | None
    revisions: tuple[Revision, ...]
    change_kind: str | None
    file_name: str | None
    old_rate_pct: float | None
    new_rate_pct: float | None
    rate_difference_pct: float | None
    is_after_final: bool
    exported_at: datetime | None

    @property
    def name(self) -> str:
        """As people call the send."""
        if self.send:
            return self.send.name
        return " · ".join(filter(None, (self.campaign_id, self.variant)))


def changes(frames: Frames) -> list[Change]:
    """What moved a rate: after final first, then by how much it moved."""
    sends = {send.campaign_key: send for send in frames.sends}
    groups: defaultdict[tuple[object, ...], list[Revision]] = defaultdict(list)
    for row in frames.revisions:
        groups[row.campaign_key, row.load, row.exported_at].append(row)
    found = []
    for rows in groups.values():
        first = rows[0]
        found.append(
            Change(
                campaign_key=first.campaign_key,
                campaign_id=first.campaign_id,
                variant=first.variant,
                send=sends.get(first.campaign_key),
                revisions=tuple(sorted(rows, key=lambda row: row.measure)),
                change_kind=first.change_kind,
                file_name=first.file_name,
                old_rate_pct=_first(rows, lambda row: row.old_rate_pct),
                new_rate_pct=_first(rows, lambda row: row.new_rate_pct),
                rate_difference_pct=_first(rows, lambda row: row.rate_difference_pct),
                is_after_final=any(row.is_after_final for row in rows),
                exported_at=first.exported_at,
            )
        )
    found.sort(key=lambda change: change.exported_at or datetime.min, reverse=True)
    return sorted(found, key=_largest_first)


def _first(
    rows: Sequence[Revision], value: Callable[[Revision], float | None]
) -> float | None:
    return next((found for row in rows if (found := value(row)) is not None), None)


def _largest_first(change: Change) -> tuple[bool, bool, float]:
    is_lost = change.old_rate_pct is not None and change.new_rate_pct is None
    moved = abs(change.rate_difference_pct or 0)
    return (not change.is_after_final, not is_lost, -moved)


@dataclass(frozen=True)
class Answers:
    """What the files of one account can answer, and what they cannot."""

    source: str
    account: str
    answered: tuple[Question, ...]
    unanswered: tuple[Question, ...]


def answers(questions: Iterable[Question]) -> list[Answers]:
    """Each account's questions, in the marts' order."""
    groups: defaultdict[tuple[str, str], list[Question]] = defaultdict(list)
    for row in questions:
        groups[row.source, row.account].append(row)
    return [
        Answers(
            source,
            account,
            tuple(row for row in rows if row.is_answerable),
            tuple(row for row in rows if not row.is_answerable),
        )
        for (source, account), rows in sorted(groups.items())
    ]
