"""Published marts made up for the page: the contract's columns, rows of our own.

The tables are built from the YAML that the marts' contracts are enforced with, so that a
renamed column fails here and not on somebody's page.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from dagster_project.settings import DBT_PROJECT

Rows = dict[str, list[dict[str, Any]]]

BUILD = "4f1d0c2a9b8e7766"
HOSTILE = "</script><script>document.title='owned'</script>"
QUOTED = "\"Don't\" & <b>'won't'</b> 🎉 %{x} مرحبا"


def write_marts(path: Path, rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> Path:
    """Write a file as publishing does: tables in main, a view of each in marts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(str(path))
    try:
        database = connection.execute("select current_database()").fetchone()[0]
        connection.execute("begin")
        connection.execute("create schema marts")
        for name, types in _contracts().items():
            columns = ", ".join(f'"{key}" {kind}' for key, kind in types.items())
            connection.execute(f'create table main."{name}" ({columns})')
            connection.execute(
                f'create view "{database}".marts."{name}" as select * from main."{name}"'
            )
            known = benchmarks() if name == "benchmarks" else ()
            made = [{"build_id": BUILD, **row} for row in rows.get(name, known)]
            unknown = {key for row in made for key in row} - types.keys()
            assert not unknown, f"{name} has no column {unknown}"
            if made:
                keys = sorted({key for row in made for key in row})
                frame = pa.table({key: [row.get(key) for row in made] for key in keys})
                connection.register("frame", frame)
                connection.execute(
                    f'insert into main."{name}" by name select * from frame'
                )
        connection.execute("commit")
    finally:
        connection.close()
    return path


@cache
def _contracts() -> dict[str, dict[str, str]]:
    """Mart -> column -> type, as dbt enforces them."""
    text = (DBT_PROJECT / "models/marts/_marts__models.yml").read_text(encoding="utf-8")
    return {
        model["name"]: {item["name"]: item["data_type"] for item in model["columns"]}
        for model in yaml.safe_load(text)["models"]
    }


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The interval as statistics.md writes it, in percent."""
    z, rate = 1.959963984540054, part / whole
    centre = (rate + z * z / (2 * whole)) / (1 + z * z / whole)
    half = (
        z
        * math.sqrt(rate * (1 - rate) / whole + z * z / (4 * whole * whole))
        / (1 + z * z / whole)
    )
    return 100 * max(0.0, centre - half), 100 * min(1.0, centre + half)


def band(part: int, whole: int) -> str:
    """Severity on exact integers: [0, 0.2) [0.2, 0.5] (0.5, 1] (1, ...)."""
    if part * 1000 < whole * 2:
        return "healthy"
    if part * 1000 <= whole * 5:
        return "acceptable"
    return "investigate" if part * 100 <= whole else "critical"


CONTRADICTED = {
    "is_contradicted": True,
    "conflict_note": "It is 4 times what the most generous other source calls usual.",
    "is_used": False,
}


def benchmarks() -> list[dict[str, Any]]:
    """The rows of benchmarks: the seed, and which claim the others contradict."""
    seed = DBT_PROJECT / "seeds/benchmark_bands.csv"
    with seed.open(encoding="utf-8", newline="") as handle:
        return [
            {
                "benchmark_key": "/".join(
                    (row["kind"], row["industry"], row["source"])
                ),
                **{name: row[name] for name in ("kind", "industry", "band", "source")},
                "lower_pct": float(row["lower_pct"]) if row["lower_pct"] else None,
                "upper_pct": float(row["upper_pct"]) if row["upper_pct"] else None,
                "is_lower_inclusive": row["is_lower_inclusive"] == "true",
                "is_upper_inclusive": row["is_upper_inclusive"] == "true",
                "is_contradicted": False,
                "is_used": True,
                **(CONTRADICTED if row["kind"] == "average" else {}),
            }
            for row in csv.DictReader(handle)
        ]


def proven(observed: str) -> str:
    """What a large send proves: the band that is seen."""
    return "not_proven" if observed == "healthy" else observed


def send(
    number: int,
    unsubscribes: int | None = 20,
    delivered: int | None = 9800,
    *,
    stream: str = "newsletter",
    expected: float | None = None,
    earlier: int = 0,
    status: str = "insufficient_data",
    sent_at: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One row of campaign_unsubscribe_rates, with a rate when it may have one.

    Its verdicts are those that are passed in; the marts' own tests judge them.
    """
    row: dict[str, Any] = {
        "campaign_key": f"{stream}-{number:05d}",
        "source": "generic",
        "account": "main",
        "campaign_id": f"{stream}-{number}",
        "variant": "",
        "stream_id": f"generic/main/{stream}",
        "campaign_name": f"{stream.title()} {number}",
        "send_type": "campaign",
        "delivered_count_basis": "reported",
        "maturity": "final",
        "open_basis": "unknown",
        "delivered_count": delivered,
        "unsubscribe_count": unsubscribes,
        "baseline_campaign_count": earlier,
        "expected_rate_pct": expected,
        "spike_status": status,
        "is_excluded": False,
        "sent_at": sent_at or datetime(2026, 1, 6, 9) + timedelta(days=7 * number),
        **more,
    }
    if delivered and unsubscribes is not None and not row["is_excluded"]:
        row["unsubscribe_rate_pct"] = 100 * unsubscribes / delivered
        low, high = wilson(unsubscribes, delivered)
        row["unsubscribe_rate_low_pct"], row["unsubscribe_rate_high_pct"] = low, high
        row["observed_band"] = band(unsubscribes, delivered)
        row.setdefault("confirmed_band", proven(row["observed_band"]))
        if expected is not None:
            extra = round(unsubscribes - delivered * expected / 100)
            row |= {
                "excess_unsubscribe_count": extra,
                "excess_low_count": extra - 10,
                "excess_high_count": extra + 10,
            } | more
        for part in ("complaint", "open", "unique_click"):
            count = row.get(f"{part}_count") if part != "open" else None
            if count is not None:
                name = part.removeprefix("unique_")
                row[f"{name}_rate_pct"] = 100 * count / delivered
    return row


