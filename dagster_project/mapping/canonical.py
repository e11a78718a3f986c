"""The landing tables: what every vendor's records become.

One definition per column for the whole lake. A column's kind decides its Parquet type
and how a bare input is converted; ``words`` names the vocabulary a value must come
from. Meaning (outcomes, episodes, bases) belongs to dbt, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "time", "flag", "percent", "number"]
TableName = Literal[
    "message_events",
    "campaign_stats",
    "contact_snapshots",
    "list_validations",
    "domain_reputation",
]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "count": "BIGINT",
    "time": "TIMESTAMP",
    "flag": "BOOLEAN",
    "percent": "DOUBLE",
    "number": "DOUBLE",
}


@dataclass(frozen=True)
class Column:
    """One landing column.

    Attributes:
        name: its name in every layer above.
        kind: what it holds; percent is 0-100, time is naive UTC.
        required: a record without it is rejected.
        words: the vocabulary its values come from.
        bounded: a time outside 2000 .. now + 1 day, or a percentage outside 0 .. 100,
            rejects the record.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    words: str | None = None
    bounded: bool = False

    @property
    def sql_type(self) -> str:
        """The column's DuckDB and Parquet type."""
        return SQL_TYPES[self.kind]


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _counts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "count") for name in names)


def _flags(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "flag") for name in names)


def _shares(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "percent", bounded=True) for name in names)


COMMON = (
    Column("source"),
    Column("account"),
    Column("record_number", "count"),
    Column("item_number", "count"),
)
"""Which record of which account a row came from; filled by the landing engine."""

PERSON = _text("contact_key", "mailbox_provider")
"""Stands where the address stood; filled by the landing engine."""

REASON = (
    *_text("reason", "reason_basis", "reason_rule", "reason_labels"),
    *_text("reason_language", "reason_option_set"),
    Column("reason_length", "count"),
)
"""Why somebody left: a canonical word and how it was found, never their text."""

FIELDS: dict[TableName, tuple[Column, ...]] = {
    "message_events": (
        Column("event_type", required=True, words="event_types"),
        Column("event_subtype"),
        Column("occurred_at", "time", required=True, bounded=True),
        Column("received_at", "time"),
        *_text("campaign_id", "campaign_name", "subject", "stream", "variant"),
        Column("send_type", words="send_types"),
        *_text("audience", "list", "tags", "message_id"),
        Column("bounce_class", words="bounce_classes"),
        Column("drop_reason", words="drop_reasons"),
        Column("is_machine", "flag"),
        Column("url_kind"),
        Column("opt_out_scope", words="opt_out_scopes"),
        Column("opt_out_scope_id"),
        Column("opt_out_method", words="opt_out_method_words"),
        Column("initiator", words="initiators"),
    ),
    "campaign_stats": (
        Column("campaign_id", required=True),
        *_text("variant", "campaign_name", "subject", "stream", "audience"),
        *_text("content_category", "tags", "folder"),
        Column("send_type", words="send_types"),
        Column("industry"),
        Column("sent_at", "time", required=True, bounded=True),
        Column("period_start_at", "time"),
        Column("period_end_at", "time"),
        Column("exported_at", "time"),
        *_counts(
            "sent_count",
            "delivered_count",
            "hard_bounce_count",
            "soft_bounce_count",
            "block_count",
            "bounce_count",
            "dropped_count",
            "deferred_count",
            "unsubscribe_count",
            "complaint_count",
            "unique_open_count",
            "human_open_count",
            "unique_click_count",
        ),
        Column("vendor_unsubscribe_rate_pct", "percent"),
        Column("revenue", "number"),
    ),
    "contact_snapshots": (
        Column("list", required=True),
        Column("status", required=True, words="contact_statuses"),
        Column("snapshot_scope", words="snapshot_scopes"),
        Column("exported_at", "time"),
        Column("opted_in_at", "time"),
        Column("confirmed_at", "time"),
        Column("opt_in_method", words="opt_in_methods"),
        Column("signup_source"),
        Column("status_changed_at", "time"),
        Column("exit_cause", words="exit_causes"),
        Column("opt_out_scope", words="opt_out_scopes"),
        Column("opt_out_method", words="opt_out_method_words"),
        Column("initiator", words="initiators"),
        *_text("opt_out_campaign_id", "other_channels"),
    ),
    "list_validations": (
        *_text("provider", "channel", "job_id", "raw_status", "raw_substatus"),
        Column("validation_status", required=True, words="validation_statuses"),
        Column("validation_reason", words="validation_reasons"),
        *_flags(
            "is_deliverable",
            "is_role",
            "is_disposable",
            "is_catch_all",
            "is_spamtrap",
            "is_abuse",
            "is_free",
            "is_mailbox_full",
            "is_typo",
        ),
        Column("risk", words="risks"),
        Column("score", "number"),
        Column("verified_at", "time"),
    ),
    "domain_reputation": (
        Column("domain", required=True),
        Column("measured_at", "time", required=True, bounded=True),
        *_text("provider", "domain_reputation"),
        *_shares(
            "spam_rate_pct",
            "spam_rate_low_pct",
            "spam_rate_high_pct",
            "delivery_error_rate_pct",
            "spf_success_rate_pct",
            "dkim_success_rate_pct",
            "dmarc_success_rate_pct",
            "tls_rate_pct",
        ),
    ),
}
"""What a mapping may fill, a table."""

DERIVED: dict[TableName, tuple[Column, ...]] = {
    "message_events": (Column("event_key"), *REASON),
    "campaign_stats": (
        Column("time_basis"),
        Column("vendor_unsubscribe_rate_half_unit_pct", "percent"),
        Column("vendor_rate_base"),
        Column("delivered_how"),
        Column("settle_days", "count"),
    ),
    "contact_snapshots": REASON,
    "list_validations": (Column("verified_at_basis"), Column("is_mapped", "flag")),
    "domain_reputation": (),
}
"""What the compiler adds from the mapping's declarations."""

REJECTED = (
    Column("line_number", "count"),
    *_text("table_name", "column_name", "reason", "expected", "event_type"),
)
"""A record that did not land: where, which column, why; never its value."""

IS_SNAPSHOT: frozenset[TableName] = frozenset({"campaign_stats", "contact_snapshots"})
"""Tables whose files say how everything stood at a moment, not what happened."""

HAS_REASONS: frozenset[TableName] = frozenset({"message_events", "contact_snapshots"})
"""Tables that may say why somebody left."""

HAS_PERSON: frozenset[TableName] = frozenset(
    {"message_events", "contact_snapshots", "list_validations"}
)


def table_columns(table: str) -> tuple[Column, ...]:
    """Every column of a landing table, in order, ``rejected_records`` included.

    Args:
        table: a landing table's name.

    Raises:
        KeyError: for a name that is no landing table.
    """
    if table == "rejected_records":
        return (*COMMON, *REJECTED)
    name: TableName = table  # type: ignore[assignment]
    person = PERSON if name in HAS_PERSON else ()
    return (*COMMON, *DERIVED[name], *person, *FIELDS[name])


LANDING_TABLES: tuple[str, ...] = (*FIELDS, "rejected_records")
