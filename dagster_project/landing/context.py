"""Small tables beside the lake that dbt joins: the run, the ledger, the owner's words.

Written as Parquet so that any engine reads them; dbt gets no vars at run time, which
keeps its parsed project reusable from run to run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.accounts import DEFAULT_TIMEZONE, Account, Accounts
from dagster_project.changes import Change
from dagster_project.landing.ledger import Ledger, Load
from dagster_project.mapping.catalog import (
    filled_fields,
    required_columns,
    told_events,
)
from dagster_project.mapping.model import Source
from dagster_project.settings import DBT_PROJECT, EXPECTATIONS, Settings

_MOMENT = pa.timestamp("us")

_RUN = pa.schema([("build_id", pa.string()), ("now_at", _MOMENT)])
_LOADS = pa.schema(
    [
        ("load", pa.string()),
        ("source", pa.string()),
        ("source_kind", pa.string()),
        ("account", pa.string()),
        ("exports", pa.string()),
        ("state", pa.string()),
        ("file_name", pa.string()),
        ("content_sha256", pa.string()),
        ("byte_count", pa.int64()),
        ("record_count", pa.int64()),
        ("loaded_count", pa.int64()),
        ("duplicate_count", pa.int64()),
        ("rejected_count", pa.int64()),
        ("skipped_count", pa.int64()),
        ("row_count", pa.int64()),
        ("unmapped_count", pa.int64()),
        ("refusal_reason", pa.string()),
        ("refusal_detail", pa.string()),
        ("ignored_columns", pa.string()),
        ("defaults_used", pa.string()),
        ("duplicate_of", pa.string()),
        ("is_confirmed", pa.bool_()),
        ("exported_at", _MOMENT),
        ("landed_at", _MOMENT),
        ("first_seen_at", _MOMENT),
    ]
)
_ACCOUNTS = pa.schema(
    [
        ("source", pa.string()),
        ("account", pa.string()),
        ("timezone", pa.string()),
        ("is_timezone_declared", pa.bool_()),
        ("industry", pa.string()),
        ("opt_in", pa.string()),
        ("promised_per_week", pa.float64()),
        ("lists_in", pa.string()),
        ("is_group_headline", pa.bool_()),
        ("streams_by_audience", pa.bool_()),
        ("settle_days", pa.int64()),
    ]
)
_SNAPSHOT_DECLARATIONS = pa.schema(
    [
        ("source", pa.string()),
        ("account", pa.string()),
        ("list", pa.string()),
        ("scope", pa.string()),
        ("exported_date", pa.date32()),
    ]
)

_CAMPAIGN_RULES = pa.schema(
    [
        ("source", pa.string()),
        ("account", pa.string()),
        ("decides", pa.string()),
        ("rule_number", pa.int64()),
        ("value", pa.string()),
        ("name_pattern", pa.string()),
        ("subject_pattern", pa.string()),
        ("tag_pattern", pa.string()),
        ("folder_pattern", pa.string()),
        ("audience_pattern", pa.string()),
    ]
)
_ACQUISITIONS = pa.schema(
    [
        ("source", pa.string()),
        ("account", pa.string()),
        ("signup_source", pa.string()),
        ("opt_in_method", pa.string()),
    ]
)
_CHANGES = pa.schema(
    [
        ("change_number", pa.int64()),
        ("kind", pa.string()),
        ("source", pa.string()),
        ("account", pa.string()),
        ("stream", pa.string()),
        ("list", pa.string()),
        ("note", pa.string()),
        ("is_compared_by_itself", pa.bool_()),
        ("changed_date", pa.date32()),
        ("changed_at", _MOMENT),
    ]
)
_CHANGE_NAMES = pa.schema(
    [
        ("change_number", pa.int64()),
        ("names", pa.string()),
        ("name", pa.string()),
    ]
)
_SOURCE_EXPORTS = pa.schema(
    [
        ("source", pa.string()),
        ("source_kind", pa.string()),
        ("export", pa.string()),
        ("export_rank", pa.int64()),
        ("title", pa.string()),
        ("lands", pa.string()),
        ("fields", pa.string()),
        ("event_types", pa.string()),
        ("required_columns", pa.string()),
    ]
)
_SOURCE_EXPORT_FIELDS = pa.schema(
    [
        ("source", pa.string()),
        ("export", pa.string()),
        ("field", pa.string()),
        ("column_name", pa.string()),
    ]
)
_REASON_OPTIONS = pa.schema(
    [
        ("source", pa.string()),
        ("option_set", pa.string()),
        ("reason", pa.string()),
    ]
)


CONTEXT_TABLES = (
    "run_context",
    "loads",
    "accounts",
    "source_exports",
    "source_export_fields",
    "snapshot_declarations",
    "campaign_rules",
    "acquisitions",
    "changes",
    "change_names",
    "reason_options",
)

_OWNERS_FILES = ("accounts.yaml", "changes.yaml")


def write(
    settings: Settings,
    ledger: Ledger,
    accounts: Accounts,
    sources: dict[str, Source],
    changes: Sequence[Change] = (),
) -> str:
    """Write the context tables.

    Returns:
        The build id: the same lake, code, words of the owner and clock give the same
        id, so that running again changes nothing.
    """
    folder = settings.at.context
    folder.mkdir(mode=0o700, exist_ok=True)
    build_id = _build_id(settings, ledger, sources)
    run = [{"build_id": build_id, "now_at": settings.clock}]
    _write(folder / "run_context.parquet", _RUN, run)
    kinds = {name: source.kind for name, source in sources.items()}
    loads = [_row(load, kinds, accounts) for load in ledger]
    _write(folder / "loads.parquet", _LOADS, loads)
    _write(folder / "accounts.parquet", _ACCOUNTS, _account_rows(ledger, accounts))
    exports = list(_export_rows(sources))
    _write(folder / "source_exports.parquet", _SOURCE_EXPORTS, exports)
    fields = list(_export_field_rows(sources))
    _write(folder / "source_export_fields.parquet", _SOURCE_EXPORT_FIELDS, fields)
    _write(
        folder / "snapshot_declarations.parquet",
        _SNAPSHOT_DECLARATIONS,
        _snapshot_rows(accounts),
    )
    rules = list(_rule_rows(accounts))
    _write(folder / "campaign_rules.parquet", _CAMPAIGN_RULES, rules)
    acquisitions = list(_acquisition_rows(accounts))
    _write(folder / "acquisitions.parquet", _ACQUISITIONS, acquisitions)
    changed = list(_change_rows(changes, accounts))
    _write(folder / "changes.parquet", _CHANGES, changed)
    names = list(_change_name_rows(changes))
    _write(folder / "change_names.parquet", _CHANGE_NAMES, names)
    options = list(_reason_option_rows(sources))
    _write(folder / "reason_options.parquet", _REASON_OPTIONS, options)
    return build_id


def _row(load: Load, kinds: Mapping[str, str], accounts: Accounts) -> dict[str, object]:
    confirmed = accounts.of(load.source or "", load.account).confirmed_files
    same = load.model_dump(include=set(_LOADS.names))
    return same | {
        "source_kind": kinds.get(load.source or ""),
        "exports": load.export,
        "file_name": load.file_name,
        "unmapped_count": sum(load.unmapped.values()),
        "ignored_columns": ", ".join(load.ignored_columns) or None,
        "defaults_used": ", ".join(load.defaults_used) or None,
        "is_confirmed": load.file_name in confirmed,
        # A duplicate or refused file was not read as far as that; it came all the same.
        "exported_at": load.exported_at
        or min(load.arrival.modified_at, load.arrival.first_seen_at),
        "first_seen_at": load.arrival.first_seen_at,
    }


def _account_rows(
    ledger: Iterable[Load], accounts: Accounts
) -> list[dict[str, object]]:
    seen = {(load.source, load.account) for load in ledger if load.source}
    rows = []
    for source, account in sorted({*seen, *accounts.declared}):
        settings = accounts.of(source or "", account)
        known = settings.model_dump(include=set(_ACCOUNTS.names))
        rows.append(
            known
            | {
                "source": source,
                "account": account,
                "timezone": settings.zone,
                "is_timezone_declared": settings.timezone is not None,
            }
        )
    return rows


def _export_rows(sources: Mapping[str, Source]) -> Iterator[dict[str, object]]:
    """Every export of every mapping, used or not: what could be added."""
    for source in sources.values():
        for rank, export in enumerate(source.exports, start=1):
            told = told_events(export)
            yield {
                "source": source.source,
                "source_kind": source.kind,
                "export": export.name,
                "export_rank": rank,
                "title": source.title,
                "lands": export.lands,
                "fields": ", ".join(field.name for field in filled_fields(export)),
                "event_types": None if told is None else ", ".join(told),
                "required_columns": ", ".join(required_columns(export)) or None,
            }


def _export_field_rows(sources: Mapping[str, Source]) -> Iterator[dict[str, object]]:
    for source in sources.values():
        for export in source.exports:
            for field in filled_fields(export):
                yield {
                    "source": source.source,
                    "export": export.name,
                    "field": field.name,
                    "column_name": field.column,
                }


def _reason_option_rows(sources: Mapping[str, Source]) -> Iterator[dict[str, object]]:
    """What each list of reasons offers, over all exports that have it."""
    found = {
        (source.source, export.reasons.option_set, reason)
        for source in sources.values()
        for export in source.exports
        if export.reasons is not None and export.reasons.option_set is not None
        for reason in (*export.reasons.options.values(), *export.reasons.offers)
    }
    for source_name, option_set, reason in sorted(found):
        yield {"source": source_name, "option_set": option_set, "reason": reason}


def _snapshot_rows(accounts: Accounts) -> list[dict[str, object]]:
    return [
        {
            "source": source,
            "account": account,
            "list": snapshot.list,
            "scope": snapshot.scope,
            "exported_date": snapshot.exported,
        }
        for source, account, settings in _declared(accounts)
        for snapshot in settings.snapshots
    ]


def _rule_rows(accounts: Accounts) -> Iterator[dict[str, object]]:
    """Rules of campaigns in the owner's order, which decides between them."""
    for source, account, settings in _declared(accounts):
        streams = [("stream", rule.stream, rule) for rule in settings.streams]
        categories = [
            ("content_category", rule.category, rule)
            for rule in settings.content_categories
        ]
        for rules in (streams, categories):
            for number, (decides, value, rule) in enumerate(rules, start=1):
                patterns = {f"{k}_pattern": text for k, text in rule.patterns.items()}
                yield {
                    "source": source,
                    "account": account,
                    "decides": decides,
                    "rule_number": number,
                    "value": value,
                } | patterns


