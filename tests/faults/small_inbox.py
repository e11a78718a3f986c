"""A quarter of one sender's exports, small enough to say what every campaign counts.

The layout is the demo year's, so that the same faults can be done to both.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from dagster_project.sources.amazon_ses.export import USER_AGENTS, ndjson_gz
from dagster_project.sources.generic.export import csv_bytes, ndjson_bytes
from dagster_project.sources.mailchimp.export import campaigns_csv

NOW = "2026-06-20T00:00:00Z"
START = datetime(2026, 1, 3, tzinfo=UTC)
WEEK = timedelta(days=7)

RECIPIENTS, HARD, SOFT, OPENED, CLICKED, LEFT = 300, 8, 6, 120, 10, 4
FEED_COUNTS = {
    "sent_count": RECIPIENTS,
    "delivered_count": RECIPIENTS - HARD - SOFT,
    "delivered_count_basis": "events",
    "hard_bounce_count": HARD,
    "soft_bounce_count": SOFT,
    "unsubscribe_count": LEFT,
    "complaint_count": 1,
    "unique_open_count": OPENED,
    "unique_click_count": CLICKED,
}
"""What every campaign of the event feed counts; its people do the same each week."""
NEWSLETTER_COUNTS = {
    "sent_count": 2000,
    "delivered_count": 1980,
    "delivered_count_basis": "reported",
    "hard_bounce_count": 12,
    "soft_bounce_count": 8,
    "unsubscribe_count": 5,
    "complaint_count": 1,
    "unique_open_count": 600,
    "unique_click_count": 60,
}
STORE_COUNTS = NEWSLETTER_COUNTS | {
    "sent_count": 800,
    "delivered_count": 780,
    "unsubscribe_count": 3,
}
MONTHS = range(1, 6)
LIST_SIZE = 200


def write_small_inbox(inbox: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Write it; the counts of every campaign, by source, account and id."""
    truth: dict[tuple[str, str, str], dict[str, Any]] = {}
    for account, weeks in (("shop", 13), ("outlet", 2)):
        for week, told in _feed(account, weeks).items():
            name = f"amazon_ses/{account}/events-{START + week * WEEK:%Y-%m-%d}"
            lines = (json.dumps(record) for _, record in sorted(told, key=_moment))
            _write(
                inbox / f"{name}.ndjson.gz", START + (week + 1) * WEEK, ndjson_gz(lines)
            )
        for week in range(weeks):
            truth["amazon_ses", account, feed_campaign(account, week)] = FEED_COUNTS
    for account in ("newsletter", "agency", "digest", "notes"):
        rows = _newsletters(account)
        for day in (1, 8):
            at = datetime(2026, 6, day, 6, tzinfo=UTC)
            path = inbox / f"mailchimp/{account}/campaigns-{at:%Y-%m-%d}.csv"
            _write(path, at, campaigns_csv(rows))
        for name in rows["campaign_id"]:
            truth["mailchimp", account, name] = NEWSLETTER_COUNTS
    stores = _stores()
    at = datetime(2026, 6, 8, 6, tzinfo=UTC)
    _write(inbox / "generic/crm/store-events.ndjson", at, ndjson_bytes(stores))
    for name in stores["campaign_id"]:
        truth["generic", "crm", name] = STORE_COUNTS
    for month in (4, 5, 6):
        at = datetime(2026, month, 1, 5, tzinfo=UTC)
        path = inbox / f"generic/crm/contacts-newsletter-{at:%Y-%m-%d}.csv"
        _write(path, at, csv_bytes(_contacts(at)))
    for month in (5, 6):
        at = datetime(2026, month, 1, 6, tzinfo=UTC)
        path = inbox / f"generic/crm/preference-centre-{at:%Y-%m-%d}.csv"
        _write(path, at, csv_bytes(_preferences(month)))
    return truth


def feed_campaign(account: str, week: int) -> str:
    """The campaign that the feed's file of that week sends."""
    return f"{account}-{week + 1:02d}"


def _write(path: Path, at: datetime, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))


Told = tuple[datetime, dict[str, Any]]


def _moment(told: Told) -> datetime:
    return told[0]


