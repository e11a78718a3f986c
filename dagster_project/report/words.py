"""How numbers and findings are said: every sentence of the page that depends on data.

Plain text, escaped by the template; only the headline marks its numbers and escapes
what it quotes itself. Unknown is a word with a reason, never a 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from math import floor, log10

from markupsafe import Markup

from dagster_project.report.findings import (
    MONTHS_IN_A_YEAR,
    AccountHistory,
    AnnualLoss,
    ReasonTotals,
    Stream,
)
from dagster_project.report.queries import (
    PLAIN_SEND_TYPES,
    SPIKES,
    UNPROVEN,
    Band,
    Constant,
    Diagnosis,
    FlowMonth,
    Freshness,
    LoadedFile,
    RevisionCount,
    Send,
    StreamTrend,
    Trust,
)
from dagster_project.report.trust import Answers, Change, CheckGroup, parts

UNKNOWN = "unknown"
SPACE = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

NAMED_RISES = 3

PERSISTENT_BANDS = ("investigate", "critical")

FINE_PCT = 0.1
"""Below it a third digit is dust."""

_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

BANDS = {UNPROVEN: "not proven"}
"""Bands that are not called by their own word."""

LOUDNESS = {status: "!" * number for number, status in enumerate(SPIKES, start=1)}

SPIKE_MEANINGS = {
    "strong": "far more left than expected",
    "alert": "clearly more left than expected",
    "watch": "more left than expected",
    "none": "as many left as luck explains",
}

CONFIDENCES = {
    "confirmed": ("confirmed", "The numbers prove it."),
    "probable": ("probable", "The numbers point to it and do not prove it yet."),
    "low_confidence": (
        "unsure",
        "It rests on numbers that may mislead, such as opens by mail programs.",
    ),
}
"""Confidence of a finding -> what it is called, and what that means."""

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

LOSS_CAUSES = {
    "lost_unsubscribe_count": "Unsubscribed",
    "lost_complaint_count": "Complained",
    "lost_hard_bounce_count": "Address died (hard bounce)",
    "lost_validation_count": "Removed after validation",
    "lost_sunset_count": "Removed for silence",
    "lost_deleted_count": "Deleted by the sender",
    "lost_unknown_count": "Cause unknown",
}
"""Column of ``list_decay_monthly`` -> what it is called, from the contact's own will to
nobody's."""

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

FILE_STATES = {
    "loaded": "loaded",
    "duplicate": "known before, loaded once",
    "refused": "refused as a whole",
    "withdrawn": "withdrawn by hand",
}


def percent(value: float | None, edges: Sequence[float] = ()) -> str:
    """Two or three significant digits, more where these would cross a band's edge."""
    if value is None:
        return UNKNOWN
    text = _significant(value, 3 if value >= FINE_PCT else 2)
    if value < 10 and "." in text and text.endswith("0"):
        text = _significant(value, 2)
    for digits in range(3, 12):
        if all(_side(float(text), edge) == _side(value, edge) for edge in edges):
            break
        text = _significant(value, digits)
    return f"{text}{SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval, the sign of percent once."""
    if low is None or high is None:
        return UNKNOWN
    return f"{_significant(low, 2)}{DASH}{_significant(high, 2)}{SPACE}%"


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    return f"{value:.{max(0, digits - 1 - floor(log10(abs(value))))}f}"


def _side(value: float, edge: float) -> int:
    return (value > edge) - (value < edge)


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return UNKNOWN if value is None else f"{round(value):,}"


def signed(value: float | None) -> str:
    """A whole number of people with its sign."""
    if value is None:
        return UNKNOWN
    people = round(value)
    return "0" if people == 0 else f"{'+' if people > 0 else MINUS}{abs(people):,}"


def people(value: int | None, low: int | None, high: int | None) -> tuple[str, str]:
    """People beyond expectation, and between which numbers they surely lie."""
    if value is None or low is None or high is None:
        return signed(value), ""
    return signed(value), f"{signed(low)} to {signed(high)}"


