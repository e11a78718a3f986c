"""What a run says on the screen at its end: what changed, whom it cost, what to do."""

from __future__ import annotations

from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.running import Outcome
from dagster_project.warehouse import published

# The first finding of a send, or of a stream where it names none, says why.
_FIRST_FINDINGS = """
with first_findings as (
    select
        stream_id, campaign_id,
        arg_min(diagnosis_key, rank) as diagnosis_key,
        arg_min(finding_label, rank) as finding_label,
        arg_min(recommended_action, rank) as recommended_action,
        replace(arg_min(confidence, rank), '_', ' ') as confidence,
        bool_or(confidence = 'confirmed') as is_confirmed,
        max(people_lost_count) as people_lost_count
    from campaign_diagnoses
    group by all
)
"""

# What stands out, what is proven to be high, and what is confirmed about a send: the
# cells of a split test in one line each. A loss that luck may explain stands behind
# every one that it does not.
_WORST = f"""
{_FIRST_FINDINGS}
select
    rates.campaign_name, rates.subject, rates.campaign_id, rates.variant, rates.sent_at,
    rates.unsubscribe_count, rates.delivered_count,
    rates.unsubscribe_rate_pct, rates.expected_rate_pct, rates.observed_band,
    rates.confirmed_band, rates.excess_unsubscribe_count, rates.excess_low_count,
    rates.excess_high_count, findings.finding_label, findings.recommended_action,
    findings.confidence, findings.diagnosis_key
from campaign_unsubscribe_rates as rates
left join first_findings as findings
    on rates.stream_id = findings.stream_id
    and rates.campaign_id = findings.campaign_id
where rates.unsubscribe_rate_pct is not null and (
    rates.spike_status in ('watch', 'alert', 'strong')
    or rates.confirmed_band in ('investigate', 'critical')
    or findings.is_confirmed
)
order by
    coalesce(rates.excess_low_count > 0, false) desc,
    rates.excess_unsubscribe_count desc nulls last, rates.unsubscribe_count desc,
    rates.campaign_key
"""

_RISING = f"""
{_FIRST_FINDINGS}
select
    trends.source, trends.account, trends.stream_id, trends.shape,
    trends.shape_started_at, trends.effect_pct, findings.finding_label,
    findings.recommended_action, findings.confidence, findings.people_lost_count,
    findings.diagnosis_key
from stream_trends as trends
left join first_findings as findings
    on trends.stream_id = findings.stream_id
    and findings.campaign_id is null
where trends.shape in ('step', 'climb', 'undetermined_rise')
order by
    findings.people_lost_count desc nulls last,
    trends.unsubscribe_ratio_low desc nulls last, trends.stream_id
"""

_DIAGNOSED = """
select
    rank, source, account, stream_id, campaign_id, campaign_name, finding,
    finding_label, confidence, evidence, people_lost_count, recommended_action
from campaign_diagnoses
order by rank
"""

# Newest week of each account, the costliest first. It is news where something was found
# or more people left than luck explains.
_WEEKS = """
select
    source, account, week, worst_campaign_id, worst_campaign_name,
    worst_excess_unsubscribe_count, finding_1_key, finding_2_key, finding_3_key,
    finding_1, finding_2, finding_3, finding_1_diagnosis_key, recommended_action,
    action_source, open_interventions, decided_interventions, send_count,
    judged_send_count, delivered_count, unsubscribe_count, judged_delivered_count,
    judged_unsubscribe_count, expected_unsubscribe_count, excess_unsubscribe_count,
    excess_low_count, excess_high_count, complaint_count, finding_count,
    open_intervention_count, cast(revenue as double) as revenue,
    revenue_per_lost_contact, unsubscribe_rate_pct, unsubscribe_rate_low_pct,
    unsubscribe_rate_high_pct, is_provisional,
    finding_count > 0 or coalesce(excess_low_count > 0, false) as is_news
from weekly_review
where is_newest_week
order by
    excess_unsubscribe_count desc nulls last, finding_count desc,
    unsubscribe_count desc nulls last, source, account
"""

