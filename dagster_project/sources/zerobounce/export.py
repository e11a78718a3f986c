"""Prints verdicts on addresses as ZeroBounce's bulk file and batch API do.

Only the vendor's shapes and words belong here. A bulk file says nothing of when it was
verified; its booleans are spelled "False" and "true" in one row, as in the real ones.
"""

from __future__ import annotations

import csv
import io
import json

import pandas as pd

VERDICTS = {
    "accepted": ("valid", ""),
    "alias": ("valid", "alias_address"),
    "catch_all": ("catch-all", ""),
    "role": ("do_not_mail", "role_based"),
    "disposable": ("do_not_mail", "disposable"),
    "toxic": ("do_not_mail", "toxic"),
    "spamtrap": ("spamtrap", ""),
    "abuse_complainer": ("abuse", ""),
    "mailbox_not_found": ("invalid", "mailbox_not_found"),
    "mailbox_full": ("invalid", "mailbox_quota_exceeded"),
    "greylisted": ("unknown", "greylisted"),
    "timeout": ("unknown", "timeout_exceeded"),
}
"""Canonical reason of a verdict -> the vendor's status and sub-status."""

BULK_COLUMNS = (
    "ZB Status",
    "ZB Sub Status",
    "ZB Account",
    "ZB Domain",
    "ZB First Name",
    "ZB Last Name",
    "ZB Gender",
    "ZB Free Email",
    "ZB MX Found",
    "ZB MX Record",
    "ZB SMTP Provider",
    "ZB Did You Mean",
)


def bulk_csv(verdicts: pd.DataFrame) -> bytes:
    """Print a bulk result: the uploaded columns first, every cell quoted.

    Args:
        verdicts: email, signup_source, validation_reason (canonical words).
    """
    handle = io.StringIO()
    writer = csv.writer(handle, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("Email Address", "Signup Source", *BULK_COLUMNS))
    for email, source, reason in zip(
        verdicts["email"],
        verdicts["signup_source"],
        verdicts["validation_reason"],
        strict=True,
    ):
        status, sub_status = VERDICTS[reason]
        account, domain = email.split("@")
        names = ("", "", "")
        mail_server = ("False", "true", f"mx.{domain}", "example", "")
        writer.writerow(
            (email, source, status, sub_status, account, domain, *names, *mail_server)
        )
    return handle.getvalue().encode()


def batch_json(verdicts: pd.DataFrame) -> bytes:
    """Print the answer to one call of the batch API.

    Args:
        verdicts: email, validation_reason, verified_at (naive UTC).
    """
    batch = []
    for email, reason, verified_at in zip(
        verdicts["email"],
        verdicts["validation_reason"],
        verdicts["verified_at"],
        strict=True,
    ):
        status, sub_status = VERDICTS[reason]
        domain = email.split("@")[1]
        batch.append(
            {
                "address": email,
                "status": status,
                "sub_status": sub_status,
                "free_email": False,
                "did_you_mean": None,
                "account": None,
                "domain": None,
                "domain_age_days": "9692",
                "smtp_provider": "example",
                "mx_found": "true",
                "mx_record": f"mx.{domain}",
                "firstname": None,
                "lastname": None,
                "gender": None,
                "country": None,
                "region": None,
                "city": None,
                "zipcode": None,
                "processed_at": f"{verified_at:%Y-%m-%d %H:%M:%S}."
                f"{verified_at.microsecond // 1000:03d}",
            }
        )
    document = {"email_batch": batch, "errors": []}
    return (json.dumps(document, indent=1) + "\n").encode()
