"""The page: what goes where, written as one file in one step.

Nothing is loaded from anywhere when the page is opened: styles, scripts, plotly and the
data of every chart are inside, and a content security policy forbids the rest, so that
a name which looks like markup could not run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from dagster_project.report import charts, findings, trust, words
from dagster_project.report.charts import Figure
from dagster_project.report.findings import (
    AccountHistory,
    ListHistory,
    ReasonTotals,
    Stream,
)
from dagster_project.report.queries import (
    UNPROVEN,
    Band,
    DecayMonth,
    Diagnosis,
    Frames,
    LoadedFile,
    Send,
    Trust,
    read_frames,
)
from dagster_project.report.trust import Change

TEMPLATES = Path(__file__).parent / "templates"

# What one page can hold: about 3 MB beside plotly's own script.
OPEN_STREAMS = 4
CHARTED_STREAMS = 24
CHARTED_SENDS = 260
TABLE_SENDS = 100
FOLDED_CHARTED_SENDS = 130
FOLDED_TABLE_SENDS = 25
SHOWN_SENDS = 6
COSTLIEST_SENDS = 6
SHOWN_FINDINGS = 5
FOLDED_FINDINGS = 40
FLOW_ROWS = 60
MONTHS = 24
NAMED_REASONS = 6
LISTS = 12
FILES = 50
ACCOUNTS = 8
SHOWN_FAULTS = 4
FOLDED_EXCLUDED_SENDS = 100
OPEN_QUESTIONS = 6

MINIMUM_ANSWERS = 5
"""Fewer answers are no pattern of a single send."""


def build_report(marts: Path, target: Path) -> None:
    """Write the page of the published marts, whole or not at all.

    Args:
        marts: the published DuckDB file.
        target: the page; the one before is replaced in one step.

    Raises:
        FileNotFoundError: when nothing has been published yet.
    """
    page = render(read_frames(marts))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as writer:
            writer.write(page)
            writer.flush()
            os.fsync(writer.fileno())
        Path(fresh).replace(target)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def render(frames: Frames) -> str:
    """The page as text: the same for the same marts."""
    figures: dict[str, Figure] = {}
    sections = _sections(frames, figures)
    plotly = plotly_script()
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return (
        _environment(frames.bands)
        .get_template("page.html.j2")
        .render(
            sections,
            style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
            plotly=plotly if figures else "",
            script=script,
            script_hashes=[_csp_hash(text) for text in (plotly, script)],
            figures=_inert_json(figures),
        )
    )


def plotly_script() -> str:
    """The script that draws; importing plotly costs a moment, so only here."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _environment(bands: Sequence[Band]) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"share": words.share, "amount": words.amount}
    environment.filters |= {
        "percent": partial(words.percent, edges=_edges(bands)),
        "count": words.count,
        "day": words.day,
        "month": words.month,
        "number": words.number,
        "growth": words.growth,
        "compact": words.compact,
        "known": _known,
        "spelled_out": words.spelled_out,
        "days": words.days,
    }
    return environment


def _known(value: float | None) -> str:
    """A number for the table's sorter; empty sorts last."""
    return "" if value is None else f"{value:.10g}"


