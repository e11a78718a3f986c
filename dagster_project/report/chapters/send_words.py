"""How a send and a stream are said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dagster_project.report import words
from dagster_project.report.findings import Stream
from dagster_project.report.rows.sends import (
    PLAIN_SEND_TYPES,
    SPIKES,
    FlowMonth,
    Send,
    StreamTrend,
)

PERSISTENT_BANDS = ("investigate", "critical")

LOUDNESS = {status: "!" * number for number, status in enumerate(SPIKES, start=1)}

SPIKE_MEANINGS = {
    "strong": "far more left than expected",
    "alert": "clearly more left than expected",
    "watch": "more left than expected",
    "none": "as many left as luck explains",
}

CONTEXTS = {
    "post_gap_expected": "first after a pause, which is allowed for",
    "above_gap_expectation": "first after a pause, and high even for that",
}

NOT_COMPARED = "mail that goes out all the time is not compared"

SHAPES = {
    "stable": "steady",
    "isolated_spike": "one spike",
    "spike_unconfirmed": "new spike",
    "step": "rose at once",
    "climb": "climbing",
    "undetermined_rise": "rising",
    "post_gap": "high after a pause",
    "insufficient_data": "too little mail",
}

LEVELS = {
    "unsubscribe": "opt-outs",
    "open": "opens",
    "click": "clicks",
    "complaint": "complaints",
    "hard_bounce": "dead addresses",
}
"""Measure of ``stream_trends`` -> what it counts."""


def why_no_rate(send: Send) -> str:
    """Why the rate of a send is unknown."""
    if send.is_contradictory:
        reason = (
            words.spelled_out(send.exclusion_reason)
            or "its counts contradict each other"
        )
        return f"excluded, because this does not hold: {reason}"
    if send.delivered_count is None:
        return "no export says how many were delivered"
    if send.delivered_count == 0:
        return "nothing was delivered"
    return "no export says how many unsubscribed"


def why_no_expectation(send: Send) -> str:
    """Why nothing can be expected of a send."""
    if not send.is_judged:
        return "no rate to compare"
    if send.send_type not in PLAIN_SEND_TYPES:
        return NOT_COMPARED
    return "no earlier settled send of its stream"


def why_no_verdict(send: Send) -> str:
    """Why a send is not called usual or unusual."""
    if not send.is_judged:
        return "no rate to compare"
    if send.send_type not in PLAIN_SEND_TYPES:
        return NOT_COMPARED
    if send.spike_z is None:
        earlier = send.baseline_campaign_count or 0
        return (
            f"only {words.plural(earlier, 'earlier send')}" if earlier else "first send"
        )
    if send.is_provisional:
        return arrived(send) or "too early to tell"
    return "too few opt-outs to be expected"


def arrived(send: Send) -> str:
    """How much of a young send's loss is in; empty where that is not known."""
    if not send.is_provisional or send.expected_complete_share is None:
        return ""
    share = round(100 * send.expected_complete_share)
    return f"about {share}{words.SPACE}% of its opt-outs have arrived"


def industry(send: Send) -> str:
    """Where a rate lies among those published for its industry."""
    place = {"above": "above", "within": "like", "below": "below"}
    word = place.get(send.industry_position or "")
    return f"{word} {send.industry or 'most senders'}" if word else ""


def opens(send: Send) -> str:
    """The open rate with what kind of opens it counts."""
    if send.open_rate_pct is None:
        return words.UNKNOWN
    mark = "" if send.open_basis == "human" else "*"
    return f"{words.percent(send.open_rate_pct)}{mark}"


def unknowns(stream: Stream) -> list[str]:
    """Why cells of a stream's table say unknown, a sentence each."""
    judged = stream.judged
    notes = []
    for column, thing in (
        ("open_rate_pct", "Opens"),
        ("click_rate_pct", "Clicks"),
        ("complaint_rate_pct", "Complaints"),
    ):
        missing = sum(getattr(send, column) is None for send in judged)
        if missing and missing == len(judged):
            notes.append(f"{thing} are unknown: the exports of this stream print none.")
        elif missing:
            notes.append(
                f"{thing} are unknown for {words.plural(missing, 'send')}: "
                "their export prints none."
            )
    if any(send.open_basis == "all" for send in judged):
        notes.append(
            "* All opens: this export cannot tell people from mail programs that open"
            " every mail."
        )
    return notes


def stream_summary(stream: Stream) -> str:
    """One stream in a line."""
    judged = stream.judged
    if not judged:
        return (
            f"{words.small(len(stream.sends), 'send').capitalize()}, none with a rate."
        )
    dated = stream.dated
    period = ""
    if dated and words.day(dated[0].sent_at) != words.day(dated[-1].sent_at):
        period = f", {words.day(dated[0].sent_at)} to {words.day(dated[-1].sent_at)}"
    elif dated:
        period = f" on {words.day(dated[0].sent_at)}"
    rate = words.percent(100 * stream.unsubscribe_count / stream.delivered_count)
    standing_out = len(stream.standing_out)
    return (
        f"{words.plural(len(stream.sends), 'send')}{period}."
        f" {words.count(stream.unsubscribe_count)} of"
        f" {words.count(stream.delivered_count)} delivered mails ended in an"
        f" unsubscribe ({rate}). {words.small(standing_out, 'send').capitalize()}"
        f" {'stands' if standing_out == 1 else 'stand'} out."
    )


