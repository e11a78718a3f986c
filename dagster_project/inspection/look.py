"""What would become of one file: landed for a look in a home of its own, then gone.

The landing code itself judges the file; what it says is gathered here. Nothing of the
file is kept and no address is told.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from dagster_project.accounts import DEFAULT_ACCOUNT, load_accounts
from dagster_project.landing import containers, reader, recognition, sidecar
from dagster_project.landing.land import NoSuchFileError, NothingToDoError, land_inbox
from dagster_project.landing.ledger import Archive, Load
from dagster_project.landing.reader import RefusedError
from dagster_project.landing.rejects import rejected_records
from dagster_project.listing import source_named
from dagster_project.mapping.document import guesses
from dagster_project.mapping.model import Export, Source, load_sources
from dagster_project.settings import SOURCES, Settings

_NOT_SHOWN = ("source", "account", "record_number", "item_number", "event_key")
_KEY_DIGITS = 8
_MOST_MISSES = 5
_MOST_WORDS = 12
_UNFIT = ("unknown_export", "missing_column", "bad_header")
_ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+")
_NOT_UNDERSTOOD = {
    "message_events": ("event_subtype", "event_type = 'other'"),
    "list_validations": (
        "concat_ws(' / ', raw_status, raw_substatus)",
        "not is_mapped",
    ),
}
"""Where a table keeps the vendor's own words, and the rows whose word no rule knew."""


