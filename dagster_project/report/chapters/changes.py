"""Did it help: what each declared change did, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

from markupsafe import Markup

from dagster_project.report import words
from dagster_project.report.findings import Stream
from dagster_project.report.queries import Frames
from dagster_project.report.rows.changes import Intervention, RePermission

VERDICTS = {
    "worked": ("worked", "healthy"),
    "backfired": ("backfired", "critical"),
    "not_proven": ("not proven", "unproven"),
    "too_early": ("too early to tell", "unproven"),
    "too_little_mail": ("too little mail to tell", "unproven"),
    "unknown_stream": ("no such stream", "unproven"),
}
"""Word of ``verdict`` -> how it is said, and its colour."""

DECIDED = ("worked", "backfired")

METHODS = {
    "difference_in_differences": "Compared with what happened meanwhile in {others}.",
    "before_after": "Compared with the time before only.",
    "cohorts": "People who joined after it, compared with people who joined before.",
}
"""Word of ``method`` -> what the change was compared with."""

UNITS = {
    "send": ("send", "sends"),
    "week": ("week", "weeks"),
    "signup_week": ("week of signups", "weeks of signups"),
}

POSITIONS = {
    "inside": "yours lies wholly within the claim",
    "smaller": "yours is smaller than claimed",
    "larger": "yours is larger than claimed",
    "compatible": "your interval leaves the claim possible",
}
"""Word of ``claim_position`` -> how the effect lies beside the published claim."""

MEASURES = {
    "unsubscribe": ("opt-outs", "opt-out"),
    "hard_bounce": ("hard bounces", "hard bounce"),
}
"""Word of ``measure`` -> what is counted, many and one."""

LEAST_REACH = (-50.0, 100.0)
"""The ruler shows at least these: half and twice as many lie equally far from none."""

MOST_REACH = (-95.0, 900.0)
"""An interval that reaches further is cut at the ruler's end."""

TICKS = (-90, -75, -50, -25, 0, 50, 100, 300, 900)

TICK_MARGIN = 4.0
"""Nearer to an end of the ruler a tick has no room for its number."""

SHOWN_CHANGES = 6

NAMED_CHANGES = 3
"""Changes named on the first screen."""


@dataclass(frozen=True)
class Ruler:
    """An effect, its interval and what is claimed, as places from 0 to 100."""

    zero: float
    dot: float
    low: float
    high: float
    claim: tuple[float, float] | None
    colour: str


@dataclass(frozen=True)
class ChangeRow:
    """One change as it is shown."""

    row: Intervention
    name: str
    place: str
    verdict: str
    colour: str
    sentence: str
    compared: str
    claim: str
    power: str
    figures: list[tuple[str, str]]
    ruler: Ruler | None


def chapter(frames: Frames, streams: Sequence[Stream]) -> dict[str, Any]:
    """Every declared change, those that are decided first, and who was asked again."""
    names = {stream.stream_id: stream.name for stream in streams}
    ranked = sorted(frames.interventions, key=_rank)
    reach = _reach(ranked)
    rows = [_change_row(row, names, reach) for row in ranked]
    return {
        "shown": rows[:SHOWN_CHANGES],
        "folded": rows[SHOWN_CHANGES:],
        "ticks": _ticks(reach),
        "has_claim": any(row.ruler and row.ruler.claim for row in rows),
        "asked": [
            (row, names.get(row.stream_id, row.stream_id), asked_sentence(row))
            for row in frames.re_permissions
        ],
    }


def _rank(row: Intervention) -> tuple[int, float, str, str]:
    """What is decided first, the newest first, then what is still open."""
    order = list(VERDICTS)
    place = order.index(row.verdict) if row.verdict in order else len(order)
    newest = -row.changed_at.timestamp() if row.changed_at else 0.0
    return (
        0 if row.verdict in DECIDED else place,
        newest,
        row.change_key,
        row.stream_id or "",
    )


def verdict_name(verdict: str) -> str:
    """A verdict as people say it."""
    return VERDICTS.get(verdict, (words.spelled_out(verdict), ""))[0]


def change_name(row: Intervention) -> str:
    """What was changed."""
    return row.change_label or words.spelled_out(row.kind).capitalize()


def place_name(row: Intervention, names: Mapping[str, str]) -> str:
    """Where it was changed: the stream, the list, or the account as a whole."""
    if row.stream_id is not None:
        return names.get(row.stream_id, row.stream_id)
    return row.list or row.stream_name or row.account or "every stream"


