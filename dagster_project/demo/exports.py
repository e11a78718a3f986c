"""Who exports what, and when: the files of the demo year in the layout of an inbox.

How a vendor prints a record lives in ``sources/<vendor>/export.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from dagster_project.demo import records, stories
from dagster_project.demo.configuration import write_configuration
from dagster_project.demo.mail import DEFAULT_TODAY, draw_year
from dagster_project.demo.people import LISTS
from dagster_project.demo.world import (
    DAY,
    HOUR,
    MINUTE,
    World,
    seconds,
    timestamps,
    utc,
)
from dagster_project.settings import Home

CONTACTS_INBOX, VALIDATOR_INBOX = "generic/crm", "zerobounce"
REDELIVERED_SHARE = 0.015
"""Share of the mail events that a queue delivers twice."""

Export = tuple[str, int, bytes]
"""Path below the inbox, moment of the export, content."""


@dataclass(frozen=True)
class DemoSummary:
    """What ``write_demo`` wrote."""

    files: tuple[Path, ...]
    configuration: tuple[Path, ...] = ()

    @property
    def file_count(self) -> int:
        """How many exports there are."""
        return len(self.files)


def write_demo(
    directory: Path,
    seed: int = 7,
    today: date = DEFAULT_TODAY,
    scale: float = 1.0,
    home: Home | None = None,
) -> DemoSummary:
    """Write the demo year below a folder, in the layout of an inbox.

    The same arguments give the same bytes and the same file times; no clock is read.

    Args:
        directory: made when missing; files of the same name are replaced.
        seed: another seed is another year with the same stories.
        today: the last day of the year; everything moves with it.
        scale: multiplies the number of people; below 1 the stories drown in noise.
        home: also gets what the company knows of the year, unless something landed
            in it or it has such files already.
    """
    world = draw_year(seed, today, scale)
    files = [
        _write(directory / path, at, content)
        for exports in (
            _campaign_totals,
            _mail_events,
            _contacts,
            _preference_centre,
            _store_events,
            _verdicts,
        )
        for path, at, content in exports(world)
    ]
    known = write_configuration(home, today) if home else ()
    return DemoSummary(tuple(files), known)


def _write(target: Path, at: int, content: bytes) -> Path:
    """Write one file whole: a watched inbox never sees a part of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(content)
    os.utime(part, ns=(at * 1_000_000, at * 1_000_000))
    return part.replace(target)


def _printer(inbox: str) -> ModuleType:
    """What prints the files of an inbox folder; its source is the first part."""
    source, _, _ = inbox.partition("/")
    return import_module(f"dagster_project.sources.{source}.export")


def _day(at: int) -> str:
    return f"{utc(at):%Y-%m-%d}"


def _campaign_totals(world: World) -> Iterator[Export]:
    """A cumulative export a month, and two more in the last week."""
    inbox = stories.NEWSLETTER.inbox
    broken = stories.campaign_ids(stories.NEWSLETTER, stories.CONTRADICTORY_DAY)
    last_week = [world.moment(359, hour=6), world.moment(363, hour=6), world.end]
    for at in (*(first + 6 * HOUR for first in world.month_starts()), *last_week):
        totals = records.campaign_totals(world, inbox, at)
        if totals.empty:
            continue
        missing = (totals["sent"] * stories.CONTRADICTORY_SHARE).astype(int)
        totals["sent"] -= missing.where(totals["campaign_id"].isin(broken), 0)
        path = f"{inbox}/campaigns-{_day(at)}.csv"
        yield path, at, _printer(inbox).campaigns_csv(totals)


