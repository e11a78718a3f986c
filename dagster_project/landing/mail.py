"""Messages as they travel (RFC 5322), one or an mbox of several, read as JSON objects.

Only headers are taken, and the fields of a feedback report (RFC 5965): what people
wrote to each other stays where it is.
"""

from __future__ import annotations

import email
import email.errors
import email.message
import email.policy
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, cast

Fields = dict[str, str]
Message: TypeAlias = "email.message.Message[Any, Any]"

_SEPARATOR = re.compile(r"From \S+ .*\d\d:\d\d")
_HEADER = re.compile(r"[!-9;-~]+:")
_USUAL = re.compile(
    r"(?im)^(received|return-path|date|from|message-id|mime-version|content-type):"
)
_MALFORMED = (
    *(email.errors.MessageError, ValueError, LookupError, TypeError),
    *(AttributeError, AssertionError, RecursionError),
)
"""What the library's header parsers are known to end with on malformed headers."""


def is_mail(beginning: str) -> bool:
    """Whether a text begins as a message or an mbox does."""
    text = beginning.lstrip("\n")
    if _SEPARATOR.match(text):
        text = text.partition("\n")[2]
    headers = text.partition("\n\n")[0]
    return bool(_HEADER.match(headers) and _USUAL.search(headers))


def messages(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Each message's first line and text; an mbox separates them by ``From`` lines."""
    first, taken, is_mbox, after_blank = 1, list[str](), False, True
    for number, line in enumerate(lines, start=1):
        is_separator = bool(after_blank and _SEPARATOR.match(line))
        after_blank = line == "\n"
        if not taken:
            if after_blank:
                continue
            first, is_mbox = number, is_mbox or is_separator
        elif is_mbox and is_separator:
            yield first, "".join(taken)
            first, taken = number, []
        taken.append(line)
    if taken:
        yield first, "".join(taken)


def as_record(text: str) -> dict[str, Fields] | None:
    """A message as its headers and reports; None where it cannot be parsed."""
    if _SEPARATOR.match(text):
        text = text.partition("\n")[2]
    try:
        message = email.message_from_string(text, policy=email.policy.default)
        report, original = _reports(message)
    except _MALFORMED:
        return None
    return {"headers": _fields(message), "report": report, "original": original}


def _reports(message: Message) -> tuple[Fields, Fields]:
    """Fields of the feedback report, and headers of the message it is about."""
    report: Fields = {}
    original: Fields = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            report = report or _inner(part)
        elif kind in ("message/rfc822", "message/global", "text/rfc822-headers"):
            original = original or _inner(part)
    return report, original


def _inner(part: Message) -> Fields:
    """The headers that a part holds as its content."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return _fields(cast(Message, payload[0])) if payload else {}
    decoded = part.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    return _fields(email.message_from_string(text, policy=email.policy.default))


def _fields(message: Message) -> Fields:
    """The first value of each header, decoded and on one line, by lower-case name."""
    fields: Fields = {}
    for name, raw in message.raw_items():
        try:
            value = str(message.policy.header_fetch_parse(name, raw))
        except _MALFORMED:
            value = str(raw)
        fields.setdefault(name.lower(), " ".join(value.split()))
    return fields