def trend_point(
    number: int, *, stream: str = "newsletter", **more: Any
) -> dict[str, Any]:
    """One row of unsubscribe_rate_trends beside the send of that number."""
    return {
        "mailing_key": f"{stream}-{number}",
        "source": "generic",
        "account": "main",
        "stream_id": f"generic/main/{stream}",
        "campaign_id": f"{stream}-{number}",
        "mailing_number": number,
        "drift_status": "none",
        "control_low_pct": 0.1,
        "control_high_pct": 0.3,
        "sent_at": datetime(2026, 1, 6, 9) + timedelta(days=7 * number),
        **more,
    }


def stream_trend(
    shape: str, *, stream: str = "newsletter", **more: Any
) -> dict[str, Any]:
    """One row of stream_trends."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": f"generic/main/{stream}",
        "shape": shape,
        "campaigns_used": 26,
        "persistent_band": "none",
        **{
            f"{measure}_direction": "unknown"
            for measure in ("unsubscribe", "open", "click", "complaint", "hard_bounce")
        },
        "is_basis_mixed": False,
        **more,
    }


FINDINGS = {
    "complaints_above_limit": (
        "Too many reported it as spam",
        "Stop mailing the segment that complained.",
    ),
    "content_of_one_send": (
        "This one send put people off",
        "Read it as its readers did.",
    ),
    "fatigue": ("People get too much mail", "Send less."),
}


def diagnosis(
    rank: int, finding: str, lost: int | None, number: int | None = 40, **more: Any
) -> dict[str, Any]:
    """One row of campaign_diagnoses; of a stream without the number of a send."""
    label, action = FINDINGS[finding]
    is_campaign = number is not None
    return {
        "diagnosis_key": f"{rank}/{finding}",
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "campaign_id": f"newsletter-{number}" if is_campaign else None,
        "campaign_name": f"Newsletter {number}" if is_campaign else None,
        "level": "campaign" if is_campaign else "stream",
        "finding": finding,
        "finding_label": label,
        "confidence": "confirmed",
        "evidence": f"64 opt-outs of 4,159 delivered; {finding} holds",
        "recommended_action": action,
        "action_source": "founding brief",
        "rank": rank,
        "people_lost_count": lost,
        "sent_at": datetime(2026, 10, 13, 9) if is_campaign else None,
        **more,
    }


def flow_month(
    number: int, month: date, delivered: int = 900, unsubscribes: int = 9, **more: Any
) -> dict[str, Any]:
    """One row of flow_unsubscribe_rates."""
    low, high = wilson(unsubscribes, delivered)
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/welcome",
        "stream_name": "Welcome flow",
        "campaign_id": f"welcome-{number}",
        "variant": "",
        "campaign_name": f"Welcome mail {number}",
        "month": month,
        "send_type": "flow",
        "delivered_count": delivered,
        "unsubscribe_count": unsubscribes,
        "unsubscribe_rate_pct": 100 * unsubscribes / delivered,
        "unsubscribe_rate_low_pct": low,
        "unsubscribe_rate_high_pct": high,
        "observed_band": band(unsubscribes, delivered),
        "is_excluded": False,
        **more,
    }


def constant(name: str, value: float, own: float | None = None) -> dict[str, Any]:
    """One row of stat_calibration."""
    return {
        "constant_name": name,
        "description": f"What {name.replace('_', ' ')} decides.",
        "unit": "mailings",
        "source": "Choice by simulation",
        "campaign_count": 1200 if own is not None else None,
        "stream_count": 12 if own is not None else None,
        "value_in_use": value,
        "own_estimate": own,
        "is_assumption": True,
        "estimated_at": datetime(2026, 12, 31),
    }


def reason(
    word: str,
    count: int,
    *,
    kind: str = "rolling_12_months",
    start: date = date(2025, 12, 1),
    mail_list: str = "Newsletter",
    **more: Any,
) -> dict[str, Any]:
    """One row of opt_out_reasons; its shares are the mart's business."""
    labels = {
        "too_frequent": "Too many emails",
        "not_relevant": "Not relevant",
        "not_asked": "Not asked",
        "declined": "Asked, did not answer",
        "unclassified": "Answered in words no rule knows",
    }
    return {
        "source": "generic",
        "account": "main",
        "list": mail_list,
        "period_kind": kind,
        "period_start": start,
        "reason": word,
        "reason_label": labels.get(word),
        "reason_count": count,
        "is_answered": word not in ("not_asked", "declined"),
        **more,
    }


def decay_month(
    month: date,
    start: int,
    lost: int,
    *,
    joined: int = 0,
    mail_list: str = "(all)",
    **more: Any,
) -> dict[str, Any]:
    """One row of list_decay_monthly; everybody lost was there at the start."""
    attrition = lost / start if start else None
    return {
        "source": "generic",
        "account": "main",
        "list": mail_list,
        "month": month,
        "contacts_at_start": start,
        "added_count": joined,
        "opening_count": 0,
        "lost_count": lost,
        "lost_unsubscribe_count": lost - lost // 3,
        "lost_hard_bounce_count": lost // 3,
        **dict.fromkeys(
            (
                "lost_complaint_count",
                "lost_validation_count",
                "lost_sunset_count",
                "lost_deleted_count",
                "lost_unknown_count",
            ),
            0,
        ),
        "lost_from_start_count": lost,
        "contacts_at_end": start + joined - lost,
        "monthly_attrition_pct": None if attrition is None else 100 * attrition,
        "annualised_attrition_pct": (
            None if attrition is None else 100 * (1 - (1 - attrition) ** 12)
        ),
        "is_attrition_lower_bound": False,
        "is_complete_month": True,
        **more,
    }