@dataclass
class Judged:
    """One file, or one member of a container, as landing judged it.

    Attributes:
        load: the ledger's entry.
        export: the mapping that fits; None where none does.
        misses: for a file that nothing fits, the nearest mappings and what it lacks.
        zone: how times without a zone of their own are read.
        rejected: what is wrong, where: a row a reason and column.
        delivered: campaigns by how their delivered count is known.
        words: the vendor's words that no rule knew, where the table keeps them.
        with_addresses: columns that hold addresses and should not.
        rows: the first canonical rows.
        guesses: how many guesses of a draft were taken as they stand.
    """

    load: Load
    export: Export | None = None
    misses: list[dict[str, Any]] = field(default_factory=list)
    zone: str | None = None
    rejected: list[dict[str, Any]] = field(default_factory=list)
    delivered: dict[str, int] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    with_addresses: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    guesses: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it would land."""
        return self.load.state == "refused"

    def summary(self) -> dict[str, Any]:
        """For programs."""
        load = self.load
        return {
            "file": load.file_name.rsplit("/", 1)[-1],
            "member": load.member or None,
            "would_load": not self.is_refused,
            "refusal": _refusal(load),
            "source": load.source if self.export else None,
            "export": load.export,
            "lands": load.lands,
            "nearest": self.misses,
            "duplicate_of_member": load.state == "duplicate",
            "records": {
                "read": load.record_count,
                "loaded": load.loaded_count,
                "duplicate": load.duplicate_count,
                "skipped": load.skipped_count,
                "rejected": load.rejected_count,
            },
            "rows": load.row_count,
            "skipped": load.skipped,
            "rejected": self.rejected,
            "not_understood": load.unmapped,
            "words_not_understood": self.words,
            "ignored_columns": load.ignored_columns,
            "columns_with_addresses": self.with_addresses,
            "sidecar": sorted(load.arrival.sidecar),
            "zone": self.zone,
            "is_default_zone": bool(load.defaults_used),
            "delivered": self.delivered,
            "guesses": self.guesses,
            "preview": self.rows,
        }


def _refusal(load: Load) -> dict[str, Any] | None:
    if load.state != "refused":
        return None
    return {
        "reason": load.refusal_reason,
        "detail": load.refusal_detail,
        "line": load.refusal_line,
        "column": load.refusal_column,
    }


def inspect_file(
    file: Path,
    settings: Settings,
    *,
    source: str | None = None,
    account: str | None = None,
    rows: int = 3,
) -> list[Judged]:
    """Judge a file as its arrival in the inbox would.

    Args:
        file: anywhere; a file ``<name>.meta.yaml`` beside it comes along.
        settings: the deployment whose ``accounts.yaml`` counts.
        source: whose folder it would lie in; by default the folder of the inbox that
            it lies in, else its content decides. Its draft is taken as it stands.
        account: whose settings count.
        rows: how many canonical rows to show.

    Returns:
        A verdict a member.

    Raises:
        NoSuchFileError: when there is no such file, or the inbox would leave it.
        MappingError, ConfigurationError: with advice.
    """
    if not file.is_file():
        raise NoSuchFileError(f"There is no file {file}.")
    lies_in, lies_under = _folders(file, settings)
    source, account = source or lies_in, account or lies_under
    known = load_sources(SOURCES, may_guess=source)
    if source is not None and source != lies_in:
        source_named(known, source)
    found = _judge(file, settings, known, source, account, rows)
    told = {entry.load.source for entry in found if entry.export}
    if account and source is None and len(told) == 1:
        # Only now is it known whose account was meant.
        found = _judge(file, settings, known, told.pop(), account, rows)
    return found


def _folders(file: Path, settings: Settings) -> tuple[str | None, str | None]:
    """Source and account of a file that lies in the inbox already."""
    try:
        parts = file.resolve().relative_to(Path(settings.inbox).resolve()).parts
    except ValueError:
        return None, None
    return (
        parts[0] if len(parts) > 1 else None,
        parts[1] if len(parts) > 2 else None,
    )


def _judge(
    file: Path,
    settings: Settings,
    known: dict[str, Source],
    source: str | None,
    account: str | None,
    rows: int,
) -> list[Judged]:
    with tempfile.TemporaryDirectory(prefix="optout-inspect-") as folder:
        looking = _moved_in(file, settings, Path(folder), source, account)
        found = _landed(looking, known, file)
        if any(load.refusal_reason == "too_many_rejected" for load in found):
            # The verdict stays; once more, to tell what is wrong with each record.
            again = _moved_in(file, settings, Path(folder) / "all", source, account)
            spared = {
                load.member: load for load in _landed(again, _patient(known), file)
            }
            for load in found:
                if load.refusal_reason == "too_many_rejected":
                    _take_counts(load, spared[load.member])
            looking = again
        return [_told(looking, load, known, rows) for load in found]


def _moved_in(
    file: Path,
    settings: Settings,
    folder: Path,
    source: str | None,
    account: str | None,
) -> Settings:
    """A deployment of its own that holds this file, and the owner's settings."""
    parts = [source, account or DEFAULT_ACCOUNT] if source else []
    inbox = folder.joinpath("inbox", *parts)
    inbox.mkdir(parents=True)
    shutil.copy2(file, inbox / file.name)
    for ending in sidecar.ENDINGS:
        beside = file.with_name(file.name + ending)
        if beside.is_file():
            shutil.copy2(beside, inbox / beside.name)
    if settings.at.config.is_dir():
        shutil.copytree(settings.at.config, folder / "home" / "config")
    return Settings(
        home=folder / "home",
        inbox=str(folder / "inbox"),
        now=settings.now,
        # Of this look only: what it tells of a person leads nowhere.
        contact_key=SecretStr(secrets.token_hex(32)),
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        settle_seconds=0,
    )


def _landed(settings: Settings, known: dict[str, Source], file: Path) -> list[Load]:
    try:
        return land_inbox(settings, sources=known).judged
    except NothingToDoError:
        raise NoSuchFileError(
            f"{file.name} would wait in the inbox: hidden files, links, unfinished"
            f" downloads (.part, .tmp) and {', '.join(sidecar.ENDINGS)} are no exports."
        ) from None


def _patient(known: Mapping[str, Source]) -> dict[str, Source]:
    """The same mappings, which refuse no file for the share of its bad records."""

    def spared(export: Export) -> Export:
        changed = export.reader.model_copy(update={"most_rejected": 1.0})
        return export.model_copy(update={"reader": changed})

    return {
        name: source.model_copy(
            update={"exports": [spared(export) for export in source.exports]}
        )
        for name, source in known.items()
    }


def _take_counts(load: Load, spared: Load) -> None:
    for name in (
        *("record_count", "loaded_count", "duplicate_count", "rejected_count"),
        *("skipped_count", "row_count", "unmapped", "skipped", "ignored_columns"),
    ):
        setattr(load, name, getattr(spared, name))


