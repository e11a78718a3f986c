"""Were opt-outs honoured: mail that arrived after somebody had left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.report import words
from dagster_project.report.queries import Frames
from dagster_project.report.rows.leaving import Breach

SHOWN_BREACHES = 20
FOLDED_BREACHES = 100

QUESTION = "mail_after_opt_out"
"""The question of ``coverage`` that says whether anybody can know."""

RULES = {
    "10_business_days": ("later than 10 business days", "the law's limit"),
    "48_hours": ("later than 48 hours", "what mailbox providers ask of senders"),
}
"""Word of ``rule_broken`` -> what it says and whose rule it is, the gravest first."""


GRAVEST_RULE = next(iter(RULES))


@dataclass(frozen=True)
class BreachRow:
    """One send that reached people who had opted out."""

    breach: Breach
    name: str
    rule: str
    whose_rule: str
    longest: str
    median: str


def chapter(frames: Frames) -> dict[str, Any]:
    """The breaches, those of the law first, or why there are none to show."""
    order = {rule: place for place, rule in enumerate(RULES)}
    ranked = sorted(
        frames.breaches,
        key=lambda row: (
            order.get(row.rule_broken, len(order)),
            -row.mail_count,
            row.source,
            row.account,
            row.campaign_id or "",
            row.variant or "",
            row.opt_out_scope or "",
        ),
    )
    names = {
        (send.source, send.account, send.campaign_id, send.variant): send.name
        for send in frames.sends
    }
    rows = [
        _breach_row(
            row,
            names.get(
                (row.source, row.account, row.campaign_id or "", row.variant or "")
            ),
        )
        for row in ranked[: SHOWN_BREACHES + FOLDED_BREACHES]
    ]
    return {
        "verdict": breach_sentence(frames),
        "is_grave": any(row.rule_broken == GRAVEST_RULE for row in frames.breaches),
        "shown": rows[:SHOWN_BREACHES],
        "folded": rows[SHOWN_BREACHES:],
        "left_out": len(ranked) - len(rows),
    }


def breach_sentence(frames: Frames) -> str:
    """How much mail came too late; a person may be in several sends, so no people."""
    if not frames.breaches:
        asked = [row for row in frames.questions if row.question == QUESTION]
        if any(row.is_answerable for row in asked):
            return (
                "Yes: no mail arrived more than 48 hours after its reader had opted"
                " out of it."
            )
        return (
            "Unknown: no account's files name, for the same person, an opt-out and the"
            " mail sent."
        )
    told = []
    for rule, (label, _) in RULES.items():
        mails = sum(
            row.mail_count for row in frames.breaches if row.rule_broken == rule
        )
        if mails:
            told.append(f"{words.plural(mails, 'mail')} arrived {label}")
    return f"No: {', and '.join(told)} after the opt-out."


def _breach_row(row: Breach, name: str | None) -> BreachRow:
    rule, whose = RULES.get(row.rule_broken, (words.spelled_out(row.rule_broken), ""))
    return BreachRow(
        breach=row,
        name=name or row.name,
        rule=rule,
        whose_rule=whose,
        longest=after(row),
        median=words.days(_in_days(row.median_hours_after_opt_out)),
    )


def after(row: Breach) -> str:
    """How long after the opt-out the latest mail came."""
    told = words.days(_in_days(row.hours_after_opt_out))
    if row.business_days_after_opt_out is None:
        return told
    return f"{told} ({words.plural(row.business_days_after_opt_out, 'business day')})"


def _in_days(hours: float | None) -> float | None:
    return None if hours is None else hours / 24