def decay_summary(
    lost_pct: float | None, *, mail_list: str = "(all)", **more: Any
) -> dict[str, Any]:
    """One row of list_decay_summary: a year's loss, told within two points."""
    is_known = lost_pct is not None
    causes = ("unsubscribe", "hard_bounce", "complaint", "validation", "sunset")
    return {
        "source": "generic",
        "account": "main",
        "list": mail_list,
        "lost_count": 11,
        **{f"lost_{cause}_count": 2 for cause in causes},
        "lost_deleted_count": 1,
        "lost_unknown_count": 0,
        "first_month": date(2026, 1, 1),
        "last_month": date(2026, 12, 1),
        "month_count": 12,
        "contacts_at_end": 12000,
        "annual_attrition_pct": lost_pct,
        "annual_attrition_low_pct": lost_pct - 2 if is_known else None,
        "annual_attrition_high_pct": lost_pct + 2 if is_known else None,
        "voluntary_annual_attrition_pct": lost_pct / 2 if is_known else None,
        "half_life_months": 23.3 if is_known else None,
        "reference_pct": 30.0,
        "reference_source": "a guide",
        "reference_position": "below" if is_known else "unknown",
        "is_extrapolated": False,
        "is_attrition_lower_bound": False,
        **more,
    }


def cohort_age(
    age: int,
    kept_pct: float | None,
    *,
    signup_source: str = "(all)",
    method: str = "(all)",
    month: date | None = None,
    people: int = 900,
    **more: Any,
) -> dict[str, Any]:
    """One row of cohort_retention; of those gone a third bounced, the others left."""
    is_seen = kept_pct is not None
    gone = 100 - kept_pct if is_seen else None
    return {
        "source": "generic",
        "account": "main",
        "list": "(all)",
        "signup_month": month,
        "signup_source": signup_source,
        "opt_in_method": method,
        "age_months": age,
        "cohort_contact_count": people,
        "at_risk_count": max(0, people - 20 * age),
        "exit_count": 3,
        "survival_pct": kept_pct,
        "survival_low_pct": kept_pct - 3 if is_seen else None,
        "survival_high_pct": min(100.0, kept_pct + 3) if is_seen else None,
        "cumulative_unsubscribe_pct": 2 * gone / 3 if is_seen else None,
        "cumulative_hard_bounce_pct": gone / 3 if is_seen else None,
        **dict.fromkeys(
            (
                "cumulative_complaint_pct",
                "cumulative_validation_pct",
                "cumulative_sunset_pct",
                "cumulative_deleted_pct",
                "cumulative_unknown_pct",
            ),
            0.0 if is_seen else None,
        ),
        "is_all_months": month is None,
        "is_observed_from_start": is_seen,
        **more,
    }


