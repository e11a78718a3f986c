"""Lands whatever waits: the inbox's new files, files whose mapping changed, or all.

The one entry to this package for the pipeline above it. Call it with the home's lock
held.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.accounts import Account, Accounts, load_accounts
from dagster_project.changes import load_changes
from dagster_project.configuration import ConfigurationError
from dagster_project.landing import containers, context, identity, sidecar
from dagster_project.landing.intake import (
    Found,
    Inbox,
    InboxError,
    judged_marks,
)
from dagster_project.landing.ledger import (
    ANCHOR,
    Archive,
    Arrival,
    Ledger,
    Load,
    State,
)
from dagster_project.landing.package import (
    OwnWords,
    Workshop,
    ensure_anchor,
    fingerprint,
    land_member,
    open_engine,
)
from dagster_project.landing.package import addresses as addresses_of_file
from dagster_project.landing.package import own_words as words_of_file
from dagster_project.landing.reader import Member, RefusedError
from dagster_project.landing.reasons import load_rules
from dagster_project.mapping.canonical import HAS_PERSON, HAS_REASONS, IS_SNAPSHOT
from dagster_project.mapping.model import Source, load_sources
from dagster_project.mapping.vocabulary import mailbox_providers, vocabularies
from dagster_project.settings import SEEDS, SOURCES, Home, Settings

Progress = Callable[[int, int, str], None]
"""Called with files done, files in all, and the file at hand."""


class NothingToDoError(Exception):
    """There is nothing to build from; the text is the advice."""


class NoSuchFileError(Exception):
    """No file answers to a name, or several do; the text says which."""


def advice(settings: Settings) -> str:
    """What to do when there is nothing to land."""
    return (
        f"Nothing to land: {settings.inbox} is empty. Put exports under"
        " <inbox>/<source>/ (see `optout sources`), or write example exports with"
        f" `optout demo {settings.inbox}`."
    )


@dataclass
class Landed:
    """What one run's landing did.

    Attributes:
        build_id: of everything built from the lake as it now is.
        judged: every package of this run, re-landed ones included.
        vanished: files that went away between listing and reading.
    """

    build_id: str = ""
    judged: list[Load] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)

    def counts(self, source: str | None = None) -> dict[str, int]:
        """Files by state and records by fate, of one source or of all."""
        chosen = [load for load in self.judged if source in (None, load.source)]
        return {
            "files_loaded": sum(load.state == "loaded" for load in chosen),
            "files_duplicate": sum(load.state == "duplicate" for load in chosen),
            "files_refused": sum(load.state == "refused" for load in chosen),
            "records_read": sum(load.record_count for load in chosen),
            "records_loaded": sum(load.loaded_count for load in chosen),
            "records_duplicate": sum(load.duplicate_count for load in chosen),
            "records_rejected": sum(load.rejected_count for load in chosen),
            "records_skipped": sum(load.skipped_count for load in chosen),
            "rows": sum(load.row_count for load in chosen),
        }


class _Session:
    def __init__(
        self,
        settings: Settings,
        progress: Progress | None,
        sources: dict[str, Source] | None = None,
    ) -> None:
        self.settings = settings
        self.home = settings.at
        self.progress = progress or (lambda done, total, name: None)
        shutil.rmtree(self.home.temporary, ignore_errors=True)
        self.home.make()
        ensure_anchor(self.home.landing)
        self.ledger = Ledger(self.home, repair=True)
        self.archive = Archive(self.home)
        sources = load_sources(SOURCES) if sources is None else sources
        self.accounts: Accounts = load_accounts(self.home.config)
        _check_settings(self.accounts, sources)
        self.changes = load_changes(self.home.config)
        self.changes.check_sources(list(sources))
        given = settings.contact_key
        self.shop = Workshop(
            ledger=self.ledger,
            sources=sources,
            words=vocabularies(SEEDS),
            providers=mailbox_providers(SEEDS),
            rules=load_rules(),
            key=identity.load_key(
                self.home.key,
                given.get_secret_value() if given else None,
                may_create=not (len(self.ledger) or self.archive.arrivals()),
            ),
            temporary=self.home.temporary,
            engine=open_engine(
                self.home.temporary, settings.memory_limit, settings.threads
            ),
            withdrawn=self.archive.withdrawn(),
        )
        self.landed = Landed()

    def land_archived(self) -> None:
        """Judge what arrived and has no package, as at its first arrival.

        Everything after a rebuild has begun, and whatever a killed run had archived
        and not committed: the inbox may be empty by now.
        """
        judged = judged_marks(self.ledger)
        waiting = [
            (sha256, arrival)
            for sha256, arrival in self.archive.arrivals()
            if arrival.mark not in judged
        ]
        for done, (sha256, arrival) in enumerate(waiting):
            self.progress(done, len(waiting), arrival.path)
            self.judge(sha256, arrival)

    def land_new(self, inbox: Inbox) -> None:
        waiting = inbox.settled(self.settings.settle_seconds, self.ledger)
        if not waiting and not len(self.ledger):
            raise NothingToDoError(advice(self.settings))
        for done, found in enumerate(waiting):
            self.progress(done, len(waiting), found.path)
            try:
                sha256, arrival = self._take_in(inbox, found)
            except InboxError:
                self.landed.vanished.append(found.path)
                continue
            self.judge(sha256, arrival)
        self.progress(len(waiting), len(waiting), "")

    def _take_in(self, inbox: Inbox, found: Found) -> tuple[str, Arrival]:
        copy = self.home.temporary / "incoming"
        sha256 = inbox.copy(found, copy)
        values: dict[str, str] = {}
        fault = None
        try:
            values = sidecar.parse(inbox.read_sidecar(found))
        except RefusedError as refused:
            fault = refused.detail
        arrival = Arrival(
            path=found.path,
            source=found.source,
            account=found.account,
            byte_count=found.byte_count,
            modified_at=found.modified_at,
            modified_ns=found.modified_ns,
            first_seen_at=self.settings.clock,
            sequence=int(self.ledger.next_load),
            sidecar=values,
            sidecar_fault=fault,
            sidecar_byte_count=found.sidecar.byte_count if found.sidecar else 0,
            sidecar_modified_ns=found.sidecar.modified_ns if found.sidecar else 0,
        )
        return sha256, self.archive.keep(copy, sha256, arrival)

    def judge(self, sha256: str, arrival: Arrival) -> None:
        archived = self.archive.path(sha256)
        judged = {
            load.member for load in self.ledger if load.arrival.mark == arrival.mark
        }
        try:
            found = _members(archived, arrival)
        except RefusedError as refused:
            self._refuse(self._entry(sha256, arrival, "", 1), refused)
            return
        for member in found:
            if member.name in judged:
                continue
            load = self._entry(sha256, arrival, member.name, len(found))
            self._keep(
                land_member(self.shop, load, member, archived, self.of_account(load))
            )

    def of_account(self, arrived: Load | Arrival) -> Callable[[str], Account]:
        return lambda source: self.accounts.of(source, arrived.account)

    def _entry(self, sha256: str, arrival: Arrival, member: str, count: int) -> Load:
        return Load(
            load=self.ledger.next_load,
            state="refused",
            source=arrival.source,
            account=arrival.account,
            arrival=arrival,
            member=member,
            member_count=count,
            archive_sha256=sha256,
            fingerprint=self.fingerprint(arrival),
            landed_at=arrival.first_seen_at,
        )

    def _refuse(self, load: Load, refused: RefusedError) -> None:
        load.state = self.shop.state_of_refused(load)
        load.refusal_reason, load.refusal_detail = refused.reason, refused.detail
        self.ledger.staging(load.load)
        self.ledger.commit(load)
        self._keep(load)

    def _keep(self, load: Load) -> None:
        self.landed.judged.append(load)

    def fingerprint(self, arrival: Arrival) -> str:
        return fingerprint(self.shop, arrival.source, self.of_account(arrival))

    def reland_changed(self) -> None:
        """Read files again whose mapping, account or words changed."""
        for old in list(self.ledger):
            if old.fingerprint != self.fingerprint(old.arrival):
                self.reland(old)

    def reland(self, old: Load) -> Load:
        """Judge a file's bytes again; the new package takes the old one's place."""
        archived = self.archive.path(old.archive_sha256)
        load = self._entry(
            old.archive_sha256, old.arrival, old.member, old.member_count
        )
        load.replaces = old.load
        try:
            members = _members(archived, old.arrival)
            found = {member.name: member for member in members}
        except RefusedError as refused:
            self._refuse(load, refused)
            return load
        member, account_of = found[old.member], self.of_account(load)
        self._keep(land_member(self.shop, load, member, archived, account_of))
        return load

    def again(self, load: Load) -> tuple[Member, Path, Callable[[str], Account]]:
        """Where a landed file's bytes are, and how to read them."""
        archived = self.archive.path(load.archive_sha256)
        found = {member.name: member for member in _members(archived, load.arrival)}
        return found[load.member], archived, self.of_account(load)

    def finish(self) -> Landed:
        self.landed.build_id = context.write(
            self.settings,
            self.ledger,
            self.accounts,
            self.shop.sources,
            self.changes.declared,
        )
        self.shop.engine.close()
        shutil.rmtree(self.home.temporary, ignore_errors=True)
        self.home.temporary.mkdir(mode=0o700)
        return self.landed