def _mail_events(world: World) -> Iterator[Export]:
    """A file a week of what arrived in it, some of it twice, as it really does."""
    rng = world.generator("transport")
    messages = records.mail_messages(world)
    events = records.mail_events(world, messages)
    inbox, printer = stories.SHOP_OFFERS.inbox, _printer(stories.SHOP_OFFERS.inbox)
    at = events["at"].to_numpy()
    headers = records.message_headers(world, messages)
    events["occurred_at"] = timestamps(at)
    lines = printer.event_lines(headers, events, stories.TOPICS)
    published_at = at + seconds(rng, 0.2, 20, len(at))
    twice = np.flatnonzero(rng.random(len(at)) < REDELIVERED_SHARE)
    wait = np.where(rng.random(len(twice)) < 0.8, MINUTE, 3 * DAY)
    record = np.concatenate([np.arange(len(at)), twice])
    arrived_at = np.concatenate([published_at, published_at[twice] + wait])
    arrived_at = np.minimum(arrived_at, world.end)
    order = np.argsort(arrived_at, kind="stable")
    weeks = (arrived_at[order] - world.start) // (7 * DAY)
    for week in np.unique(weeks).tolist():
        taken, kind = record[order[weeks == week]], "events"
        chosen = [lines[row] for row in taken]
        if week % 9 == 4:
            kind, stamps = "notifications", timestamps(published_at[taken])
            chosen = list(map(printer.enveloped, chosen, stamps))
        path = f"{inbox}/{kind}-{_day(world.moment(7 * week))}.ndjson.gz"
        exported_at = min(world.moment(7 * (week + 1)), world.end)
        yield path, exported_at, printer.ndjson_gz(chosen)


def _contacts(world: World) -> Iterator[Export]:
    """Every list whole, on the first day, every month and at the end."""
    starts = (world.start, *world.month_starts())
    for at in (*(start + 5 * HOUR for start in starts), world.end):
        for name in LISTS:
            slug = name.lower().replace(" ", "-")
            path = f"{CONTACTS_INBOX}/contacts-{slug}-{_day(at)}.csv"
            snapshot = records.contact_snapshot(world, name, at)
            yield path, at, _printer(CONTACTS_INBOX).csv_bytes(snapshot)


def _preference_centre(world: World) -> Iterator[Export]:
    """An export a quarter, as someone downloads it."""
    events = records.preference_events(world)
    occurred_at = events["occurred_at"].to_numpy().astype(np.int64)
    quarters = [at for at in world.month_starts()[2::3] if at > world.moment(120)]
    for since, at in pairwise((world.start, *quarters, world.end)):
        part = events[(occurred_at >= since) & (occurred_at < at)]
        if len(part):
            path = f"{CONTACTS_INBOX}/preference-centre-{_day(at)}.csv"
            yield path, at, _printer(CONTACTS_INBOX).csv_bytes(part)


def _store_events(world: World) -> Iterator[Export]:
    """What the agency reports of its invitations, with one count it never told."""
    inbox = stories.STORE_EVENTS.inbox
    unused = ["list", "opens", "clicks", "orders", "revenue"]
    totals = records.campaign_totals(world, inbox, world.end).drop(columns=unused)
    untold = stories.campaign_ids(stories.STORE_EVENTS, stories.UNKNOWN_DELIVERED_DAY)
    counts = ["delivered", "hard_bounces", "soft_bounces"]
    totals[counts] = totals[counts].astype(object)
    totals.loc[totals["campaign_id"].isin(untold), counts] = None
    stats = totals.assign(
        content_category="event",
        send_type=stories.STORE_EVENTS.send_type,
        exported_at=utc(world.end),
    )
    path = f"{inbox}/store-events.ndjson"
    yield path, world.end, _printer(inbox).ndjson_bytes(stats)


def _verdicts(world: World) -> Iterator[Export]:
    """The bulk file of the clean, and one later call for the newest contacts."""
    people, spells, printer = world.people, world.spells, _printer(VALIDATOR_INBOX)
    at = world.moment(stories.VALIDATION_DAY, hour=16)
    person = world.verdicts["person"].to_numpy()
    verdicts = world.verdicts.assign(
        email=people.address[person], signup_source=people.signup_source[person]
    )
    path = f"{VALIDATOR_INBOX}/before-the-clean-{_day(at)}.csv"
    yield path, at, printer.bulk_csv(verdicts)

    at = world.moment(stories.YEAR_DAYS - 27, hour=8)
    rows = np.flatnonzero((spells.mailable_at <= at) & (spells.left_at > at))
    newest = rows[np.argsort(-spells.mailable_at[rows], kind="stable")]
    person = np.array(list(dict.fromkeys(spells.person[newest]))[:40])
    batch = pd.DataFrame(
        {
            "email": people.address[person],
            "validation_reason": people.kind[person],
            "verified_at": timestamps(at + np.arange(len(person)) * 137),
        }
    )
    path = f"{VALIDATOR_INBOX}/new-contacts-{_day(at)}.json"
    yield path, at, printer.batch_json(batch)