def signup_source(
    name: str,
    people: int,
    left: int,
    ratio: tuple[float, float, float] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One row of signup_sources: how many left in 90 days, and against the others."""
    low, high = wilson(left, people)
    return {
        "source": "generic",
        "account": "main",
        "signup_source": name,
        "opt_in_method": "double",
        "acquisition": "organic",
        "contact_count": people,
        "first_send_contact_count": people,
        "first_send_opt_out_count": left // 4,
        "first_send_opt_out_rate_pct": 100 * (left // 4) / people,
        "first_send_opt_out_rate_low_pct": wilson(left // 4, people)[0],
        "first_send_opt_out_rate_high_pct": wilson(left // 4, people)[1],
        "ninety_day_contact_count": people,
        "ninety_day_opt_out_count": left,
        "ninety_day_complaint_count": 1,
        "ninety_day_hard_bounce_count": 2,
        "ninety_day_opt_out_rate_pct": 100 * left / people,
        "ninety_day_opt_out_rate_low_pct": low,
        "ninety_day_opt_out_rate_high_pct": high,
        "ninety_day_complaint_rate_pct": 100 / people,
        "ninety_day_hard_bounce_rate_pct": 200 / people,
        **dict(
            zip(
                ("opt_out_ratio", "opt_out_ratio_low", "opt_out_ratio_high"),
                ratio or (None, None, None),
                strict=True,
            )
        ),
        "is_suspected_bulk": False,
        **more,
    }


def frequency(
    bucket: str, weeks: int, mails: int, left: int, stratum: str = "active"
) -> dict[str, Any]:
    """One row of send_frequency."""
    return {
        "source": "generic",
        "account": "main",
        "list": "Newsletter",
        "frequency_bucket": bucket,
        "engagement_stratum": stratum,
        "tenure_stratum": "old",
        "contact_weeks": weeks,
        "delivered_count": mails,
        "opt_out_count": left,
        "promised_per_week": 1.0,
    }


def frequency_effect(verdict: str, **more: Any) -> dict[str, Any]:
    """One row of send_frequency_effect: truly 1.5 times, and per mail the reverse."""
    return {
        "source": "generic",
        "account": "main",
        "list": "Newsletter",
        "reference_buckets": "0, 1",
        "compared_buckets": "3+",
        "crude_ratio_per_send": 0.23,
        "crude_ratio_per_week": 0.68,
        "effect_ratio": 1.47,
        "effect_ratio_low": 1.21,
        "effect_ratio_high": 1.79,
        "stratum_count": 6,
        "untold_campaign_count": 3,
        "verdict": verdict,
        **more,
    }


TIERS = {
    "active": ("Read in the last month", 4.0, "Mail weekly."),
    "dormant": ("Read last more than half a year ago", 0.5, "Ask them once."),
    "suppressed": (None, None, None),
}


def segment(
    tier: str, people: int, mails: float | None, *, basis: str = "click", **more: Any
) -> dict[str, Any]:
    """One row of engagement_segments."""
    label, suited, advice = TIERS[tier]
    delivered = round(people * (mails or 0))
    return {
        "source": "generic",
        "account": "main",
        "list": "(all)",
        "month": date(2026, 12, 1),
        "basis": basis,
        "tier": tier,
        "tier_label": label,
        "tier_rank": list(TIERS).index(tier) + 1 if label else None,
        "advice": advice,
        "contact_count": people,
        "delivered_count": delivered,
        "unsubscribe_count": 9,
        "complaint_count": 1,
        "hard_bounce_count": 2,
        "mails_per_contact_28d": mails,
        "suggested_mails_28d": suited,
        "unsubscribe_rate_pct": 900 / delivered if delivered else None,
        "unsubscribe_rate_low_pct": wilson(9, delivered)[0] if delivered else None,
        "unsubscribe_rate_high_pct": wilson(9, delivered)[1] if delivered else None,
        "opt_out_per_100_contacts": 900 / people,
        "complaint_rate_pct": 100 / delivered if delivered else None,
        "is_over_cadence": mails > 2 * suited if mails and suited else None,
        "is_complete_month": True,
        **more,
    }


def hygiene(status: str, people: int, **more: Any) -> dict[str, Any]:
    """One row of list_hygiene; its provider tells roles and is silent on traps."""
    return {
        "source": "generic",
        "account": "main",
        "list": "Newsletter",
        "validation_status": status,
        "risk": "low" if status == "deliverable" else "high",
        "contact_count": people,
        "share_pct": people / 100,
        "stale_count": 12,
        "role_count": 3,
        "disposable_count": 0,
        "catch_all_count": None,
        "spamtrap_count": None,
        "newest_verified_at": datetime(2026, 3, 4),
        **more,
    }


def calibration(status: str, age: str, mails: int, bounced: int) -> dict[str, Any]:
    """One row of validation_calibration."""
    low, high = wilson(bounced, mails)
    return {
        "source": "checker",
        "account": "main",
        "provider": "checker",
        "validation_status": status,
        "verdict_age": age,
        "contact_count": mails,
        "attempted_count": mails,
        "delivered_count": mails - bounced,
        "hard_bounce_count": bounced,
        "hard_bounce_rate_pct": 100 * bounced / mails,
        "hard_bounce_rate_low_pct": low,
        "hard_bounce_rate_high_pct": high,
    }


def breach(
    number: int, rule: str, mails: int, hours: float = 130.0, **more: Any
) -> dict[str, Any]:
    """One row of opt_out_latency: mail of one send that came too late."""
    return {
        "source": "generic",
        "account": "main",
        "campaign_id": f"newsletter-{number}",
        "variant": "",
        "stream_id": "generic/main/newsletter",
        "campaign_name": f"Newsletter {number}",
        "rule_broken": rule,
        "opt_out_scope": "global",
        "mail_count": mails,
        "people_count": mails,
        "hours_after_opt_out": hours,
        "median_hours_after_opt_out": 60.0,
        "business_days_after_opt_out": int(hours // 34),
        "first_delivered_at": datetime(2026, 10, 13, 9),
        **more,
    }


def complaint_rate(
    provider: str, delivered: int, complaints: int | None, **more: Any
) -> dict[str, Any]:
    """One row of complaint_rates; one provider, ``silent``, tells nobody."""
    has_feed = provider != "silent" and complaints is not None
    low, high = wilson(complaints or 0, delivered)
    return {
        "source": "generic",
        "account": "main",
        "period_kind": "rolling_30_days",
        "period_start": date(2026, 12, 1),
        "mailbox_provider": provider,
        "delivered_count": delivered,
        "feed_covered_delivered_count": delivered if has_feed else 0,
        "complaint_count": complaints,
        "complaint_rate_pct": 100 * complaints / delivered if has_feed else None,
        "complaint_rate_low_pct": low if has_feed else None,
        "complaint_rate_high_pct": high if has_feed else None,
        "is_lower_bound": provider == "(all)",
        "is_red_flag": complaints * 1000 > delivered if has_feed else None,
        "is_confirmed": complaints * 500 > delivered if has_feed else None,
        "is_above_limit": complaints * 1000 > 3 * delivered if has_feed else None,
        **more,
    }


def provider_week(provider: str, week: date, sent: int, **more: Any) -> dict[str, Any]:
    """One row of mailbox_provider_health: one in fifty does not arrive."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "week": week,
        "mailbox_provider": provider,
        "sent_count": sent,
        "attempted_count": sent,
        "delivered_count": sent - sent // 50,
        "hard_bounce_count": sent // 100,
        "block_count": sent // 200,
        "deferred_count": None,
        "unsubscribe_count": sent // 300,
        "complaint_count": None,
        **more,
    }


