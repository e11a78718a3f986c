"""What the exporting systems know: campaign totals, mail events, lists, choices.

Frames in canonical words, as far as a moment of the year has got. Who exports which of
them, when and into what file is in ``exports``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dagster_project.demo import stories
from dagster_project.demo.people import COHORTS, LISTS
from dagster_project.demo.reasons import draw_reasons
from dagster_project.demo.stories import Planned
from dagster_project.demo.world import (
    DAY,
    HOUR,
    NEVER,
    SECOND,
    Columns,
    Moments,
    World,
    timestamps,
    utc,
    when,
)

STATUSES: Mapping[str, str] = {
    "": "subscribed",
    "unsubscribe": "unsubscribed",
    "hard_bounce": "bounced",
    "complaint": "complained",
    "validation_removal": "suppressed",
    "sunset": "suppressed",
    "deleted": "archived",
}
"""Why somebody left -> the status their row shows."""
SAID_CAUSES = ("validation_removal", "sunset", "deleted")
"""Causes that the contact list names; the others its status says already."""
SHOP = "https://shop.harbourpine.example.com"
MAIL_SITE = "https://mail.harbourpine.example.com"
PREFERENCE_WORDS: Mapping[str, str] = {
    "opt_out_scope": "list",
    "opt_out_scope_id": "",
    "opt_out_method": "preference_page",
    "initiator": "recipient",
    "reason": "",
}
"""What a preference centre says of an event unless the event says otherwise."""
TOPIC_DROPS = 150
"""Visits to the preference centre that change topics or frequency, a year."""


def campaign_totals(world: World, inbox: str, at: int) -> pd.DataFrame:
    """Count what a sender's campaigns had met by a moment, a row a campaign."""
    rows = []
    for send, mails in world.mailings:
        sent_at = world.moment(send.day, send.hour)
        if send.stream.inbox != inbox or sent_at > at or send.stream.keeps_events:
            continue
        outcome = np.where(mails["bounced_at"] <= at, mails["outcome"], "")
        hard, soft = int((outcome == "hard").sum()), int((outcome == "soft").sum())
        is_opened = mails["opened_at"] <= at
        is_fetched = mails["machine_opened_at"] <= at
        is_clicked = mails["clicked_at"] <= at
        cents = mails["order_cents"][is_clicked]
        repeats = mails["repeat_count"][is_opened].sum()
        rows.append(
            {
                "campaign_id": send.campaign_id,
                "campaign_name": send.name,
                "subject": send.subject,
                "stream": send.stream.name,
                "list": send.stream.mail_list,
                "audience": send.audience,
                "sent_at": utc(sent_at),
                "sent": len(outcome),
                "delivered": len(outcome) - hard - soft,
                "hard_bounces": hard,
                "soft_bounces": soft,
                "unique_opens": int((is_opened | is_fetched).sum()),
                "opens": int(is_opened.sum() + is_fetched.sum() + repeats),
                "unique_clicks": int(is_clicked.sum()),
                "clicks": int(is_clicked.sum() * 1.3),
                "unsubscribes": int((mails["opted_out_at"] <= at).sum()),
                "complaints": int((mails["complained_at"] <= at).sum()),
                "orders": int((cents > 0).sum()),
                "revenue": int(cents.sum()) / 100,
            }
        )
    return pd.DataFrame(rows)


def mail_messages(world: World) -> Columns:
    """Every message of the shop's own sender and what it met, a position a message.

    An order may be a gift: then one message goes to two people and tells less of each.
    """
    rng = world.generator("messages")
    mailings = [
        (send, mails)
        for send, mails in world.mailings
        if send.stream.keeps_events and len(mails["person"])
    ]
    messages = {
        name: np.concatenate([mails[name] for _, mails in mailings])
        for name in mailings[0][1]
    }
    sizes = [len(mails["person"]) for _, mails in mailings]
    send = np.repeat(np.array([send for send, _ in mailings], dtype=object), sizes)
    is_order = np.array([planned.stream == stories.ORDERS for planned in send])
    friend = rng.choice(np.flatnonzero(world.suppressed_at == NEVER), len(send))
    is_gift = is_order & (rng.random(len(send)) < 0.05)
    is_gift &= (friend != messages["person"]) & (messages["outcome"] == "delivered")
    told = {"send": send, "is_order": is_order, "is_gift": is_gift, "friend": friend}
    return {**messages, **told}


def message_headers(world: World, messages: Columns) -> pd.DataFrame:
    """What every event of a message repeats of it, a row a message."""
    send, person, sent_at = messages["send"], messages["person"], messages["sent_at"]
    is_order, address = messages["is_order"], world.people.address
    addressed = zip(person, messages["friend"], messages["is_gift"], strict=True)
    return pd.DataFrame(
        {
            "message_key": [
                f"{planned.campaign_id}/{who}/{at}"
                for planned, who, at in zip(send, person, sent_at, strict=True)
            ],
            "sent_at": timestamps(sent_at),
            "sender": [planned.stream.sender for planned in send],
            "recipients": [
                (address[who], address[friend]) if is_gift else (address[who],)
                for who, friend, is_gift in addressed
            ],
            "subject": [planned.subject for planned in send],
            "configuration_set": np.where(is_order, "transactional", "marketing"),
            "tags": [_tags(planned) for planned in send],
            "is_marketing": ~is_order,
        }
    )