def growth(value: float | None) -> str:
    """By how much something grew."""
    if value is None:
        return UNKNOWN
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(value):,.0f}{SPACE}%"


def number(value: float | None, digits: int = 1) -> str:
    """A number that is no percentage."""
    if value is None:
        return UNKNOWN
    return f"{value:.{digits}f}".replace("-", MINUS)


def compact(value: float | None) -> str:
    """A constant, as short as it is."""
    return UNKNOWN if value is None else f"{value:.3g}".replace("-", MINUS)


def day(moment: datetime | date | None) -> str:
    """A day as people write it."""
    if moment is None:
        return UNKNOWN
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def month(first_day: date | None) -> str:
    """A month as people write it."""
    if first_day is None:
        return UNKNOWN
    return f"{_MONTHS[first_day.month - 1]} {first_day.year}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _small(number: int, one: str, many: str | None = None) -> str:
    noun = one if number == 1 else many or one + "s"
    return f"{_SMALL[number] if number < len(_SMALL) else format(number, ',')} {noun}"


def _is_or_are(number: int) -> str:
    return "is" if number == 1 else "are"


def band_range(band: Band) -> str:
    """The stretch of rates a band covers."""
    low, high = band.lower_pct or 0.0, band.upper_pct
    if high is None:
        return f"above {low:g}{SPACE}%"
    if not low:
        return f"below {high:g}{SPACE}%"
    return f"{'' if band.is_lower_inclusive else 'above '}{low:g}{DASH}{high:g}{SPACE}%"


def spelled_out(code: str | None) -> str:
    """A code of the marts with spaces."""
    return (code or "").replace("_", " ")