def method(
    word: str, count: int, month: date, *, whole: int, complaints: int = 2, **more: Any
) -> dict[str, Any]:
    """One row of opt_out_methods; every row repeats its stream's month."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "month": month,
        "opt_out_method": word,
        "opt_out_scope": "global",
        "opt_out_count": count,
        "suspect_automated_count": 0,
        "stream_opt_out_count": whole,
        "one_click_count": whole // 4,
        "complaint_count": complaints,
        **more,
    }


def after_month(month: date, left: int, back: int, **more: Any) -> dict[str, Any]:
    """One row of after_opt_out; nobody tells other channels."""
    return {
        "source": "generic",
        "account": "main",
        "list": "Newsletter",
        "month": month,
        "opt_out_count": left,
        "resubscribed_count": back,
        "opted_down_count": 4,
        "channel_known_count": 0,
        "reachable_count": None,
        "channel_click_count": None,
        **more,
    }


def week_of(
    week: date,
    excess: tuple[int, int, int] | None = (0, -9, 11),
    *,
    delivered: int | None = 4000,
    left: int | None = 12,
    **more: Any,
) -> dict[str, Any]:
    """One row of weekly_review: what its sends cost, with the interval."""
    low, high = wilson(left, delivered) if left and delivered else (None, None)
    number, least, most = excess or (None, None, None)
    return {
        "source": "generic",
        "account": "main",
        "week": week,
        "send_count": 2,
        "delivered_count": delivered,
        "unsubscribe_count": left,
        "excess_unsubscribe_count": number,
        "excess_low_count": least,
        "excess_high_count": most,
        "finding_count": 0,
        "open_intervention_count": 0,
        "unsubscribe_rate_pct": 100 * left / delivered if left and delivered else None,
        "unsubscribe_rate_low_pct": low,
        "unsubscribe_rate_high_pct": high,
        "is_newest_week": False,
        "is_provisional": False,
        **more,
    }


def intervention(
    verdict: str,
    effect: tuple[float, float, float] | None = (-35.0, -52.0, -12.0),
    **more: Any,
) -> dict[str, Any]:
    """One row of intervention_effects: a preference centre, beside its claim."""
    number, low, high = effect or (None, None, None)
    return {
        "change_key": f"change of {verdict}",
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "kind": "preference_center",
        "change_label": "Preference centre",
        "method": "difference_in_differences" if effect else None,
        "measure": "unsubscribe",
        "unit": "send",
        "verdict": verdict,
        "caveat": "Observational: what else changed then counts as well.",
        "advice": "Keep it.",
        "control_streams": "offers",
        "claim_position": "compatible" if effect else "unknown",
        "claim_source": "a guide",
        "control_stream_count": 1,
        "before_unit_count": 13,
        "after_unit_count": 12,
        "left_out_unit_count": 1,
        "before_event_count": 156,
        "before_exposure_count": 52_000,
        "after_event_count": 96,
        "after_exposure_count": 48_000,
        "before_rate_pct": 0.3,
        "after_rate_pct": 0.2,
        "expected_after_rate_pct": 0.31 if effect else None,
        "effect_pct": number,
        "effect_low_pct": low,
        "effect_high_pct": high,
        "minimum_detectable_effect_pct": 25.0 if effect else None,
        "claim_low_pct": -30.0,
        "claim_high_pct": -20.0,
        "is_open": verdict == "too_early",
        "changed_at": datetime(2026, 2, 1),
        "after_until_at": datetime(2026, 5, 3),
        "decided_at": datetime(2026, 5, 3),
        **more,
    }


def re_permission(
    asked: int | None = 1000, yes: int | None = 240, **more: Any
) -> dict[str, Any]:
    """One row of re_permission_outcomes: who said yes, left, or said nothing."""
    low, high = wilson(yes, asked) if asked and yes else (None, None)
    return {
        "change_key": "change of permission",
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "asked_count": asked,
        "reconfirmed_count": yes,
        "opted_out_count": None if asked is None else 60,
        "complained_count": None if asked is None else 2,
        "silent_count": None if asked is None or yes is None else asked - yes - 62,
        "silent_mailed_since_count": None if asked is None else 0,
        "reconfirmed_pct": 100 * yes / asked if asked and yes else None,
        "reconfirmed_low_pct": low,
        "reconfirmed_high_pct": high,
        "is_open": False,
        "changed_at": datetime(2026, 9, 1),
        **more,
    }


def context(
    number: int,
    unusual: str | None = None,
    *,
    stream: str = "newsletter",
    **more: Any,
) -> dict[str, Any]:
    """One row of send_context beside the send of that number."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": f"generic/main/{stream}",
        "campaign_id": f"{stream}-{number}",
        "campaign_name": f"{stream.title()} {number}",
        "unusual": unusual,
        "unusual_count": int(unusual is not None),
        "sent_at": datetime(2026, 1, 6, 9) + timedelta(days=7 * number),
        **more,
    }


def content_month(
    month: date, category: str, sends: int, delivered: int, left: int, **more: Any
) -> dict[str, Any]:
    """One row of content_mix."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "month": month,
        "content_category": category,
        "is_promotional": category == "promotion",
        "send_count": sends,
        "delivered_count": delivered,
        "unsubscribe_count": left,
        **more,
    }


def promotional_run(
    bucket: int,
    left: int,
    ratio: tuple[float, float, float] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One row of promotional_runs: of 10,000 mails so many ended in an opt-out."""
    low, high = wilson(left, 10_000)
    number, least, most = ratio or (None, None, None)
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "run_bucket": bucket,
        "send_count": 4,
        "delivered_count": 10_000,
        "unsubscribe_count": left,
        "unsubscribe_rate_pct": left / 100,
        "unsubscribe_rate_low_pct": low,
        "unsubscribe_rate_high_pct": high,
        "ratio_to_none": number,
        "ratio_to_none_low": least,
        "ratio_to_none_high": most,
        **more,
    }


def audience_rate(
    audience: str, delivered: int, left: int, **more: Any
) -> dict[str, Any]:
    """One row of audience_rates."""
    low, high = wilson(left, delivered)
    return {
        "source": "generic",
        "account": "main",
        "audience": audience,
        "content_category": "editorial",
        "tenure": "settled",
        "send_count": 9,
        "contact_count": delivered // 9,
        "delivered_count": delivered,
        "unsubscribe_count": left,
        "complaint_count": 1,
        "unsubscribe_rate_pct": 100 * left / delivered,
        "unsubscribe_rate_low_pct": low,
        "unsubscribe_rate_high_pct": high,
        **more,
    }


def clicked(kind: str, clickers: int, month: date, **more: Any) -> dict[str, Any]:
    """One row of link_clicks."""
    return {
        "source": "generic",
        "account": "main",
        "stream_id": "generic/main/newsletter",
        "month": month,
        "url_kind": kind,
        "clicker_count": clickers,
        "any_clicker_count": 50,
        "click_count": 2 * clickers,
        "campaign_count": 4,
        **more,
    }


CHECKS = {
    "delivered_not_above_sent": (
        "more delivered than sent",
        "More messages arrived than were sent.",
        "Check which column holds the recipients.",
    ),
    "bounces_not_above_sent": (
        "more bounces than mail",
        "More messages came back than were sent.",
        "Check whether the export repeats lines.",
    ),
    "delivered_count_is_known": (
        "no delivered count",
        "No export says how many messages arrived.",
        "Export a report that has delivered messages.",
    ),
    "vendor_rate_explained": (
        "a printed rate nothing explains",
        "No denominator reproduces the printed rate.",
        "Find out what the sender divides by.",
    ),
}


