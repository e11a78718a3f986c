"""Ways in which an export lies about how many messages arrived, done to an inbox.

An injector changes the files of an inbox at one place and returns what it hit. It knows
the shape of the vendors' files and nothing of how the pipeline judges them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

Campaign = tuple[str, str, str]
"""Source, account, campaign id."""
Record = dict[str, Any]

ALL = 10**9
"""So much of a campaign is hit that nobody could overlook it."""
DAY = timedelta(days=1)
LOST_SHARE_PCT = 12
RESPONSES = ("Open", "Click", "Complaint", "Subscription")
SEND_DATE = "%b %d, %Y %I:%M %p"


@dataclass(frozen=True)
class Site:
    """Where a fault strikes.

    Attributes:
        folder: source and account, below the inbox.
        pick: which file (by part of its name), month or campaign.
    """

    folder: str
    pick: str = ""

    def files(self, inbox: Path, suffix: str = "") -> list[Path]:
        return sorted(
            path
            for path in (inbox / self.folder).iterdir()
            if path.name.endswith(suffix)
        )

    def file(self, inbox: Path) -> Path:
        """The one file that is picked."""
        (path,) = [path for path in self.files(inbox) if self.pick in path.name]
        return path

    def campaign(self, campaign_id: str) -> Campaign:
        source, _, account = self.folder.partition("/")
        return source, account, campaign_id


@dataclass
class Hit:
    """What an injector changed.

    Attributes:
        harm: campaign -> how many messages count wrongly; beyond the tolerance the
            campaign must not have a rate.
        touched: campaign -> how many records of it were changed at all: by as much its
            counts may differ.
        files: files, below the inbox, whose records or whole are hit.
        records: how many records must be turned away.
        truth: campaigns that only the fault brought along, with their counts.
    """

    harm: dict[Campaign, int] = field(default_factory=dict)
    touched: dict[Campaign, int] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    records: int = 0
    truth: dict[Campaign, Record] = field(default_factory=dict)


Injector = Callable[[Path, Site], Hit]


# -- files -------------------------------------------------------------------------


def _overwrite(path: Path, content: bytes) -> None:
    """Change a file and leave its time: it dates the export."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _add_beside(path: Path, name: str, content: bytes) -> None:
    """A new file as old as another."""
    times = path.stat()
    added = path.with_name(name)
    added.write_bytes(content)
    os.utime(added, ns=(times.st_atime_ns, times.st_mtime_ns))


def _below(inbox: Path, path: Path) -> str:
    return path.relative_to(inbox).as_posix()


def _is_drawn(text: str, share_pct: int) -> bool:
    """The same records in every run, spread over all of them."""
    return zlib.crc32(text.encode()) % 100 < share_pct


