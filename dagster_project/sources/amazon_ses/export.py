"""Prints mail events as Amazon SES event publishing does.

Only the vendor's record shapes and words belong here. A delivery stream writes newline-
delimited JSON; a notification topic wraps the same record as a text inside an envelope.
Contact preferences are printed as old and new states, so this module remembers them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ACCOUNT = "123456789012"
_REGION = "eu-west-1"
_RELAY = f"smtp-out.{_REGION}.amazonses.com"

USER_AGENTS = {
    "phone": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) "
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "tablet": "Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148",
    "privacy_proxy": "Mozilla/5.0",
    "scanner": "BarracudaSentinel (EE)",
}
"""Who fetched: people, and two kinds of machine."""

_BOUNCES = {
    "hard": ("Permanent", "General", "5.1.1", "550 5.1.1 user unknown"),
    "soft": ("Transient", "MailboxFull", "4.2.2", "452 4.2.2 mailbox full"),
    "prior_bounce": (
        "Permanent",
        "OnAccountSuppressionList",
        "5.1.1",
        "550 5.1.1 recipient address is on the account suppression list",
    ),
    "invalid_address": (
        "Permanent",
        "Suppressed",
        "5.1.1",
        "550 5.1.1 recipient address is suppressed",
    ),
}
"""Bounce class or reason of a drop -> type, sub-type, status and diagnostic text."""

_SOURCES = {"header_one_click": "UnsubscribeHeader", "body_link": "UnsubscribeLink"}


def event_lines(
    messages: pd.DataFrame, events: pd.DataFrame, topics: Sequence[str]
) -> list[str]:
    """Print every event as one JSON record, in the order given.

    Args:
        messages: by position: message_key, sent_at, sender, recipients (tuple),
            subject, configuration_set, tags (mapping), is_marketing. Moments, here and
            below, are naive UTC and count milliseconds.
        events: message (position), event_type, occurred_at, recipient (empty: all of
            the message's), bounce_class, drop_reason, client, url, method, scope,
            scope_id; event types and words are canonical; in time order.
        topics: what a contact may choose among.
    """
    recipients = list(messages["recipients"])
    ids, mails = [], []
    for message in _records(messages):
        ids.append(_message_id(message["message_key"], message["sent_at"]))
        mails.append(_mail(ids[-1], message))
    preferences = _Preferences(topics)
    lines = []
    for event in _records(events):
        position = event["message"]
        named = (event["recipient"],) if event["recipient"] else recipients[position]
        name, key, details = _details(event, named, ids[position], preferences)
        lines.append(
            f'{{"eventType":"{name}","mail":{mails[position]},'
            f'"{key}":{_compact(details)}}}'
        )
    return lines


def enveloped(line: str, published_at: np.datetime64) -> str:
    """Wrap a record the way a notification topic delivers it."""
    topic = f"arn:aws:sns:{_REGION}:{_ACCOUNT}:ses-events"
    return _compact(
        {
            "Type": "Notification",
            "MessageId": _uuid(line),
            "TopicArn": topic,
            "Subject": "Amazon SES Email Event Notification",
            "Message": line + "\n",
            "Timestamp": _iso(published_at),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE-SIGNATURE==",
            "SigningCertURL": f"https://sns.{_REGION}.example.com/certificate.pem",
            "UnsubscribeURL": f"https://sns.{_REGION}.example.com/?Action=Unsubscribe",
        }
    )


def ndjson_gz(lines: Iterable[str]) -> bytes:
    """Compress newline-delimited records; the same lines give the same bytes."""
    text = "".join(f"{line}\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=4, mtime=0)


class _Preferences:
    """What every contact chose so far, because the vendor prints old and new."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._everything_off: set[str] = set()
        self._topics_off: dict[str, set[str]] = {}

    def shown(self, address: str) -> dict[str, Any]:
        """The state of one contact as the vendor prints it."""
        off = self._topics_off.get(address, set())
        return {
            "unsubscribeAll": address in self._everything_off,
            "topicSubscriptionStatus": [
                {
                    "topicName": topic,
                    "subscriptionStatus": "OptOut" if topic in off else "OptIn",
                }
                for topic in self._topics
            ],
        }

    def change(self, address: str, event_type: str, scope: str, topic: str) -> None:
        """Apply one choice; ``preference_changed`` leaves everything as it was."""
        if event_type == "preference_changed":
            return
        is_off = event_type == "unsubscribed"
        if scope == "topic":
            off = self._topics_off.setdefault(address, set())
            off.add(topic) if is_off else off.discard(topic)
        elif is_off:
            self._everything_off.add(address)
        else:
            self._everything_off.discard(address)


def _details(
    event: Mapping[str, Any],
    recipients: Sequence[str],
    message_id: str,
    preferences: _Preferences,
) -> tuple[str, str, dict[str, Any]]:
    """Give the vendor's name of the event, its key and its sub-object."""
    at = event["occurred_at"]
    match event["event_type"]:
        case "sent":
            return "Send", "send", {}
        case "delivered":
            return "Delivery", "delivery", _delivery(at, recipients, message_id)
        case "deferred":
            return "DeliveryDelay", "deliveryDelay", _delay(at, recipients)
        case "bounced":
            kind = event["bounce_class"]
            return "Bounce", "bounce", _bounce(at, recipients, message_id, kind)
        case "dropped" if event["drop_reason"] == "policy":
            return "Reject", "reject", {"reason": "Bad content"}
        case "dropped":
            kind = event["drop_reason"]
            return "Bounce", "bounce", _bounce(at, recipients, message_id, kind)
        case "failed":
            error = "Attribute 'deliveryWindow' is not present in the rendering data."
            failure = {"errorMessage": error, "templateName": "order-confirmation-v4"}
            return "Rendering Failure", "failure", failure
        case "opened":
            return "Open", "open", _visit(at, event["client"], message_id)
        case "clicked":
            click = _visit(at, event["client"], message_id)
            return "Click", "click", {**click, "link": event["url"], "linkTags": None}
        case "complained":
            return "Complaint", "complaint", _complaint(at, recipients, message_id)
        case "unsubscribed" | "resubscribed" | "preference_changed" as choice:
            address = recipients[0]
            old = preferences.shown(address)
            preferences.change(address, choice, event["scope"], event["scope_id"])
            subscription = {
                "contactList": "harbour-pine-shop",
                "timestamp": _iso(at),
                "source": _SOURCES.get(event["method"], "UnsubscribeLink"),
                "newTopicPreferences": preferences.shown(address),
                "oldTopicPreferences": old,
            }
            return "Subscription", "subscription", subscription
        case other:
            raise ValueError(f"{other}: no such event in this vendor's records")


def _mail(message_id: str, message: Mapping[str, Any]) -> str:
    """Print what every record of a message repeats."""
    sender, subject = message["sender"], message["subject"]
    recipients = message["recipients"]
    domain = sender.rpartition("@")[2].rstrip(">")
    headers = {
        "From": sender,
        "To": ", ".join(recipients),
        "Subject": subject,
    }
    if message["is_marketing"]:
        headers["List-Unsubscribe"] = f"<https://{domain}/u/{message_id[17:25]}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return _compact(
        {
            "timestamp": _iso(message["sent_at"]),
            "source": sender,
            "sourceArn": f"arn:aws:ses:{_REGION}:{_ACCOUNT}:identity/{domain}",
            "sendingAccountId": _ACCOUNT,
            "messageId": message_id,
            "destination": list(recipients),
            "headersTruncated": False,
            "headers": [
                {"name": name, "value": text} for name, text in headers.items()
            ],
            "commonHeaders": {
                "from": [sender],
                "to": list(recipients),
                "messageId": message_id,
                "subject": subject,
            },
            "tags": {
                "ses:operation": ["SendEmail"],
                "ses:configuration-set": [message["configuration_set"]],
                "ses:source-ip": ["192.0.2.10"],
                "ses:from-domain": [domain],
                "ses:caller-identity": ["shop-mailer"],
                **{name: [value] for name, value in message["tags"].items()},
            },
        }
    )