# Every change that was declared: the open ones, then the verdicts, newest first.
_CHANGES = """
select told
from (
    select open_interventions as told, true as is_open, source, account, week
    from weekly_review
    where is_newest_week and open_interventions is not null
    union all
    select decided_interventions, false, source, account, week
    from weekly_review
    where decided_interventions is not null
)
order by is_open desc, week desc, source, account
"""

# Every row of a list and period repeats its totals. Reasons of few people have no name,
# but these people did answer.
_REASONS = """
with newest as (
    from opt_out_reasons
    where period_kind = 'rolling_12_months' and period_start = (
        select max(period_start) from opt_out_reasons
        where period_kind = 'rolling_12_months'
    )
),
totals as (
    select
        sum(answered_count)::bigint as answered,
        sum(opt_out_count - answered_count)::bigint as silent
    from (
        select distinct source, account, list, opt_out_count, answered_count
        from newest
    )
)
select
    reason_label, sum(reason_count)::bigint as people,
    any_value(answered) as answered, any_value(silent) as silent
from newest cross join totals
where is_answered
group by all order by people desc, reason_label
limit 3
"""

_LISTS = """
select
    source, account, list, month_count, contacts_at_end, lost_count,
    annual_attrition_pct, annual_attrition_low_pct, annual_attrition_high_pct,
    lost_unsubscribe_count as unsubscribed,
    lost_hard_bounce_count as bounced,
    lost_complaint_count as complained,
    lost_validation_count + lost_sunset_count as removed,
    lost_deleted_count + lost_unknown_count as other
from list_decay_summary
where list = '(all)' and month_count > 0
order by all
"""


# The gravest rule first: it is the law's.
_BREACHES = """
select
    breaches.rule_broken, sum(breaches.mail_count)::bigint as mails,
    max(breaches.hours_after_opt_out) / 24 as days,
    arg_max(
        coalesce(
            rates.campaign_name, rates.subject, breaches.campaign_name,
            breaches.campaign_id, 'mail of no campaign'
        ),
        breaches.hours_after_opt_out
    ) as latest
from opt_out_latency as breaches
left join campaign_unsubscribe_rates as rates
    on breaches.source = rates.source
    and breaches.account = rates.account
    and breaches.campaign_id = rates.campaign_id
    and breaches.variant = rates.variant
group by all order by days desc nulls last, breaches.rule_broken
"""

_ABOVE_REFERENCE = """
select
    source, account, list, annual_attrition_pct, annual_attrition_low_pct,
    annual_attrition_high_pct, reference_pct
from list_decay_summary
where reference_position = 'above'
order by annual_attrition_low_pct desc, source, account, list
"""

# A send is told once, under the first check it fails: the reason lists them in rank.
_EXCLUDED = """
with excluded as (
    select
        campaign_key,
        concat_ws(
            ' · ', coalesce(campaign_name, subject, campaign_id), nullif(variant, '')
        ) as name,
        split_part(exclusion_reason, ', ', 1) as check_name,
        delivered_count
    from campaign_unsubscribe_rates
    where is_excluded
)
select
    excluded.check_name,
    any_value(audit.explanation) as explanation,
    any_value(audit.advice) as advice,
    count(*) as sends,
    list(
        excluded.name
        order by excluded.delivered_count desc nulls last, excluded.name
    )[:3] as names
from excluded
left join denominator_audit as audit
    on excluded.campaign_key = audit.campaign_key
    and excluded.check_name = audit.check_name
group by all order by sends desc, excluded.check_name
"""

_WITHOUT_RATE = """
select count(*) as sends
from campaign_unsubscribe_rates
where unsubscribe_rate_pct is null and not is_excluded
"""