def _table(path: Path) -> tuple[list[str], list[Record]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


def _save_table(path: Path, columns: Iterable[str], rows: list[Record]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _overwrite(path, text.getvalue().encode())


def _lines(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _save_lines(path: Path, records: list[Record]) -> None:
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    _overwrite(path, text.encode())


# -- the event feed ----------------------------------------------------------------


@dataclass
class Told:
    """A record of the feed and the envelope it may lie in."""

    record: Record
    envelope: Record | None = None

    @property
    def kind(self) -> str:
        return str(self.record["eventType"])

    @property
    def message_id(self) -> str:
        return str(self.record["mail"]["messageId"])

    @property
    def tags(self) -> Record:
        tags: Record = self.record["mail"].get("tags", {})
        return tags

    @property
    def campaign_id(self) -> str:
        named = self.tags.get("campaign") or self.tags.get("ses:configuration-set")
        return str(named[0]) if named else ""

    @property
    def is_of_a_campaign(self) -> bool:
        """Neither a flow nor an order."""
        return self.tags.get("send_type", ["campaign"]) == ["campaign"]

    @property
    def people(self) -> list[str]:
        if self.kind == "Delivery":
            named = self.record["delivery"]["recipients"]
        elif self.kind == "Bounce":
            bounced = self.record["bounce"]["bouncedRecipients"]
            named = [entry["emailAddress"] for entry in bounced]
        else:
            named = self.record["mail"]["destination"]
        return [str(address).lower() for address in named]

    @property
    def at(self) -> datetime:
        detail = self.record.get(self.kind.lower()) or {}
        return _moment(detail.get("timestamp") or self.record["mail"]["timestamp"])

    def line(self) -> str:
        record = json.dumps(self.record, ensure_ascii=False, separators=(",", ":"))
        if self.envelope is None:
            return record
        envelope = self.envelope | {"Message": record}
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


Change = Callable[[Told], Literal["kept", "lost", "changed"]]
"""Perhaps changes a record in place, and says what became of it."""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    told = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return told.replace("+00:00", "Z")


def _read_feed(path: Path) -> list[Told]:
    told = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        record = json.loads(line)
        if "Message" not in record:
            told.append(Told(record))
        elif record["Message"].startswith("{"):
            told.append(Told(json.loads(record["Message"]), record))
    return told


def _feed_bytes(told: Iterable[Told]) -> bytes:
    text = "".join(entry.line() + "\n" for entry in told)
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def _feed(inbox: Path, site: Site) -> Iterator[tuple[Path, list[Told]]]:
    """The account's files, or the picked week's and the two that hold its tail."""
    paths = sorted(
        site.files(inbox, ".ndjson.gz"), key=lambda path: path.name.partition("-")[2]
    )
    if site.pick:
        first = paths.index(site.file(inbox))
        paths = paths[first : first + 3]
    for path in paths:
        if path.stat().st_size:
            yield path, _read_feed(path)


def _change_feed(inbox: Path, site: Site, change: Change) -> None:
    """Change records wherever they lie."""
    for path, told in _feed(inbox, site):
        fates = [change(entry) for entry in told]
        if set(fates) - {"kept"}:
            pairs = zip(told, fates, strict=True)
            kept = [entry for entry, fate in pairs if fate != "lost"]
            _overwrite(path, _feed_bytes(kept))


def _sent_in(inbox: Path, site: Site) -> str:
    """The campaign that the picked week's file sends."""
    sends: dict[str, int] = defaultdict(int)
    for entry in _read_feed(site.file(inbox)):
        if entry.kind == "Send" and entry.is_of_a_campaign:
            sends[entry.campaign_id] += 1
    return max(sends, key=lambda campaign_id: sends[campaign_id])


def _reached(inbox: Path, site: Site) -> set[tuple[str, str]]:
    """Campaign and person of every delivery that the feed still tells."""
    return {
        (entry.campaign_id, person)
        for _, told in _feed(inbox, site)
        for entry in told
        if entry.kind == "Delivery"
        for person in entry.people
    }


class _Count:
    """Distinct people of each campaign, as harm, and records, as touched."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.people: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.records: dict[str, int] = defaultdict(int)

    def add(self, entry: Told, campaign_id: str = "") -> None:
        name = campaign_id or entry.campaign_id
        self.records[name] += len(entry.people)
        self.people[name] |= {(entry.kind, person) for person in entry.people}

    def hit(self, but: set[tuple[str, str]] = frozenset()) -> Hit:  # type: ignore[assignment]
        """The hit, without people of whom the feed still tells enough."""
        harm = {
            name: sum((name, person) not in but for _, person in people)
            for name, people in self.people.items()
        }
        return Hit(
            harm={self.site.campaign(name): count for name, count in harm.items()},
            touched={
                self.site.campaign(name): count for name, count in self.records.items()
            },
        )


def lose_a_day_of_deliveries(inbox: Path, site: Site, share_pct: int = 100) -> Hit:
    """Every delivered event, or a share of them, of the day of the week's campaign."""
    campaign_id, count = _sent_in(inbox, site), _Count(site)
    day = min(
        entry.at.date()
        for entry in _read_feed(site.file(inbox))
        if entry.kind == "Send" and entry.campaign_id == campaign_id
    )

    def change(entry: Told) -> Literal["kept", "lost"]:
        if entry.kind != "Delivery" or entry.at.date() != day:
            return "kept"
        if not _is_drawn(entry.message_id, share_pct):
            return "kept"
        count.add(entry)
        return "lost"

    _change_feed(inbox, site, change)
    return count.hit(but=_reached(inbox, site))


def lose_a_third_of_deliveries(inbox: Path, site: Site) -> Hit:
    """The same, and two thirds of them are left."""
    return lose_a_day_of_deliveries(inbox, site, share_pct=33)


def lose_bounces(inbox: Path, site: Site) -> Hit:
    """Every bounce of the account, or of the picked week's campaign."""
    only, count = (_sent_in(inbox, site) if site.pick else ""), _Count(site)

    def change(entry: Told) -> Literal["kept", "lost"]:
        if entry.kind != "Bounce" or only not in ("", entry.campaign_id):
            return "kept"
        count.add(entry)
        return "lost"

    _change_feed(inbox, site, change)
    return count.hit(but=_reached(inbox, site))


def double_under_new_ids(inbox: Path, site: Site) -> Hit:
    """The week's events again in another file, as a second exporter numbers them."""
    path, count = site.file(inbox), _Count(site)
    again, others = _read_feed(path), _Count(site)
    for entry in again:
        if entry.kind == "Delivery":
            (count if entry.is_of_a_campaign else others).add(entry)
        entry.record["mail"]["messageId"] += "-again"
        if entry.envelope is not None:
            entry.envelope["MessageId"] += "-again"
    _add_beside(path, f"again-{path.name}", _feed_bytes(again))
    hit = count.hit()
    # A flow may reach a person twice. Counted are people: nothing else may differ.
    hit.touched = dict.fromkeys((*hit.harm, *others.hit().harm), 0)
    return hit


def lose_tags(inbox: Path, site: Site) -> Hit:
    """12 % of the week's records name nothing any more."""
    return _lose_tags(inbox, site, lambda tags: tags.clear())


def lose_campaign_tag(inbox: Path, site: Site) -> Hit:
    """12 % of the week's records name only the configuration they were sent with."""
    return _lose_tags(inbox, site, lambda tags: tags.pop("campaign", None))


def _lose_tags(inbox: Path, site: Site, lose: Callable[[Record], Any]) -> Hit:
    path, count = site.file(inbox), _Count(site)
    told = _read_feed(path)
    touched: dict[str, int] = defaultdict(int)
    for entry in told:
        if not _is_drawn(entry.kind + entry.message_id, LOST_SHARE_PCT):
            continue
        left = dict(entry.tags)
        lose(left)
        if left != entry.tags:
            touched[entry.campaign_id] += len(entry.people)
            if entry.kind in ("Send", "Delivery"):
                count.add(entry)
            entry.record["mail"]["tags"] = left
    _overwrite(path, _feed_bytes(told))
    hit = count.hit()
    hit.touched = {site.campaign(name): number for name, number in touched.items()}
    return hit


def shift_deliveries_by_a_day(inbox: Path, site: Site) -> Hit:
    """Sent and delivered of the week's campaign come from an export a day ahead."""
    campaign_id, count = _sent_in(inbox, site), _Count(site)
    arrived: dict[str, datetime] = {}
    responses: list[Told] = []

    def change(entry: Told) -> Literal["kept", "changed"]:
        if entry.campaign_id != campaign_id:
            return "kept"
        if entry.kind in ("Send", "Delivery"):
            for part in ("mail", "delivery"):
                if part in entry.record:
                    detail = entry.record[part]
                    detail["timestamp"] = _iso(_moment(detail["timestamp"]) + DAY)
        if entry.kind == "Delivery":
            for person in entry.people:
                arrived[person] = entry.at
        elif entry.kind in RESPONSES:
            responses.append(entry)
        return "changed"

    _change_feed(inbox, site, change)
    for entry in responses:
        moment = arrived.get(entry.people[0])
        if moment is not None and entry.at < moment - timedelta(hours=1):
            count.add(entry)
    hit = count.hit()
    early = {person for _, person in count.people[campaign_id]}
    return Hit(
        harm={site.campaign(campaign_id): len(early)},
        touched=dict.fromkeys(hit.harm, 0),
    )


# -- whole files -------------------------------------------------------------------


def empty_feed_file(inbox: Path, site: Site) -> Hit:
    """0 bytes where a week of events was."""
    path, count = site.file(inbox), _Count(site)
    for entry in _read_feed(path):
        count.add(entry)
    _overwrite(path, b"")
    hit = count.hit()
    return Hit(touched=dict.fromkeys(hit.harm, ALL), files={_below(inbox, path)})


def empty_newest_totals(inbox: Path, site: Site) -> Hit:
    """0 bytes where the newest totals were: the export before it stands."""
    path = site.files(inbox, ".csv")[-1]
    _, rows = _table(path)
    _overwrite(path, b"")
    hit_campaigns = {site.campaign(row["Unique Id"]): ALL for row in rows}
    return Hit(touched=hit_campaigns, files={_below(inbox, path)})


def leave_only_the_header(inbox: Path, site: Site) -> Hit:
    """The newest totals say nothing of any campaign."""
    path = site.files(inbox, ".csv")[-1]
    columns, rows = _table(path)
    _save_table(path, columns, [])
    hit_campaigns = {site.campaign(row["Unique Id"]): ALL for row in rows}
    return Hit(touched=hit_campaigns, files={_below(inbox, path)})


# -- totals of campaigns -----------------------------------------------------------


def _send_date(row: Record) -> datetime:
    return datetime.strptime(row["Send Date"], SEND_DATE)


def _in_month(row: Record, month: str) -> bool:
    return f"{_send_date(row):%Y-%m}" == month


def _change_totals(
    inbox: Path, site: Site, change: Callable[[Record], bool], *, newest: bool = False
) -> Hit:
    """Change the rows of the picked month, in every export or in the newest one."""
    hit, paths = Hit(), site.files(inbox, ".csv")
    for path in paths[-1:] if newest else paths:
        columns, rows = _table(path)
        changed = []
        for row in rows:
            campaign = site.campaign(row["Unique Id"])
            if (not site.pick or _in_month(row, site.pick)) and change(row):
                changed.append(campaign)
        if changed:
            _save_table(path, columns, rows)
            hit.files.add(_below(inbox, path))
            hit.harm |= dict.fromkeys(changed, ALL)
            hit.touched |= dict.fromkeys(changed, ALL)
            hit.records += len(changed)
    return hit


def swap_sent_and_delivered(inbox: Path, site: Site) -> Hit:
    """Recipients stand in the column of deliveries, and the reverse."""

    def change(row: Record) -> bool:
        sent, delivered = row["Total Recipients"], row["Successful Deliveries"]
        row["Total Recipients"], row["Successful Deliveries"] = delivered, sent
        return bool(sent != delivered)

    return _change_totals(inbox, site, change)


def let_more_leave_than_arrived(inbox: Path, site: Site) -> Hit:
    """One more unsubscribe than deliveries."""

    def change(row: Record) -> bool:
        row["Unsubscribes"] = str(int(row["Successful Deliveries"]) + 1)
        return True

    return _change_totals(inbox, site, change)


def blank_bounces(inbox: Path, site: Site) -> Hit:
    """The totals do not say how much bounced, only what arrived."""

    def change(row: Record) -> bool:
        row |= dict.fromkeys(("Soft Bounces", "Hard Bounces", "Total Bounces"), "")
        return True

    return _change_totals(inbox, site, change)


def blank_ids(inbox: Path, site: Site) -> Hit:
    """The newest totals do not say which campaign a row is of."""

    def change(row: Record) -> bool:
        row["Unique Id"] = ""
        return True

    return _change_totals(inbox, site, change, newest=True)


def shift_send_dates_by_a_day(inbox: Path, site: Site) -> Hit:
    """The newest totals date every send a day later than the ones before."""

    def change(row: Record) -> bool:
        moved = _send_date(row) + DAY
        half = "am" if moved.hour < 12 else "pm"
        row["Send Date"] = f"{moved:%b %d, %Y %I:%M} {half}"
        return True

    earlier = {
        row["Unique Id"]
        for path in site.files(inbox, ".csv")[:-1]
        for row in _table(path)[1]
    }
    hit = _change_totals(inbox, site, change, newest=True)
    # A campaign that only the newest export knows has nothing to disagree with.
    hit.harm = {key: count for key, count in hit.harm.items() if key[2] in earlier}
    return hit


# -- documented totals, a JSON object a line ---------------------------------------


def _totals_file(inbox: Path, site: Site) -> Path:
    (path,) = site.files(inbox, ".ndjson")
    return path


def _change_documented(
    inbox: Path, site: Site, change: Callable[[Record], None]
) -> Hit:
    path = _totals_file(inbox, site)
    rows = _lines(path)
    hit = Hit(files={_below(inbox, path)})
    for row in rows:
        if row["campaign_id"] == site.pick:
            hit.harm[site.campaign(site.pick)] = ALL
            hit.touched[site.campaign(site.pick)] = ALL
            hit.records += 1
            change(row)
    _save_lines(path, rows)
    return hit


def print_rate_as_fraction(inbox: Path, site: Site) -> Hit:
    """One row's printed rate is a fraction, every other row's a percentage."""
    path = _totals_file(inbox, site)
    rows = _lines(path)
    for row in rows:
        if row.get("delivered"):
            rate = 100 * row["unsubscribes"] / row["delivered"]
            row["vendor_unsubscribe_rate_pct"] = f"{rate:.4f}"
    _save_lines(path, rows)

    def change(row: Record) -> None:
        fraction = row["unsubscribes"] / row["delivered"]
        row["vendor_unsubscribe_rate_pct"] = f"{fraction:.6f}"

    return _change_documented(inbox, site, change)


def blank_documented_id(inbox: Path, site: Site) -> Hit:
    """A row of totals that names no campaign."""
    return _change_documented(inbox, site, lambda row: row.update(campaign_id=""))


def blank_deliveries_and_bounces(inbox: Path, site: Site) -> Hit:
    """A row that says what was sent and nothing of what became of it."""
    blank = dict.fromkeys(("delivered", "hard_bounces", "soft_bounces"))
    return _change_documented(inbox, site, lambda row: row.update(blank))


def add_texts_to_totals(inbox: Path, site: Site) -> Hit:
    """Totals of text messages among those of mail, named as such."""
    path = _totals_file(inbox, site)
    rows = _lines(path)
    texts = [
        row | {"campaign_id": f"text-{row['campaign_id']}", "channel": "sms"}
        for row in rows[:2]
    ]
    mails = [row | {"channel": "email"} for row in rows]
    _save_lines(path, mails[:1] + texts + mails[1:])
    return Hit(files={_below(inbox, path)}, records=len(texts))


# -- documented events, a table ----------------------------------------------------


def _texts(count: int, campaign_id: str, channel: str | None) -> list[Record]:
    """Text messages of a campaign that were delivered, and one person who left."""
    told = []
    for number in range(count):
        row = {
            "event_id": f"text-{campaign_id}-{number}",
            "event_type": "unsubscribed" if number == count - 1 else "delivered",
            "occurred_at": "2026-04-01T09:00:00.000Z",
            "email": f"+45 55 01 {number % (count - 1):02d} 00",
            "campaign_id": campaign_id,
        }
        told.append(row if channel is None else row | {"channel": channel})
    return told


def _add_texts(
    inbox: Path, site: Site, campaigns: Iterable[str], channel: str | None
) -> Hit:
    path = site.file(inbox)
    columns, rows = _table(path)
    texts = [row for name in campaigns for row in _texts(8, name, channel)]
    assert len(texts) < len(rows), "texts must stay fewer than what is mail"
    mails = [row if channel is None else row | {"channel": "email"} for row in rows]
    more = [name for name in texts[0] if name not in columns]
    _save_table(path, [*columns, *more], [*mails, *texts])
    return Hit(files={_below(inbox, path)}, records=len(texts))


def add_phone_numbers(inbox: Path, site: Site) -> Hit:
    """Text messages among mail events: a number where the address should be."""
    known = _lines(_totals_file(inbox, site))[0]["campaign_id"]
    return _add_texts(inbox, site, (known, "texts"), None)


def add_texts_to_events(inbox: Path, site: Site) -> Hit:
    """Text messages among mail events, named as such."""
    known = _lines(_totals_file(inbox, site))[0]["campaign_id"]
    return _add_texts(inbox, site, (known, "named texts"), "sms")


# -- contact lists -----------------------------------------------------------------


def export_a_segment_as_the_list(inbox: Path, site: Site) -> Hit:
    """A fifth of the list in a file that claims to hold all of it."""
    path = site.file(inbox)
    columns, rows = _table(path)
    kept = [row for row in rows if _is_drawn(row["email"].lower(), 20)]
    assert {row["snapshot_scope"] for row in kept} == {"full"}
    _save_table(path, columns, kept)
    return Hit(files={_below(inbox, path)}, records=len(rows) - len(kept))


def add_totals_and_opt_outs_only(inbox: Path, site: Site) -> Hit:
    """An account of which nothing is known but totals and who left by which send."""
    folder = inbox / site.folder
    folder.mkdir(parents=True)
    (folder / "totals.csv").write_text(
        "campaign_id,sent_at,sent,delivered,unsubscribes\n"
        "monthly,2026-04-01T09:00:00Z,1000,980,4\n",
        encoding="utf-8",
    )
    header = (
        "email,list,status,exported_at,snapshot_scope,status_changed_at,"
        "opt_out_campaign_id\n"
    )
    left = [
        f"left{number}@example.com,Club,unsubscribed,2026-05-01T00:00:00Z,segment,"
        f"2026-04-02T09:00:00Z,{campaign_id}\n"
        for campaign_id, people in (("monthly", range(4)), ("nowhere", range(4, 7)))
        for number in people
    ]
    (folder / "opt-outs.csv").write_text(header + "".join(left), encoding="utf-8")
    known = {
        "sent_count": 1000,
        "delivered_count": 980,
        "unsubscribe_count": 4,
        "unsubscribe_rate_pct": 4 / 980 * 100,
        "delivered_count_basis": "reported",
    }
    return Hit(truth={site.campaign("monthly"): known})


def keep_only_totals_and_contacts(inbox: Path, site: Site) -> Hit:
    """Of everything only the vendor's totals and the contact lists are left."""
    hit = Hit()
    for path in sorted(path for path in inbox.rglob("*") if path.is_file()):
        below = _below(inbox, path)
        if not below.startswith(site.folder) and "contacts-" not in path.name:
            hit.files.add(below)
            path.unlink()
    return hit
