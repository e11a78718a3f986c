"""What an export can tell: fields, the columns behind them, and kinds of event."""

from __future__ import annotations

from dagster_project.mapping.catalog import (
    filled_fields,
    required_columns,
    told_events,
)
from dagster_project.mapping.model import Export

TOTALS = Export.model_validate(
    {
        "name": "totals",
        "lands": "campaign_stats",
        "reader": {"formats": "csv"},
        "inputs": {
            "title": {"column": ["Title", "Name"], "required": True},
            "sent_on": {"column": "Sent On", "required": True},
            "left": {"column": "Unsubscribes"},
        },
        "fields": {
            "campaign_id": "concat(title, sent_on)",
            "sent_at": "sent_on",
            "unsubscribe_count": "left",
        },
        "delivered": "recipients_minus_bounces",
    }
)
EVENTS = Export.model_validate(
    {
        "name": "events",
        "lands": "message_events",
        "reader": {"formats": "ndjson"},
        "inputs": {
            "kind": {"path": "$.kind", "required": True},
            "at": {"path": "$.at"},
            "who": {"path": "$.who"},
            "why": {"path": "$.why"},
        },
        "address": "who",
        "key": ["kind", "at"],
        "fields": {"occurred_at": "at"},
        "events": [
            {"when": "kind = 'hard'", "event_type": "bounced"},
            {
                "when": "kind = 'soft'",
                "event_type": "bounced",
                "set": {"bounce_class": "soft"},
            },
            {"when": "kind = 'sms'", "skip": "another_channel"},
            {"otherwise": "other"},
        ],
        "reasons": {"value": "why"},
    }
)


def test_a_field_names_the_column_it_is_read_from_where_one_column_decides() -> None:
    assert {field.name: field.column for field in filled_fields(TOTALS)} == {
        "campaign_id": None,
        "delivered_count": None,
        "sent_at": "Sent On",
        "unsubscribe_count": "Unsubscribes",
    }


def test_rules_reasons_and_the_address_fill_fields_too() -> None:
    assert {field.name for field in filled_fields(EVENTS)} == {
        "bounce_class",
        "contact_key",
        "event_type",
        "occurred_at",
        "reason",
    }


def test_the_columns_that_make_a_file_recognised_are_named_as_preferred() -> None:
    assert required_columns(TOTALS) == ("Title", "Sent On")
    assert required_columns(EVENTS) == ()


def test_only_ordered_rules_limit_the_events_that_can_be_told() -> None:
    assert told_events(EVENTS) == ("bounced", "other")
    assert told_events(TOTALS) is None
