"""Complaints and delivery by mailbox provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster_project.report import words
from dagster_project.report.queries import Frames
from dagster_project.report.rows.mailboxes import ComplaintRate, ProviderWeeks
from dagster_project.share import Share

ALL_PROVIDERS = "(all)"
SHOWN_RATES = 20
SHOWN_PROVIDERS = 20


@dataclass(frozen=True)
class RateRow:
    """Complaints of one account, or stream, at one provider."""

    row: ComplaintRate
    provider: str
    place: str
    flag: str
    is_bad: bool
    why_no_rate: str


@dataclass(frozen=True)
class ProviderRow:
    """The newest four weeks of a provider, beside the four before."""

    row: ProviderWeeks
    before: ProviderWeeks | None
    delivered: Share
    delivered_before: Share
    hard_bounces: Share
    blocks: Share
    deferrals: Share
    unsubscribes: Share


def chapter(frames: Frames) -> dict[str, Any]:
    """Thirty days of every account, the streams that stand out, and delivery."""
    rolling = [
        _rate_row(row, f"{row.source} · {row.account}")
        for row in frames.complaint_rates
        if row.period_kind == "rolling_30_days"
    ]
    flagged = [
        _rate_row(row, _stream(row))
        for row in frames.complaint_rates
        if row.period_kind == "month"
        and row.is_red_flag
        and row.mailbox_provider != ALL_PROVIDERS
    ]
    rolling.sort(
        key=lambda row: (
            row.place,
            row.row.mailbox_provider != ALL_PROVIDERS,
            -(row.row.delivered_count or 0),
            row.provider,
        )
    )
    flagged.sort(
        key=lambda row: (not row.row.is_confirmed, -(row.row.complaint_count or 0))
    )
    providers = _providers(frames.provider_weeks)
    return {
        "verdict": complaint_sentence(rolling),
        "rolling": rolling[:SHOWN_RATES],
        "rolling_left_out": max(0, len(rolling) - SHOWN_RATES),
        "flagged": flagged[:SHOWN_RATES],
        "flagged_left_out": max(0, len(flagged) - SHOWN_RATES),
        "providers": providers[:SHOWN_PROVIDERS],
        "providers_left_out": max(0, len(providers) - SHOWN_PROVIDERS),
    }


def _stream(row: ComplaintRate) -> str:
    stream = row.stream_id or "no stream"
    return stream.removeprefix(f"{row.source}/{row.account}/")


def _rate_row(row: ComplaintRate, place: str) -> RateRow:
    return RateRow(
        row=row,
        provider=provider_name(row.mailbox_provider),
        place=place,
        flag=complaint_flag(row),
        is_bad=bool(row.is_confirmed or row.is_above_limit),
        why_no_rate=(
            "no complaint is in any file"
            if row.complaint_count is None
            else "tells no sender who complained"
        ),
    )


def provider_name(provider: str) -> str:
    """A mailbox provider as people call it."""
    return "All together" if provider == ALL_PROVIDERS else provider


def complaint_flag(row: ComplaintRate) -> str:
    """What a rate says beside 0.1 and 0.3 %."""
    if row.complaint_rate_pct is None:
        return ""
    if row.is_above_limit:
        proof = "" if row.is_confirmed else ", not confirmed"
        return f"above 0.3{words.SPACE}%{proof}"
    if row.is_red_flag:
        proof = "confirmed" if row.is_confirmed else "not confirmed"
        return f"above 0.1{words.SPACE}%, {proof}"
    return f"within 0.1{words.SPACE}%"


def complaint_sentence(rows: list[RateRow]) -> str:
    """The accounts whose thirty days are proven to hold too many complaints."""
    whole = [row for row in rows if row.row.mailbox_provider == ALL_PROVIDERS]
    rated = [row for row in whole if row.row.complaint_rate_pct is not None]
    if not rated:
        return (
            "Unknown: no export tells complaints beside mail whose provider names who"
            " complained."
        )
    bad = [row for row in rated if row.row.is_confirmed]
    if not bad:
        return (
            "In its newest thirty days of mail no account is proven to be above"
            f" 0.1{words.SPACE}%."
        )
    told = "; ".join(
        f"{row.place} {words.percent(row.row.complaint_rate_pct)}" for row in bad
    )
    return f"Proven above 0.1{words.SPACE}% in the newest thirty days of mail: {told}."


def _providers(rows: list[ProviderWeeks]) -> list[ProviderRow]:
    before = {
        (row.source, row.account, row.mailbox_provider): row
        for row in rows
        if not row.is_newest
    }
    shown = [
        _provider_row(row, before.get((row.source, row.account, row.mailbox_provider)))
        for row in rows
        if row.is_newest
    ]
    shown.sort(
        key=lambda item: (
            item.row.source,
            item.row.account,
            -(item.row.attempted_count or 0),
            item.row.mailbox_provider,
        )
    )
    return shown


def _provider_row(row: ProviderWeeks, before: ProviderWeeks | None) -> ProviderRow:
    attempted, delivered = row.attempted_count or 0, row.delivered_count or 0

    def share(part: int | None, whole: int) -> Share:
        return Share(part or 0, whole if part is not None else 0)

    return ProviderRow(
        row=row,
        before=before,
        delivered=share(row.delivered_count, attempted),
        delivered_before=(
            share(before.delivered_count, before.attempted_count or 0)
            if before
            else Share(0, 0)
        ),
        hard_bounces=share(row.hard_bounce_count, attempted),
        blocks=share(row.block_count, attempted),
        deferrals=share(row.deferred_count, attempted),
        unsubscribes=share(row.unsubscribe_count, delivered),
    )
