"""Prints campaign totals as Mailchimp's account-level campaign export does.

Only the shape of the vendor's file belongs here; what happened is decided by whoever
calls. The export names no zone and prints no unsubscribe rate, and its "Bounce Rate" is
the web analytics', not the mail's.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

HEADER = (
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
    "Times Forwarded",
    "Forwarded Opens",
    "Unique Opens",
    "Open Rate",
    "Total Opens",
    "Unique Clicks",
    "Click Rate",
    "Total Clicks",
    "Unsubscribes",
    "Abuse Complaints",
    "Times Liked on Facebook",
    "Folder Id",
    "Unique Id",
    "Total Orders",
    "Total Gross Sales",
    "Total Revenue",
    "Analytics ROI",
    "Campaign Cost",
    "Revenue Created",
    "Visits",
    "New Visits",
    "Pages/Visit",
    "Bounce Rate",
    "Time on Site",
    "Goal Conversion Rate",
    "Per Visit Goal Value",
    "Transactions",
    "Ecommerce Conversion Rate",
    "Per Visit Value",
    "Average Value",
)

_NO_ANALYTICS = ("n/a",) * 14
"""What the web analytics columns say in an account that never connected any."""


def campaigns_csv(campaigns: pd.DataFrame) -> bytes:
    """Print one cumulative export, a row a campaign, newest last.

    Args:
        campaigns: canonical totals, one row per campaign: campaign_id, campaign_name,
            subject, list, sent_at (naive, in the account's zone), sent, delivered,
            soft_bounces, hard_bounces, unique_opens, opens, unique_clicks, clicks,
            unsubscribes, complaints, orders, revenue.
    """
    lines = [_line(HEADER)]
    for row in campaigns.to_dict("records"):
        sent_at = row["sent_at"]
        half = "am" if sent_at.hour < 12 else "pm"
        lines.append(
            _line(
                (
                    row["campaign_name"],
                    row["subject"],
                    row["list"],
                    f"{sent_at:%b %d, %Y %I:%M} {half}",
                    f"{sent_at:%A}",
                    row["sent"],
                    row["delivered"],
                    row["soft_bounces"],
                    row["hard_bounces"],
                    row["soft_bounces"] + row["hard_bounces"],
                    0,
                    0,
                    row["unique_opens"],
                    _rate(row["unique_opens"], row["delivered"]),
                    row["opens"],
                    row["unique_clicks"],
                    _rate(row["unique_clicks"], row["delivered"]),
                    row["clicks"],
                    row["unsubscribes"],
                    row["complaints"],
                    0,
                    0,
                    row["campaign_id"],
                    row["orders"],
                    row["revenue"],
                    row["revenue"],
                    *_NO_ANALYTICS,
                )
            )
        )
    return "".join(lines).encode()


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"


def _line(values: Sequence[object]) -> str:
    return ",".join(_cell(value) for value in values) + "\n"


def _cell(value: object) -> str:
    """Quote as the vendor does: also where a value merely contains a blank."""
    text = str(value)
    if any(mark in text for mark in ' ",\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