def trend_sentences(stream: Stream) -> list[str]:
    """Where a stream is going; nothing where no send of it is compared."""
    trend = stream.trend
    if trend is None:
        return []
    told = [shape_sentence(trend)]
    if trend.persistent_band in PERSISTENT_BANDS:
        told.append(
            f"Send after send its rate is confirmed “{trend.persistent_band}” or worse,"
            " so no single send is to blame."
        )
    if stream.drift_status == "alert" and not trend.is_rising:
        told.append(
            "Drift alarm: its newest sends lie a little high again and again, which"
            " adds up to more than luck."
        )
    elif stream.drift_status == "watch" and not trend.is_rising:
        told.append(
            "Drift to watch: its newest sends lie a little high again and again; its"
            " sends resemble their neighbours, so this may pass."
        )
    levels = level_words(trend)
    if levels:
        told.append(f"Its newest sends against those before: {', '.join(levels)}.")
    return told


def shape_sentence(trend: StreamTrend) -> str:
    """The shape of a stream's newest sends."""
    since, effect = words.day(trend.shape_started_at), words.growth(trend.effect_pct)
    used = words.plural(trend.campaigns_used or 0, "settled send")
    return {
        "stable": f"Steady over its newest {used}: nothing rose and stayed up.",
        "isolated_spike": f"One spike, on {since} ({effect}); the rest is steady.",
        "spike_unconfirmed": (
            f"A spike on {since} ({effect}), too new to tell from the start of a rise:"
            " the next two sends will."
        ),
        "step": f"Rising: since {since} about {effect}, and it stayed up.",
        "climb": f"Rising: since {since} about {effect} from one send to the next.",
        "undetermined_rise": (
            f"Rising: since {since} about {effect}; whether at once or bit by bit"
            " cannot be told yet."
        ),
        "post_gap": f"High after the pause before {since}, then on its way back.",
    }.get(
        trend.shape,
        f"Too little mail to say where it is going ({used} to compare).",
    )


def level_words(trend: StreamTrend) -> list[str]:
    """What moved, and what certainly did not."""
    told = []
    for measure, name in LEVELS.items():
        direction = getattr(trend, f"{measure}_direction")
        ratio = getattr(trend, f"{measure}_ratio")
        if direction in ("rising", "falling") and ratio is not None:
            told.append(f"{name} {direction} ({words.growth(100 * (ratio - 1))})")
        elif direction == "stable":
            told.append(f"{name} unchanged")
    return told


def flow_name(row: FlowMonth) -> str:
    """A flow as people call it."""
    return row.stream_name or row.stream_id.removeprefix(f"{row.source}/{row.account}/")


def stream_alt(stream: Stream) -> str:
    """What the chart of a stream shows, for those who do not see it."""
    bands = Counter(send.judged_band for send in stream.judged)
    listed = ", ".join(
        f"{bands[band]} {words.band_name(band)}" for band in bands if band
    )
    return (
        f"Unsubscribe rate of {words.plural(len(stream.judged), 'send')} of"
        f" {stream.name} in the order of sending, with 95 % intervals, against what"
        f" the stream's own past leads to expect: {listed}. The table below"
        " holds the numbers."
    )


def send_hover(send: Send, edges: Sequence[float]) -> list[str]:
    """The lines that appear when a send of a chart is pointed at."""
    lines = [f"{words.day(send.sent_at)}"]
    if not send.is_judged:
        return [*lines, f"no rate: {why_no_rate(send)}"]
    lines.append(
        f"{words.percent(send.unsubscribe_rate_pct, edges)}:"
        f" {words.count(send.unsubscribe_count)} of"
        f" {words.count(send.delivered_count)} left ({both_bands(send)})"
    )
    low, high = send.unsubscribe_rate_low_pct, send.unsubscribe_rate_high_pct
    lines.append(f"95 % interval {words.interval(low, high)}")
    if send.expected_rate_pct is not None:
        extra = words.signed(send.excess_unsubscribe_count)
        lines.append(
            f"expected {words.percent(send.expected_rate_pct)}: {extra} people"
        )
    meaning = SPIKE_MEANINGS.get(send.spike_status or "")
    lines.append(meaning or f"no verdict: {why_no_verdict(send)}")
    if send.grade_context in CONTEXTS:
        lines.append(CONTEXTS[send.grade_context])
    if send.is_provisional:
        lines.append(f"provisional: {arrived(send) or 'may still rise'}")
    return lines


def both_bands(send: Send) -> str:
    """The proven band, and the observed one where it says more."""
    judged = words.band_name(send.judged_band)
    if send.judged_band == send.observed_band:
        return judged
    return f"{judged}, observed {send.observed_band}"


def rates(send: Send) -> str:
    """A rate beside the one that was expected."""
    return (
        f"{words.percent(send.unsubscribe_rate_pct)},"
        f" expected {words.percent(send.expected_rate_pct)}"
    )