def _members(archived: Path, arrival: Arrival) -> list[Member]:
    if arrival.sidecar_fault is not None:
        raise RefusedError("bad_sidecar", arrival.sidecar_fault)
    return containers.members(archived)


def _check_settings(accounts: Accounts, sources: dict[str, Source]) -> None:
    """Refuse what no mapping asks for: a misspelt setting would go unnoticed."""
    for (source, account), declared in accounts.declared.items():
        if source not in sources:
            raise ConfigurationError(
                f"{accounts.place(source)}: expected one of {', '.join(sources)}"
            )
        known = sources[source].settings
        for name, value in declared.settings.items():
            where = accounts.place(source, account, "settings", name)
            if name not in known:
                names = ", ".join(known) or "no setting"
                raise ConfigurationError(f"{where}: expected {names}")
            allowed = known[name].allowed
            if allowed and value not in allowed:
                raise ConfigurationError(
                    f"{where}: expected one of {', '.join(allowed)}"
                )


def prepare(settings: Settings) -> None:
    """Make the home ready and read every mapping and setting once.

    Raises:
        MappingError, ConfigurationError, KeyMissingError: with advice.
    """
    _Session(settings, None)


def land_inbox(
    settings: Settings,
    progress: Progress | None = None,
    sources: dict[str, Source] | None = None,
) -> Landed:
    """Land the inbox's new files and re-land those whose reading changed.

    Args:
        settings: home, inbox and clock.
        progress: told about each file.
        sources: the mappings; all that are known when not given.

    Returns:
        What happened to every file judged in this run.

    Raises:
        NothingToDoError: inbox empty and nothing landed before.
        InboxError: the inbox cannot be listed.
        MappingError, ConfigurationError, KeyMissingError: with advice.
    """
    session = _Session(settings, progress, sources)
    session.reland_changed()
    session.land_archived()
    session.land_new(Inbox(settings.inbox))
    return session.finish()


