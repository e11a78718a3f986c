"""The answer: what a reader knows who reads nothing but the first screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from dagster_project.report import findings, words
from dagster_project.report.chapters import changes, diagnoses
from dagster_project.report.findings import (
    AccountHistory,
    ReasonTotals,
    Stream,
)
from dagster_project.report.queries import Frames
from dagster_project.report.rows.lists import DecaySummary
from dagster_project.report.rows.sends import (
    UNPROVEN,
    Band,
    Diagnosis,
    Send,
    StreamTrend,
)
from dagster_project.report.rows.trust import LoadedFile

NAMED_RISES = 3


def rising_sentence(rising: Sequence[StreamTrend], streams: Sequence[Stream]) -> Markup:
    """Which streams rise, or that none does, or that nobody can know."""
    names = {stream.stream_id: stream.name for stream in streams}
    if rising:
        told = Markup("; ").join(
            Markup("<strong><bdi>{}</bdi></strong> since {} ({}{})").format(
                names.get(trend.stream_id, trend.stream_id),
                words.day(trend.shape_started_at),
                words.growth(trend.effect_pct),
                " a send" if trend.shape == "climb" else "",
            )
            for trend in rising[:NAMED_RISES]
        )
        rest = len(rising) - NAMED_RISES
        if rest > 0:
            told += f"; and {words.plural(rest, 'more stream')}"
        return Markup("Rising: {}.").format(told)
    trends = [stream.trend for stream in streams if stream.trend]
    if any(trend.shape != "insufficient_data" for trend in trends):
        return Markup("No stream is rising.")
    return Markup("No stream has enough mail yet to tell whether it is rising.")


def judged_sentence(sends: Sequence[Send]) -> Markup:
    """How much of what was sent can be trusted to be judged."""
    judged = sum(send.is_judged for send in sends)
    excluded = sum(send.is_contradictory for send in sends)
    unrated = len(sends) - judged - excluded
    share = words.percent(100 * excluded / len(sends))
    parts = [
        Markup("<strong>{} of {}</strong> can be judged").format(
            words.count(judged), words.plural(len(sends), "send")
        )
    ]
    if excluded:
        parts.append(
            Markup("<strong>{}</strong> ({}) {} excluded because {}").format(
                words.count(excluded),
                share,
                words.is_or_are(excluded),
                "its counts contradict each other"
                if excluded == 1
                else "their counts contradict each other",
            )
        )
    if unrated:
        parts.append(
            Markup("{} no rate because a count is missing").format(
                f"{words.count(unrated)} {'has' if unrated == 1 else 'have'}"
            )
        )
    if len(parts) == 1:
        parts.append(Markup("none had to be excluded"))
    return Markup("; ").join(parts) + "."


def cost_sentence(
    worst: Send | None, sends: Sequence[Send], bands: Sequence[Band]
) -> Markup:
    """Which send cost the most people beyond expectation, and how sure that is."""
    if worst is None:
        if all(send.spike_status == "insufficient_data" for send in sends):
            return Markup(
                "No send can be called unusual: no stream has enough settled sends and"
                " opt-outs behind it yet."
            )
        return Markup("No send stands out: none cost more people than luck explains.")
    edges = [band.lower_pct for band in bands if band.lower_pct]
    proven = next((band for band in bands if band.band == worst.confirmed_band), None)
    return Markup(
        "<strong><bdi>{}</bdi></strong> of {} cost the most people beyond expectation:"
        " about <strong>{}</strong> ({} to {}) more than expected left{} ({} where {}"
        " was expected). {}"
    ).format(
        worst.name,
        words.day(worst.sent_at),
        words.plural(worst.excess_unsubscribe_count or 0, "person", "people"),
        words.count(worst.excess_low_count),
        words.count(worst.excess_high_count),
        " so far" if worst.is_provisional else "",
        words.percent(worst.unsubscribe_rate_pct, edges),
        words.percent(worst.expected_rate_pct),
        _proof(worst, proven),
    )


def _proof(send: Send, proven: Band | None) -> str:
    if proven:
        return (
            f"Its rate is confirmed to be above {proven.lower_pct or 0:g}{words.SPACE}%"
            f" ({proven.band})."
        )
    if send.judged_band == "healthy":
        return "Its rate as such is healthy."
    return f"That its rate is {send.observed_band} as such is not confirmed."


def cause_sentence(diagnosis: Diagnosis | None) -> Markup:
    """What the evidence says of the costliest send, and what to do about it."""
    if diagnosis is None:
        return Markup("")
    name, _ = diagnoses.CONFIDENCES.get(diagnosis.confidence or "", (words.UNKNOWN, ""))
    told = Markup(" What the evidence says: <strong>{}</strong> ({}).").format(
        (diagnosis.finding_label or words.spelled_out(diagnosis.finding)).rstrip("."),
        name,
    )
    if diagnosis.recommended_action:
        advice = diagnosis.recommended_action.split(". ")[0].rstrip(".")
        told += Markup(" What to do: {}.").format(advice)
    return told


def reason_clause(reasons: ReasonTotals) -> Markup:
    """The main reason, as a sentence of its own."""
    if not reasons.opt_out_count:
        return Markup("Why people left is unknown: no export tells of single opt-outs.")
    main = reasons.main
    if main is None:
        return Markup("Why people left is unknown: of {}, none gave a reason.").format(
            words.plural(reasons.opt_out_count, "opt-out")
        )
    return Markup("The reason given most is <strong>“{}”</strong> ({} of {}).").format(
        main.label,
        words.percent(main.of_answered.pct),
        words.plural(reasons.answered_count, "answer"),
    )


def loss_clause(accounts: Sequence[AccountHistory]) -> Markup:
    """What the list loses in a year, as a sentence of its own."""
    if not accounts:
        return Markup(
            "What the list loses in a year is unknown: no contact list has arrived."
        )
    whole = accounts[0].whole
    loss = whole.annual_loss
    name = (
        f"The list of {whole.source} · {whole.account}" if accounts[1:] else "The list"
    )
    if loss is None:
        return Markup(
            "{} has too few whole months since a contact was first seen leaving, so"
            " its yearly loss is unknown."
        ).format(name)
    return Markup("{} loses {}<strong>{}</strong> of its contacts a year{}.").format(
        name,
        "at least " if loss.is_attrition_lower_bound else "",
        words.percent(loss.annual_attrition_pct),
        yardstick(loss),
    )


def yardstick(loss: DecaySummary) -> str:
    """Where a year's loss lies beside the one that is commonly expected."""
    if loss.reference_pct is None:
        return ""
    usual = f"{loss.reference_pct:g}{words.SPACE}%"
    return {
        "above": f", more than the {usual} commonly expected",
        "below": f", less than the {usual} commonly expected",
    }.get(loss.reference_position or "", f" (rule of thumb: up to {usual})")