def failed_check(
    campaign_key: str,
    name: str,
    left: int | None = None,
    right: int | None = None,
    *,
    is_excluded: bool = True,
) -> dict[str, Any]:
    """One row of denominator_audit; without counts the check could not be made."""
    label, explanation, advice = CHECKS[name]
    is_known = left is not None and right is not None
    return {
        "check_key": f"{campaign_key}/{name}",
        "campaign_key": campaign_key,
        "source": "generic",
        "account": "main",
        "check_name": name,
        "label": label,
        "explanation": explanation,
        "advice": advice,
        "verdict": "broken" if is_known or not is_excluded else "unknown",
        "exclusion_reason": name if is_excluded else None,
        "left_value": left,
        "right_value": right,
        "difference": left - right if is_known else None,
        "tolerance": 0.0 if is_known else None,
        "is_excluded": is_excluded,
    }


def trust(**more: Any) -> dict[str, Any]:
    """One row of source_trust of an account with nothing wrong and no sends."""
    counts = (
        *("campaign_count", "reconciled_campaign_count", "excluded_campaign_count"),
        *("unknown_campaign_count", "provisional_campaign_count"),
        *("inferred_delivered_count", "unlinked_bounce_count", "file_count"),
        *("refused_file_count", "withdrawn_file_count", "record_count"),
        *("rejected_record_count", "unmapped_record_count", "late_export_count"),
        *("opt_out_record_count", "unattributed_opt_out_count"),
    )
    return {
        "source": "generic",
        "account": "main",
        "source_kind": "esp",
        **dict.fromkeys(counts, 0),
        "is_conserved": True,
        **more,
    }


def freshness(
    export: str,
    days_since_last: int,
    usual: float | None,
    allowed: float | None,
    *,
    is_late: bool | None,
    **more: Any,
) -> dict[str, Any]:
    """One row of source_freshness, told on 31 December 2026."""
    last = datetime(2026, 12, 31, 8) - timedelta(days=days_since_last)
    words = {True: "late", False: "on_time", None: "unknown"}
    return {
        "source": "generic",
        "account": "main",
        "export": export,
        "file_count": 5,
        "days_since_last": days_since_last,
        "usual_gap_days": usual,
        "allowed_gap_days": allowed,
        "is_late": is_late,
        "freshness": words[is_late],
        "last_exported_at": last,
        "expected_by_at": last + timedelta(days=allowed) if allowed else None,
        **more,
    }


def question(
    name: str, why_not: str | None = None, file: str | None = None, **more: Any
) -> dict[str, Any]:
    """One row of coverage, answerable unless it says why not."""
    return {
        "source": "generic",
        "account": "main",
        "question": name,
        "question_text": f"{name.replace('_', ' ').capitalize()}?",
        "mart": "campaign_unsubscribe_rates",
        "is_answerable": why_not is None,
        "why_not": why_not,
        "file_to_export": file,
        **more,
    }


def revision(
    number: int,
    measure: str,
    old: int | None,
    new: int | None,
    rates: tuple[float | None, float | None],
    **more: Any,
) -> dict[str, Any]:
    """One row of rate_revisions: what file ``again-<number>.csv`` changed."""
    before, after = rates
    return {
        "revision_key": f"{number}/{measure}",
        "campaign_key": f"newsletter-{number:05d}",
        "source": "generic",
        "account": "main",
        "campaign_id": f"newsletter-{number}",
        "variant": "",
        "measure": measure,
        "change_kind": "restated_totals",
        "load": f"{number:010d}",
        "file_name": f"again-{number}.csv",
        "old_value": old,
        "new_value": new,
        "difference": None if old is None or new is None else new - old,
        "old_rate_pct": before,
        "new_rate_pct": after,
        "rate_difference_pct": (
            None if before is None or after is None else after - before
        ),
        "is_after_final": False,
        "exported_at": datetime(2026, 6, 1),
        **more,
    }


