"""One file to one load package: canonical rows, rejects and the ledger's counts.

The engine is a private in-memory DuckDB. Its errors quote raw lines, so none of them
leaves this module: a file is then refused with a reason of ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.accounts import Account
from dagster_project.landing import identity, reader, records
from dagster_project.landing.ledger import ANCHOR, Ledger, Load, State
from dagster_project.landing.reader import Plain, RefusedError
from dagster_project.landing.reasons import ReasonRules, offered, one_line
from dagster_project.landing.recognition import Recognised, recognise
from dagster_project.landing.records import Framed
from dagster_project.mapping.canonical import (
    HAS_PERSON,
    IS_SNAPSHOT,
    LANDING_TABLES,
    REASON,
    Column,
    table_columns,
)
from dagster_project.mapping.compile import (
    Circumstances,
    Compiled,
    Rejection,
    compile_export,
    header_index,
    quote,
)
from dagster_project.mapping.model import MappingError, Source
from dagster_project.mapping.vocabulary import Vocabulary

PACKAGE_VERSION = 4
"""Part of every fingerprint: raise it when landing itself changes what rows say."""

_ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
}
_MAPPING_FAULTS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
)


Result = TypeVar("Result")


@dataclass(frozen=True)
class OwnWords:
    """Why somebody left, as written; never landed.

    Attributes:
        source: whose export tells it.
        account: at that source.
        contact_key: who wrote it.
        campaign_id: which mail the record names.
        text: the words.
    """

    source: str
    account: str
    contact_key: str
    campaign_id: str | None
    text: str


@dataclass(frozen=True)
class Workshop:
    """What every file is landed with.

    Attributes:
        ledger: where packages go.
        sources: every mapping.
        words: the canonical vocabularies.
        providers: mailbox domain -> provider group.
        rules: what people's own words mean.
        key: the deployment's secret.
        temporary: private folder for unpacked text.
        engine: see :func:`open_engine`.
        withdrawn: identities of contents that are not to be landed.
    """

    ledger: Ledger
    sources: dict[str, Source]
    words: dict[str, Vocabulary]
    providers: dict[str, str]
    rules: ReasonRules
    key: identity.ContactKey
    temporary: Path
    engine: duckdb.DuckDBPyConnection
    withdrawn: set[str]

    def state_of_refused(self, load: Load) -> State:
        """Refused, unless its owner has withdrawn it."""
        return "withdrawn" if load.content_identity in self.withdrawn else "refused"


def fingerprint(
    workshop: Workshop, source: str | None, account_of: Callable[[str], Account]
) -> str:
    """Changes when a file of this source and account would be read differently.

    Args:
        workshop: mappings, words and key.
        source: the folder it lies in; None when its content decides.
        account_of: settings of its account at each source.
    """
    known = workshop.sources if source is None else {}
    if source in workshop.sources:
        known = {source: workshop.sources[source]}
    parts = {
        "package": PACKAGE_VERSION,
        "normaliser": identity.NORMALISER_VERSION,
        "key": workshop.key.key_id,
        "sources": {name: entry.fingerprint for name, entry in known.items()},
        "words": {name: entry.words for name, entry in workshop.words.items()},
        "providers": workshop.providers,
        "reason_rules": workshop.rules.fingerprint,
        "timezones": {name: account_of(name).zone for name in known},
        "settings": {name: account_of(name).settings for name in known},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def land_member(
    workshop: Workshop,
    load: Load,
    member: reader.Member,
    archived: Path,
    account_of: Callable[[str], Account],
) -> Load:
    """Judge one member of an archived file and commit its package in any case.

    Args:
        workshop: shared tools.
        load: the entry so far: arrival, archive name, sequence and clock.
        member: the text inside the archived file.
        archived: the archived file.
        account_of: settings of this file's account, once its source is known.

    Returns:
        The committed entry: loaded, duplicate, withdrawn or refused.
    """
    staging = workshop.ledger.staging(load.load)
    text = workshop.temporary / f"{load.load}.txt"
    split = workshop.temporary / f"{load.load}.split"
    try:
        _judge(workshop, load, member, archived, account_of, staging, text, split)
    except RefusedError as refused:
        for leftover in staging.iterdir():
            leftover.unlink()
        load.state = workshop.state_of_refused(load)
        load.record_count = load.loaded_count = load.duplicate_count = 0
        load.rejected_count = load.skipped_count = 0
        load.unmapped, load.skipped = {}, {}
        load.refusal_reason, load.refusal_detail = refused.reason, refused.detail
        load.refusal_line, load.refusal_column = refused.line, refused.column
    finally:
        text.unlink(missing_ok=True)
        split.unlink(missing_ok=True)
    workshop.ledger.commit(load)
    return load


def _judge(
    workshop: Workshop,
    load: Load,
    member: reader.Member,
    archived: Path,
    account_of: Callable[[str], Account],
    staging: Path,
    text: Path,
    split: Path,
) -> None:
    candidates = _candidates(workshop, load)
    name = _name(load, member)
    beside = load.arrival.sidecar
    plain, found = _recognised(name, beside, member, archived, text, candidates)
    load.content_sha256, load.byte_count = plain.content_sha256, plain.byte_count
    load.source, load.export = found.source.source, found.export.name
    load.lands = found.export.lands
    if found.silent:
        raise _missing_sidecar(load, found)
    load.identity = _identity(load, found, name)
    earlier = workshop.ledger.holder(load.identity)
    if earlier is not None and earlier.load != load.replaces:
        load.state, load.duplicate_of = "duplicate", earlier.load
        return
    if load.identity in workshop.withdrawn:
        load.state = "withdrawn"
        return
    account = account_of(found.source.source)
    load.exported_at = min(load.arrival.modified_at, load.arrival.first_seen_at)
    if found.export.times.zone == "account" and account.timezone is None:
        load.defaults_used = [f"timezone {account.zone}"]

    def land(stage: _Stage) -> None:
        stage.count()
        stage.require_something()
        stage.write(staging)
        load.state = "loaded"
        load.ignored_columns = _ignored(found, stage.framed)

    _staged(workshop, load, plain, found, name, account, split, land)


def own_words(
    workshop: Workshop,
    load: Load,
    member: reader.Member,
    archived: Path,
    account_of: Callable[[str], Account],
) -> list[OwnWords]:
    """What people wrote in one landed file, read from the archive; nothing is kept.

    Args:
        workshop: shared tools; its rules judge, whatever they were at landing.
        load: the file's entry.
        member: the text inside the archived file.
        archived: the archived file.
        account_of: settings of this file's account.

    Raises:
        RefusedError: when the mapping now reads the file differently or not at all.
    """
    return _read_again(workshop, load, member, archived, account_of, _Stage.own_words)


def addresses(
    workshop: Workshop,
    load: Load,
    member: reader.Member,
    archived: Path,
    account_of: Callable[[str], Account],
) -> dict[str, str | None]:
    """The people of one landed file, read from the archive; nothing is kept.

    Args:
        workshop: shared tools.
        load: the file's entry.
        member: the text inside the archived file.
        archived: the archived file.
        account_of: settings of this file's account.

    Returns:
        By contact key the normalised address; None where the file has an id only.

    Raises:
        RefusedError: when the mapping now reads the file differently or not at all.
    """
    return _read_again(workshop, load, member, archived, account_of, _Stage.addresses)


def _read_again(
    workshop: Workshop,
    load: Load,
    member: reader.Member,
    archived: Path,
    account_of: Callable[[str], Account],
    use: Callable[[_Stage], Result],
) -> Result:
    text = workshop.temporary / f"{load.load}.again.txt"
    split = workshop.temporary / f"{load.load}.again.split"
    name = _name(load, member)
    try:
        plain, found = _recognised(
            name,
            load.arrival.sidecar,
            member,
            archived,
            text,
            _candidates(workshop, load),
        )
        account = account_of(found.source.source)
        return _staged(workshop, load, plain, found, name, account, split, use)
    finally:
        text.unlink(missing_ok=True)
        split.unlink(missing_ok=True)


def _candidates(workshop: Workshop, load: Load) -> list[Source]:
    folder = load.arrival.source
    if folder is None:
        return list(workshop.sources.values())
    if folder not in workshop.sources:
        known = ", ".join(workshop.sources)
        raise RefusedError(
            "unknown_source",
            f"No mapping for the folder it lies in. Known sources: {known}.",
        )
    return [workshop.sources[folder]]


def _name(load: Load, member: reader.Member) -> str:
    """The file's own name; of a sheet both it and the workbook's tell."""
    if member.is_sheet:
        return f"{load.arrival.name}!{member.name}"
    return load.member or load.arrival.name


def _missing_sidecar(load: Load, found: Recognised) -> RefusedError:
    wanted = [entry for entry in found.silent if entry.sidecar]
    if wanted:
        keys = ", ".join(f"`{entry.sidecar[0]}: ...`" for entry in wanted)
        do = f"Put a file {load.arrival.name}.meta.yaml beside it that says {keys}."
    else:
        do = "Its name says it where nobody has renamed it: export it again."
    return RefusedError(
        "missing_sidecar",
        f"It is an export {found.source.source}/{found.export.name}, whose records do"
        f" not say everything. {do}",
    )


def _recognised(
    name: str,
    beside: Mapping[str, str],
    member: reader.Member,
    archived: Path,
    text: Path,
    candidates: list[Source],
) -> tuple[Plain, Recognised]:
    """The text in the first encoding that fits, and the mapping that reads it."""
    encodings = ["utf-8"]
    for source in candidates:
        for export in source.exports:
            encodings += [e for e in export.reader.encodings if e not in encodings]
    for encoding, plain in reader.readings(member, archived, text, encodings):
        found = recognise(plain, name, candidates, beside)
        if encoding in ("utf-8", *found.export.reader.encodings):
            return plain, found
    raise AssertionError("readings end with an error")


def _identity(load: Load, found: Recognised, name: str) -> str:
    parts = [found.source.source, load.account, load.content_sha256]
    if found.export.reads_name:
        parts.append(name)
    if said := _said_beside(load, found):
        parts.append(json.dumps(said, sort_keys=True))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _said_beside(load: Load, found: Recognised) -> dict[str, str]:
    """What the mapping reads of the sidecar; the rest of it changes nothing."""
    keys = {key for entry in found.export.inputs.values() for key in entry.sidecar}
    return {key: text for key, text in load.arrival.sidecar.items() if key in keys}


class _CountMismatchError(Exception):
    """The engine saw another number of records than we counted."""


def _staged(
    workshop: Workshop,
    load: Load,
    plain: Plain,
    found: Recognised,
    name: str,
    account: Account,
    split: Path,
    use: Callable[[_Stage], Result],
) -> Result:
    """Do something with a file's records, framed the quick way or else with care."""
    try:
        stage = (workshop, load, plain, found, name, account, split)
        return _used(*stage, use, careful=False)
    except duckdb.IOException:
        raise  # the disk's fault, not the file's
    except (duckdb.Error, _CountMismatchError):
        try:
            return _used(*stage, use, careful=True)
        except duckdb.IOException:
            raise
        except (duckdb.Error, _CountMismatchError):
            raise RefusedError(
                "unreadable",
                "The file's records cannot be told apart. Check its delimiter, quotes"
                " and nesting against the mapping.",
            ) from None