def _tags(send: Planned) -> dict[str, str]:
    tags = {"stream": send.stream.name.lower().replace(" ", "-")}
    tags["send_type"] = send.stream.send_type
    if send.campaign_id:
        tags["campaign"] = send.campaign_id
    return tags


def mail_events(world: World, messages: Columns) -> pd.DataFrame:
    """Every event of these messages in time order, a row an event.

    An event whose recipient is empty is about everybody its message was addressed to.
    """
    rng = world.generator("events")
    person, outcome, at = messages["person"], messages["outcome"], messages
    count, is_gift = len(person), messages["is_gift"]
    address = world.people.address[person]
    client = np.array(["phone", "desktop", "tablet"], dtype=object)[person % 3]
    numbers = rng.integers(1, 400, count)
    page = np.array([f"{SHOP}/p/{number}" for number in numbers], dtype=object)
    leave_page, choice_page = f"{MAIL_SITE}/unsubscribe", f"{MAIL_SITE}/preferences"
    parts: list[pd.DataFrame] = []

    def tell(event_type: str, moments: Moments, **words: Any) -> None:
        happened = np.flatnonzero(moments <= world.end)
        part: dict[str, Any] = {"message": happened, "event_type": event_type}
        for name, value in {"recipient": address, **words}.items():
            part[name] = value[happened] if isinstance(value, np.ndarray) else value
        parts.append(pd.DataFrame({**part, "at": moments[happened]}))

    is_accepted = ~np.isin(outcome, ("failed", "policy"))
    tell("sent", when(is_accepted, at["sent_at"]), recipient="")
    tell("deferred", at["deferred_at"])
    tell("delivered", at["delivered_at"], recipient="")
    for kind in ("hard", "soft"):
        tell("bounced", when(outcome == kind, at["bounced_at"]), bounce_class=kind)
    for kind in ("prior_bounce", "invalid_address", "policy"):
        tell("dropped", when(outcome == kind, at["bounced_at"]), drop_reason=kind)
    tell("failed", when(outcome == "failed", at["bounced_at"]))

    # Nobody can say which of two recipients opened a gift's message.
    opened_at = when(~is_gift, at["opened_at"])
    tell("opened", opened_at, client=client)
    for repeat in (1, 2):
        again = opened_at + rng.integers(HOUR, 60 * HOUR, count)
        tell("opened", when(at["repeat_count"] >= repeat, again), client=client)
    fetched_at = when(~is_gift, at["machine_opened_at"])
    tell("opened", fetched_at, client="privacy_proxy")
    tell("clicked", when(~is_gift, at["clicked_at"]), client=client, url=page)

    opted_out_at, method = at["opted_out_at"], at["opt_out_method"]
    is_link, is_scanned = method == "body_link", at["is_scanned"]
    by_hand = when(is_link & ~is_scanned, opted_out_at - 5 * SECOND)
    tell("clicked", by_hand, client=client, url=leave_page)
    by_machine = when(is_scanned, opted_out_at - 400)
    for url in (page, choice_page, leave_page):
        tell("clicked", by_machine, client="scanner", url=url)
    tell("unsubscribed", opted_out_at, method=method, scope="list")
    narrowed_at = at["topic_opted_out_at"]
    tell("clicked", narrowed_at - 20 * SECOND, client=client, url=choice_page)
    narrowed = {"method": "body_link", "scope": "topic", "scope_id": at["topic"]}
    tell("unsubscribed", narrowed_at, **narrowed)
    tell("complained", at["complained_at"])
    chosen: dict[str, Any] = {"method": "body_link", "scope": "list"}
    tell("resubscribed", _returned_at(world, messages), **chosen)
    # Saving the preference page without changing anything is recorded too.
    is_idle = is_accepted & (opted_out_at == NEVER) & (rng.random(count) < 0.0002)
    tell("preference_changed", when(is_idle, at["delivered_at"] + HOUR), **chosen)
    events = pd.concat(parts, ignore_index=True).fillna("")
    return events.sort_values(["at", "message"], kind="stable", ignore_index=True)


def _returned_at(world: World, messages: Columns) -> Moments:
    """When the person of an opt-out came back, told by the mail they had left with."""
    joined_at = world.spells.joined_at
    came_back = {old: int(joined_at[new]) for old, new in world.returns}
    has_left = messages["opted_out_at"] < NEVER
    returned_at = np.full(len(has_left), NEVER)
    for row in np.flatnonzero(has_left):
        returned_at[row] = came_back.get(int(messages["spell"][row]), NEVER)
    return returned_at