def _feed(account: str, weeks: int) -> dict[int, list[Told]]:
    """Records by the week in which they arrive: a campaign's tail is in the next file."""
    arriving: dict[int, list[Told]] = defaultdict(list)
    for number in range(weeks):
        for at, record in _campaign(account, number):
            arriving[(at - START) // WEEK].append((at, record))
    return arriving


def _campaign(account: str, number: int) -> list[Told]:
    """One send on the last morning of its week."""
    sent_at = START + number * WEEK + timedelta(days=6, hours=7)
    told: list[Told] = []

    def tell(kind: str, person: int, at: datetime, **detail: Any) -> None:
        address = f"reader{person:03d}@example.com"
        mail = {
            "timestamp": _iso(sent_at + timedelta(seconds=person)),
            "messageId": f"{account}-{number:02d}-{person:03d}",
            "source": "offers@example.com",
            "destination": [address],
            "tags": {
                "ses:configuration-set": ["marketing"],
                "stream": ["offers"],
                "send_type": ["campaign"],
                "campaign": [feed_campaign(account, number)],
            },
        }
        detail = {"timestamp": _iso(at), **detail}
        told.append((at, {"eventType": kind, "mail": mail, kind.lower(): detail}))

    for person in range(RECIPIENTS):
        address = f"reader{person:03d}@example.com"
        left_for_server_at = sent_at + timedelta(seconds=person)
        tell("Send", person, left_for_server_at)
        if person < HARD + SOFT:
            is_hard = person < HARD
            tell(
                "Bounce",
                person,
                left_for_server_at + timedelta(minutes=1),
                bounceType="Permanent" if is_hard else "Transient",
                bounceSubType="General" if is_hard else "MailboxFull",
                bouncedRecipients=[{"emailAddress": address}],
                feedbackId=f"bounce-{account}-{number}-{person}",
            )
            continue
        delivered_at = left_for_server_at + timedelta(seconds=5)
        tell("Delivery", person, delivered_at, recipients=[address])
        turn = person - HARD - SOFT
        opened_at = delivered_at + timedelta(minutes=10 * (turn + 1))
        agent = USER_AGENTS["phone"]
        if turn < OPENED:
            tell("Open", person, opened_at, userAgent=agent)
        if turn < CLICKED:
            clicked_at = opened_at + timedelta(minutes=1)
            page = "https://shop.example.com/"
            tell("Click", person, clicked_at, userAgent=agent, link=page)
    # Others leave and complain each week: nobody leaves the same list twice.
    first = HARD + SOFT + OPENED
    for person in range(first + LEFT * number, first + LEFT * (number + 1)):
        tell(
            "Subscription",
            person,
            sent_at + timedelta(days=2),
            contactList=account,
            source="UnsubscribeHeader",
            oldTopicPreferences={"unsubscribeAll": False},
            newTopicPreferences={"unsubscribeAll": True},
        )
    person = RECIPIENTS - 1 - number
    tell(
        "Complaint",
        person,
        sent_at + timedelta(days=1),
        complainedRecipients=[{"emailAddress": f"reader{person:03d}@example.com"}],
        complaintFeedbackType="abuse",
        feedbackId=f"complaint-{account}-{number}",
    )
    return told


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def _newsletters(account: str) -> pd.DataFrame:
    """Two sends a month, as their totals stood long afterwards."""
    counts = NEWSLETTER_COUNTS
    return pd.DataFrame(
        {
            "campaign_id": f"{account}-{month:02d}-{day:02d}",
            "campaign_name": f"Issue {month:02d}-{day:02d}",
            "subject": "News",
            "list": account.title(),
            "sent_at": datetime(2026, month, day, 9, 30),
            "sent": counts["sent_count"],
            "delivered": counts["delivered_count"],
            "soft_bounces": counts["soft_bounce_count"],
            "hard_bounces": counts["hard_bounce_count"],
            "unique_opens": counts["unique_open_count"],
            "opens": 700,
            "unique_clicks": counts["unique_click_count"],
            "clicks": 70,
            "unsubscribes": counts["unsubscribe_count"],
            "complaints": counts["complaint_count"],
            "orders": 0,
            "revenue": 0,
        }
        for month in MONTHS
        for day in (6, 20)
    )


def _stores() -> pd.DataFrame:
    counts = STORE_COUNTS
    return pd.DataFrame(
        {
            "campaign_id": f"store-event-{month:02d}",
            "campaign_name": f"Store event {month:02d}",
            "stream": "Store events",
            "sent_at": datetime(2026, month, 12, 10),
            "sent": counts["sent_count"],
            "delivered": counts["delivered_count"],
            "hard_bounces": counts["hard_bounce_count"],
            "soft_bounces": counts["soft_bounce_count"],
            "unique_opens": counts["unique_open_count"],
            "unique_clicks": counts["unique_click_count"],
            "unsubscribes": counts["unsubscribe_count"],
            "complaints": counts["complaint_count"],
            "exported_at": datetime(2026, 6, 8, 6),
        }
        for month in MONTHS
    )


def _contacts(at: datetime) -> pd.DataFrame:
    """The same people on the list in every export."""
    return pd.DataFrame(
        {
            "email": f"member{number:03d}@example.com",
            "list": "Newsletter",
            "status": "subscribed",
            "exported_at": at.replace(tzinfo=None),
            "snapshot_scope": "full",
            "opted_in_at": datetime(2025, 3, 1),
        }
        for number in range(LIST_SIZE)
    )


def _preferences(month: int) -> pd.DataFrame:
    """Looked at their preferences and changed nothing."""
    return pd.DataFrame(
        {
            "event_id": f"choice-{month}-{number}",
            "event_type": "preference_changed",
            "occurred_at": datetime(2026, month - 1, 15, 12),
            "email": f"member{number:03d}@example.com",
            "list": "Newsletter",
        }
        for number in range(40)
    )