def _acquisition_rows(accounts: Accounts) -> Iterator[dict[str, object]]:
    for source, account, settings in _declared(accounts):
        for signup_source, method in settings.acquisition.items():
            yield {
                "source": source,
                "account": account,
                "signup_source": signup_source,
                "opt_in_method": method,
            }


def _change_rows(
    changes: Sequence[Change], accounts: Accounts
) -> Iterator[dict[str, object]]:
    """Changes in the owner's order; a day begins in the zone of a named account."""
    for number, change in enumerate(changes, start=1):
        source, account = change.place
        zone = accounts.of(source, account).zone if source and account else None
        begins = datetime.combine(
            change.date, time.min, ZoneInfo(zone or DEFAULT_TIMEZONE)
        )
        yield {
            "change_number": number,
            "kind": change.kind,
            "source": source,
            "account": account,
            "stream": change.stream,
            "list": change.list,
            "note": change.note,
            "is_compared_by_itself": change.compare_with is None,
            "changed_date": change.date,
            "changed_at": begins.astimezone(UTC).replace(tzinfo=None),
        }


def _change_name_rows(changes: Sequence[Change]) -> Iterator[dict[str, object]]:
    """What a change names more than one of."""
    for number, change in enumerate(changes, start=1):
        named = {"control": change.compare_with or (), "campaign": change.campaigns}
        for names, listed in named.items():
            for name in listed:
                yield {"change_number": number, "names": names, "name": name}


def _declared(accounts: Accounts) -> Iterator[tuple[str, str, Account]]:
    for source, account in sorted(accounts.declared):
        yield source, account, accounts.of(source, account)


def _build_id(settings: Settings, ledger: Ledger, sources: Mapping[str, Source]) -> str:
    parts = [
        str(settings.clock),
        _code_fingerprint(),
        sorted(
            (load.identity or "", load.fingerprint)
            for load in ledger
            if load.state == "loaded"
        ),
        sorted(source.fingerprint for source in sources.values()),
        *map(_written, (settings.at.config / name for name in _OWNERS_FILES)),
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _written(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@cache
def _code_fingerprint() -> str:
    """Of the models, seeds and suites: another meaning is another build."""
    digest = hashlib.sha256()
    for path in sorted([*_files(DBT_PROJECT), *_files(EXPECTATIONS)]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    wanted = {".sql", ".yml", ".yaml", ".csv"}
    return [path for path in folder.rglob("*") if path.suffix in wanted]


def _write(path: Path, schema: pa.Schema, rows: Sequence[dict[str, object]]) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), temporary)
    temporary.replace(path)