def freshness(files: Iterable[LoadedFile], sends: Sequence[Send]) -> str:
    """How far the data reach."""
    exported = [
        file.exported_at
        for file in files
        if file.exported_at and file.state == "loaded"
    ]
    sent = [send.sent_at for send in sends if send.sent_at]
    parts = []
    if exported:
        parts.append(f"{words.day(max(exported))} (newest export)")
    if sent:
        parts.append(f"{words.day(max(sent))} (newest send)")
    return ", ".join(parts) or words.UNKNOWN


def maturity(sends: Sequence[Send]) -> str:
    """How many sends are too young to be final."""
    young = sum(send.is_provisional for send in sends)
    if not young:
        return "every send has settled"
    return (
        f"{words.plural(young, 'send')} too young to be final: shown hollow,"
        f" {'its rate' if young == 1 else 'their rates'} may still rise"
    )


def judged_bands(severity: Sequence[Band]) -> list[tuple[str, str, str]]:
    """Each band as a send is judged: its key, its name and its stretch of rates."""
    bands = [(band.band, band.band, words.band_range(band)) for band in severity]
    healthy_upper = next((band.upper_pct for band in severity if band.upper_pct), None)
    if healthy_upper is not None:
        above = f"above {healthy_upper:g}{words.SPACE}% to the eye, may be luck"
        bands.insert(1, (UNPROVEN, words.band_name(UNPROVEN), above))
    return bands


def chapter(
    frames: Frames,
    streams: Sequence[Stream],
    severity: Sequence[Band],
    accounts: Sequence[AccountHistory],
    reasons: ReasonTotals,
) -> dict[str, Any]:
    """What each line of the first screen says."""
    sends = frames.sends
    judged = [send for send in sends if send.is_judged]
    bands = Counter(send.judged_band for send in judged)
    answer = [reason_clause(reasons) + " " + loss_clause(accounts)]
    if sends:
        worst = next(iter(findings.costliest(sends)), None)
        rising = findings.rising(frames.stream_trends)
        answer = [
            cost_sentence(worst, sends, severity)
            + cause_sentence(findings.diagnosis_of(worst, frames.diagnoses)),
            rising_sentence(rising, streams),
            changes.answer(frames.interventions, streams),
            *answer,
            judged_sentence(sends),
        ]
    return {
        "answer": [sentence for sentence in answer if sentence],
        "judged": len(judged),
        "by_band": [
            (band, name, stretch, bands[band])
            for band, name, stretch in judged_bands(severity)
        ],
        "freshness": freshness(frames.files, sends),
        "maturity": maturity(sends) if sends else words.UNKNOWN,
    }
