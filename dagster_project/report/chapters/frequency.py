"""How often is too often: leaving by the mail of the four weeks before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.report import findings, words
from dagster_project.report.chapters import LISTS
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import FrequencyBucket, FrequencyEffect
from dagster_project.share import Share

BUCKETS = {
    "0": "none that we know of",
    "1": "up to one a week",
    "2": "up to two a week",
    "3+": "more than two a week",
}
"""Word of ``frequency_bucket`` -> mails a week in the four weeks before."""


VERDICTS = {
    "more_leave": "Too often",
    "fewer_leave": "Not too often",
    "not_proven": "No difference is proven",
}
"""Word of ``verdict`` -> how the sentence about it begins."""


@dataclass(frozen=True)
class BucketRow:
    """One frequency of a list as it is shown."""

    row: FrequencyBucket
    name: str
    weekly: Share
    per_send: Share


@dataclass(frozen=True)
class Frequency:
    """One list: what happened at which frequency, and what that proves."""

    source: str
    account: str
    name: str
    contact_weeks: int
    verdict: str
    is_more: bool
    crude: str
    promise: str
    untold: str
    rows: list[BucketRow]
    scale: float


def chapter(frames: Frames) -> dict[str, Any]:
    """Every list, those first where more mail is proven to make people leave."""
    effects = {
        (row.source, row.account, row.list): row for row in frames.frequency_effects
    }
    blocks = [
        _frequency(rows, effects.get(key))
        for key, rows in findings.by_list(frames.frequencies).items()
    ]
    blocks.sort(
        key=lambda block: (
            not block.is_more,
            -block.contact_weeks,
            block.source,
            block.account,
            block.name,
        )
    )
    return {"lists": blocks[:LISTS], "left_out": max(0, len(blocks) - LISTS)}


def _frequency(
    rows: list[FrequencyBucket], effect: FrequencyEffect | None
) -> Frequency:
    shown = [
        BucketRow(
            row=row,
            name=BUCKETS.get(row.frequency_bucket, row.frequency_bucket),
            weekly=Share(row.opt_out_count, row.contact_weeks),
            per_send=_per_send(row),
        )
        for row in sorted(rows, key=lambda row: row.frequency_bucket)
    ]
    ends = [ends[1] for row in shown if (ends := row.weekly.interval)]
    return Frequency(
        source=rows[0].source,
        account=rows[0].account,
        name=words.list_name(rows[0].list),
        contact_weeks=sum(row.contact_weeks for row in rows),
        verdict=effect_sentence(effect),
        is_more=effect is not None and effect.verdict == "more_leave",
        crude=crude_sentence(effect),
        promise=promise_sentence(rows),
        untold=untold_sentence(effect),
        rows=shown,
        # The least frequent weeks are few, and their interval would flatten the rest.
        scale=min(max(ends), 3 * max(row.weekly.pct or 0.0 for row in shown) or 100.0)
        if ends
        else 100.0,
    )


def _per_send(row: FrequencyBucket) -> Share:
    """Opt-outs of a mail; of nothing where more left than were mailed that week."""
    delivered = row.delivered_count or 0
    return Share(row.opt_out_count, delivered if delivered >= row.opt_out_count else 0)


def effect_sentence(effect: FrequencyEffect | None) -> str:
    """What more mail does, people compared with those who read and stayed alike."""
    if effect is None or effect.effect_ratio is None:
        return (
            "Too little mail at different frequencies to tell: the weeks of one person"
            " hardly differ from those of another."
        )
    opening = VERDICTS.get(effect.verdict or "", "Too few people left to tell")
    return (
        f"{opening}: of people alike in reading and in time on the list,"
        f" {words.times(effect.effect_ratio)} as many leave in a week with more mail"
        f" ({words.ratio_range(effect.effect_ratio_low, effect.effect_ratio_high)};"
        f" {effect.compared_buckets} mails a week against {effect.reference_buckets})."
    )


def crude_sentence(effect: FrequencyEffect | None) -> str:
    """What plain comparing would say, where it says the opposite."""
    if (
        effect is None
        or effect.effect_ratio is None
        or effect.crude_ratio_per_send is None
        or (effect.effect_ratio > 1) == (effect.crude_ratio_per_send > 1)
    ):
        return ""
    return (
        f"Per mail it looks the other way round"
        f" ({words.times(effect.crude_ratio_per_send)} as many): the same week shares"
        " its opt-outs among more mails, and who reads gets more of them."
    )


def promise_sentence(rows: list[FrequencyBucket]) -> str:
    """What was sent beside what was promised at signup."""
    promised = next((row.promised_per_week for row in rows if row.promised_per_week), 0)
    weeks = sum(row.contact_weeks for row in rows)
    if not promised or not weeks:
        return ""
    sent = sum(row.delivered_count or 0 for row in rows) / weeks
    return (
        f"Promised were {promised:.2g} mails a week, sent {sent:.2g} a week and person."
    )


def untold_sentence(effect: FrequencyEffect | None) -> str:
    """The mail that is in no bucket, because nobody knows whom it reached."""
    if effect is None or not effect.untold_campaign_count:
        return ""
    return (
        f"Not in it: {words.plural(effect.untold_campaign_count, 'send')} of which"
        " exports tell no recipients. Everybody got more mail than this says."
    )
