"""Writes small exports in the vendors' own shapes, with numbers a reader can add up."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

SENT, HARD, SOFT, LEFT = 10_000, 80, 120, 20
"""The brief's example: 10,000 - 80 - 120 = 9,800 delivered; 20 / 9,800 x 100 = 0.2041."""

_COLUMNS = [
    "Title",
    "Subject",
    "List",
    "Send Date",
    "Send Weekday",
    "Total Recipients",
    "Successful Deliveries",
    "Soft Bounces",
    "Hard Bounces",
    "Total Bounces",
    "Unique Opens",
    "Open Rate",
    "Unique Clicks",
    "Click Rate",
    "Unsubscribes",
    "Abuse Complaints",
    "Unique Id",
    "Bounce Rate",
]


def campaign_table() -> str:
    """The example as an account-level campaign export."""
    row = {
        "Title": "Spring offers",
        "Subject": "Spring, at last",
        "List": "Newsletter",
        "Send Date": "Mar 02, 2026 09:30 am",
        "Send Weekday": "Monday",
        "Total Recipients": "10,000",
        "Successful Deliveries": "9,800",
        "Soft Bounces": str(SOFT),
        "Hard Bounces": str(HARD),
        "Total Bounces": str(SOFT + HARD),
        "Unique Opens": "3,000",
        "Open Rate": "30.61%",
        "Unique Clicks": "300",
        "Click Rate": "3.06%",
        "Unsubscribes": str(LEFT),
        "Abuse Complaints": "2",
        "Unique Id": "spring",
        # Web analytics, not e-mail: a mapping that trusts this name is wrong.
        "Bounce Rate": "48.2%",
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


def event_lines() -> str:
    """The example as event-publishing records, one JSON object a line."""
    return "".join(json.dumps(record) + "\n" for record in _records())


def _records() -> list[dict[str, Any]]:
    records = []
    for person in range(SENT):
        address = f"reader{person:05d}@example.com"
        records.append(_event("Send", person, address, {"send": {}}))
        if person < HARD + SOFT:
            is_hard = person < HARD
            bounce = {
                "bounceType": "Permanent" if is_hard else "Transient",
                "bounceSubType": "General" if is_hard else "MailboxFull",
                "bouncedRecipients": [{"emailAddress": address}],
                "timestamp": "2026-03-02T09:31:00.000Z",
                "feedbackId": f"feedback-{person}",
            }
            records.append(_event("Bounce", person, address, {"bounce": bounce}))
            continue
        delivery = {"timestamp": "2026-03-02T09:31:00.000Z", "recipients": [address]}
        records.append(_event("Delivery", person, address, {"delivery": delivery}))
        if person < HARD + SOFT + LEFT:
            records.append(_leaving(person, "2026-03-02T18:00:00.000Z"))
    return records


def opt_outs_beside_the_rate() -> str:
    """Opt-outs that belong to the example's account and not into its rate.

    5 of the 20 leave again a day later; 3 people whom the send never reached name it;
    4 recipients leave 17 days later, from no mail that anybody names.
    """
    first = HARD + SOFT
    told = [
        *(_leaving(first + n, "2026-03-03T18:00:00.000Z") for n in range(5)),
        *(_leaving(SENT + n, "2026-03-02T20:00:00.000Z") for n in range(3)),
    ]
    for person in range(first + LEFT, first + LEFT + 4):
        record = _leaving(person, "2026-03-19T12:00:00.000Z")
        record["mail"] |= {"messageId": f"page-{person:05d}", "tags": {}}
        told.append(record)
    return "".join(json.dumps(record) + "\n" for record in told)


def _leaving(person: int, at: str) -> dict[str, Any]:
    change = {
        "contactList": "readers",
        "timestamp": at,
        "source": "UnsubscribeHeader",
        "oldTopicPreferences": {"unsubscribeAll": False},
        "newTopicPreferences": {"unsubscribeAll": True},
    }
    address = f"reader{person:05d}@example.com"
    return _event("Subscription", person, address, {"subscription": change})


def _event(
    kind: str, person: int, address: str, detail: dict[str, Any]
) -> dict[str, Any]:
    mail = {
        "timestamp": "2026-03-02T09:30:00.000Z",
        "messageId": f"message-{person:05d}",
        "source": "news@example.com",
        "destination": [address],
        "commonHeaders": {"subject": "Spring, at last"},
        "tags": {"campaign": ["spring"], "ses:configuration-set": ["marketing"]},
    }
    return {"eventType": kind, "mail": mail, **detail}


def contact_table(exported_at: str, gone: int = 0) -> str:
    """A full list of 100 people, of whom the first ``gone`` have unsubscribed."""
    lines = [
        "email,list,status,exported_at,snapshot_scope,opted_in_at,"
        "status_changed_at,opt_out_reason"
    ]
    for person in range(100):
        left = person < gone
        lines.append(
            f"contact{person:03d}@example.com,Club,"
            f"{'unsubscribed' if left else 'subscribed'},{exported_at},full,"
            f"2025-01-15T10:00:00Z,{'2026-02-10T08:00:00Z' if left else ''},"
            f"{'too many emails' if left else ''}"
        )
    return "\n".join(lines) + "\n"


def small_events(campaign: str, *, broken_line: bool = False) -> str:
    """Ten people, nine delivered, one opt-out, as documented NDJSON."""
    lines = []
    for person in range(10):
        for event_type in ("sent", "bounced" if person == 9 else "delivered"):
            lines.append(_documented(campaign, person, event_type))
    lines.append(_documented(campaign, 0, "unsubscribed"))
    if broken_line:
        lines.insert(7, '{"event_id": "cut", "event_type": "deliv')
    return "\n".join(lines) + "\n"


def _documented(campaign: str, person: int, event_type: str) -> str:
    return json.dumps(
        {
            "event_id": f"{campaign}-{person}-{event_type}",
            "event_type": event_type,
            "occurred_at": "2026-03-05T07:00:00Z",
            "email": f"person{person}@example.com",
            "campaign_id": campaign,
            "bounce_class": "hard" if event_type == "bounced" else None,
        }
    )


def write(path: Path, text: str, *, gzipped: bool = False, keep: float = 1.0) -> None:
    """Write a text, perhaps gzipped, perhaps cut after a share of its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8")
    if gzipped:
        content = gzip.compress(content, mtime=0)
    path.write_bytes(content[: int(len(content) * keep)])
