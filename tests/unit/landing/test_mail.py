"""Messages as they travel: their headers and reports, and never what they say."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dagster_project.landing import land as land_module
from dagster_project.landing import records
from dagster_project.landing.mail import as_record, is_mail, messages
from dagster_project.landing.reader import RefusedError
from dagster_project.landing.recognition import recognise
from dagster_project.landing.records import frame
from tests.conftest import Deployment
from tests.unit.landing.test_records import plain_of, rows_of, source_from

REPORT = """\
Received: from mx.example.com by in.example.com; Tue, 01 Sep 2026 09:00:01 +0000
Received: from inside.example.com by mx.example.com
From: <feedback@example.com>
Date: Tue, 01 Sep 2026 09:00:00 +0000
Subject: =?utf-8?q?caf=C3=A9?=
 folded
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part"

--part
Content-Type: text/plain

Somebody complained: private words.

--part
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Example/1.0
Version: 1
Original-Mail-From: <bounce@example.com>
Original-Rcpt-To: jane@example.com
Reported-Domain: one.example.com
Reported-Domain: two.example.com

--part
Content-Type: message/rfc822

From: <news@example.com>
To: <jane@example.com>
Message-ID: <m1@example.com>
X-Campaign: C1
Subject: October

From the first line on, private words.

--part--
"""
MAPPING = """
source: acme
kind: any
title: Acme
notes: none
exports:
  - name: reports
    lands: message_events
    reader: {formats: mail}
    inputs:
      kind: {path: '$.report."feedback-type"', required: true}
      email: {path: '$.report."original-rcpt-to"'}
      message: {path: '$.original."message-id"'}
      moment: {path: $.headers.date}
      send: {path: '$.original."x-campaign"'}
    address: email
    times: {formats: ["%a, %d %b %Y %H:%M:%S %z"]}
    key: [message, moment]
    fields: {event_subtype: kind, occurred_at: moment, campaign_id: send,
      message_id: message}
    events:
      - { when: kind = 'abuse', event_type: complained }
      - { otherwise: other }
