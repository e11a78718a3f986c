"""What `optout sources` tells is what the mappings say."""

from __future__ import annotations

import pytest

from dagster_project.listing import (
    described,
    source_lines,
    source_named,
    source_rows,
)
from dagster_project.mapping.document import MappingError
from dagster_project.mapping.model import Source, load_sources
from dagster_project.settings import SOURCES

KNOWN = load_sources(SOURCES)
ACME = Source.model_validate(
    {
        "source": "acme",
        "kind": "esp",
        "title": "Acme Mail",
        "notes": "Read in\n  the reference.",
        "folder": SOURCES / "acme",
        "settings": {"campaign_from": {"default": "tag", "allowed": ["tag", "name"]}},
        "exports": [
            {
                "name": "activity",
                "lands": "message_events",
                "reader": {"formats": ["csv", "ndjson"]},
                "inputs": {
                    "id": {"column": ["Id", "id"], "required": True},
                    "kind": {"path": "$.kind", "required": True},
                    "who": {"column": "who"},
                },
                "address": "who",
                "key": ["id"],
                "fields": {"occurred_at": "id"},
                "events": [
                    {"when": "kind = 'x'", "event_type": "sent"},
                    {"otherwise": "other"},
                ],
                "reasons": {"value": "kind"},
            },
            {
                "name": "totals",
                "lands": "campaign_stats",
                "reader": {"formats": "csv"},
                "inputs": {"rate": {"column": "Rate"}, "id": {"column": "Id"}},
                "times": {"zone": "account"},
                "fields": {"campaign_id": "id", "vendor_unsubscribe_rate_pct": "rate"},
                "delivered": ["reported", "recipients_minus_bounces"],
                "vendor_rate": {"value": "rate", "base": "sent"},
                "settle_days": 7,
            },
        ],
    }
)


def test_a_row_a_source_says_what_it_covers() -> None:
    assert source_rows({"acme": ACME}) == [
        {
            "source": "acme",
            "title": "Acme Mail",
            "kind": "esp",
            "exports": 2,
            "covers": "totals, events, reasons",
        }
    ]


def test_every_source_covers_something() -> None:
    rows = source_rows(KNOWN)
    assert [row["source"] for row in rows] == list(KNOWN)
    assert all(row["covers"] for row in rows)


def test_programs_get_every_export() -> None:
    told = described(ACME)
    assert [name for name, is_covered in told["covers"].items() if is_covered] == [
        *("totals", "events", "reasons")
    ]
    assert told["settings"] == {
        "campaign_from": {"default": "tag", "allowed": ["tag", "name"]}
    }
    activity, totals = told["exports"]
    assert activity["required"] == ["Id", "$.kind"]
    assert activity["events"] == ["other", "sent"]
    assert activity["formats"] == ["csv", "ndjson"]
    assert activity["reasons"]
    assert totals["events"] == []
    assert totals["delivered"] == ["reported", "recipients_minus_bounces"]
    assert totals["vendor_rate_base"] == "sent"
    assert totals["lands"] == "campaign_stats"


def test_people_get_one_source_in_full() -> None:
    lines = source_lines(ACME)
    assert lines[0] == ("", "acme: Acme Mail (esp)")
    assert ("notes", "Read in the reference.") in lines
    assert ("setting campaign_from", "tag or name; default tag") in lines
    assert ("", "totals: totals (campaign_stats)") in lines
    assert ("needs", "Id, $.kind") in lines
    assert ("delivered", "reported, else recipients_minus_bounces") in lines
    assert ("own rate", "unsubscribes over sent") in lines
    assert ("zone", "the account's timezone (accounts.yaml)") in lines
    assert ("settles", "after 7 days") in lines
    assert all(source_lines(source) for source in KNOWN.values())


def test_an_unknown_name_lists_the_closest_first() -> None:
    assert source_named(KNOWN, "zerobounce").kind == "validator"
    with pytest.raises(MappingError, match="expected one of zerobounce, "):
        source_named(KNOWN, "zerobonce")
