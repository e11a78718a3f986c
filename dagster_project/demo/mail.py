"""Drawing every mail of the year, and what it meets at each of its recipients.

A mailing is columns with a row a recipient: delivery, reading, leaving, topics. Who is
on a list at that moment comes from ``people``; who is told about it is in ``records``.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from dagster_project.demo import stories
from dagster_project.demo.people import UPKEEP, draw_memberships, draw_people
from dagster_project.demo.reasons import draw_reasons
from dagster_project.demo.stories import Planned, campaign_id
from dagster_project.demo.world import (
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    SECOND,
    Columns,
    Flags,
    Moments,
    Positions,
    Shares,
    World,
    seconds,
    when,
)

DEFAULT_TODAY = date(2026, 10, 31)
LAST_HOUR = 18
"""The exports of the last day are taken at 18:00 UTC: nothing later exists."""


def draw_year(seed: int = 7, today: date = DEFAULT_TODAY, scale: float = 1.0) -> World:
    """Draw the people and everything that happens to them, day by day."""
    midnight = int(pd.Timestamp(today).timestamp() * 1000)
    start = midnight - (stories.YEAR_DAYS - 1) * DAY
    people = draw_people(seed, start, scale)
    world = World(
        seed=seed,
        start=start,
        end=midnight + LAST_HOUR * HOUR,
        people=people,
        suppressed_at=np.full(len(people), NEVER),
    )
    draw_memberships(world)
    for day in range(stories.YEAR_DAYS):
        if day in UPKEEP:
            UPKEEP[day](world)
        _send_welcome(world, day)
        _send_orders(world, day)
        for send in stories.PLAN:
            if send.day == day:
                _send_campaign(world, send)
    return world


def _send_campaign(world: World, send: Planned) -> None:
    rng = world.generator("campaign", send.campaign_id)
    at = world.moment(send.day, send.hour)
    spell = world.spells.active(send.stream.mail_list, at)
    spell = spell[rng.random(len(spell)) < send.share]
    sent_at = at + np.sort(rng.integers(0, 20 * MINUTE, len(spell)))
    _mail(world, send, world.spells.person[spell], spell, sent_at, rng)
    if send.list_age_days:
        _mail_who_left(world, send, at)


def _mail_who_left(world: World, send: Planned, at: int) -> None:
    """Mail also who opted out since the copy of the list was made, and stayed away."""
    rng, spells = world.generator("old copy", send.campaign_id), world.spells
    spell = spells.active(send.stream.mail_list, at - send.list_age_days * DAY)
    spell = spell[
        (spells.left_at[spell] <= at) & (spells.cause[spell] == "unsubscribe")
    ]
    members = spells.person[spells.active(send.stream.mail_list, at)]
    person = np.setdiff1d(spells.person[spell], members)
    sent_at = at + np.sort(rng.integers(0, 20 * MINUTE, len(person)))
    _mail(world, send, person, np.full(len(person), -1), sent_at, rng)


def _send_welcome(world: World, day: int) -> None:
    """Greet who joined the offers list: at once, and three days later."""
    spells = world.spells
    first, last = world.within(day)
    for number, wait in enumerate((2 * MINUTE, 3 * DAY), start=1):
        since = spells.mailable_at + wait
        is_due = (since >= first) & (since < last) & (spells.left_at > since)
        is_due &= spells.mail_list == stories.WELCOME.mail_list
        spell = np.flatnonzero(is_due & (spells.opt_in_method != "purchased"))
        send = Planned(
            stream=stories.WELCOME,
            day=day,
            campaign_id=campaign_id(stories.WELCOME, number),
            subject=stories.WELCOME.subjects[number - 1],
        )
        rng = world.generator("welcome", number, day)
        _mail(world, send, spells.person[spell], spell, since[spell], rng)


def _send_orders(world: World, day: int) -> None:
    """Confirm the day's orders, also to people who left every list."""
    rng = world.generator("orders", day)
    customers = np.flatnonzero(world.people.is_customer)
    person = rng.choice(customers, rng.poisson(len(customers) / 450))
    sent_at = np.sort(rng.integers(*world.within(day), len(person)))
    send = Planned(
        stream=stories.ORDERS,
        day=day,
        campaign_id="",
        subject=stories.ORDERS.subjects[0],
        is_failing=day in stories.FAILING_TEMPLATE_DAYS,
    )
    nobody = np.full(len(person), -1)
    _mail(world, send, person, nobody, sent_at, rng)