def own_words(settings: Settings) -> list[OwnWords]:
    """What people wrote when they left, of every file that landed any.

    The texts come from the archive: the lake holds none.

    Raises:
        NothingToDoError: when nothing was ever landed.
    """
    session = _reading(settings)
    found: list[OwnWords] = []
    for load in session.ledger:
        if load.state == "loaded" and _has_own_words(settings.at, load):
            found += words_of_file(session.shop, load, *session.again(load))
    session.shop.engine.close()
    return found


def addresses(settings: Settings, contacts: Collection[str]) -> dict[str, str | None]:
    """The addresses of people, from the archive: the lake holds none.

    Only files that landed rows of these people are read, exports of lists first, as
    they hold most of them.

    Args:
        settings: whose home.
        contacts: contact keys.

    Returns:
        By contact key the normalised address, None of whom exports know an id only.
        Whoever is in no loaded file any more is missing.

    Raises:
        NothingToDoError: when nothing was ever landed.
    """
    session = _reading(settings)
    loads = [
        load
        for load in session.ledger
        if load.state == "loaded" and load.lands in HAS_PERSON
    ]
    loads.sort(key=lambda load: (load.lands in IS_SNAPSHOT, load.load), reverse=True)
    found: dict[str, str | None] = {}
    wanted = set(contacts)
    for load in loads:
        if _has_any(settings.at, load, wanted):
            known = addresses_of_file(session.shop, load, *session.again(load))
            found |= {key: known[key] for key in wanted & known.keys()}
            wanted -= known.keys()
    session.shop.engine.close()
    return found