def _used(
    workshop: Workshop,
    load: Load,
    plain: Plain,
    found: Recognised,
    name: str,
    account: Account,
    split: Path,
    use: Callable[[_Stage], Result],
    *,
    careful: bool,
) -> Result:
    framed = records.frame(plain, found, split, careful=careful)
    assert load.exported_at is not None
    compiled = compile_export(
        found.source,
        found.export,
        Circumstances(
            zone=account.zone,
            settings=account.settings,
            now=load.arrival.first_seen_at,
            exported_at=load.exported_at,
            header=framed.header,
            name=name,
            sidecar=load.arrival.sidecar,
            has_typed_cells=plain.has_typed_cells,
            has_posts=framed.has_posts,
        ),
        workshop.words,
    )
    # Temporary tables are a cursor's own and go with it.
    with workshop.engine.cursor() as engine:
        stage = _Stage(engine, workshop, load, found, framed, compiled)
        stage.read()
        return use(stage)


def open_engine(
    temporary: Path, memory_limit: str, threads: int
) -> duckdb.DuckDBPyConnection:
    """A private in-memory engine for one run; each file gets a cursor of its own."""
    engine = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        },
    )
    engine.execute("set global TimeZone = 'UTC'")
    return engine


@dataclass
class _Stage:
    """One file inside the engine."""

    engine: duckdb.DuckDBPyConnection
    workshop: Workshop
    load: Load
    found: Recognised
    framed: Framed
    compiled: Compiled

    @property
    def table(self) -> str:
        return self.found.export.lands

    def read(self) -> None:
        """Materialise every item once and compare with the independent count."""
        for macro in self.compiled.macros:
            self.engine.execute(macro)
        self.engine.execute(f"create temp view raw_records as {self.framed.relation}")
        try:
            self.engine.execute(f"create temp table staged as {self.compiled.select}")
        except _MAPPING_FAULTS as error:
            # Such an error quotes the mapping, never the file.
            says = str(error).partition("\n")[0]
            line = re.search(r"^LINE (\d+): ", str(error), re.MULTILINE)
            where = self.compiled.place_of(int(line[1]) if line else 0)
            hint = "; a name may not be an SQL word, such as `to` or `order`"
            is_syntax = isinstance(error, duckdb.ParserException)
            raise MappingError(f"{where}: {says}{hint if is_syntax else ''}") from None
        counted = "count(distinct record_number)"
        if not self.compiled.can_fan_out:
            counted = "count(*)"
        seen = self._value(f"select {counted} from staged")
        if seen != self.framed.record_count:
            raise _CountMismatchError
        self._join_people()
        self._join_reasons()
        self._key()

    def require_something(self) -> None:
        """A quiet day has no event; no snapshot of a list or of campaigns is empty."""
        if self.load.record_count == 0 and self.table in IS_SNAPSHOT:
            raise RefusedError(
                "empty", "The file has a header and no record. Export it again."
            )

    def _join_people(self) -> None:
        """One keyed hash a distinct address; the address goes no further than here."""
        if self.table not in HAS_PERSON:
            return
        addresses = self._texts("address")
        key, providers = self.workshop.key, self.workshop.providers
        self._register(
            "people",
            {
                "address": addresses,
                "contact_key": [key.of(address) for address in addresses],
                "mailbox_provider": [
                    identity.mailbox_provider(address, providers)
                    for address in addresses
                ],
            },
        )

    def _join_reasons(self) -> None:
        declared = self.found.export.reasons
        texts = self._texts("reason_text") if declared else []
        options = {
            one_line(option): word
            for option, word in (declared.options if declared else {}).items()
        }
        words = frozenset(self.workshop.words["opt_out_reason_words"].words)
        rules = self.workshop.rules
        found = [rules.answer(text, options, words) for text in texts]
        option_set = declared.option_set if declared else None
        self._register(
            "reasons",
            {
                "reason_text": texts,
                "reason": [answer.reason for answer in found],
                "reason_basis": [answer.basis for answer in found],
                "reason_rule": [answer.rule for answer in found],
                "reason_labels": [",".join(answer.labels) or None for answer in found],
                "reason_language": [answer.language for answer in found],
                "reason_option_set": [
                    option_set if offered(answer.reason) else None for answer in found
                ],
                "reason_length": [
                    None if answer.length is None else str(answer.length)
                    for answer in found
                ],
            },
        )

    def _texts(self, column: str) -> list[str]:
        rows = self.engine.execute(
            f"select distinct {column} from staged where {column} is not null"
        ).fetchall()
        return sorted(text for (text,) in rows)

    def _register(self, name: str, columns: Mapping[str, Sequence[str | None]]) -> None:
        arrays = {key: pa.array(value, pa.string()) for key, value in columns.items()}
        self.engine.register(f"{name}_frame", pa.table(arrays))
        self.engine.execute(f"create temp table {name} as from {name}_frame")
        self.engine.unregister(f"{name}_frame")

    def _key(self) -> None:
        """The good rows in landing shape, and which of them say the same again."""
        columns = table_columns(self.table)
        listed = ", ".join(f"{self._column(c)} as {c.name}" for c in columns)
        joins = ""
        if self.table in HAS_PERSON:
            joins += " left join people on staged.address = people.address"
        if self.found.export.reasons:
            joins += " left join reasons on staged.reason_text = reasons.reason_text"
        self.engine.execute(
            f"create temp view shaped as select {listed} from staged{joins}"
            " where rejection is null and skipped = 0"
        )
        same = "event_key"
        if self.table != "message_events":
            places = ("record_number", "item_number")
            same = ", ".join(c.name for c in columns if c.name not in places)
        self.engine.execute(
            "create temp table repeated as select shaped.record_number,"
            " shaped.item_number from (select record_number, item_number,"
            f" row_number() over (partition by {same} order by record_number,"
            " item_number) as place from shaped"
            f"{self._only_doubled(same)}) as shaped where place > 1"
        )

    def _only_doubled(self, same: str) -> str:
        """Ranks only keys that occur twice: far cheaper than ranking every event."""
        if self.table != "message_events":
            return ""
        return (
            f" where {same} in (select {same} from shaped group by all"
            " having count(*) > 1)"
        )

    def _column(self, column: Column) -> str:
        name = column.name
        special = {
            "source": quote(self.found.source.source),
            "account": quote(self.load.account),
            "contact_key": "people.contact_key",
            "mailbox_provider": "people.mailbox_provider",
            "event_key": self._event_key(),
            **self._reasons(),
            "verified_at_basis": (
                "case when staged.verified_at is null then 'file' else 'record' end"
            ),
            "verified_at": f"coalesce(staged.verified_at, {self._moment()})",
            "is_mapped": "staged.unmapped is null",
        }
        value = special.get(name, f"staged.{name}")
        return f"cast({value} as {column.sql_type})"

    def _moment(self) -> str:
        return f"timestamp {quote(str(self.load.exported_at))}"

    def _event_key(self) -> str:
        parts = ["staged.key_text"]
        if self.compiled.key_has_person:
            parts.append("people.contact_key")
        return f"md5(concat_ws(chr(31), {', '.join(parts)}))"

    def _reasons(self) -> dict[str, str]:
        declared = self.found.export.reasons
        if declared is None:
            return {column.name: "null" for column in REASON}
        found = {column.name: f"reasons.{column.name}" for column in REASON}
        if declared.when_empty is None:
            return found
        left = {
            "message_events": "staged.event_type = 'unsubscribed'",
            "contact_snapshots": "staged.status = 'unsubscribed'",
        }[self.table]
        says: dict[str, str] = {"reason": declared.when_empty}
        if offered(declared.when_empty) and declared.option_set:
            says["reason_option_set"] = declared.option_set
        return found | {
            name: f"coalesce(reasons.{name}, case when reasons.reason is null"
            f" and {left} then {quote(word)} end)"
            for name, word in says.items()
        }

    def own_words(self) -> list[OwnWords]:
        """What people wrote themselves, of the records that landed."""
        campaign = "campaign_id"
        if self.table == "contact_snapshots":
            campaign = "opt_out_campaign_id"
        rows = self.engine.execute(
            f"select people.contact_key, {campaign}, staged.reason_text from staged"
            " inner join people on staged.address = people.address"
            " inner join reasons on staged.reason_text = reasons.reason_text"
            " where rejection is null and skipped = 0"
            " and reasons.reason_length is not null"
            " order by record_number, item_number"
        ).fetchall()
        source, account = self.found.source.source, self.load.account
        return [OwnWords(source, account, *row) for row in rows]

    def addresses(self) -> dict[str, str | None]:
        """Everybody's address by contact key, None of whom an id stands for."""
        rows = self.engine.execute("select contact_key, address from people").fetchall()
        return {key: identity.normalise(address) for key, address in rows}

    def count(self) -> None:
        """Every record's one fate, and what was not understood."""
        load, broken = self.load, len(self.framed.broken)
        fates = dict(
            self.engine.execute(
                "select fate, count(*) from (select staged.record_number, min(case"
                " when rejection is not null then 3 when skipped > 0 then 4"
                " when repeated.record_number is not null then 2 else 1 end) as fate"
                " from staged left join repeated using (record_number, item_number)"
                " group by staged.record_number) group by fate"
            ).fetchall()
            if self.compiled.can_fan_out
            else self.engine.execute(
                "select case when rejection is not null then 3 when skipped > 0 then 4"
                " when repeated.record_number is not null then 2 else 1 end as fate,"
                " count(*) from staged left join repeated using (record_number,"
                " item_number) group by fate"
            ).fetchall()
        )
        load.record_count = self.framed.record_count + broken
        load.loaded_count = fates.get(1, 0)
        load.duplicate_count = fates.get(2, 0)
        load.rejected_count = fates.get(3, 0) + broken
        load.skipped_count = fates.get(4, 0)
        load.unmapped = self._counts("unmapped", "rejection is null and skipped = 0")
        load.skipped = {}
        for number, count in self._counts("skipped", "skipped > 0").items():
            why = self.compiled.skips[int(number) - 1]
            load.skipped[why] = load.skipped.get(why, 0) + count
        most = self.found.export.reader.most_rejected
        if load.rejected_count > most * load.record_count:
            raise RefusedError(
                "too_many_rejected",
                f"{load.rejected_count} of {load.record_count} records would be"
                f" rejected, first because: {self._first_rejection()}. Check the file"
                " against the mapping.",
            )

    def _first_rejection(self) -> str:
        if self.framed.broken:
            rejection = self.framed.broken[0].rejection
        else:
            number = self._value(
                "select rejection from staged where rejection is not"
                " null order by record_number limit 1"
            )
            rejection = self.compiled.rejections[int(number) - 1]
        return f"{rejection.column}: {rejection.reason}, expected {rejection.expected}"

    def _counts(self, column: str, condition: str) -> dict[str, int]:
        rows = self.engine.execute(
            f"select {column}, count(distinct record_number) from staged"
            f" where {condition} and {column} is not null group by all order by all"
        ).fetchall()
        return {str(name): count for name, count in rows}

    def write(self, staging: Path) -> None:
        """Write the package's Parquet files."""
        load = self.load
        rows = (
            "select shaped.* from shaped anti join repeated"
            " using (record_number, item_number)"
        )
        if not self._value("select count(*) from repeated"):
            rows = "select * from shaped"
        load.row_count = self._copy(rows, staging / f"{self.table}.parquet")
        # An item may be rejected though another item of its record has landed.
        if self.framed.broken or self._value("select count(rejection) from staged"):
            self._write_rejected(staging / "rejected_records.parquet")

    def _write_rejected(self, path: Path) -> None:
        event_type = "staged.event_type" if self.table == "message_events" else "null"
        if self.table == "contact_snapshots":
            event_type = "case when status = 'unsubscribed' then status end"
        rows = self.engine.execute(
            f"select record_number, item_number, rejection, {event_type} from staged"
            " where rejection is not null order by record_number, item_number"
        ).fetchall()
        listed = [
            (number, item, self.compiled.rejections[rejection - 1], event)
            for number, item, rejection, event in rows
        ]
        lines = self.framed.lines_of({number for number, *_ in listed})
        found = [
            self._rejected_row(number, item, lines.get(number), rejection, event)
            for number, item, rejection, event in listed
        ]
        found += [
            self._rejected_row(b.record_number, 1, b.line_number, b.rejection, None)
            for b in self.framed.broken
        ]
        columns = table_columns("rejected_records")
        arrays = {
            column.name: pa.array([row[column.name] for row in found])
            for column in columns
        }
        self.engine.register("rejected_frame", pa.table(arrays))
        listed_columns = ", ".join(
            f"cast({column.name} as {column.sql_type}) as {column.name}"
            for column in columns
        )
        self._copy(
            f"select {listed_columns} from rejected_frame order by record_number", path
        )

    def _rejected_row(
        self,
        number: int,
        item: int,
        line: int | None,
        rejection: Rejection,
        event_type: str | None,
    ) -> dict[str, Any]:
        return {
            "source": self.found.source.source,
            "account": self.load.account,
            "record_number": number,
            "item_number": item,
            "line_number": line,
            "table_name": self.table,
            "column_name": rejection.column,
            "reason": rejection.reason,
            "expected": rejection.expected,
            "event_type": event_type,
        }

    def _copy(self, rows: str, path: Path) -> int:
        copied = self.engine.execute(
            f"copy ({rows}) to {quote(str(path))} (format parquet, compression zstd)"
        ).fetchone()
        return int(copied[0]) if copied else 0

    def _value(self, sql: str) -> int:
        # All rows: an unread result would keep the connection busy.
        return int(self.engine.execute(sql).fetchall()[0][0])


def _ignored(found: Recognised, framed: Framed) -> list[str]:
    """Columns the mapping does not read: named in the ledger, no reason to fail."""
    if framed.header is None:
        return []
    read = {
        header_index(entry, framed.header) for entry in found.export.inputs.values()
    }
    return [
        # A file without a header would show a person here.
        "(a name with @)" if "@" in name else name
        for place, name in enumerate(framed.header)
        if place not in read
    ]


def ensure_anchor(landing: Path) -> None:
    """Write the package that holds an empty file of every table.

    It carries the schema, so that reading a table never fails for want of files.
    """
    folder = landing / f"load={ANCHOR}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for table in LANDING_TABLES:
        columns = table_columns(table)
        schema = pa.schema([(c.name, _ARROW_TYPES[c.sql_type]) for c in columns])
        path = folder / f".{table}.tmp"
        pq.write_table(schema.empty_table(), path)
        path.replace(folder / f"{table}.parquet")