def effect_clause(row: Intervention) -> str:
    """The effect with its interval, as part of a sentence; empty without one."""
    effect, low, high = row.effect_pct, row.effect_low_pct, row.effect_high_pct
    if effect is None or low is None or high is None:
        return ""
    many, _ = MEASURES.get(row.measure or "", MEASURES["unsubscribe"])
    if low < 0 < high:
        return (
            f"between {words.growth(low)} and {words.growth(high)} {many}, most likely"
            f" {words.growth(effect)}"
        )
    size, near, far = abs(effect), *sorted((abs(low), abs(high)))
    return (
        f"{size:,.0f}{words.SPACE}% {'fewer' if effect < 0 else 'more'} {many}"
        f" ({near:,.0f} to {far:,.0f}{words.SPACE}%)"
    )


def change_sentence(row: Intervention) -> str:
    """What is known of the effect, in one sentence."""
    clause = effect_clause(row)
    if row.verdict in DECIDED and clause:
        kept = _kept(row)
        return f"{clause[0].upper()}{clause[1:]} than without it{kept}."
    if row.verdict == "not_proven" and clause:
        if _is_clear(row):
            return (
                f"It looks like {clause}, and is not proven: the rate moved that way"
                " before the change already."
            )
        return f"No effect is proven: {clause}. Luck alone could make it."
    if row.verdict == "too_early":
        until = (
            f" The figures are whole on {words.day(row.decided_at)}."
            if row.decided_at and row.is_open
            else ""
        )
        return f"Too little has happened since to tell.{until}"
    if row.verdict == "too_little_mail":
        return "There was too little mail before or after it to tell."
    if row.verdict == "unknown_stream":
        return (
            "Nothing was ever sent to the stream it names, so there is nothing to"
            " measure."
        )
    return "Nothing can be said about its effect."


def _is_interim(row: Intervention) -> bool:
    """Whether it is called decided while figures still come in."""
    return row.verdict in DECIDED and bool(row.is_open)


def _is_clear(row: Intervention) -> bool:
    """Whether the interval leaves no effect out."""
    low, high = row.effect_low_pct, row.effect_high_pct
    return low is not None and high is not None and not low < 0 < high


def _kept(row: Intervention) -> str:
    """The people behind the percent."""
    number, low, high = (
        row.people_kept_count,
        row.people_kept_low_count,
        row.people_kept_high_count,
    )
    if not number or low is None or high is None:
        return ""
    who = words.plural(abs(number), "person", "people")
    near, far = sorted((abs(low), abs(high)))
    done = "stayed who would have left" if number > 0 else "left who would have stayed"
    return f", about {who} ({near:,} to {far:,}) {done}"


def power_sentence(row: Intervention) -> str:
    """How large an effect had to be to show at all."""
    least = row.minimum_detectable_effect_pct
    if least is None or row.verdict in DECIDED:
        return ""
    if least >= 100:
        return "With so little mail not even a large drop would have shown."
    return (
        f"Only a drop of more than {least:,.0f}{words.SPACE}% would have shown with"
        " this much mail."
    )


def claim_sentence(row: Intervention) -> str:
    """What is claimed elsewhere, and how the owner's own figure lies beside it."""
    low, high = row.claim_low_pct, row.claim_high_pct
    if low is None or high is None:
        return ""
    many, _ = MEASURES.get(row.measure or "", MEASURES["unsubscribe"])
    near, far = sorted((abs(low), abs(high)))
    said = f"{near:g} to {far:g}" if near != far else f"{near:g}"
    position = POSITIONS.get(row.claim_position or "", "")
    return (
        f"Claimed elsewhere: {said}{words.SPACE}% {'fewer' if high < 0 else 'more'}"
        f" {many} ({row.claim_source or 'source unknown'})"
        f"{'; ' + position if position else ''}."
    )


def compared_sentence(row: Intervention) -> str:
    """What the change was compared with."""
    if row.effect_pct is None:
        return ""
    return METHODS.get(row.method or "", "").format(
        others=row.control_streams or "other streams"
    )


def _figures(row: Intervention) -> list[tuple[str, str]]:
    """The counts behind the effect, each with its name."""
    parts = (
        (
            "Before",
            row.before_event_count,
            row.before_exposure_count,
            row.before_rate_pct,
            row.before_unit_count,
        ),
        (
            "After",
            row.after_event_count,
            row.after_exposure_count,
            row.after_rate_pct,
            row.after_unit_count,
        ),
    )
    units = UNITS.get(row.unit or "", ("unit", "units"))
    told = [
        (
            name,
            f"{words.percent(rate)} ({words.count(events)} of {words.count(whole)} in"
            f" {words.plural(count or 0, *units)})",
        )
        for name, events, whole, rate, count in parts
        if rate is not None
    ]
    if row.expected_after_rate_pct is not None and row.after_rate_pct is not None:
        told.append(("Expected without it", words.percent(row.expected_after_rate_pct)))
    return told


