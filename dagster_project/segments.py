"""People to treat alike, by address, for the sender's own mail program.

Who is in a segment is known by contact key (``statistics.segment_members``). Addresses
are read from the archive when asked for and written to a file that only its owner may
read; never to the terminal, the lake, a mart or a log.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.landing.land import addresses
from dagster_project.private import as_text, is_formula, write_private
from dagster_project.settings import Settings
from dagster_project.warehouse import hold, read_only

COLUMNS = ("email", "list", "segment")
_COUNTS = """
    select
        segments.segment, segments.label, members.source, members.account,
        members.list, count(members.contact_key) as contact_count, segments.meaning,
        segments.use
    from seeds.segments
    left join statistics.segment_members as members
        on segments.segment = members.segment
    group by all
    order by min(segments.rank), members.source, members.account, members.list
"""
_MEMBERS = """
    select source, account, list, contact_key
    from statistics.segment_members
    where segment = $1
"""


class SegmentError(Exception):
    """There is nothing to write; the text says why and what to do, and names nobody."""


@dataclass(frozen=True)
class Exported:
    """What a file holds.

    Attributes:
        segment: its name.
        file: where it lies.
        count: rows: people, once a list.
        unknown_count: people left out, as no export has an address of theirs.
        marked_count: rows with an apostrophe before the address.
        use: what the segment is good for.
    """

    segment: str
    file: Path
    count: int
    unknown_count: int
    marked_count: int
    use: str

    def summary(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people: what was written, what is missing, what to do with it."""
        told = [f"Addresses in {self.file}: {self.count}. {self.use}"]
        if self.unknown_count:
            told.append(
                "Left out, as the exports know people by an id and not by an address:"
                f" {self.unknown_count}."
            )
        if self.marked_count:
            told.append(
                "Addresses with an apostrophe before them, as a spreadsheet would"
                f" reckon what follows: {self.marked_count}. Take it off before the"
                " file goes to a mail program."
            )
        told.append("The file names people: delete it once it is uploaded.")
        return told


def segment_counts(settings: Settings) -> list[dict[str, Any]]:
    """Every segment with its people on each list; a row without a list if it has none.

    Raises:
        SegmentError: when nothing was built yet.
    """
    with hold(settings.at):
        return _asked(settings, _COUNTS)


def export_segment(
    settings: Settings,
    segment: str,
    file: Path,
    *,
    mailing_list: str | None = None,
    account: str | None = None,
) -> Exported:
    """Write the addresses of a segment to a new private file, and log that it was done.

    Args:
        settings: whose home.
        segment: its name, see :func:`segment_counts`.
        file: a file that does not exist.
        mailing_list: only who is on this list.
        account: only lists of this account, ``source/account``.

    Raises:
        SegmentError, PrivateFileError: with advice.
        HomeBusyError: while a run writes.
    """
    with hold(settings.at):
        known = {row["segment"]: row for row in _asked(settings, _COUNTS)}
        if segment not in known:
            raise SegmentError(
                f"There is no segment {segment}. Expected one of {', '.join(known)};"
                " `optout export-segment` tells who is in each."
            )
        everybody = _asked(settings, _MEMBERS, segment)
        chosen = _chosen(everybody, segment, mailing_list, account)
        contacts = {str(member["contact_key"]) for member in chosen}
        found = addresses(settings, contacts)
        named = {
            (member["list"], found[member["contact_key"]] or "")
            for member in chosen
            if found.get(member["contact_key"])
        }
        if not named:
            raise SegmentError(
                f"No export has an address of the {len(contacts)} people in {segment}:"
                " they are known by an id only."
            )
        rows = [
            {"email": as_text(email), "list": as_text(name), "segment": segment}
            for name, email in sorted(named)
        ]
        write_private(file, COLUMNS, rows)
        exported = Exported(
            segment=segment,
            file=file,
            count=len(rows),
            unknown_count=sum(not found.get(contact) for contact in contacts),
            marked_count=sum(is_formula(email) for _, email in named),
            use=known[segment]["use"],
        )
        _log(settings, exported, mailing_list, account)
    return exported


def _chosen(
    members: list[dict[str, Any]],
    segment: str,
    mailing_list: str | None,
    account: str | None,
) -> list[dict[str, Any]]:
    if not members:
        raise SegmentError(f"Nobody is in {segment}: there is nothing to write.")
    places = {(_account(member), str(member["list"])) for member in members}
    chosen = [
        member
        for member in members
        if account in (None, _account(member))
        and mailing_list in (None, member["list"])
    ]
    if not chosen:
        listed = ", ".join(f"{of} {name}" for of, name in sorted(places))
        raise SegmentError(
            f"Nobody in {segment} is on such a list. It has people on: {listed}. Name"
            " the account as source/account and the list as written there."
        )
    return chosen


def _account(member: Mapping[str, Any]) -> str:
    return f"{member['source']}/{member['account']}"


def _log(
    settings: Settings,
    exported: Exported,
    mailing_list: str | None,
    account: str | None,
) -> None:
    """A line an export, without an address; no log, no file."""
    line = {
        "exported_at": f"{settings.clock.isoformat()}Z",
        "segment": exported.segment,
        "account": account,
        "list": mailing_list,
        "count": exported.count,
        "file": str(exported.file.resolve()),
    }
    path = settings.at.logs / "exports.log"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
    except OSError as error:
        exported.file.unlink()
        raise SegmentError(
            f"{path} cannot be written ({error.strerror}), and no export leaves without"
            " a line in it. Nothing was written."
        ) from None


def _asked(settings: Settings, sql: str, *given: str) -> list[dict[str, Any]]:
    warehouse = settings.at.warehouse
    if not warehouse.exists():
        raise SegmentError(f"{warehouse} is missing: nobody is known. `optout run`.")
    with read_only(warehouse) as connection:
        try:
            answer = connection.execute(sql, list(given))
        except duckdb.CatalogException:
            raise SegmentError(
                "The warehouse was built by another version. `optout run`, then ask"
                " again."
            ) from None
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