def why_no_rate(send: Send) -> str:
    """Why the rate of a send is unknown."""
    if send.is_contradictory:
        reason = (
            spelled_out(send.exclusion_reason) or "its counts contradict each other"
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
        return f"only {plural(earlier, 'earlier send')}" if earlier else "first send"
    if send.is_provisional:
        return arrived(send) or "too early to tell"
    return "too few opt-outs to be expected"


def arrived(send: Send) -> str:
    """How much of a young send's loss is in; empty where that is not known."""
    if not send.is_provisional or send.expected_complete_share is None:
        return ""
    share = round(100 * send.expected_complete_share)
    return f"about {share}{SPACE}% of its opt-outs have arrived"


def industry(send: Send) -> str:
    """Where a rate lies among those published for its industry."""
    place = {"above": "above", "within": "like", "below": "below"}
    word = place.get(send.industry_position or "")
    return f"{word} {send.industry or 'most senders'}" if word else ""


def band_name(band: str | None) -> str:
    """What a band is called."""
    return BANDS.get(band or "", band or "none")


def opens(send: Send) -> str:
    """The open rate with what kind of opens it counts."""
    if send.open_rate_pct is None:
        return UNKNOWN
    return f"{percent(send.open_rate_pct)}{'' if send.open_basis == 'human' else '*'}"


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
                f"{thing} are unknown for {plural(missing, 'send')}: "
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
        return f"{_small(len(stream.sends), 'send').capitalize()}, none with a rate."
    dated = stream.dated
    period = ""
    if dated and day(dated[0].sent_at) != day(dated[-1].sent_at):
        period = f", {day(dated[0].sent_at)} to {day(dated[-1].sent_at)}"
    elif dated:
        period = f" on {day(dated[0].sent_at)}"
    rate = percent(100 * stream.unsubscribe_count / stream.delivered_count)
    standing_out = len(stream.standing_out)
    return (
        f"{plural(len(stream.sends), 'send')}{period}."
        f" {count(stream.unsubscribe_count)} of {count(stream.delivered_count)}"
        " delivered mails ended in an unsubscribe"
        f" ({rate}). {_small(standing_out, 'send').capitalize()}"
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
    since, effect = day(trend.shape_started_at), growth(trend.effect_pct)
    used = plural(trend.campaigns_used or 0, "settled send")
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
            told.append(f"{name} {direction} ({growth(100 * (ratio - 1))})")
        elif direction == "stable":
            told.append(f"{name} unchanged")
    return told


def rising_sentence(rising: Sequence[StreamTrend], streams: Sequence[Stream]) -> Markup:
    """Which streams rise, or that none does, or that nobody can know."""
    names = {stream.stream_id: stream.name for stream in streams}
    if rising:
        told = Markup("; ").join(
            Markup("<strong><bdi>{}</bdi></strong> since {} ({}{})").format(
                names.get(trend.stream_id, trend.stream_id),
                day(trend.shape_started_at),
                growth(trend.effect_pct),
                " a send" if trend.shape == "climb" else "",
            )
            for trend in rising[:NAMED_RISES]
        )
        rest = len(rising) - NAMED_RISES
        if rest > 0:
            told += f"; and {plural(rest, 'more stream')}"
        return Markup("Rising: {}.").format(told)
    trends = [stream.trend for stream in streams if stream.trend]
    if any(trend.shape != "insufficient_data" for trend in trends):
        return Markup("No stream is rising.")
    return Markup("No stream has enough mail yet to tell whether it is rising.")


def diagnosis_place(row: Diagnosis, send: Send | None, stream: str) -> str:
    """What a finding is about; all variants of a send are one."""
    if row.campaign_id is None:
        return f"the stream {stream}"
    name = row.campaign_name or (send and send.subject) or row.campaign_id
    return f"{name}, {day(row.sent_at)}"


def flow_name(row: FlowMonth) -> str:
    """A flow as people call it."""
    return row.stream_name or row.stream_id.removeprefix(f"{row.source}/{row.account}/")


def contradiction_sentence(bands: Iterable[Band]) -> str:
    """Which published reference the others contradict."""
    return " ".join(
        f"One source ({band.source}) claims {band.lower_pct or 0:g}{SPACE}% as the"
        f" {band.kind}. {band.conflict_note or 'No other source agrees.'}"
        for band in bands
        if band.is_contradicted
    )


def behind(row: Constant) -> str:
    """How much mail stands behind an estimate."""
    if row.campaign_count is None:
        return ""
    streams = f" in {plural(row.stream_count, 'stream')}" if row.stream_count else ""
    return f"{plural(row.campaign_count, 'send')}{streams}"


def stream_alt(stream: Stream) -> str:
    """What the chart of a stream shows, for those who do not see it."""
    bands = Counter(send.judged_band for send in stream.judged)
    listed = ", ".join(f"{bands[band]} {band_name(band)}" for band in bands if band)
    return (
        f"Unsubscribe rate of {plural(len(stream.judged), 'send')} of {stream.name} in"
        f" the order of sending, with 95 % intervals, against what the stream's own"
        f" past leads to expect: {listed}. The table below holds the numbers."
    )


def send_hover(send: Send, edges: Sequence[float]) -> list[str]:
    """The lines that appear when a send of a chart is pointed at."""
    lines = [f"{day(send.sent_at)}"]
    if not send.is_judged:
        return [*lines, f"no rate: {why_no_rate(send)}"]
    lines.append(
        f"{percent(send.unsubscribe_rate_pct, edges)}:"
        f" {count(send.unsubscribe_count)} of {count(send.delivered_count)} left"
        f" ({both_bands(send)})"
    )
    low, high = send.unsubscribe_rate_low_pct, send.unsubscribe_rate_high_pct
    lines.append(f"95 % interval {interval(low, high)}")
    if send.expected_rate_pct is not None:
        extra = signed(send.excess_unsubscribe_count)
        lines.append(f"expected {percent(send.expected_rate_pct)}: {extra} people")
    meaning = SPIKE_MEANINGS.get(send.spike_status or "")
    lines.append(meaning or f"no verdict: {why_no_verdict(send)}")
    if send.grade_context in CONTEXTS:
        lines.append(CONTEXTS[send.grade_context])
    if send.is_provisional:
        lines.append(f"provisional: {arrived(send) or 'may still rise'}")
    return lines


def both_bands(send: Send) -> str:
    """The proven band, and the observed one where it says more."""
    judged = band_name(send.judged_band)
    if send.judged_band == send.observed_band:
        return judged
    return f"{judged}, observed {send.observed_band}"


def judged_sentence(sends: Sequence[Send]) -> Markup:
    """How much of what was sent can be trusted to be judged."""
    judged = sum(send.is_judged for send in sends)
    excluded = sum(send.is_contradictory for send in sends)
    unrated = len(sends) - judged - excluded
    share = percent(100 * excluded / len(sends))
    parts = [
        Markup("<strong>{} of {}</strong> can be judged").format(
            count(judged), plural(len(sends), "send")
        )
    ]
    if excluded:
        parts.append(
            Markup("<strong>{}</strong> ({}) {} excluded because {}").format(
                count(excluded),
                share,
                _is_or_are(excluded),
                "its counts contradict each other"
                if excluded == 1
                else "their counts contradict each other",
            )
        )
    if unrated:
        parts.append(
            Markup("{} no rate because a count is missing").format(
                f"{count(unrated)} {'has' if unrated == 1 else 'have'}"
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
        day(worst.sent_at),
        plural(worst.excess_unsubscribe_count or 0, "person", "people"),
        count(worst.excess_low_count),
        count(worst.excess_high_count),
        " so far" if worst.is_provisional else "",
        percent(worst.unsubscribe_rate_pct, edges),
        percent(worst.expected_rate_pct),
        _proof(worst, proven),
    )


def _proof(send: Send, proven: Band | None) -> str:
    if proven:
        return (
            f"Its rate is confirmed to be above {proven.lower_pct or 0:g}{SPACE}%"
            f" ({proven.band})."
        )
    if send.judged_band == "healthy":
        return "Its rate as such is healthy."
    return f"That its rate is {send.observed_band} as such is not confirmed."


def rates(send: Send) -> str:
    """A rate beside the one that was expected."""
    return (
        f"{percent(send.unsubscribe_rate_pct)},"
        f" expected {percent(send.expected_rate_pct)}"
    )


def cause_sentence(diagnosis: Diagnosis | None) -> Markup:
    """What the evidence says of the costliest send."""
    if diagnosis is None:
        return Markup("")
    name, _ = CONFIDENCES.get(diagnosis.confidence or "", (UNKNOWN, ""))
    return Markup(" What the evidence says: <strong>{}</strong> ({}).").format(
        (diagnosis.finding_label or spelled_out(diagnosis.finding)).rstrip("."), name
    )


def reason_clause(reasons: ReasonTotals) -> Markup:
    """The main reason, as a sentence of its own."""
    if not reasons.opt_out_count:
        return Markup("Why people left is unknown: no export tells of single opt-outs.")
    main = reasons.main
    if main is None:
        return Markup("Why people left is unknown: of {}, none gave a reason.").format(
            plural(reasons.opt_out_count, "opt-out")
        )
    return Markup("The reason given most is <strong>“{}”</strong> ({} of {}).").format(
        main.label,
        percent(main.of_answered.pct),
        plural(reasons.answered_count, "answer"),
    )


def loss_clause(accounts: Sequence[AccountHistory], reference: float | None) -> Markup:
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
            "{} has no whole month since a contact was first seen leaving, so its"
            " yearly loss is unknown."
        ).format(name)
    return Markup("{} loses {}<strong>{}</strong> of its contacts a year{}.").format(
        name,
        "at least " if loss.is_lower_bound else "",
        percent(loss.pct),
        f" (rule of thumb: up to {reference:g}{SPACE}%)" if reference else "",
    )


def loss_basis(loss: AnnualLoss | None) -> str:
    """What the yearly loss of a list is made from."""
    if loss is None:
        return "no whole month since a contact was first seen leaving"
    months = f"{month(loss.first_month)} to {month(loss.last_month)}"
    if loss.month_count == 1:
        months = month(loss.last_month)
    if loss.month_count == MONTHS_IN_A_YEAR:
        text = f"the twelve whole months {months}, one after the other"
    else:
        text = (
            f"at the pace of {_small(loss.month_count, 'whole month')} ({months}),"
            " less sure than a full year"
        )
    if loss.is_lower_bound:
        text += "; at least this much, because some of the lost were never seen joining"
    return text


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
        parts.append(f"{day(max(exported))} (newest export)")
    if sent:
        parts.append(f"{day(max(sent))} (newest send)")
    return ", ".join(parts) or UNKNOWN


def maturity(sends: Sequence[Send]) -> str:
    """How many sends are too young to be final."""
    young = sum(send.is_provisional for send in sends)
    if not young:
        return "every send has settled"
    return (
        f"{plural(young, 'send')} too young to be final: shown hollow,"
        f" {'its rate' if young == 1 else 'their rates'} may still rise"
    )


def topic_sentence(sends: Sequence[Send]) -> str:
    """Who left altogether and who only opted down."""
    rated = [send for send in sends if send.is_judged]
    left = sum(send.unsubscribe_count or 0 for send in rated)
    known = [send for send in rated if send.topic_opt_out_count is not None]
    topics = sum(send.topic_opt_out_count or 0 for send in known)
    if not known:
        return (
            f"{plural(left, 'person', 'people')} unsubscribed through a send. How many"
            " only opted out of a topic is unknown: no export tells it."
        )
    text = (
        f"{plural(left, 'person', 'people')} unsubscribed through a send;"
        f" {plural(topics, 'other')} only opted out of a topic and can still be"
        " reached. Topic opt-outs are in no rate."
    )
    silent = len(rated) - len(known)
    if silent:
        text += f" For {plural(silent, 'send')} topic opt-outs are unknown."
    return text


def automated_sentence(sends: Iterable[Send]) -> str | None:
    """Opt-outs that a link scanner may have made."""
    number = sum(send.suspect_automated_count or 0 for send in sends)
    if not number:
        return None
    return (
        f"{plural(number, 'opt-out')} came within seconds of delivery, as security"
        " scanners that follow every link cause them. They are counted, because these"
        " people receive no mail any more."
    )


def account_sentence(trust: Trust) -> str:
    """Whether the rates of an account can be trusted, in one sentence."""
    whole = trust.campaign_count
    if whole is None:
        return "How many sends there are is unknown."
    if whole == 0:
        return "No send: its files bring no mail to be judged."
    reconciled = trust.reconciled_campaign_count
    if reconciled is None:
        told = [f"how many of {plural(whole, 'send')} reconcile is unknown"]
    elif reconciled == whole:
        told = [f"{'all ' if whole > 1 else ''}{plural(whole, 'send')} reconciled"]
    else:
        told = [f"{count(reconciled)} of {plural(whole, 'send')} reconciled"]
    excluded, unknown = trust.excluded_campaign_count, trust.unknown_campaign_count
    if excluded is None:
        told.append("how many contradict themselves is unknown")
    elif excluded:
        whose = "its" if excluded == 1 else "their"
        told.append(
            f"{count(excluded)} excluded because {whose} counts contradict each other"
        )
    if unknown is None:
        told.append("how many lack a delivered count is unknown")
    elif unknown:
        told.append(
            f"{count(unknown)} {'has' if unknown == 1 else 'have'} no delivered count"
        )
    split = parts(trust)
    if split and split.unchecked:
        told.append(f"{count(split.unchecked)} had nothing to be checked against")
    young = trust.provisional_campaign_count
    if young is None:
        told.append("how many still settle is unknown")
    elif young:
        told.append(f"{count(young)} still {'settles' if young == 1 else 'settle'}")
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


def amount(check_name: str, value: float | None) -> str:
    """One side of a check, in what the check measures."""
    if value is None:
        return UNKNOWN
    if check_name in CHECKS_OF_TIMES:
        hours = value / SECONDS_IN_AN_HOUR
        return f"{hours:,.0f} {'hour' if round(hours) == 1 else 'hours'}"
    return f"{value:,.0f}" if value == round(value) or value >= 10 else f"{value:.2g}"


def group_title(group: CheckGroup) -> str:
    """How many sends a check tells of, and what it looks at."""
    label = group.label or spelled_out(group.check_name) or "reason unknown"
    return f"{plural(len(group.exclusions), 'send')}: {label}"


def days(number: float | None) -> str:
    """A length of time."""
    if number is None:
        return UNKNOWN
    rounded = round(number, 1)
    return f"{rounded:g} {'day' if rounded == 1 else 'days'}"


def rhythm(row: Freshness) -> str:
    """How often an export usually comes."""
    gap = row.usual_gap_days
    if gap is None:
        return UNKNOWN
    return "every day" if round(gap, 1) == 1 else f"every {days(gap)}"


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
            f"{plural(on_time, 'export')} {'comes' if on_time == 1 else 'come'} on time"
        )
    if silent:
        told.append(
            f"{plural(silent, 'export')} came too seldom to have a rhythm, so whether"
            f" {'it is' if silent == 1 else 'they are'} late is unknown"
        )
    return f"{'; '.join(told)}." if told else ""


def reading_sentence(trust: Sequence[Trust], losses: Sequence[Trust]) -> str:
    """How much was read without loss."""
    if not trust:
        return "Unknown: no file has arrived yet."
    records = sum(row.record_count or 0 for row in trust)
    files = sum(row.file_count or 0 for row in trust)
    read = f"{plural(records, 'record')} in {plural(files, 'file')}"
    if not losses:
        return f"Nothing: {read}, none rejected, every word known, no file refused."
    clean = len(trust) - len(losses)
    text = f"Of {read}, this was left out or not understood."
    if clean:
        text += (
            f" {_small(clean, 'other account').capitalize()} lost nothing."
            if clean > 1
            else " The other account lost nothing."
        )
    return text


def share(part: int | None, share_pct: float | None, whole: int | None) -> str:
    """A share with what it is a share of; empty where it says nothing more."""
    if not part or share_pct is None or whole is None:
        return ""
    return f"{percent(share_pct)} of {count(whole)}"


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
        f"{_small(after_final, 'rate').capitalize()} moved after"
        f" {'it was' if after_final == 1 else 'they were'} final"
        if after_final
        else "No rate moved after it was final"
    ]
    if settling:
        told.append(
            f"{plural(settling, 'change')} moved a rate while its send still settled,"
            " as is usual"
        )
    if still:
        told.append(f"{plural(still, 'change')} moved counts and no unsubscribe rate")
    return f"{'; '.join(told)}."


def measures(change: Change) -> list[str]:
    """Each count that a file changed, before and after."""
    return [
        f"{MEASURES.get(row.measure, spelled_out(row.measure.removesuffix('_count')))}"
        f" {count(row.old_value)} → {count(row.new_value)}"
        + (f" ({signed(row.difference)})" if row.difference is not None else "")
        for row in change.revisions
    ]


def points(value: float | None) -> str:
    """How far a rate moved, in percentage points."""
    if value is None:
        return UNKNOWN
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{_significant(abs(value), 2)} points"


def answers_sentence(answers: Answers) -> str:
    """How many questions the files of an account answer."""
    missing = len(answers.unanswered)
    whole = missing + len(answers.answered)
    if not missing:
        return (
            f"all {plural(whole, 'question')} can be answered"
            if whole > 1
            else "its question can be answered"
        )
    return f"{count(whole - missing)} of {plural(whole, 'question')} can be answered"