def _delivery(
    at: np.datetime64, recipients: Sequence[str], message_id: str
) -> dict[str, Any]:
    return {
        "timestamp": _iso(at),
        "processingTimeMillis": 500 + _number(message_id) % 9000,
        "recipients": list(recipients),
        "smtpResponse": "250 2.0.0 OK",
        "remoteMtaIp": f"203.0.113.{_number(message_id) % 250 + 1}",
        "reportingMTA": f"a7-{_number(message_id) % 90 + 10}.{_RELAY}",
    }


def _delay(at: np.datetime64, recipients: Sequence[str]) -> dict[str, Any]:
    diagnostic = "smtp; 421 4.4.1 Unable to connect to remote host"
    return {
        "timestamp": _iso(at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": _iso(at + np.timedelta64(14, "h")),
        "delayedRecipients": [
            {"emailAddress": address, "status": "4.4.1", "diagnosticCode": diagnostic}
            for address in recipients
        ],
    }


def _bounce(
    at: np.datetime64, recipients: Sequence[str], message_id: str, kind: str
) -> dict[str, Any]:
    bounce_type, sub_type, status, diagnostic = _BOUNCES[kind]
    return {
        "feedbackId": _feedback_id(message_id, "bounce", recipients),
        "bounceType": bounce_type,
        "bounceSubType": sub_type,
        "bouncedRecipients": [
            {
                "emailAddress": address,
                "action": "failed",
                "status": status,
                "diagnosticCode": f"smtp; {diagnostic}",
            }
            for address in recipients
        ],
        "timestamp": _iso(at),
        "remoteMtaIp": f"203.0.113.{_number(message_id) % 250 + 1}",
        "reportingMTA": f"dns; a7-{_number(message_id) % 90 + 10}.{_RELAY}",
    }


def _complaint(
    at: np.datetime64, recipients: Sequence[str], message_id: str
) -> dict[str, Any]:
    return {
        "feedbackId": _feedback_id(message_id, "complaint", recipients),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": _iso(at),
        "userAgent": "Example-Mail-Feedback/1.0",
        "complaintFeedbackType": "abuse",
        "arrivalDate": _iso(at),
    }


def _visit(at: np.datetime64, client: str, message_id: str) -> dict[str, Any]:
    return {
        "ipAddress": f"198.51.100.{_number(message_id) % 250 + 1}",
        "timestamp": _iso(at),
        "userAgent": USER_AGENTS[client],
    }


def _message_id(message_key: str, sent_at: np.datetime64) -> str:
    milliseconds = int(sent_at.astype(np.int64))
    return f"0102{milliseconds:012x}-{_uuid(message_key)}-000000"


def _feedback_id(message_id: str, kind: str, recipients: Sequence[str]) -> str:
    text = "/".join((message_id, kind, *recipients))
    return f"{message_id[:16]}-{_uuid(text)}-000000"


def _uuid(text: str) -> str:
    """An identifier that the same text always gets."""
    mark = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:]}"


def _number(message_id: str) -> int:
    """A number that stays with the message, for details nobody counts."""
    return int(message_id[-12:-7], 16)


def _records(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    columns = {name: column.to_numpy() for name, column in frame.items()}
    names = tuple(str(name) for name in columns)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(names, values, strict=True))


def _iso(moment: np.datetime64) -> str:
    """Spell a moment that counts milliseconds."""
    return f"{moment}Z"