def _reading(settings: Settings) -> _Session:
    """To read the archive again: the lake stays as it is."""
    if not settings.at.landing.is_dir():
        raise NothingToDoError(f"Nothing has landed in {settings.home}. `optout run`.")
    return _Session(settings, None)


def _has_any(home: Home, load: Load, contacts: set[str]) -> bool:
    path = home.landing / f"load={load.load}" / f"{load.lands}.parquet"
    if not contacts or not path.exists():
        return False
    keys = pq.ParquetFile(path).read(["contact_key"]).column(0)
    return bool(pc.any(pc.is_in(keys, value_set=pa.array(sorted(contacts)))).as_py())


def _has_own_words(home: Home, load: Load) -> bool:
    """Whether its rows say so: most exports hold no comment."""
    path = home.landing / f"load={load.load}" / f"{load.lands}.parquet"
    if load.lands not in HAS_REASONS or not path.exists():
        return False
    file = pq.ParquetFile(path)
    if "reason_length" not in file.schema_arrow.names:
        return True  # landed before lengths were
    lengths = file.read(["reason_length"]).column(0)
    return bool(lengths.null_count < len(lengths))


def require_something(home: Home) -> None:
    """Marts of nothing would read as a healthy zero.

    Raises:
        NothingToDoError: when no file is loaded.
    """
    states = [load.state for load in Ledger(home)]
    if "loaded" not in states:
        raise NothingToDoError(
            f"Nothing to build from: {len(states)} files were judged and none of them"
            " is loaded. `optout files` says why; export them again."
        )


def withdraw(settings: Settings, file: str, *, undo: bool = False) -> Load:
    """Undo one file as if it had never come; it stays withdrawn.

    A refused file is withdrawn to say that nobody waits for it any more. The bytes
    stay in the archive, with a note that a rebuild and a second arrival of the same
    content heed.

    Args:
        settings: whose home.
        file: a load's number, a file's name, or a part that only one name has.
        undo: land a withdrawn file again instead.

    Returns:
        The file's entry as it now is.

    Raises:
        NoSuchFileError: when no file or more than one answers to the name.
    """
    archive = Archive(settings.at)
    states: tuple[State, ...] = ("withdrawn",) if undo else ("loaded", "refused")
    old = _only(Ledger(settings.at), file, states)
    if undo:
        archive.restore(old.content_identity)
    else:
        archive.withdraw(old.archive_sha256, old.content_identity)
    session = _Session(settings, None)
    load = session.reland(old)
    session.finish()
    return load


def _only(ledger: Ledger, file: str, states: tuple[State, ...]) -> Load:
    known = [load for load in ledger if load.state in states]
    state = " or ".join(states)
    chosen = [
        load
        for load in known
        if file in (load.load, load.load.lstrip("0"), load.file_name)
    ] or [load for load in known if file in load.file_name]
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise NoSuchFileError(f"No {state} file is called {file}. See `optout files`.")
    some = ", ".join(load.file_name for load in chosen[:5])
    raise NoSuchFileError(
        f"{len(chosen)} {state} files are called so: {some}. Give one's load number,"
        " see `optout files`."
    )


def reland_archive(settings: Settings, progress: Progress | None = None) -> Landed:
    """Throw the lake away and land everything again from the archive.

    Every file is judged as at its first arrival, so that the marts come out equal.

    Raises:
        NothingToDoError: when nothing ever arrived.
    """
    home = settings.at
    if not Archive(home).arrivals():
        raise NothingToDoError("Nothing to rebuild: the archive is empty.")
    for package in home.landing.glob("load=*"):
        if package.name != f"load={ANCHOR}":
            # A rename first: half a package must not look like a whole one.
            gone = package.with_name(f".gone={package.name}")
            package.rename(gone)
            shutil.rmtree(gone)
    home.warehouse.unlink(missing_ok=True)
    session = _Session(settings, progress)
    session.land_archived()
    return session.finish()