def _csp_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _inert_json(figures: Mapping[str, Figure]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(figures, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _edges(bands: Sequence[Band]) -> list[float]:
    """Where one severity band becomes the next."""
    return [b.lower_pct for b in bands if b.kind == "severity" and b.lower_pct]


def _reference(bands: Sequence[Band]) -> float | None:
    """The yearly loss that is commonly expected, in percent."""
    return next((band.upper_pct for band in bands if band.kind == "decay"), None)


def _sections(frames: Frames, figures: dict[str, Figure]) -> dict[str, Any]:
    """Everything the template shows, chapter by chapter; draws into ``figures``."""
    severity = [band for band in frames.bands if band.kind == "severity"]
    streams = findings.streams(frames)
    anchors = {
        stream.stream_id: f"stream-{place}"
        for place, stream in enumerate(streams[:CHARTED_STREAMS], start=1)
    }
    accounts = findings.histories(frames.decay)
    newest = [row for row in frames.reasons if row.period_kind == "rolling_12_months"]
    reasons = findings.reason_totals(newest)
    return {
        "build_id": frames.build_id,
        "is_empty": not (frames.sends or frames.decay or newest),
        "bands": _judged_bands(severity),
        "head": _head(frames, streams, severity, accounts, reasons),
        "findings": _findings_chapter(frames, streams, anchors),
        "sends": _sends_chapter(frames, streams, severity, figures),
        "judging": _judging_chapter(frames),
        "reasons": _reasons_chapter(frames, reasons, figures),
        "decay": _decay_chapter(accounts, _reference(frames.bands), figures),
        "trust": _trust_chapter(frames),
        "accounting": _accounting_chapter(frames),
    }


def _judged_bands(severity: Sequence[Band]) -> list[tuple[str, str, str]]:
    """Each band as a send is judged: its key, its name and its stretch of rates."""
    bands = [(band.band, band.band, words.band_range(band)) for band in severity]
    healthy_upper = next((band.upper_pct for band in severity if band.upper_pct), None)
    if healthy_upper is not None:
        above = f"above {healthy_upper:g}{words.SPACE}% to the eye, may be luck"
        bands.insert(1, (UNPROVEN, words.band_name(UNPROVEN), above))
    return bands


def _head(
    frames: Frames,
    streams: Sequence[Stream],
    severity: Sequence[Band],
    accounts: Sequence[AccountHistory],
    reasons: ReasonTotals,
) -> dict[str, Any]:
    sends = frames.sends
    reference = _reference(frames.bands)
    judged = [send for send in sends if send.is_judged]
    bands = Counter(send.judged_band for send in judged)
    answer = [
        words.reason_clause(reasons) + " " + words.loss_clause(accounts, reference)
    ]
    if sends:
        worst = next(iter(findings.costliest(sends)), None)
        rising = findings.rising(frames.stream_trends)
        answer = [
            words.cost_sentence(worst, sends, severity)
            + words.cause_sentence(findings.diagnosis_of(worst, frames.diagnoses)),
            words.rising_sentence(rising, streams),
            *answer,
            words.judged_sentence(sends),
        ]
    return {
        "answer": answer,
        "judged": len(judged),
        "by_band": [
            (band, name, stretch, bands[band])
            for band, name, stretch in _judged_bands(severity)
        ],
        "freshness": words.freshness(frames.files, sends),
        "maturity": words.maturity(sends) if sends else words.UNKNOWN,
    }


@dataclass(frozen=True)
class FindingRow:
    """One finding as it is shown."""

    diagnosis: Diagnosis
    label: str
    confidence: str
    confidence_meaning: str
    place: str
    stream: str
    anchor: str
    people: str


def _findings_chapter(
    frames: Frames, streams: Sequence[Stream], anchors: Mapping[str, str]
) -> dict[str, Any]:
    """What happened and what to do, the most people first."""
    names = {stream.stream_id: stream.name for stream in streams}
    sends = {(send.stream_id, send.campaign_id): send for send in frames.sends}
    rows = [
        _finding_row(
            row, sends.get((row.stream_id, row.campaign_id or "")), names, anchors
        )
        for row in frames.diagnoses[: SHOWN_FINDINGS + FOLDED_FINDINGS]
    ]
    return {
        "shown": rows[:SHOWN_FINDINGS],
        "folded": rows[SHOWN_FINDINGS:],
        "left_out": len(frames.diagnoses) - len(rows),
    }


def _finding_row(
    row: Diagnosis,
    send: Send | None,
    names: Mapping[str, str],
    anchors: Mapping[str, str],
) -> FindingRow:
    stream = names.get(row.stream_id, row.stream_id)
    confidence, meaning = words.CONFIDENCES.get(
        row.confidence or "", (words.spelled_out(row.confidence), "")
    )
    return FindingRow(
        diagnosis=row,
        label=row.finding_label or words.spelled_out(row.finding),
        confidence=confidence,
        confidence_meaning=meaning,
        place=words.diagnosis_place(row, send, stream),
        stream=stream,
        anchor=anchors.get(row.stream_id, ""),
        people=words.signed(row.people_lost_count),
    )


def _judging_chapter(frames: Frames) -> dict[str, Any]:
    """What the words rest on: references, and constants beside their estimates."""
    estimated_first = sorted(
        frames.constants, key=lambda row: (row.own_estimate is None, row.constant_name)
    )
    return {
        "contradiction": words.contradiction_sentence(frames.bands),
        "constants": [(row, words.behind(row)) for row in estimated_first],
    }


@dataclass(frozen=True)
class Whisker:
    """Where a rate, its interval and the expected one lie on a small ruler, 0-100."""

    dot: float
    low: float
    high: float
    expected: float | None


@dataclass(frozen=True)
class SendRow:
    """One line of a table of sends."""

    send: Send
    whisker: Whisker | None
    interval: str
    why_no_rate: str
    band: str
    industry: str
    excess: tuple[str, str]
    why_no_expectation: str
    loudness: str
    meaning: str
    why_no_verdict: str
    context: str
    arrived: str
    opens: str
    reason: str


@dataclass(frozen=True)
class StreamBlock:
    """One stream as it is shown."""

    anchor: str
    is_folded: bool
    stream: Stream
    summary: str
    trend: list[str]
    alt: str
    has_chart: bool
    left_out: int
    rows: list[SendRow]
    rows_left_out: int
    notes: list[str]


@dataclass(frozen=True)
class Costly:
    """One line of the ranking over all streams."""

    send: Send
    stream: str
    anchor: str
    people: str
    rates: str
    loudness: str
    width: float


def _sends_chapter(
    frames: Frames,
    streams: Sequence[Stream],
    severity: Sequence[Band],
    figures: dict[str, Figure],
) -> dict[str, Any]:
    by_campaign = findings.reasons_by_campaign(
        row for row in frames.reasons if row.period_kind == "campaign"
    )
    said = {
        send.campaign_key: _said(
            by_campaign.get((send.source, send.account, send.campaign_id, send.variant))
        )
        for send in frames.sends
    }
    blocks = [
        _stream_block(place, stream, severity, said, figures)
        for place, stream in enumerate(streams[:CHARTED_STREAMS])
    ]
    newest_flows = sorted(
        frames.flow_months,
        key=lambda row: (-row.month.toordinal(), -(row.delivered_count or 0), row.name),
    )
    open_blocks = [block for block in blocks if not block.is_folded]
    return {
        "costliest": _costliest(blocks),
        "open": open_blocks,
        "folded": blocks[len(open_blocks) :],
        "others": [
            (stream, words.stream_summary(stream))
            for stream in streams[CHARTED_STREAMS:]
        ],
        "count": len(frames.sends),
        "shown_sends": SHOWN_SENDS,
        "loudness": [
            (words.LOUDNESS[status], status, words.SPIKE_MEANINGS[status])
            for status in reversed(words.LOUDNESS)
        ],
        "trends": [
            (stream, stream.trend, words.SHAPES.get(stream.trend.shape, ""))
            for stream in streams[:CHARTED_STREAMS]
            if stream.trend
        ],
        "flows": [(row, words.flow_name(row)) for row in newest_flows[:FLOW_ROWS]],
        "flows_left_out": max(0, len(newest_flows) - FLOW_ROWS),
        "interval": words.interval,
    }


def _said(reasons: ReasonTotals | None) -> str:
    """What those who left through a send gave as the reason most often."""
    if (
        reasons is None
        or reasons.main is None
        or reasons.answered_count < MINIMUM_ANSWERS
    ):
        return ""
    return (
        f"{reasons.main.label}: {reasons.main.count:,} of"
        f" {words.plural(reasons.answered_count, 'answer')}"
    )


def _stream_block(
    place: int,
    stream: Stream,
    severity: Sequence[Band],
    said: Mapping[str, str],
    figures: dict[str, Figure],
) -> StreamBlock:
    anchor = f"stream-{place + 1}"
    is_folded = place >= OPEN_STREAMS or not stream.is_plain
    dated = stream.dated
    shown = dated[-(FOLDED_CHARTED_SENDS if is_folded else CHARTED_SENDS) :]
    has_chart = sum(send.is_judged for send in shown) > 1
    if has_chart:
        figures[anchor] = charts.stream_chart(stream, severity, shown)
    ranked = findings.worst_first(stream.sends)
    rows = ranked[: FOLDED_TABLE_SENDS if is_folded else TABLE_SENDS]
    top = charts.axis_top(rows, [band.lower_pct for band in severity if band.lower_pct])
    return StreamBlock(
        anchor=anchor,
        is_folded=is_folded,
        stream=stream,
        summary=words.stream_summary(stream),
        trend=words.trend_sentences(stream),
        alt=words.stream_alt(stream),
        has_chart=has_chart,
        left_out=len(dated) - len(shown),
        rows=[_send_row(send, top, said.get(send.campaign_key, "")) for send in rows],
        rows_left_out=len(ranked) - len(rows),
        notes=words.unknowns(stream),
    )


def _send_row(send: Send, top: float, reason: str) -> SendRow:
    low, high = send.unsubscribe_rate_low_pct, send.unsubscribe_rate_high_pct
    status = send.spike_status or ""
    return SendRow(
        send=send,
        whisker=_whisker(send, top),
        interval=words.interval(low, high),
        why_no_rate="" if send.is_judged else words.why_no_rate(send),
        band=words.band_name(send.judged_band),
        industry=words.industry(send),
        excess=words.people(
            send.excess_unsubscribe_count, send.excess_low_count, send.excess_high_count
        ),
        why_no_expectation=words.why_no_expectation(send),
        loudness=words.LOUDNESS.get(status, ""),
        meaning=words.SPIKE_MEANINGS.get(status, ""),
        why_no_verdict=words.why_no_verdict(send),
        context=words.CONTEXTS.get(send.grade_context or "", ""),
        arrived=words.arrived(send),
        opens=words.opens(send),
        reason=reason,
    )


def _whisker(send: Send, top: float) -> Whisker | None:
    def place(value: float | None) -> float:
        return round(100 * min((value or 0.0) / top, 1.0), 2)

    if not send.is_judged:
        return None
    expected = send.expected_rate_pct
    return Whisker(
        dot=place(send.unsubscribe_rate_pct),
        low=place(send.unsubscribe_rate_low_pct),
        high=place(send.unsubscribe_rate_high_pct),
        expected=None if expected is None else place(expected),
    )


def _costliest(blocks: Sequence[StreamBlock]) -> list[Costly]:
    anchors = {block.stream.stream_id: block for block in blocks}
    ranked = findings.costliest(
        send for block in blocks for send in block.stream.sends
    )[:COSTLIEST_SENDS]
    if not ranked:
        return []
    most = max(1, *(send.excess_unsubscribe_count or 0 for send in ranked))
    return [
        Costly(
            send=send,
            stream=anchors[send.stream_id].stream.name,
            anchor=anchors[send.stream_id].anchor,
            people=words.signed(send.excess_unsubscribe_count),
            rates=words.rates(send),
            loudness=words.LOUDNESS[send.spike_status or ""],
            width=round(100 * max(0, send.excess_unsubscribe_count or 0) / most, 1),
        )
        for send in ranked
    ]


def _reasons_chapter(
    frames: Frames, totals: ReasonTotals, figures: dict[str, Figure]
) -> dict[str, Any]:
    newest = [row for row in frames.reasons if row.period_kind == "rolling_12_months"]
    monthly = [row for row in frames.reasons if row.period_kind == "month"]
    starts = [row.period_start for row in newest if row.period_start]
    series = _reason_series(findings.reason_totals(monthly))
    months = _reason_months(frames, series)
    if len(months) > 1:
        figures["reason-months"] = charts.reason_months(
            months, [(name, colour) for name, colour, _ in series]
        )
    by_list = findings.reasons_by_list(newest)
    widest = max(
        (ends[1] for row in totals.answers if (ends := row.of_answered.interval)),
        default=100.0,
    )
    return {
        "totals": totals,
        "since": min(starts) if starts else None,
        "scale": widest,
        "interval": words.interval,
        "has_months": len(months) > 1,
        "legend": [(name, colour.removeprefix("--")) for name, colour, _ in series],
        "by_list": by_list[:LISTS],
        "lists_left_out": max(0, len(by_list) - LISTS),
        "topics": words.topic_sentence(frames.sends) if frames.sends else "",
    }


def _reason_series(totals: ReasonTotals) -> list[tuple[str, str, frozenset[str]]]:
    """Name, colour and reasons of each layer: answers first, silence on top."""
    clear = [row for row in totals.answers if row.reason not in findings.VAGUE_REASONS]
    series = [
        (row.label, f"--series-{number}", frozenset({row.reason}))
        for number, row in enumerate(clear[:NAMED_REASONS], start=1)
    ]
    pooled = {row.reason for row in clear[NAMED_REASONS:]}
    pooled |= {row.reason for row in totals.answers if row.reason == "other"}
    if pooled:
        series.append(("All other reasons", "--series-7", frozenset(pooled)))
    vague = {
        row.reason: row.label
        for row in totals.answers
        if row.reason in findings.VAGUE_REASONS and row.reason != "other"
    }
    if vague:
        series.append(("Answered, not understood", "--series-8", frozenset(vague)))
    for number, row in enumerate(totals.silences):
        colour = "--series-none" if number % 2 else "--series-silent"
        series.append((row.label, colour, frozenset({row.reason})))
    return series


def _reason_months(
    frames: Frames, series: Sequence[tuple[str, str, frozenset[str]]]
) -> dict[date, Counter[str]]:
    layer = {reason: name for name, _, reasons in series for reason in reasons}
    months: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for row in frames.reasons:
        if row.period_kind == "month" and row.period_start:
            months[row.period_start][layer[row.reason]] += row.reason_count
    return {month: months[month] for month in sorted(months)[-MONTHS:]}


@dataclass(frozen=True)
class HistoryBlock:
    """A list, or an account as a whole, as it is shown."""

    anchor: str
    history: ListHistory
    basis: str
    causes: list[tuple[str, str, int]]
    legend: list[tuple[str, str]]
    joined: int
    lost: int
    recent_count: int
    months: tuple[DecayMonth, ...]
    left_out: int
    is_unfinished: bool


def _decay_chapter(
    accounts: Sequence[AccountHistory],
    reference: float | None,
    figures: dict[str, Figure],
) -> dict[str, Any]:
    blocks = []
    for number, account in enumerate(accounts[:LISTS], start=1):
        whole = _history_block(f"decay-{number}", account.whole, reference, figures)
        lists = [
            _history_block(f"decay-{number}-{place}", part, reference, figures)
            for place, part in enumerate(account.lists[:LISTS], start=1)
        ]
        blocks.append((whole, lists, max(0, len(account.lists) - LISTS)))
    return {"accounts": blocks, "reference": reference}


def _history_block(
    anchor: str,
    history: ListHistory,
    reference: float | None,
    figures: dict[str, Figure],
) -> HistoryBlock:
    months = (history.known_months or history.months)[-MONTHS:]
    figures[f"{anchor}-lost"] = charts.loss_months(months)
    figures[f"{anchor}-contacts"] = charts.contact_months(months)
    figures[f"{anchor}-attrition"] = charts.attrition_months(months, reference)
    recent = months[-findings.MONTHS_IN_A_YEAR :]
    causes = [
        (
            label,
            charts.LOSS_COLOURS[column],
            sum(getattr(m, column) or 0 for m in recent),
        )
        for column, label in words.LOSS_CAUSES.items()
    ]
    drawn = [
        (label, charts.LOSS_COLOURS[column].removeprefix("--"))
        for column, label in words.LOSS_CAUSES.items()
        if any(getattr(row, column) for row in months)
    ]
    return HistoryBlock(
        anchor=anchor,
        history=history,
        basis=words.loss_basis(history.annual_loss),
        causes=[cause for cause in causes if cause[2]],
        legend=drawn,
        joined=sum(row.joined_count for row in recent),
        lost=sum(row.lost_count or 0 for row in recent),
        recent_count=len(recent),
        months=months,
        left_out=len(history.months) - len(months),
        is_unfinished=any(not row.is_complete_month for row in months),
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


TRUST_PARTS = (
    ("reconciled", "series-1", "reconciled: an independent number in the files agrees"),
    ("unchecked", "series-3", "nothing to check against"),
    ("unknown", "series-none", "no delivered count"),
    ("excluded", "critical", "excluded: its counts contradict each other"),
)
"""Part of an account's sends, its colour, and its name in the legend."""


def _trust_chapter(frames: Frames) -> dict[str, Any]:
    """The parts in the order of the questions that people ask."""
    lines = [_account_line(row) for row in trust.most_sends_first(frames.trust)]
    shown = {name for line in lines for name, _ in line.parts}
    losses = trust.with_losses(frames.trust)
    moved = [
        ChangeRow(
            change=change,
            measures=words.measures(change),
            points=words.points(change.rate_difference_pct),
            kind=words.CHANGE_KINDS.get(
                change.change_kind or "", words.spelled_out(change.change_kind)
            ),
        )
        for change in trust.changes(frames)
    ]
    states = Counter(file.state for file in frames.files if file.state)
    imperfect = [
        file
        for file in frames.files
        if file.state == "loaded" and (file.rejected_count or file.unmapped_count)
    ]
    answers = trust.answers(frames.questions)
    return {
        "lines": lines,
        "shown_lines": ACCOUNTS,
        "colours": {part: colour for part, colour, _ in TRUST_PARTS},
        "legend": [
            (name, colour) for part, colour, name in TRUST_PARTS if part in shown
        ],
        "groups": [
            (words.group_title(group), group) for group in trust.exclusions(frames)
        ],
        "notes": [(words.group_title(group), group) for group in trust.notes(frames)],
        "shown": SHOWN_FAULTS,
        "folded_sends": FOLDED_EXCLUDED_SENDS,
        "late": [(row, words.rhythm(row)) for row in trust.late(frames.freshness)],
        "punctual": words.punctual_sentence(frames.freshness),
        "reading": words.reading_sentence(frames.trust, losses),
        "losses": losses,
        "has_unmapped": any(row.unmapped_record_count for row in losses),
        "gaps": trust.with_gaps(frames.trust),
        "refused": _some(file for file in frames.files if file.state == "refused"),
        "withdrawn": _some(file for file in frames.files if file.state == "withdrawn"),
        "imperfect": imperfect[:FILES],
        "refused_left_out": max(0, states["refused"] - FILES),
        "withdrawn_left_out": max(0, states["withdrawn"] - FILES),
        "imperfect_left_out": max(0, len(imperfect) - FILES),
        "moved": words.moved_sentence(frames.revision_counts),
        "moved_after_final": [row for row in moved if row.change.is_after_final],
        "moved_settling": [row for row in moved if not row.change.is_after_final],
        "moved_left_out": max(
            0,
            sum(row.change_count for row in frames.revision_counts) - len(moved),
        ),
        "answers": [(words.answers_sentence(row), row) for row in answers],
        "is_long": sum(len(row.unanswered) for row in answers) > OPEN_QUESTIONS,
    }


def _account_line(row: Trust) -> AccountLine:
    split = trust.parts(row)
    numbers = [(part, getattr(split, part)) for part, _, _ in TRUST_PARTS if split]
    return AccountLine(
        source=row.source,
        account=row.account,
        sentence=words.account_sentence(row),
        late=row.late_export_count or 0,
        parts=[(part, number) for part, number in numbers if number],
    )


def _some(files: Iterable[LoadedFile]) -> list[LoadedFile]:
    return list(files)[:FILES]


def _accounting_chapter(frames: Frames) -> dict[str, Any]:
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
            (*words.BASES.get(basis, (basis.replace("_", " "), "")), number)
            for basis, number in _most_first(bases)
        ],
        "printed": [
            (words.PRINTED_DENOMINATORS.get(base, base), number)
            for base, number in _most_first(printed)
        ],
        "conservation": frames.conservation,
        "automated": words.automated_sentence(frames.sends),
        "states": [
            (words.FILE_STATES.get(state, state), number)
            for state, number in _most_first(states)
        ],
        "assumed": sorted(
            {
                (file.source or "", file.account or "", file.defaults_used)
                for file in frames.files
                if file.defaults_used and file.state == "loaded"
            }
        )[:FILES],
        "records": sum(file.record_count or 0 for file in frames.files),
        "rejected": sum(file.rejected_count or 0 for file in frames.files),
    }


def _most_first(numbers: Counter[str]) -> list[tuple[str, int]]:
    return sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