def _told(
    settings: Settings, load: Load, known: dict[str, Source], rows: int
) -> Judged:
    judged = Judged(load)
    if load.export is None or load.source is None:
        if load.refusal_reason in _UNFIT:
            judged.misses = list(_misses(settings, load, known))
        return judged
    source = known[load.source]
    judged.export = source.export(load.export)
    judged.guesses = len(guesses((source.folder / "source.yaml").read_text("utf-8")))
    judged.zone = _zone(settings, load, judged.export)
    judged.rejected = _grouped(rejected_records(settings, load.load, show_values=False))
    package = settings.at.landing / f"load={load.load}" / f"{load.lands}.parquet"
    if package.exists():
        _look(judged, package, rows)
    return judged


def _misses(
    settings: Settings, load: Load, known: dict[str, Source]
) -> Iterator[dict[str, Any]]:
    archived = Archive(settings.at).path(load.archive_sha256)
    candidates = [known[load.source]] if load.source in known else list(known.values())
    text = settings.at.temporary / "text"
    try:
        found = {member.name: member for member in containers.members(archived)}
        plain = reader.read_plain(found[load.member], archived, text, "utf-8")
    except RefusedError:
        return
    name = load.member or load.arrival.name
    beside = load.arrival.sidecar
    misses = recognition.near_misses(plain, name, candidates, beside)
    for source, export, lacking in misses[:_MOST_MISSES]:
        yield {
            "source": source.source,
            "export": export.name,
            "lacks": list(lacking),
            "has": len(export.required) - len(lacking),
        }


def _zone(settings: Settings, load: Load, export: Export) -> str:
    if export.times.zone == "account":
        assert load.source is not None
        return load_accounts(settings.at.config).of(load.source, load.account).zone
    return export.times.zone


def _grouped(rejects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is wrong, a row a column and reason, with the lines that have it."""
    found: dict[tuple[str, str, str], list[int | None]] = {}
    for row in rejects:
        key = (row["column_name"], row["reason"], row["expected"])
        found.setdefault(key, []).append(row["line_number"])
    return [
        {
            "column": column,
            "reason": reason,
            "expected": expected,
            "records": len(lines),
            "lines": [line for line in lines if line is not None],
        }
        for (column, reason, expected), lines in found.items()
    ]


def _look(judged: Judged, package: Path, rows: int) -> None:
    with duckdb.connect(":memory:") as engine:
        engine.execute("set TimeZone = 'UTC'")
        engine.read_parquet(str(package)).create_view("landed")
        if judged.load.lands == "campaign_stats":
            judged.delivered = dict(
                engine.execute(
                    "select delivered_how, count(*) from landed group by all order by 2"
                    " desc"
                ).fetchall()
            )
        if judged.load.unmapped and judged.load.lands in _NOT_UNDERSTOOD:
            word, condition = _NOT_UNDERSTOOD[judged.load.lands]
            found = engine.execute(
                f"select {word} as word from landed where {condition}"
                f" group by all order by count(*) desc, word limit {_MOST_WORDS}"
            ).fetchall()
            judged.words = [_safe(word) for (word,) in found if word]
        judged.with_addresses = _with_addresses(engine)
        cursor = engine.execute(
            f"from landed order by record_number, item_number limit {int(rows)}"
        )
        names = [column[0] for column in cursor.description or ()]
        shown = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    judged.rows = _preview(shown)


def _with_addresses(engine: duckdb.DuckDBPyConnection) -> list[str]:
    described = engine.execute("describe landed").fetchall()
    texts = [name for name, kind, *_ in described if kind == "VARCHAR"]
    if not texts:
        return []
    asked = ", ".join(
        f"bool_or(regexp_matches({name}, '[^\\s@]+@[^\\s@]+[.][^\\s@]+'))"
        for name in texts
    )
    found = engine.execute(f"select {asked} from landed").fetchone() or ()
    return [name for name, has in zip(texts, found, strict=False) if has]


def _preview(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Columns that say something; persons as the beginning of their key."""
    told = [
        name
        for name in (rows[0] if rows else ())
        if name not in _NOT_SHOWN and any(row[name] is not None for row in rows)
    ]
    return [
        {"record": row["record_number"]}
        | {name: _cell(name, row[name]) for name in told}
        for row in rows
    ]


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "contact_key":
        return f"{str(value)[:_KEY_DIGITS]}..."
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return _safe(value) if isinstance(value, str) else value


def _safe(text: str) -> str:
    return _ADDRESS.sub("(an address)", text)