def contact_snapshot(world: World, mail_list: str, at: int) -> pd.DataFrame:
    """A full export of one list: everybody ever on it who was not lost from it."""
    spells, people = world.spells, world.people
    rows = np.flatnonzero((spells.mail_list == mail_list) & (spells.joined_at <= at))
    rows = rows[np.argsort(spells.joined_at[rows], kind="stable")]
    is_older = pd.Series(spells.person[rows]).duplicated(keep="last").to_numpy()
    rows = rows[~is_older & (spells.vanishes_at[rows] > at)]
    person, left_at = spells.person[rows], spells.left_at[rows]
    joined_at, confirmed_at = spells.joined_at[rows], spells.confirmed_at[rows]
    is_gone = left_at <= at
    is_pending = ~is_gone & (spells.mailable_at[rows] > at)
    cause = np.where(is_gone, spells.cause[rows], "")
    status = pd.Series(cause).map(STATUSES).to_numpy()
    is_back = np.isin(rows, [new for _, new in world.returns])
    changed_at = np.where(is_gone, left_at, when(is_back, joined_at))
    is_legacy = (people.cohort[person] == "before") & (person % 25 == 0) & ~is_back
    is_told = cause == "unsubscribe"
    # A few addresses are written the way their owners typed them.
    typed = [
        address.title() if number % 67 == 0 else address
        for number, address in zip(person, people.address[person], strict=True)
    ]
    known_at = when((confirmed_at <= at) & ~is_legacy, confirmed_at)
    method = np.where(is_legacy, "unknown", spells.opt_in_method[rows])
    return pd.DataFrame(
        {
            "email": typed,
            "list": mail_list,
            "status": np.where(is_pending, "pending", status),
            "exported_at": timestamps(np.full(len(rows), at)),
            "snapshot_scope": "full",
            "opted_in_at": timestamps(when(~is_legacy, joined_at)),
            "confirmed_at": timestamps(known_at),
            "opt_in_method": method,
            "signup_source": np.where(is_legacy, "", people.signup_source[person]),
            "status_changed_at": timestamps(changed_at),
            "exit_cause": np.where(np.isin(cause, SAID_CAUSES), cause, ""),
            "opt_out_reason": np.where(is_told, spells.reason[rows], ""),
            "opt_out_campaign_id": np.where(is_told, spells.campaign_id[rows], ""),
            "other_channels": people.other_channels[person],
        }
    )


def preference_events(world: World) -> pd.DataFrame:
    """What people told the preference centre and the staff, in time order."""
    rng, spells = world.generator("preference centre"), world.spells
    opened = world.moment(stories.PREFERENCE_CENTRE_DAY, hour=9)
    dropped = set(world.topics_off)
    events: list[dict[str, Any]] = []

    def tell(event_type: str, at: int, spell: int, **words: str) -> None:
        if opened <= at < world.end:
            event = {"event_type": event_type, "at": at, "spell": spell}
            events.append({**event, **PREFERENCE_WORDS, **words})

    share = len(world.people) / sum(COHORTS.values())
    for _ in range(rng.poisson(TOPIC_DROPS * share)):
        at = int(rng.integers(opened, world.end))
        members = spells.active(LISTS[rng.integers(2)], at)
        if not len(members):
            continue
        spell = int(rng.choice(members))
        if rng.random() < 0.25:
            tell("preference_changed", at, spell, opt_out_scope="")
            continue
        topic = str(rng.choice(stories.TOPICS))
        choice = (int(spells.person[spell]), topic)
        if choice in dropped:
            continue
        dropped.add(choice)
        mood = "too_often" if rng.random() < 0.5 else "ordinary"
        (reason,) = draw_reasons(rng, np.array([0.5]), mood)
        words = {"opt_out_scope": "topic", "opt_out_scope_id": topic}
        tell("unsubscribed", at, spell, **words, reason=reason)
        if rng.random() < 0.08:
            back = at + int(rng.integers(5 * DAY, 60 * DAY))
            tell("resubscribed", back, spell, **words)
    is_told = np.isin(spells.method, ("preference_page", "admin"))
    is_told &= spells.left_at < spells.vanishes_at
    for spell in np.flatnonzero(is_told).tolist():
        method, reason = spells.method[spell], spells.reason[spell]
        by = "sender" if method == "admin" else "recipient"
        words = {"opt_out_method": method, "initiator": by, "reason": reason}
        tell("unsubscribed", spells.left_at[spell], spell, **words)
    for _, spell in world.returns:
        if spells.mail_list[spell] != stories.SHOP_OFFERS.mail_list:
            tell("resubscribed", spells.joined_at[spell], spell)
    names = ["event_type", "at", "spell", *PREFERENCE_WORDS]
    told = pd.DataFrame(events, columns=names)
    told = told.sort_values(["at", "spell"], kind="stable")
    rows = told["spell"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "event_id": [f"pc-{number:05d}" for number in range(1, len(told) + 1)],
            "event_type": told["event_type"].to_numpy(),
            "occurred_at": timestamps(told["at"].to_numpy(dtype=np.int64)),
            "email": world.people.address[spells.person[rows]],
            "list": spells.mail_list[rows],
            **{name: told[name].to_numpy() for name in PREFERENCE_WORDS},
        }
    )