def _change_row(
    row: Intervention, names: Mapping[str, str], reach: tuple[float, float]
) -> ChangeRow:
    verdict, colour = VERDICTS.get(
        row.verdict, (words.spelled_out(row.verdict), "unproven")
    )
    return ChangeRow(
        row=row,
        name=change_name(row),
        place=place_name(row, names),
        verdict=f"{verdict} so far" if _is_interim(row) else verdict,
        colour=colour,
        sentence=change_sentence(row),
        compared=compared_sentence(row),
        claim=claim_sentence(row),
        power=power_sentence(row),
        figures=_figures(row),
        ruler=_ruler(row, colour, reach),
    )


def _reach(rows: Sequence[Intervention]) -> tuple[float, float]:
    """The percent at both ends of every ruler."""
    known = [
        end
        for row in rows
        for end in (row.effect_low_pct, row.effect_high_pct, row.claim_low_pct)
        if end is not None
    ]
    return (
        max(min([LEAST_REACH[0], *known]), MOST_REACH[0]),
        min(max([LEAST_REACH[1], *known]), MOST_REACH[1]),
    )


def _place(value: float, reach: tuple[float, float]) -> float:
    low, high = (log1p(end / 100) for end in reach)
    place = log1p(min(max(value, reach[0]), reach[1]) / 100)
    return round(100 * (place - low) / (high - low), 2)


def _ticks(reach: tuple[float, float]) -> list[tuple[float, str]]:
    """Each number with its place, where it has room."""
    return [
        (_place(value, reach), words.growth(value))
        for value in TICKS
        if reach[0] < value < reach[1]
        and TICK_MARGIN <= _place(value, reach) <= 100 - TICK_MARGIN
    ]


def _ruler(row: Intervention, colour: str, reach: tuple[float, float]) -> Ruler | None:
    effect, low, high = row.effect_pct, row.effect_low_pct, row.effect_high_pct
    if effect is None or low is None or high is None:
        return None
    claimed = (row.claim_low_pct, row.claim_high_pct)
    ends = sorted(_place(end, reach) for end in claimed if end is not None)
    return Ruler(
        zero=_place(0.0, reach),
        dot=_place(effect, reach),
        low=_place(low, reach),
        high=_place(high, reach),
        claim=(ends[0], ends[-1]) if ends else None,
        colour=colour,
    )


def asked_sentence(row: RePermission) -> str:
    """What became of those who were asked again, in one sentence."""
    if row.asked_count is None:
        return "The exports tell totals only, so what became of whom is unknown."
    if not row.asked_count:
        return "Nobody was reached by a mail that asked."
    told = (
        f"Of {words.plural(row.asked_count, 'person', 'people')} asked,"
        f" {words.count(row.reconfirmed_count)} said yes"
        f" ({words.percent(row.reconfirmed_pct)}), {words.count(row.opted_out_count)}"
        f" left, {words.count(row.complained_count)} complained and"
        f" {words.count(row.silent_count)} said nothing"
    )
    if row.is_open:
        return f"{told} so far."
    mailed = row.silent_mailed_since_count
    if not mailed:
        return f"{told}; none of the silent was mailed since."
    return (
        f"{told}; {words.count(mailed)} of the silent {words.is_or_are(mailed)} mailed"
        " all the same."
    )


def answer(rows: Sequence[Intervention], streams: Sequence[Stream]) -> Markup:
    """Whether the changes helped, for the first screen; empty where none is known."""
    names = {stream.stream_id: stream.name for stream in streams}
    ranked = sorted((row for row in rows if row.verdict != "unknown_stream"), key=_rank)
    told = [_answer(row, names) for row in ranked[:NAMED_CHANGES]]
    rest = len(ranked) - len(told)
    if rest > 0:
        told.append(Markup("{} below.").format(words.plural(rest, "more change")))
    return Markup(" ").join(told)


def _answer(row: Intervention, names: Mapping[str, str]) -> Markup:
    clause = effect_clause(row)
    return Markup("<strong>{}</strong> (<bdi>{}</bdi>, since {}): {}{}.").format(
        change_name(row),
        place_name(row, names),
        words.day(row.changed_at),
        f"{verdict_name(row.verdict)}{' so far' if _is_interim(row) else ''}",
        f", {clause}{_kept(row)}" if row.verdict in DECIDED and clause else "",
    )