"""
SEPARATOR = "From feedback@example.com Tue Sep  1 09:00:00 2026\n"


def record_of(text: str) -> dict[str, Any]:
    record = as_record(text)
    assert record is not None
    return record


def test_a_report_gives_three_sets_of_fields_and_no_words() -> None:
    record = record_of(REPORT)
    assert record["headers"]["subject"] == "caf\u00e9 folded"
    assert record["headers"]["received"].startswith("from mx.example.com")
    assert record["report"] == {
        "feedback-type": "abuse",
        "user-agent": "Example/1.0",
        "version": "1",
        "original-mail-from": "<bounce@example.com>",
        "original-rcpt-to": "jane@example.com",
        "reported-domain": "one.example.com",
    }
    assert record["original"] == {
        "from": "news@example.com",
        "to": "jane@example.com",
        "message-id": "<m1@example.com>",
        "x-campaign": "C1",
        "subject": "October",
    }
    assert "private" not in json.dumps(record)


@pytest.mark.parametrize("encoding", ["", "quoted-printable", "base64"])
def test_a_report_may_send_the_headers_only(encoding: str) -> None:
    headers = "To: jane@example.com\nX-Campaign: C=1\n"
    if encoding == "quoted-printable":
        headers = headers.replace("C=1", "C=3D=\n1")
    if encoding == "base64":
        headers = "VG86IGphbmVAZXhhbXBsZS5jb20KWC1DYW1wYWlnbjogQz0xCg==\n"
    before, _, _ = REPORT.partition("Content-Type: message/rfc822")
    marked = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    text = f"{before}Content-Type: text/rfc822-headers\n{marked}\n{headers}\n--part--\n"
    assert record_of(text)["original"] == {
        "to": "jane@example.com",
        "x-campaign": "C=1",
    }


def test_another_message_has_no_report() -> None:
    record = record_of("From: a@example.com\nTo: b@example.com\n\nWords.\n")
    assert (record["report"], record["original"]) == ({}, {})


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        pytest.param(REPORT, True, id="a message"),
        pytest.param("\n" + SEPARATOR + REPORT, True, id="an mbox"),
        pytest.param("id,email\n", False, id="a table"),
        pytest.param("Note: this\nis: text\n\nFrom: x\n", False, id="a text"),
        pytest.param("From here on\nnothing\n", False, id="a sentence"),
    ],
)
def test_mail_is_known_by_its_first_headers(beginning: str, expected: bool) -> None:
    assert is_mail(beginning) == expected


def test_an_mbox_is_divided_at_its_separators_only() -> None:
    text = f"{SEPARATOR}{REPORT}\n{SEPARATOR}{REPORT}\n>From x\nFrom y\n"
    found = list(messages(io.StringIO(text)))
    lines = REPORT.count("\n")
    assert [line for line, _ in found] == [1, lines + 3]
    assert [record_of(text) == record_of(REPORT) for _, text in found] == [True, True]
    ((line, alone),) = messages(io.StringIO("\n" + REPORT))
    assert (line, alone) == (2, REPORT)


def test_no_malformed_message_ends_the_reading() -> None:
    draw = random.Random("mail")
    for _ in range(150):
        letters = list(REPORT)
        for _ in range(draw.randint(1, 20)):
            place = draw.randrange(len(letters))
            letters[place] = draw.choice('\n\t :;,<>@"()[]=?\\\udcff\u2600')
        record = as_record("".join(letters))
        assert record is None or set(record) == {"headers", "report", "original"}


def test_a_message_of_endless_headers_costs_itself_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "LONGEST_LINE", 5000)
    long = REPORT.replace("X-Campaign: C1", f"X-Campaign: {'x' * 9000}")
    plain = plain_of(tmp_path, f"{SEPARATOR}{REPORT}\n{SEPARATOR}{long}\n")
    found = recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    framed = frame(plain, found, tmp_path / "split", careful=False)
    assert [record == "null" for _, record in rows_of(framed)] == [False, True]
    assert framed.lines_of({2}) == {2: REPORT.count("\n") + 3}


def test_a_message_without_a_report_is_nobodys(tmp_path: Path) -> None:
    plain = plain_of(tmp_path, "From: a@example.com\nDate: x\n\nWords.\n")
    with pytest.raises(RefusedError, match="feedback-type") as caught:
        recognise(plain, "x", [source_from(tmp_path, MAPPING)])
    assert "example.com" not in caught.value.detail


def test_messages_land_alone_in_an_mbox_and_in_a_zip(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = deployment.home.parent / "sources"
    source_from(folder, MAPPING)
    monkeypatch.setattr(land_module, "SOURCES", folder)
    second = REPORT.replace("<m1@", "<m2@").replace("\n", "\r\n")
    other = REPORT.replace("message/feedback-report", "text/plain")
    deployment.drop("acme/a.eml", REPORT)
    deployment.drop("acme/b.mbox", f"{SEPARATOR}{second}\r\n{SEPARATOR}{other}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        container.writestr("c.eml", REPORT.replace("<m1@", "<m3@"))
        container.writestr("d.eml", REPORT.replace("<m1@", "<m4@"))
    deployment.drop("acme/c.zip", buffer.getvalue())
    deployment.land()
    loads = deployment.loads()
    assert {load.state for load in loads.values()} == {"loaded"}
    assert loads["acme/b.mbox"].rejected_count == 1
    found = deployment.rows("message_events", "message_id")
    assert [row["message_id"] for row in found] == [
        f"<m{number}@example.com>" for number in range(1, 5)
    ]
    assert {(row["event_type"], row["campaign_id"]) for row in found} == {
        ("complained", "C1")
    }
    (rejected,) = deployment.rows("rejected_records")
    assert (rejected["line_number"], rejected["reason"]) == (
        REPORT.count("\n") + 3,
        "missing_value",
    )