_LATE = """
select source, account, "export", days_since_last, usual_gap_days
from source_freshness
where is_late
order by days_since_last - allowed_gap_days desc, source, account, "export"
"""

_NOT_UNDERSTOOD = """
select source, account, unmapped_record_count as records
from source_trust
where unmapped_record_count > 0
order by records desc, source, account
"""

_SHOWN_LINES = 8
"""Lines of one kind; the report has the rest."""

_NAMED_ACCOUNTS = 3

_SHOWN_CHANGES = 4
"""Lines of changes: whoever notes every one for years still sees the rest."""


def print_closing(outcome: Outcome, console: Console) -> None:
    """Print what changed, how many people it cost, why, and what to do."""
    _print_files(outcome, console)
    if outcome.advice:
        _say(console, escape(outcome.advice))
        return
    for finding in outcome.findings:
        _say(console, f"[yellow]Check[/] {escape(finding)}")
    if outcome.is_stopped:
        _say(
            console,
            "[bold red]The gate stopped the marts.[/] The published ones stay as they"
            " were. Mend what the checks name and run again.",
        )
        return
    if outcome.failure:
        _say(console, f"[bold red]Failed:[/] {escape(outcome.failure)}")
        _say(console, f"The log has the rest: {outcome.log}")
        return
    if outcome.unknown_names:
        _say(
            console,
            "[yellow]Check[/] config/changes.yaml: no export tells of"
            f" {escape(', '.join(outcome.unknown_names))}. Write the name as"
            " the report does, or add the export.",
        )
    with published(outcome.home.marts) as marts:
        _print_breaches(marts, console)
        told = _print_weeks(marts, console)
        _print_worst(marts, told, console)
        _print_reasons(marts, console)
        _print_lists(marts, console)
        _print_excluded(marts, console)
        _print_late(marts, console)
        _print_not_understood(marts, console)
    _say(console, f"Report  {outcome.home.report}")
    _say(console, f"Marts   {outcome.home.marts}")


def diagnosed(outcome: Outcome) -> list[dict[str, Any]]:
    """What holds of sends and streams, for programs; nothing without fresh marts."""
    if outcome.is_stopped or outcome.failure or outcome.advice:
        return []
    with published(outcome.home.marts) as marts:
        return _rows(marts, _DIAGNOSED)


def newest_weeks(outcome: Outcome) -> list[dict[str, Any]]:
    """What the newest week of each account cost, for programs; as :func:`diagnosed`."""
    if outcome.is_stopped or outcome.failure or outcome.advice:
        return []
    with published(outcome.home.marts) as marts:
        return _rows(marts, _WEEKS)


def _say(console: Console, text: str) -> None:
    """One line of any length; the terminal folds it, a log keeps it whole."""
    console.print(text, soft_wrap=True)


def _rows(connection: Any, sql: str) -> list[dict[str, Any]]:
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _print_files(outcome: Outcome, console: Console) -> None:
    states: list[str] = [load.state for load in outcome.judged]
    if not states:
        _say(console, "No new file.")
    else:
        told = ", ".join(
            f"{states.count(state)} {state}"
            for state in ("loaded", "duplicate", "refused")
            if state in states
        )
        records = sum(load.record_count for load in outcome.judged)
        rejected = sum(load.rejected_count for load in outcome.judged)
        read = f"{records:,} records read, {rejected:,} rejected"
        _say(console, f"Files: {told}; {read}.")
    for load in outcome.judged:
        if load.state == "refused":
            _say(
                console,
                f"[red]Refused[/] {escape(load.file_name)}: "
                f"{escape(load.refusal_detail or '')}",
            )


def _print_breaches(marts: Any, console: Console) -> None:
    for row in _rows(marts, _BREACHES):
        rule = row["rule_broken"].replace("_", " ")
        _say(
            console,
            f"[bold red]Not honoured:[/] {_counted(row['mails'], 'mail')} arrived more"
            f" than {rule} after an opt-out, the latest {_days(row['days'])} after it"
            f" ({escape(row['latest'])}).",
        )