def _mail(
    world: World,
    send: Planned,
    person: Positions,
    spell: Positions,
    sent_at: Moments,
    rng: np.random.Generator,
) -> None:
    """Draw what one send meets at every recipient, and apply who leaves by it."""
    mails = {"person": person, "spell": spell, "sent_at": sent_at}
    mails |= _draw_delivery(world, send, mails, rng)
    mails |= _draw_reading(world, send, mails, rng)
    mails |= _draw_leaving(world, send, mails, rng)
    mails |= _draw_topics(world, send, mails, rng)
    _apply_exits(world, send, mails, rng)
    world.mailings.append((send, mails))


def _draw_delivery(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> Columns:
    """Delivered, bounced, dropped or failed, and when."""
    person, sent_at, people = mails["person"], mails["sent_at"], world.people
    count, keeps_events = len(person), send.stream.keeps_events
    kind = people.kind[person]
    is_dead = people.dies_at[person] <= sent_at
    is_dead &= ~((mails["spell"] >= 0) & world.spells.is_told[mails["spell"]])
    weak = np.where(kind == "mailbox_not_found", 0.25, 0.003)
    weak = np.where(kind == "mailbox_full", 0.5, weak)
    draw = rng.random(count)
    outcome = np.full(count, "delivered", dtype=object)
    outcome[draw < weak] = "soft"
    outcome[is_dead] = np.where(draw < 0.08, "soft", "hard")[is_dead]
    if keeps_events:
        is_bought = people.cohort[person] == "bought"
        outcome[is_dead & is_bought & (draw > 0.85)] = "invalid_address"
        outcome[world.suppressed_at[person] <= sent_at] = "prior_bounce"
    if send.stream.send_type == "transactional":
        outcome[rng.random(count) < 0.002] = "policy"
    if send.is_failing:
        outcome[:] = "failed"
    is_late = (outcome == "hard") & (rng.random(count) < 0.06) & keeps_events
    is_deferred = (outcome == "delivered") & (rng.random(count) < 0.006)
    transit = 400 + (rng.lognormal(1.0, 0.8, count) * SECOND).astype(np.int64)
    transit += np.where(is_deferred, seconds(rng, 1200, 12000, count), 0)
    bounce_wait = seconds(rng, 1, 40, count)
    bounce_wait += np.where(outcome == "soft", seconds(rng, 1e4, 5e4, count), 0)
    bounce_wait += np.where(is_late, seconds(rng, 9e4, 3e5, count), 0)
    is_arrived = (outcome == "delivered") | is_late
    return {
        "outcome": outcome,
        "is_read": (outcome == "delivered") & ~is_dead,
        "deferred_at": when(is_deferred, sent_at + seconds(rng, 90, 600, count)),
        "delivered_at": when(is_arrived, sent_at + transit),
        "bounced_at": when(outcome != "delivered", sent_at + bounce_wait),
    }


def _draw_reading(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> Columns:
    """Opens by people and by machines, clicks and what was bought."""
    person, delivered_at = mails["person"], mails["delivered_at"]
    stream, people, count = send.stream, world.people, len(person)
    noise = rng.lognormal(0, 0.05, 2)
    chance = people.engagement[person] * stream.open_factor * send.opens * noise[0]
    is_opened = mails["is_read"] & (rng.random(count) < np.clip(chance, 0, 0.95))
    # A proxy that loads every picture beforehand hides most of what people do.
    has_proxy = people.has_privacy_proxy[person]
    is_opened &= ~has_proxy | (rng.random(count) < 0.3)
    wait = (rng.lognormal(0.9, 1.3, count) * HOUR).astype(np.int64) + 30 * SECOND
    opened_at = when(is_opened, delivered_at + wait)
    is_fetched = mails["is_read"] & has_proxy & (rng.random(count) < 0.9)
    to_click = stream.click_to_open * send.clicks * noise[1]
    is_clicked = is_opened & (rng.random(count) < to_click)
    is_bought = is_clicked & (rng.random(count) < 0.06)
    return {
        "opened_at": opened_at,
        "repeat_count": np.where(is_opened, rng.geometric(0.87, count) - 1, 0),
        "machine_opened_at": when(
            is_fetched, delivered_at + seconds(rng, 20, 2400, count)
        ),
        "clicked_at": when(is_clicked, opened_at + seconds(rng, 8, 150, count)),
        "order_cents": np.where(is_bought, rng.integers(1900, 24900, count), 0),
    }


def _draw_leaving(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> Columns:
    """Opt-outs, complaints, and the opt-outs that machines make."""
    spell, delivered_at = mails["spell"], mails["delivered_at"]
    spells, count = world.spells, len(spell)
    may_leave = mails["is_read"] & (spell >= 0) & ~spells.is_told[spell]
    leaving, complaining = _leaving_chances(world, send, mails)
    leaving *= rng.lognormal(-0.0072, 0.12)
    is_leaving = may_leave & (rng.random(count) < leaving)
    is_complaining = may_leave & ~is_leaving & (rng.random(count) < complaining)
    wait = rng.exponential(2.1 * DAY, count).astype(np.int64) + 90 * SECOND
    opted_out_at = when(is_leaving, delivered_at + wait)
    wait = rng.exponential(0.6 * DAY, count).astype(np.int64) + 10 * MINUTE
    complained_at = when(is_complaining, delivered_at + wait)
    # Some people do both, and the opt-out comes first.
    is_both = is_complaining & (rng.random(count) < 0.12)
    opted_out_at = np.where(is_both, complained_at - 90 * SECOND, opted_out_at)
    method = np.where(rng.random(count) < 0.45, "header_one_click", "body_link")
    method = method.astype(object)
    is_scanned = np.zeros(count, dtype=bool)
    if send.is_scanned:
        is_scanned = may_leave & world.people.is_scanned[mails["person"]]
        is_scanned &= rng.random(count) < 0.12
        soon = delivered_at + seconds(rng, *stories.SCANNER_SECONDS, count)
        opted_out_at = np.where(is_scanned, soon, opted_out_at)
        complained_at = when(~is_scanned, complained_at)
        method[is_scanned] = "body_link"
    gone_at = np.minimum(spells.left_at[spell], spells.vanishes_at[spell])
    gone_at = np.minimum(gone_at, world.end)
    opted_out_at = when(opted_out_at < gone_at, opted_out_at)
    # Whoever uses the link in the body has the mail open, with pictures or without.
    is_seen = (opted_out_at < NEVER) & (method == "body_link") & ~is_scanned
    is_seen &= rng.random(count) < 0.7
    seen_at = when(is_seen, np.maximum(opted_out_at - 40 * SECOND, delivered_at))
    return {
        "opted_out_at": opted_out_at,
        "opt_out_method": method,
        "is_scanned": is_scanned & (opted_out_at < NEVER),
        "complained_at": when(complained_at < gone_at, complained_at),
        "opened_at": np.minimum(mails["opened_at"], seen_at),
    }


def _leaving_chances(
    world: World, send: Planned, mails: Columns
) -> tuple[Shares, Shares]:
    """Chance of an opt-out and of a complaint, a recipient.

    Own contacts leave more readily in their first weeks, yet their mean is exactly the
    planted rate; bought ones follow their own curve down from the import.
    """
    people, stream = world.people, send.stream
    person, sent_at = mails["person"], mails["sent_at"]
    is_bought = people.cohort[person] == "bought"
    tenure = (sent_at - world.spells.joined_at[mails["spell"]]) / DAY
    newness = 1 + 1.5 * np.exp(-np.clip(tenure, 0, None) / 30)
    if (~is_bought).any():
        newness /= newness[~is_bought].mean()
    weeks = np.clip(sent_at - world.moment(stories.IMPORT_DAY), 0, None) // (7 * DAY)
    leaving = np.where(
        is_bought,
        np.maximum(stories.BOUGHT_UNSUBSCRIBE_PCT * 0.6**weeks, 0.3),
        stream.unsubscribe_pct * newness,
    )
    complaining = np.where(
        is_bought,
        np.maximum(stories.BOUGHT_COMPLAINT_PCT * 0.4**weeks, 0.08),
        stream.complaint_pct,
    )
    complaining = np.where(
        people.kind[person] == "abuse_complainer", 5 * complaining, complaining
    )
    return leaving * send.unsubscribe / 100, complaining * send.complaints / 100


def _draw_topics(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> Columns:
    """Who drops one topic through the link in the mail and stays on the list."""
    count = len(mails["person"])
    topic = rng.choice(np.array(stories.TOPICS, dtype=object), count, p=[0.2, 0.2, 0.6])
    stays = (mails["opted_out_at"] == NEVER) & (mails["complained_at"] == NEVER)
    is_dropping = mails["is_read"] & stays
    is_dropping &= rng.random(count) < send.stream.topic_opt_out_pct / 100
    for row in np.flatnonzero(is_dropping):
        choice = (int(mails["person"][row]), str(topic[row]))
        is_dropping[row] = choice not in world.topics_off
        world.topics_off.add(choice)
    wait = rng.exponential(1.5 * DAY, count).astype(np.int64) + 2 * MINUTE
    at = mails["delivered_at"] + wait
    return {"topic": topic, "topic_opted_out_at": when(is_dropping, at)}


def _apply_exits(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> None:
    """End the memberships that this send ends, and plan who comes back."""
    spells, people, spell = world.spells, world.people, mails["spell"]
    person, outcome = mails["person"], mails["outcome"]
    is_hard = np.isin(outcome, ("hard", "invalid_address"))
    if send.stream.keeps_events:
        refused_at = np.minimum(
            when(is_hard, mails["bounced_at"]), mails["complained_at"]
        )
        np.minimum.at(world.suppressed_at, person, refused_at)
    bounced, bounced_at = spell[is_hard], mails["bounced_at"][is_hard]
    if send.stream.send_type == "transactional":
        bounced, bounced_at = _offers_spells(world, person[is_hard], bounced_at)
    told: dict[str, Any] = {"campaign_id": send.campaign_id, "is_told": True}
    spells.leave(bounced, bounced_at, "hard_bounce", is_told=True)

    is_leaving = mails["opted_out_at"] < NEVER
    rows, method = spell[is_leaving], mails["opt_out_method"][is_leaving]
    is_asked = (method == "body_link") & ~mails["is_scanned"][is_leaving]
    is_bought = people.cohort[person[is_leaving]] == "bought"
    mood = np.where(is_bought, "imported", send.mood).astype(object)
    reason = draw_reasons(rng, np.where(is_asked, 0.65, 0.0), mood)
    at = mails["opted_out_at"][is_leaving]
    spells.leave(rows, at, "unsubscribe", method=method, reason=reason, **told)
    _plan_returns(world, rows, at, mails["is_scanned"][is_leaving], rng)

    is_complaining = mails["complained_at"] < NEVER
    at = mails["complained_at"][is_complaining]
    spells.leave(spell[is_complaining], at, "complaint", **told)


def _offers_spells(
    world: World, person: Positions, at: Moments
) -> tuple[Positions, Moments]:
    """The offers memberships of people whose order mail bounced: one sender."""
    found = [
        (row, moment)
        for who, moment in zip(person, at, strict=True)
        for row in world.spells.active(stories.SHOP_OFFERS.mail_list, moment)
        if world.spells.person[row] == who
    ]
    rows, moments = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return rows, moments


def _plan_returns(
    world: World,
    rows: Positions,
    at: Moments,
    is_scanned: Flags,
    rng: np.random.Generator,
) -> None:
    """Some subscribe again; most of those whom a machine had opted out do, and soon."""
    spells, count = world.spells, len(rows)
    days = np.where(is_scanned, rng.uniform(1, 5, count), rng.uniform(15, 90, count))
    joined_at = at + (days * DAY).astype(np.int64)
    share = np.where(is_scanned, 0.6, stories.RETURNING_PCT / 100)
    is_back = (rng.random(count) < share) & (joined_at < world.end)
    for row in np.flatnonzero(is_back):
        old = rows[[row]]
        (name,) = spells.mail_list[old]
        new = spells.add(spells.person[old], name, "single", joined_at[[row]])
        world.returns.append((int(old[0]), int(new[0])))