def year_of_marts(streams: int = 3, sends: int = 52) -> Rows:
    """A year with a spike, a gap, a rise, an exclusion, unknowns and hostile names."""
    rng = random.Random(7)
    rows: Rows = {
        "unsubscribe_rate_trends": [],
        "stream_trends": [],
        "campaign_unsubscribe_rates": [],
        "opt_out_reasons": [],
        "list_decay_monthly": [],
    }
    for place in range(streams):
        name = (
            ("newsletter", "offers", QUOTED)[place] if place < 3 else f"stream {place}"
        )
        base, past = 0.0018 + 0.0012 * (place % 3), []
        for number in range(sends):
            if 20 <= number < 25:
                continue
            delivered = rng.randint(5000, 9000) // (place + 1) + 50
            rate = base * (4.5 if number == 40 else rng.uniform(0.7, 1.4))
            unsubscribes = round(delivered * rate)
            opens = round(delivered * rng.uniform(0.25, 0.4))
            more: dict[str, Any] = {
                "open_basis": "all",
                "open_rate_pct": 100 * opens / delivered,
                "complaint_count": rng.randint(0, 3) + (12 if number == 40 else 0),
                "unique_click_count": opens // 8,
            }
            more["is_complaint_red_flag"] = more["complaint_count"] * 1000 > delivered
            more["is_complaint_confirmed"] = more["complaint_count"] > 10
            more["is_post_gap"] = number == 25
            more["days_since_previous_send"] = 42 if number == 25 else 7
            if number == 25:
                more["grade_context"] = "post_gap_expected"
            if number == sends - 1:
                more["maturity"] = "provisional"
                more["expected_complete_share"] = 0.604
            if number == 40:
                more["campaign_name"] = HOSTILE if place == 0 else QUOTED
            if number == 30 and place == 0:
                more |= {
                    "is_excluded": True,
                    "exclusion_reason": "delivered_not_above_sent",
                }
            if number == 31 and place == 0:
                delivered = None
                more |= {
                    "delivered_count_basis": "unavailable",
                    "is_excluded": True,
                    "exclusion_reason": "delivered_count_is_known",
                }
                more |= {"open_rate_pct": None, "open_basis": "unknown"}
            known = sorted(past[-26:])
            usual = known[len(known) // 2] if known else None
            status = "none" if len(known) >= 6 else "insufficient_data"
            row = send(
                number,
                unsubscribes,
                delivered,
                stream=name,
                expected=usual,
                earlier=len(known),
                status="strong" if number == 40 else status,
                spike_z=None if len(known) < 6 else 4.2 if number == 40 else 0.3,
                industry="e-commerce",
                industry_position="above" if number == 40 else "within",
                benchmark_source="a guide",
                topic_opt_out_count=rng.randint(0, 4),
                **more,
            )
            rows["campaign_unsubscribe_rates"].append(row)
            rows["unsubscribe_rate_trends"].append(
                trend_point(
                    number, stream=name, drift_status="alert" if place else "none"
                )
            )
            if row.get("unsubscribe_rate_pct") is not None:
                past.append(row["unsubscribe_rate_pct"])
        rising = {
            "effect_pct": 140.0,
            "shape_started_at": datetime(2026, 8, 5),
            "unsubscribe_direction": "rising",
            "unsubscribe_ratio": 1.8,
            "unsubscribe_ratio_low": 1.4,
            "unsubscribe_ratio_high": 2.3,
            "open_direction": "stable",
            "open_ratio": 1.0,
        }
        rows["stream_trends"].append(
            stream_trend("step", stream=name, **rising)
            if place == 1
            else stream_trend("stable", stream=name)
        )
    rows["campaign_diagnoses"] = [
        diagnosis(1, "complaints_above_limit", 95, campaign_name=HOSTILE),
        diagnosis(2, "content_of_one_send", 95, campaign_name=HOSTILE),
        diagnosis(3, "fatigue", 60, None, confidence="probable"),
        *(
            diagnosis(rank, "content_of_one_send", None, rank, evidence=QUOTED)
            for rank in range(4, 9)
        ),
    ]
    rows["flow_unsubscribe_rates"] = [
        flow_month(number, date(2026, month, 1))
        for number in (1, 2)
        for month in range(6, 13)
    ]
    rows["stat_calibration"] = [
        constant("minimum_history", 6),
        constant("dispersion_prior", 0.09, 0.0712),
    ]
    words = {"too_frequent": 120, "not_relevant": 60, "unclassified": 20}
    words |= {"declined": 30, "not_asked": 500}
    for word, count in words.items():
        rows["opt_out_reasons"] += [
            reason(word, count),
            reason(word, 3, mail_list=HOSTILE),
        ]
        for month in range(1, 11):
            start = date(2026, month, 1)
            rows["opt_out_reasons"].append(
                reason(word, count // 10, kind="month", start=start)
            )
    contacts = 12000
    for number in range(12):
        start = date(2025 + (number + 10) // 12, (number + 10) % 12 + 1, 1)
        lost = rng.randint(120, 260)
        complete = {"is_complete_month": number < 11}
        for mail_list, share in (("(all)", 1), ("Newsletter", 1), (QUOTED, 3)):
            rows["list_decay_monthly"].append(
                decay_month(
                    start,
                    contacts // share,
                    lost // share,
                    joined=200 // share,
                    mail_list=mail_list,
                    **complete,
                )
            )
        contacts += 200 - lost
    rows |= people_of_marts()
    rows |= levers_of_marts()
    rows["denominator_audit"] = [
        failed_check("newsletter-00030", "delivered_not_above_sent", 9900, 9800),
        failed_check("newsletter-00030", "bounces_not_above_sent", 9850, 9800),
        failed_check("newsletter-00031", "delivered_count_is_known"),
        failed_check("offers-00012", "vendor_rate_explained", is_excluded=False),
    ]
    rows["source_trust"] = [
        trust(
            campaign_count=len(rows["campaign_unsubscribe_rates"]),
            reconciled_campaign_count=120,
            excluded_campaign_count=1,
            unknown_campaign_count=1,
            provisional_campaign_count=3,
            inferred_delivered_count=40,
            unlinked_bounce_count=None,
            file_count=2,
            refused_file_count=1,
            record_count=200,
            rejected_record_count=2,
            rejected_share_pct=1.0,
            unmapped_record_count=12,
            unmapped_share_pct=6.0,
            late_export_count=1,
            opt_out_record_count=800,
            unattributed_opt_out_count=70,
        ),
        trust(account=HOSTILE, source_kind="validator", campaign_count=0),
    ]
    rows["source_freshness"] = [
        freshness("events", 12, 7.0, 14.0, is_late=True),
        freshness("campaign_stats", 3, 7.0, 14.0, is_late=False),
        freshness("contacts", 40, None, None, is_late=None),
    ]
    rows["coverage"] = [
        question("unsubscribe_rate"),
        question("why_they_left", "No opt-out says why.", "Generic: events"),
    ]
    rows["rate_revisions"] = [
        revision(7, "delivered_count", 9800, 9700, (0.204, 0.206)),
        revision(8, "unsubscribe_count", 20, 29, (0.204, 0.296), is_after_final=True),
        revision(8, "delivered_count", 9800, 9790, (0.204, 0.296), is_after_final=True),
        revision(9, "unique_open_count", 3000, 3100, (0.204, 0.204)),
    ]
    rows["opt_out_conservation"] = [
        {
            "source": "generic",
            "account": "main",
            "raw_count": 800,
            "attributed_count": 600,
            "repeat_count": 100,
            "not_by_recipient_count": 20,
            "unattributed_count": 70,
            "rejected_count": 10,
            "is_conserved": True,
        }
    ]
    rows["load_ledger"] = [
        {
            "load": "0000000001",
            "source": "generic",
            "account": "main",
            "state": "loaded",
            "file_name": "generic/main/stats.csv",
            "record_count": 200,
            "rejected_count": 2,
            "unmapped_count": 0,
            "defaults_used": "zone UTC",
            "exported_at": datetime(2026, 12, 31, 8),
        },
        {
            "load": "0000000002",
            "state": "refused",
            "file_name": f"generic/main/{HOSTILE}.csv",
            "refusal_reason": "broken_container",
            "refusal_detail": "The gzip ends early. Export it again.",
            "record_count": 0,
        },
    ]
    return rows


def people_of_marts() -> Rows:
    """What the marts about lists and people hold: something of everything."""
    sources = {"(all)": 1.2, "Website": 0.8, HOSTILE: 2.6, "(unknown)": 1.5}
    months = [date(2026, number, 1) for number in range(1, 13)]
    return {
        "list_decay_summary": [
            decay_summary(17.4),
            decay_summary(34.5, mail_list=QUOTED, reference_position="above"),
        ],
        "cohort_retention": [
            *(
                cohort_age(
                    age, 100 - pace * age, signup_source=name, people=400 + 9 * place
                )
                for place, (name, pace) in enumerate(sources.items())
                for age in range(1, 19)
            ),
            *(
                cohort_age(age, 100 - pace * age, method=name)
                for name, pace in (("double", 0.9), ("import", 2.2))
                for age in range(1, 19)
            ),
            *(cohort_age(age, None, signup_source="Old form") for age in range(1, 4)),
            *(
                cohort_age(age, 99 - 1.5 * age, month=month, people=80)
                for month in months
                for age in (1, 2, 3, 6)
                if month.month + age <= 12
            ),
        ],
        "signup_sources": [
            signup_source("Website", 2400, 40, (0.6, 0.4, 0.9)),
            signup_source(HOSTILE, 900, 60, (2.41, 1.83, 3.1), is_suspected_bulk=True),
            signup_source("suppressed", 7, 1),
        ],
        "send_frequency": [
            frequency("0", 900, 0, 0),
            frequency("1", 52_000, 50_000, 120),
            frequency("1", 20_000, 21_000, 90, "dormant"),
            frequency("3+", 9_000, 30_000, 30),
        ],
        "send_frequency_effect": [frequency_effect("more_leave")],
        "engagement_segments": [
            segment("active", 4000, 4.2, basis="human_open"),
            segment("dormant", 2500, 4.2, basis="human_open"),
            segment("suppressed", 6, None, basis="human_open"),
            segment("active", 2000, 4.2),
            segment("dormant", 4500, 4.2),
        ],
        "list_hygiene": [
            hygiene("deliverable", 6000),
            hygiene("undeliverable", 240),
            hygiene("not_verified", 3760, risk=None, stale_count=None),
        ],
        "validation_calibration": [
            calibration("deliverable", "0-30 days", 9000, 40),
            calibration("undeliverable", "181 days and more", 50, 31),
        ],
        "opt_out_latency": [
            breach(40, "48_hours", 7),
            breach(41, "10_business_days", 2, 420.0, campaign_name=HOSTILE),
        ],
        "complaint_rates": [
            complaint_rate("(all)", 30_000, 80),
            complaint_rate("silent", 12_000, 0),
            complaint_rate("yahoo", 18_000, 80),
            complaint_rate(
                "yahoo",
                5_000,
                30,
                period_kind="month",
                month=date(2026, 12, 1),
                stream_id="generic/main/offers",
            ),
        ],
        "mailbox_provider_health": [
            provider_week(name, date(2026, 12, 28) - timedelta(weeks=back), 5000)
            for name in ("yahoo", "silent")
            for back in range(8)
        ],
        "opt_out_methods": [
            row
            for month in months
            for row in (
                method("body_link", 30, month, whole=40),
                method("header_one_click", 10, month, whole=40),
            )
        ],
        "after_opt_out": [after_month(month, 40, 3) for month in months],
    }


def levers_of_marts() -> Rows:
    """What the marts about weeks, changes and content hold: something of everything."""
    months = [date(2026, number, 1) for number in range(1, 13)]
    monday = date(2026, 12, 21)
    unusual = "the first send to “Everybody”; about trade, of none of the 26 before"
    return {
        "weekly_review": [
            *(week_of(monday - timedelta(weeks=back)) for back in range(1, 30)),
            week_of(
                monday,
                (31, 12, 52),
                left=49,
                finding_1=f"Too many reported it as spam: {HOSTILE} (+31 people)",
                finding_2="People get too much mail: offers (+9 people)",
                recommended_action="Stop mailing the segment that complained.",
                action_source="founding brief",
                decided_interventions="Preference centre (newsletter) worked.",
                open_interventions="Frequency (offers): open until 3 Feb 2027.",
                revenue=Decimal("1240.50"),
                revenue_per_lost_contact=25.3,
                is_newest_week=True,
                is_provisional=True,
            ),
            week_of(monday, None, account=QUOTED, left=3, is_newest_week=True),
            week_of(date(2026, 6, 1), account="silent", is_newest_week=True),
        ],
        "intervention_effects": [
            intervention("worked", people_kept_count=52, note=HOSTILE)
            | {"people_kept_low_count": 12, "people_kept_high_count": 98},
            intervention("backfired", (80.0, 31.0, 148.0), kind="frequency")
            | {"change_label": "Frequency", "claim_low_pct": None},
            intervention("not_proven", (-4.0, -20.0, 15.0), method="before_after"),
            intervention("too_early", None),
            intervention("unknown_stream", None, stream_id=None, account=None),
        ],
        "re_permission_outcomes": [re_permission()],
        "send_context": [
            *(context(number) for number in range(20)),
            context(40, unusual, campaign_name=HOSTILE),
            *(context(number, QUOTED, stream="offers") for number in range(41, 50)),
        ],
        "content_mix": [
            row
            for month in months
            for row in (
                content_month(month, "editorial", 3, 9000, 18),
                content_month(month, "promotion", 1, 3000, 15),
                content_month(month, QUOTED, 1, 300, 1),
                content_month(month, "(unknown)", 1, 3000, 6),
            )
        ],
        "promotional_runs": [
            promotional_run(0, 20),
            promotional_run(1, 22, (1.1, 0.7, 1.7)),
            promotional_run(4, 45, (2.25, 1.52, 3.4)),
        ],
        "audience_rates": [
            audience_rate("(all)", 30_000, 70),
            audience_rate(HOSTILE, 20_000, 40),
            audience_rate(HOSTILE, 90, 1, tenure="suppressed"),
        ],
        "link_clicks": [
            row
            for month in months
            for row in (clicked("website", 40, month), clicked("channel", 9, month))
        ],
    }