def _print_weeks(marts: Any, console: Console) -> set[str]:
    """The newest week of each account; the diagnoses whose advice was given."""
    weeks = _rows(marts, _WEEKS)
    news = [week for week in weeks if week["is_news"]]
    for week in news[:_NAMED_ACCOUNTS]:
        _say(console, escape(_week_line(week)))
    rest = len(news) - _NAMED_ACCOUNTS
    if rest > 0:
        _say(console, f"... and {_counted(rest, 'more account')}, see the report.")
    calm = [week for week in weeks if not week["is_news"]]
    if calm:
        _say(console, escape(_calm_line(calm)))
    lines = [f"Changed: {row['told']}." for row in _rows(marts, _CHANGES)]
    _say_some(console, lines, "line of changes", "lines of changes", _SHOWN_CHANGES)
    return {
        week["finding_1_diagnosis_key"]
        for week in news[:_NAMED_ACCOUNTS]
        if week["recommended_action"]
    }


def _week_line(week: dict[str, Any]) -> str:
    findings = [week[f"finding_{place}"] for place in (1, 2, 3)]
    hidden = week["finding_count"] - len(list(filter(None, findings)))
    more = f"{_counted(hidden, 'more finding')}." if hidden > 0 else None
    advice = week["recommended_action"]
    return " ".join(
        filter(
            None,
            (
                f"Week of {_day(week['week'])}, {week['source']}/{week['account']}:"
                f" {_week_cost(week)}.",
                *(f"{finding}." for finding in findings if finding),
                more,
                f"Do: {_inside(advice.partition('. ')[0].rstrip('.'))}."
                if advice
                else None,
            ),
        )
    )


def _week_cost(week: dict[str, Any]) -> str:
    so_far = " so far" if week["is_provisional"] else ""
    of_whom = f"of {week['delivered_count'] or 0:,} delivered{so_far}"
    excess = week["excess_unsubscribe_count"]
    if not week["send_count"]:
        return "nothing was sent"
    if excess is None:
        left = _counted(week["unsubscribe_count"] or 0, "person", "people")
        return f"{left} left {of_whom}, no past to judge by"
    people = _counted(abs(excess), "person", "people")
    cost = f"{people} {'fewer than expected' if excess < 0 else 'beyond expectation'}"
    return f"{cost} ({_between(week)}) {of_whom}"


def _between(week: dict[str, Any]) -> str:
    """The interval in the direction of its sentence; both where it has two."""
    low, high = week["excess_low_count"], week["excess_high_count"]
    if low >= 0:
        return f"{low:,} to {high:,}"
    if high < 0:
        return f"{-high:,} to {-low:,}"
    return f"{-low:,} fewer to {high:,} more"


def _calm_line(weeks: list[dict[str, Any]]) -> str:
    named = [
        f"{week['source']}/{week['account']} ({_day(week['week'])})"
        for week in weeks[:_NAMED_ACCOUNTS]
    ]
    if weeks[_NAMED_ACCOUNTS:]:
        named.append("...")
    return f"Nothing out of the ordinary in the newest week of {', '.join(named)}."


def _print_worst(marts: Any, told: set[str], console: Console) -> None:
    rows, rising = _rows(marts, _WORST), _rows(marts, _RISING)
    if rows:
        _say(console, "Sends that cost most people beyond expectation:")
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name, justify in _COLUMNS:
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        for row in rows[:_SHOWN_LINES]:
            table.add_row(*_worst_cells(row))
        console.print(table)
        if rows[_SHOWN_LINES:]:
            rest = _counted(len(rows) - _SHOWN_LINES, "more send")
            _say(console, f"... and {rest}, see the report.")
        for row in rows[:_SHOWN_LINES]:
            if row["diagnosis_key"] not in told and (line := _why(row)):
                _say(console, escape(line))
    elif not rising:
        _say(console, "Nothing stands out: no send, no stream.")
    _say_some(
        console,
        [_rising_line(row, row["diagnosis_key"] in told) for row in rising],
        "rising stream",
        "rising streams",
    )


_COLUMNS = (
    ("send", "left"),
    ("sent", "left"),
    ("left / delivered", "right"),
    ("rate %", "right"),
    ("expected %", "right"),
    ("people", "right"),
    ("band", "left"),
)


def _worst_cells(row: dict[str, Any]) -> list[str]:
    return [
        escape(_name(row)),
        _day(row["sent_at"]),
        f"{row['unsubscribe_count']:,} / {row['delivered_count']:,}",
        f"{row['unsubscribe_rate_pct']:.3f}",
        _number(row["expected_rate_pct"], ".3f"),
        _people(row),
        escape(_band(row)),
    ]


def _name(row: dict[str, Any]) -> str:
    name = row["campaign_name"] or row["subject"] or row["campaign_id"]
    return " · ".join(filter(None, (name, row["variant"])))


def _people(row: dict[str, Any]) -> str:
    people = _number(row["excess_unsubscribe_count"], "+,d")
    if row["excess_low_count"] is None or row["excess_high_count"] is None:
        return people
    return f"{people} ({row['excess_low_count']:,d} to {row['excess_high_count']:,d})"


def _band(row: dict[str, Any]) -> str:
    confirmed, observed = row["confirmed_band"], row["observed_band"]
    if confirmed == observed:
        return confirmed or "unknown"
    told = (confirmed or "unknown").replace("_", " ")
    return f"{told} ({observed})" if observed else told


def _why(row: dict[str, Any]) -> str | None:
    """What is behind a send, and the first thing to do about it."""
    found = _found(row)
    return f"{_name(row)}: {_inside(found)}" if found else None


def _found(row: dict[str, Any]) -> str | None:
    if row["finding_label"] is None:
        return None
    label = row["finding_label"].rstrip(".")
    advice = row["recommended_action"].partition(". ")[0].rstrip(".")
    return f"{label} ({row['confidence']}). {advice}."


def _rising_line(row: dict[str, Any], is_explained: bool) -> str:
    name = row["stream_id"].removeprefix(f"{row['source']}/{row['account']}/")
    pace = " from one send to the next" if row["shape"] == "climb" else ""
    cost = row["people_lost_count"]
    lost = f", {_counted(cost, 'person', 'people')} beyond its past" if cost else ""
    told = (
        f"Rising: {name} ({row['source']}/{row['account']}) since"
        f" {_day(row['shape_started_at'])}, {_number(row['effect_pct'], '+,.0f')}"
        f" %{pace}{lost}."
    )
    return told if is_explained else " ".join(filter(None, (told, _found(row))))


def _print_reasons(marts: Any, console: Console) -> None:
    rows = _rows(marts, _REASONS)
    if not rows:
        return
    told = ", ".join(f"{row['reason_label'].lower()} {row['people']}" for row in rows)
    answered, silent = rows[0]["answered"], rows[0]["silent"]
    _say(
        console,
        f"Why people left, last 12 months: {escape(told)}; of {answered} who said why,"
        f" {silent} did not.",
    )


def _print_lists(marts: Any, console: Console) -> None:
    for row in _rows(marts, _LISTS):
        months = _counted(row["month_count"], "month")
        lost = f"lost {_counted(row['lost_count'], 'person', 'people')} in {months}"
        if row["annual_attrition_pct"] is not None:
            lost = (
                f"loses {row['annual_attrition_pct']:.1f} % a year"
                f" ({row['annual_attrition_low_pct']:.0f} to"
                f" {row['annual_attrition_high_pct']:.0f}), as {months} show"
            )
        _say(
            console,
            f"The list {escape(_list_name(row))} {lost},"
            f" {row['contacts_at_end']:,} are left: {row['unsubscribed']:,}"
            f" unsubscribed, {row['bounced']:,} bounced hard,"
            f" {row['complained']:,} complained, {row['removed']:,} were removed,"
            f" {row['other']:,} went otherwise.",
        )
    lines = [
        f"Losing too many: {_list_name(row)} loses {row['annual_attrition_pct']:.1f} %"
        f" a year ({row['annual_attrition_low_pct']:.0f} to"
        f" {row['annual_attrition_high_pct']:.0f}), more than the"
        f" {row['reference_pct']:g} % commonly expected."
        for row in _rows(marts, _ABOVE_REFERENCE)
    ]
    _say_some(console, lines, "list like this", "lists like this")


def _list_name(row: dict[str, Any]) -> str:
    account = f"{row['source']}/{row['account']}"
    return account if row["list"] == "(all)" else f"{row['list']} ({account})"


def _print_excluded(marts: Any, console: Console) -> None:
    lines = [_excluded_line(row) for row in _rows(marts, _EXCLUDED)]
    _say_some(console, lines, "reason", "reasons")
    (rest,) = _rows(marts, _WITHOUT_RATE)
    if rest["sends"]:
        _say(
            console,
            f"Without a rate: {_counted(rest['sends'], 'send')}, nothing was delivered"
            " or no export says how many left.",
        )


def _excluded_line(row: dict[str, Any]) -> str:
    check = (row["check_name"] or "reason unknown").replace("_", " ")
    told = " ".join(filter(None, (row["explanation"] or f"{check}.", row["advice"])))
    named = ", ".join(row["names"])
    if row["sends"] > len(row["names"]):
        named += ", ..."
    sends = _counted(row["sends"], "send")
    return f"Excluded in the open: {sends}, {_inside(told)} ({named})"


def _print_late(marts: Any, console: Console) -> None:
    lines = [
        f"Late: {row['source']}/{row['account']} {row['export'].replace('_', ' ')},"
        f" last file {_days(row['days_since_last'])} ago,"
        f" usually every {_days(row['usual_gap_days']).removeprefix('1 ')}."
        for row in _rows(marts, _LATE)
    ]
    _say_some(console, lines, "late export", "late exports")


def _print_not_understood(marts: Any, console: Console) -> None:
    rows = _rows(marts, _NOT_UNDERSTOOD)
    if not rows:
        return
    named = [
        f"{row['source']}/{row['account']} {row['records']:,}"
        for row in rows[:_NAMED_ACCOUNTS]
    ]
    if rows[_NAMED_ACCOUNTS:]:
        named.append("...")
    records = _counted(sum(row["records"] for row in rows), "record")
    _say(
        console,
        escape(
            f"Not understood: {records} with words no mapping knows"
            f" ({', '.join(named)}); add the words to the mapping."
        ),
    )


def _say_some(
    console: Console,
    lines: list[str],
    one: str,
    many: str,
    shown: int = _SHOWN_LINES,
) -> None:
    for line in lines[:shown]:
        _say(console, escape(line))
    rest = len(lines) - shown
    if rest > 0:
        noun = one if rest == 1 else many
        _say(console, f"... and {rest:,} more {noun}, see the report.")


def _inside(sentence: str) -> str:
    """A sentence as it goes on after a comma; a word in capitals keeps them."""
    if sentence[1:2].isupper():
        return sentence
    return sentence[:1].lower() + sentence[1:]


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _days(number: float | None) -> str:
    if number is None:
        return "unknown days"
    rounded = round(number, 1)
    return f"{rounded:g} {'day' if rounded == 1 else 'days'}"


def _day(moment: date | None) -> str:
    return "unknown" if moment is None else f"{moment:%Y-%m-%d}"


def _number(value: float | None, shape: str) -> str:
    return "unknown" if value is None else format(value, shape)
