"""A believable year of exports of one fictional company, with planted stories.

Read it in three parts: what is true (streams, plan, stories), drawing (people, then
every mail), writing (who exports what, and when). Numbers are drawn with the true
rates, never adjusted afterwards, so that a story is as visible as it would be in life.
How a vendor prints a record lives in ``sources/<vendor>/export.py``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

COMPANY = "Harbour & Pine"
DEFAULT_TODAY = date(2026, 10, 31)

Moments = npt.NDArray[np.int64]
"""Milliseconds since 1970 in UTC; ``NEVER`` where something did not happen."""
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]
Columns = dict[str, npt.NDArray[Any]]

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NEVER = np.int64(2**60)
YEAR_DAYS = 365
LAST_HOUR = 18
"""The exports of the last day are taken at 18:00 UTC: nothing later exists."""

# True rates in percent behind the stories.
INVALID_A_YEAR_PCT = 7.5
DELETED_A_YEAR_PCT = 0.8
SUNSET_PCT = 2.5
RETURNING_PCT = 6.0
BOUGHT_INVALID_PCT = 11.0
BOUGHT_UNSUBSCRIBE_PCT = 3.5
BOUGHT_COMPLAINT_PCT = 1.6
SCANNER_SECONDS = (2, 6)
"""How long after delivery a gateway follows the links, from and to."""


@dataclass(frozen=True)
class Stream:
    """One kind of mail to one list, and the true rates of an ordinary send.

    Attributes:
        name: as the sender calls it.
        mail_list: whose members receive it.
        source: the folder its exports come from; with ``account`` the inbox path.
        account: the account within the source.
        slug: what campaign ids start with; empty where the system makes up its own.
        unsubscribe_pct: chance that a delivered mail ends the membership.
        topic_opt_out_pct: chance that it ends one topic only.
        complaint_pct: chance that it is reported as spam.
        open_factor: multiplies a person's own chance to open.
        click_to_open: share of human opens that click.
        send_type: as in the contract.
        sender: visible sender.
        subjects: ordinary subjects, in turn.
        keeps_events: the sender exports every event, not just totals.
    """

    name: str
    mail_list: str
    source: str
    account: str
    slug: str
    unsubscribe_pct: float
    topic_opt_out_pct: float
    complaint_pct: float
    open_factor: float
    click_to_open: float
    send_type: str
    sender: str
    subjects: tuple[str, ...]
    keeps_events: bool = False


NEWSLETTER = Stream(
    name="Newsletter",
    mail_list="Newsletter",
    source="mailchimp",
    account="newsletter",
    slug="",
    unsubscribe_pct=0.24,
    topic_opt_out_pct=0.0,
    complaint_pct=0.02,
    open_factor=0.85,
    click_to_open=0.14,
    send_type="campaign",
    sender=f"{COMPANY} <hello@news.harbourpine.example.com>",
    subjects=(
        "A quiet week by the water",
        "Three rooms, one lamp",
        "The slow Sunday list",
        "Oak, ash, pine: what lasts?",
        'Readers ask: "how do I oil a table?"',
        "Lys i mørket 🕯",
        "Small repairs, long life",
        "What we learned from 400 chairs",
    ),
)
PRODUCT_NEWS = replace(
    NEWSLETTER,
    name="Product news",
    mail_list="Product news",
    unsubscribe_pct=0.35,
    open_factor=0.8,
    subjects=(
        "New: the Skagen shelf",
        "Four new colours of wool",
        "The bench is back",
        "New lamps, fewer cables",
    ),
)
SHOP_OFFERS = Stream(
    name="Shop offers",
    mail_list="Shop offers",
    source="amazon_ses",
    account="shop",
    slug="shop-offers",
    unsubscribe_pct=0.40,
    topic_opt_out_pct=0.06,
    complaint_pct=0.03,
    open_factor=0.8,
    click_to_open=0.12,
    send_type="campaign",
    sender=f"{COMPANY} <offers@mail.harbourpine.example.com>",
    subjects=(
        "This week: 20 % off linen",
        "Last chairs of the season",
        "Free delivery until Sunday",
        "Two for one on candles",
        "Outlet: samples and seconds",
    ),
    keeps_events=True,
)
WELCOME = replace(
    SHOP_OFFERS,
    name="Welcome",
    slug="welcome",
    unsubscribe_pct=0.6,
    topic_opt_out_pct=0.2,
    open_factor=1.3,
    click_to_open=0.25,
    send_type="flow",
    subjects=(f"Welcome to {COMPANY}", "Find your way around the shop"),
)
ORDERS = replace(
    SHOP_OFFERS,
    name="Orders",
    mail_list="",
    slug="",
    unsubscribe_pct=0.0,
    topic_opt_out_pct=0.0,
    complaint_pct=0.0,
    open_factor=1.6,
    click_to_open=0.3,
    send_type="transactional",
    sender=f"{COMPANY} <orders@mail.harbourpine.example.com>",
    subjects=("Your order is confirmed",),
)
STORE_EVENTS = replace(
    NEWSLETTER,
    name="Store events",
    source="generic",
    account="crm",
    slug="store-event",
    unsubscribe_pct=0.3,
    subjects=("An evening of lamps", "Repair café on Saturday", "Wool and wine"),
)
TOPICS = ("new-arrivals", "home-and-garden", "weekend-deals")


@dataclass(frozen=True)
class Planned:
    """One send of the plan; the multipliers are what a story changes.

    Attributes:
        stream: the kind of mail.
        number: counts the stream's sends from 1.
        day: days after the first day of the year.
        minute: minutes after midnight UTC.
        campaign_id: the same for every seed.
        name: of the campaign.
        subject: as received.
        share: of the list that receives it.
        unsubscribe: multiplies the stream's rate; the others likewise.
        opens: see ``unsubscribe``.
        clicks: see ``unsubscribe``.
        complaints: see ``unsubscribe``.
        mood: which reasons people give (a key of ``REASONS``).
        is_scanned: a security gateway follows every link of its users' mail.
        is_failing: the template cannot be rendered.
    """

    stream: Stream
    number: int
    day: int
    minute: int
    campaign_id: str
    name: str
    subject: str
    share: float = 1.0
    unsubscribe: float = 1.0
    opens: float = 1.0
    clicks: float = 1.0
    complaints: float = 1.0
    mood: str = "ordinary"
    is_scanned: bool = False
    is_failing: bool = False


# Days after the first one, which is a Saturday in the default year (2025-11-01).
PREFERENCE_CENTRE_DAY = 92
IMPORT_DAY = 143
CLIMB_DAY = 273
VALIDATION_DAY, CLEAN_DAY = 249, 251
SUNSET_DAY = 319
MISLEADING_DAY, WRONG_SEGMENT_DAY = 82, 313
AFTER_GAP_DAYS = (262, 283, 304)
SCANNED_DAYS = (83, 174, 230)
CONTRADICTORY_DAY = 222
LAST_NEWSLETTER_DAY = 362
FAILING_TEMPLATE_DAYS = (118, 119)

NEWSLETTER_DAYS = tuple(5 + 7 * k for k in range(52) if k not in (7, 8, 36, 40))
PRODUCT_NEWS_DAYS = (*range(3, 193, 21), *range(262, 347, 21))
SHOP_OFFERS_DAYS = (
    *range(6, CLIMB_DAY, 7),
    *sorted((*range(276, 361, 7), *range(279, 364, 7))),
)
CLIMBING_DAYS = tuple(day for day in SHOP_OFFERS_DAYS if day >= CLIMB_DAY)
STORE_EVENT_DAYS = (24, 80, 150, 206, 290, 340)

CLIMB_TIMES = 4.0
"""How many times the ordinary rate the last send of the climb has."""

EFFECTS: Mapping[tuple[str, int], Mapping[str, Any]] = {
    ("Newsletter", WRONG_SEGMENT_DAY): {
        "name": "Trade clearance",
        "subject": "Pallet deals for retailers: minimum order 40 pieces",
        "unsubscribe": 6.5,
        "opens": 0.95,
        "clicks": 0.6,
        "complaints": 3.0,
        "mood": "wrong_segment",
    },
    ("Newsletter", MISLEADING_DAY): {
        "name": "Order teaser",
        "subject": "RE: your order",
        "unsubscribe": 4.5,
        "opens": 1.45,
        "clicks": 0.35,
        "complaints": 2.0,
        "mood": "misled",
    },
    ("Product news", AFTER_GAP_DAYS[0]): {
        "unsubscribe": 3.0,
        "opens": 0.9,
        "mood": "gap",
    },
    ("Product news", AFTER_GAP_DAYS[1]): {"unsubscribe": 1.5, "mood": "gap"},
    ("Product news", AFTER_GAP_DAYS[2]): {"unsubscribe": 1.2},
    **{("Shop offers", day): {"is_scanned": True} for day in SCANNED_DAYS},
}
"""Stream and day of a send -> what a story changes about it."""


def _campaign_id(stream: Stream, number: int) -> str:
    if stream.slug:
        return f"{stream.slug}-{number:02d}"
    made_up = f"{stream.name}/{number}".encode()
    return hashlib.md5(made_up, usedforsecurity=False).hexdigest()[:10]


def _plan_stream(
    stream: Stream, days: tuple[int, ...], minute: int, share: float = 1.0
) -> list[Planned]:
    sends = []
    for number, day in enumerate(days, start=1):
        subject = stream.subjects[(number - 1) % len(stream.subjects)]
        send = Planned(
            stream=stream,
            number=number,
            day=day,
            minute=minute,
            campaign_id=_campaign_id(stream, number),
            name=f"{stream.name} {number:02d}",
            subject=subject,
            share=share,
        )
        sends.append(replace(send, **EFFECTS.get((stream.name, day), {})))
    return sends


def _plan() -> tuple[Planned, ...]:
    """Every campaign of the year in the order of sending."""
    offers = _plan_stream(SHOP_OFFERS, SHOP_OFFERS_DAYS, minute=420)
    climb = [send for send in offers if send.day >= CLIMB_DAY]
    for step, send in enumerate(climb):
        done = step / (len(climb) - 1)
        offers[offers.index(send)] = replace(
            send,
            unsubscribe=CLIMB_TIMES**done,
            opens=1 - 0.4 * done,
            mood="too_often",
        )
    sends = [
        *_plan_stream(NEWSLETTER, NEWSLETTER_DAYS, minute=570),
        *_plan_stream(PRODUCT_NEWS, PRODUCT_NEWS_DAYS, minute=480),
        *offers,
        *_plan_stream(STORE_EVENTS, STORE_EVENT_DAYS, minute=600, share=0.2),
    ]
    return tuple(sorted(sends, key=lambda send: (send.day, send.minute)))


PLAN = _plan()
CONTRADICTORY_SHARE = 0.06
"""Share of the contradictory newsletter's recipients missing from its total."""
UNKNOWN_DELIVERED = _campaign_id(STORE_EVENTS, 4)


@dataclass(frozen=True)
class Story:
    """Something that truly happens in the demo year.

    Attributes:
        key: stable name for tests and documents.
        title: one line for a reader.
        campaign_ids: where it shows, in the order of sending.
        source: of these campaigns, and ``account`` likewise.
        account: see ``source``.
        truth: the planted numbers; rates in percent.
        shows: what a reader of the marts should see.
    """

    key: str
    title: str
    campaign_ids: tuple[str, ...] = ()
    source: str = ""
    account: str = ""
    truth: Mapping[str, float] = field(default_factory=dict)
    shows: str = ""


def _sent(stream: Stream, *days: int) -> tuple[str, ...]:
    found = {send.day: send.campaign_id for send in PLAN if send.stream == stream}
    return tuple(found[day] for day in days)


def _true_pct(stream: Stream, day: int) -> float:
    """The planted chance of an opt-out at one send, in percent."""
    (send,) = (s for s in PLAN if s.stream == stream and s.day == day)
    return round(stream.unsubscribe_pct * send.unsubscribe, 4)


def _story(key: str, title: str, stream: Stream, *days: int, **rest: Any) -> Story:
    campaign_ids = _sent(stream, *days)
    return Story(key, title, campaign_ids, stream.source, stream.account, **rest)


STORIES: tuple[Story, ...] = (
    _story(
        "wrong_segment",
        "A trade promotion went to every newsletter reader",
        NEWSLETTER,
        WRONG_SEGMENT_DAY,
        truth={
            "usual_pct": NEWSLETTER.unsubscribe_pct,
            "unsubscribe_pct": _true_pct(NEWSLETTER, WRONG_SEGMENT_DAY),
        },
        shows="one isolated spike; the sends after it are ordinary",
    ),
    _story(
        "frequency_doubled",
        "Shop offers went from once to twice a week and tired people",
        SHOP_OFFERS,
        *CLIMBING_DAYS,
        truth={
            "first_pct": _true_pct(SHOP_OFFERS, CLIMBING_DAYS[0]),
            "last_pct": _true_pct(SHOP_OFFERS, CLIMBING_DAYS[-1]),
            "last_opens_factor": 0.6,
        },
        shows="a climb over the last three months while opens fall",
    ),
    _story(
        "gap",
        "Product news paused for ten weeks",
        PRODUCT_NEWS,
        *AFTER_GAP_DAYS,
        truth={
            "usual_pct": PRODUCT_NEWS.unsubscribe_pct,
            "after_gap_pct": _true_pct(PRODUCT_NEWS, AFTER_GAP_DAYS[0]),
            "gap_days": 70,
        },
        shows="a high first send after the gap, ordinary again after two more",
    ),
    _story(
        "bought_list",
        "650 bought contacts were imported and mailed",
        NEWSLETTER,
        145,
        152,
        truth={
            "invalid_pct": BOUGHT_INVALID_PCT,
            "first_unsubscribe_pct": BOUGHT_UNSUBSCRIBE_PCT,
            "first_complaint_pct": BOUGHT_COMPLAINT_PCT,
        },
        shows="hard bounces up, complaints above 0.1 %, bad share in the verdicts",
    ),
    _story(
        "contradictory_totals",
        "Delivered and bounced exceed the recipients of one campaign",
        NEWSLETTER,
        CONTRADICTORY_DAY,
        truth={"missing_recipients_pct": 100 * CONTRADICTORY_SHARE},
        shows="the campaign is excluded in the open",
    ),
    Story(
        "unknown_delivered",
        "The agency never told how many invitations of one event arrived",
        (UNKNOWN_DELIVERED,),
        STORE_EVENTS.source,
        STORE_EVENTS.account,
        shows="no rate, delivered unavailable",
    ),
    _story(
        "provisional",
        "The newest newsletter is two days old",
        NEWSLETTER,
        LAST_NEWSLETTER_DAY,
        truth={"age_days": 2},
        shows="maturity provisional, and its totals restated between two exports",
    ),
    _story(
        "misleading_subject",
        'A newsletter pretended to be an answer: "RE: your order"',
        NEWSLETTER,
        MISLEADING_DAY,
        truth={
            "usual_pct": NEWSLETTER.unsubscribe_pct,
            "unsubscribe_pct": _true_pct(NEWSLETTER, MISLEADING_DAY),
            "opens_factor": 1.45,
            "click_to_open_factor": 0.35,
        },
        shows="opens up, click-to-open down, opt-outs up",
    ),
    Story(
        "list_decay",
        "A quarter of the contacts leave within the year",
        truth={
            "invalid_a_year_pct": INVALID_A_YEAR_PCT,
            "deleted_a_year_pct": DELETED_A_YEAR_PCT,
            "sunset_pct": SUNSET_PCT,
        },
        shows="causes side by side; a step at the clean of month nine",
    ),
    Story(
        "preference_centre",
        "People drop one topic instead of leaving",
        source="generic",
        account="crm",
        truth={"first_day": PREFERENCE_CENTRE_DAY},
        shows="topic opt-outs beside, not inside, the unsubscribe rate",
    ),
    _story(
        "scanners",
        "Security gateways follow unsubscribe links within seconds",
        SHOP_OFFERS,
        *SCANNED_DAYS,
        truth={"most_seconds": SCANNER_SECONDS[1]},
        shows="opt-outs suspected automated",
    ),
    Story(
        "resubscribed",
        "Some come back",
        truth={"returning_pct": RETURNING_PCT},
        shows="a second spell on the list, the opt-out episode ended",
    ),
)
"""What the demo year hides; tests find each one in the drawn numbers."""

REASONS: Mapping[str, Mapping[str, float]] = {
    "ordinary": {
        "too_frequent": 22,
        "not_relevant": 20,
        "no_value": 10,
        "never_signed_up": 8,
        "expectation_mismatch": 6,
        "found_alternative": 5,
        "no_longer_needed": 9,
        "unspecified_disinterest": 10,
        "spam_like": 3,
        "technical": 2,
        "address_change": 2,
        "privacy": 1,
        "other": 2,
    },
    "too_often": {"too_frequent": 64, "no_value": 12, "not_relevant": 8, "other": 4},
    "wrong_segment": {"not_relevant": 70, "expectation_mismatch": 12, "spam_like": 6},
    "misled": {"expectation_mismatch": 52, "spam_like": 16, "no_value": 12},
    "gap": {"no_longer_needed": 28, "never_signed_up": 26, "not_relevant": 18},
    "imported": {"never_signed_up": 72, "spam_like": 12, "not_relevant": 8},
}
"""Mood of a send -> canonical reason -> weight among those who answer."""

OPTIONS: Mapping[str, str] = {
    "too_frequent": "Too many emails",
    "not_relevant": "The emails are not relevant to me",
    "no_value": "No value",
    "never_signed_up": "I never signed up",
    "expectation_mismatch": "Not what I expected",
    "found_alternative": "I found an alternative",
    "no_longer_needed": "No longer need it",
    "unspecified_disinterest": "I no longer want to receive these emails",
    "spam_like": "The emails are spam",
    "technical": "Technical",
    "address_change": "Address change",
    "privacy": "Privacy",
    "other": "Other",
}
"""Canonical reason -> the option the opt-out page offers."""

OWN_WORDS: Mapping[str, tuple[str, ...]] = {
    "too_frequent": (
        "you write every other day now, once a week was fine",
        "way too many emails lately",
        "jeg får alt for mange mails",
        "I skriver for tit",
        "zu viele E-Mails",
    ),
    "not_relevant": (
        "I am not a retailer, this is not relevant for me",
        "nothing in here is relevant to me",
        "ikke relevant for mig",
        "für mich nicht relevant",
    ),
    "never_signed_up": (
        "I never subscribed to this, where did you get my address?",
        "jeg har aldrig tilmeldt mig",
        "ich habe mich nie angemeldet",
    ),
    "expectation_mismatch": (
        "the subject said it was about my order, it was not",
        "not what I signed up for",
    ),
    "no_longer_needed": ("we finished the kitchen, thanks", "vi er flyttet"),
    "no_value": ("the discounts are not real discounts",),
    "found_alternative": ("I buy locally now",),
}
"""Canonical reason -> what people type instead; anything else ticks an option."""

COHORTS: Mapping[str, int] = {"before": 3950, "new": 1650, "bought": 650}
"""People by how they came: before the year, during it, in one purchase."""
MEMBER_SHARES: Mapping[str, Mapping[str, float]] = {
    "Newsletter": {"before": 0.835, "new": 0.80, "bought": 1.0},
    "Product news": {"before": 0.55, "new": 0.30, "bought": 0.0},
    "Shop offers": {"before": 0.21, "new": 0.25, "bought": 0.35},
}
"""List -> cohort -> share of it that is on the list."""
LISTS = tuple(MEMBER_SHARES)
MAIL_DOMAINS: Mapping[str, float] = {
    "example.com": 0.34,
    "example.org": 0.18,
    "example.net": 0.12,
    "mail.example.com": 0.12,
    "post.example.org": 0.08,
    "home.example.net": 0.06,
    "inbox.example.com": 0.04,
    "corp.example.net": 0.06,
}
"""Reserved domains only, so that no address can be anybody's."""
SCANNED_DOMAIN = "corp.example.net"

KINDS: Mapping[str, tuple[float, float]] = {
    "accepted": (0.889, 0.62),
    "alias": (0.02, 0.02),
    "catch_all": (0.035, 0.07),
    "role": (0.012, 0.09),
    "disposable": (0.006, 0.02),
    "spamtrap": (0.0004, 0.02),
    "abuse_complainer": (0.004, 0.03),
    "toxic": (0.0006, 0.01),
    "mailbox_not_found": (0.018, 0.08),
    "mailbox_full": (0.010, 0.03),
    "greylisted": (0.005, 0.01),
}
"""What a validator says of an address -> share of own and of bought contacts."""
REMOVED_KINDS = (
    "mailbox_not_found",
    "spamtrap",
    "abuse_complainer",
    "toxic",
    "disposable",
)


@dataclass(frozen=True)
class People:
    """Everybody who was ever on a list, one position a person."""

    address: Words
    cohort: Words
    signup_source: Words
    kind: Words
    other_channels: Words
    engagement: npt.NDArray[np.float64]
    has_privacy_proxy: Flags
    is_scanned: Flags
    is_customer: Flags
    dies_at: Moments

    def __len__(self) -> int:
        return len(self.address)


class Spells:
    """Memberships of lists, one position a spell; a return is a spell of its own."""

    def __init__(self) -> None:
        self.person: Positions = np.empty(0, dtype=np.int64)
        self.mail_list: Words = np.empty(0, dtype=object)
        self.opt_in_method: Words = np.empty(0, dtype=object)
        self.joined_at: Moments = np.empty(0, dtype=np.int64)
        self.confirmed_at: Moments = np.empty(0, dtype=np.int64)
        self.mailable_at: Moments = np.empty(0, dtype=np.int64)
        self.vanishes_at: Moments = np.empty(0, dtype=np.int64)
        self.left_at: Moments = np.empty(0, dtype=np.int64)
        self.cause: Words = np.empty(0, dtype=object)
        self.method: Words = np.empty(0, dtype=object)
        self.reason: Words = np.empty(0, dtype=object)
        self.campaign_id: Words = np.empty(0, dtype=object)
        self.is_told: Flags = np.empty(0, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.person)

    def add(
        self,
        person: Positions,
        mail_list: str,
        opt_in_method: Words,
        joined_at: Moments,
        confirmed_at: Moments,
    ) -> Positions:
        """Begin memberships and give their positions.

        A double opt-in without a confirmation is pending and never mailed.
        """
        count = len(person)
        nothing = np.full(count, "", dtype=object)
        is_double = opt_in_method == "double"
        added = {
            "person": person,
            "mail_list": np.full(count, mail_list, dtype=object),
            "opt_in_method": opt_in_method,
            "joined_at": joined_at,
            "confirmed_at": confirmed_at,
            "mailable_at": np.where(is_double, confirmed_at, joined_at),
            "vanishes_at": np.full(count, NEVER),
            "left_at": np.full(count, NEVER),
            "cause": nothing,
            "method": nothing,
            "reason": nothing,
            "campaign_id": nothing,
            "is_told": np.zeros(count, dtype=bool),
        }
        first = len(self)
        for name, values in added.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        return np.arange(first, first + count)

    def active(self, mail_list: str, at: int) -> Positions:
        """Positions that may be mailed at a moment."""
        is_member = (self.mailable_at <= at) & (self.left_at > at)
        is_present = (self.vanishes_at > at) & (self.mail_list == mail_list)
        return np.flatnonzero(is_member & is_present)

    def leave(
        self,
        rows: Positions,
        at: Moments,
        cause: str,
        *,
        method: str | Words = "",
        reason: str | Words = "",
        campaign_id: str = "",
        is_told: bool = False,
    ) -> None:
        """End memberships; the first exit counts, so a later one changes nothing.

        Args:
            rows: whose.
            at: when, one moment a row.
            cause: the canonical exit cause.
            method: how they opted out.
            reason: what they answered.
            campaign_id: the mail that made them leave.
            is_told: some export already tells of it, so nothing may overtake it.
        """
        is_first = at < self.left_at[rows]
        kept = rows[is_first]
        self.left_at[kept] = at[is_first]
        self.cause[kept] = cause
        self.method[kept] = np.broadcast_to(method, rows.shape)[is_first]
        self.reason[kept] = np.broadcast_to(reason, rows.shape)[is_first]
        self.campaign_id[kept] = campaign_id
        self.is_told[kept] = is_told


@dataclass
class World:
    """One drawn year.

    Attributes:
        seed: of all its random numbers.
        start: first moment.
        end: last moment; nothing later is exported.
        people: everybody.
        spells: their memberships.
        suppressed_at: per person, since when the shop's own sender refuses to mail.
        mailings: every send and, a row a recipient, what it met.
        returns: spell that ended, spell that began.
        verdicts: person and validation_reason of the bulk validation.
        topics_off: person and topic, so that nobody drops a topic twice.
    """

    seed: int
    start: int
    end: int
    people: People
    spells: Spells
    suppressed_at: Moments
    mailings: list[tuple[Planned, Columns]] = field(default_factory=list)
    returns: list[tuple[int, int]] = field(default_factory=list)
    verdicts: pd.DataFrame = field(default_factory=pd.DataFrame)
    topics_off: set[tuple[int, str]] = field(default_factory=set)

    def moment(self, day: int, minute: int = 0) -> int:
        """A moment of the year from its day and the minute of that day."""
        return self.start + day * DAY + minute * MINUTE

    def within(self, day: int) -> tuple[int, int]:
        """First and last-plus-one moment of a day, the last day cut at the exports."""
        return self.moment(day), min(self.moment(day + 1), self.end)

    def month_starts(self) -> list[int]:
        """First days of the months within the year, after a first export on day one."""
        days = pd.date_range(_utc(self.start), _utc(self.end), freq="D")
        return [int(day.timestamp() * 1000) for day in days[1:] if day.day == 1]

    def generator(self, *names: object) -> np.random.Generator:
        """An own stream of random numbers, so that one story never moves another."""
        return _generator(self.seed, *names)


def _generator(seed: int, *names: object) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(repr(names).encode())])


def _utc(at: int) -> pd.Timestamp:
    return pd.Timestamp(at, unit="ms")


def draw_year(seed: int = 7, today: date = DEFAULT_TODAY, scale: float = 1.0) -> World:
    """Draw the people and everything that happens to them, day by day."""
    midnight = int(pd.Timestamp(today).timestamp() * 1000)
    start = midnight - (YEAR_DAYS - 1) * DAY
    people = _draw_people(seed, start, scale)
    world = World(
        seed=seed,
        start=start,
        end=midnight + LAST_HOUR * HOUR,
        people=people,
        spells=Spells(),
        suppressed_at=np.full(len(people), NEVER),
    )
    _draw_memberships(world)
    for day in range(YEAR_DAYS):
        if day == VALIDATION_DAY:
            _validate(world)
        if day == CLEAN_DAY:
            _clean(world)
        if day == SUNSET_DAY:
            _sunset(world)
        _send_welcome(world, day)
        _send_orders(world, day)
        for send in PLAN:
            if send.day == day:
                _send_campaign(world, send)
    return world


def _draw_people(seed: int, start: int, scale: float) -> People:
    """Draw own contacts of before and of this year, and the bought ones."""
    rng = _generator(seed, "people")
    sizes = [max(20, int(size * scale)) for size in COHORTS.values()]
    cohort = np.repeat(np.array(list(COHORTS), dtype=object), sizes)
    count, is_bought = len(cohort), cohort == "bought"
    own, bought = np.array(list(KINDS.values())).T
    kinds = np.array(list(KINDS), dtype=object)
    kind = rng.choice(kinds, count, p=own)
    kind[is_bought] = rng.choice(kinds, is_bought.sum(), p=bought)
    domains = np.array(list(MAIL_DOMAINS), dtype=object)
    domain = rng.choice(domains, count, p=list(MAIL_DOMAINS.values()))
    ways = np.array(["website", "checkout", "event", "partner"], dtype=object)
    signup_source = rng.choice(ways, count, p=[0.5, 0.36, 0.09, 0.05])
    signup_source[is_bought] = "import"
    dead_pct = np.where(is_bought, 2 * INVALID_A_YEAR_PCT, INVALID_A_YEAR_PCT)
    life = rng.exponential(YEAR_DAYS * 100 / dead_pct)
    dies_at = start + (life * DAY).astype(np.int64)
    dies_at[is_bought & (rng.random(count) < BOUGHT_INVALID_PCT / 100)] = start
    channels = np.array(["", "sms", "post"], dtype=object)
    return People(
        address=_addresses(rng.permutation(count) + 1, domain, kind),
        cohort=cohort,
        signup_source=signup_source,
        kind=kind,
        other_channels=rng.choice(channels, count, p=[0.74, 0.18, 0.08]),
        engagement=rng.beta(np.where(is_bought, 1.0, 1.3), np.where(is_bought, 6, 2.5)),
        has_privacy_proxy=rng.random(count) < 0.2,
        is_scanned=domain == SCANNED_DOMAIN,
        is_customer=(rng.random(count) < 0.35) & ~is_bought,
        dies_at=dies_at,
    )


def _addresses(numbers: Positions, domains: Words, kinds: Words) -> Words:
    roles = ("info", "sales", "office")
    made = [
        f"{roles[number % 3]}@firm{number:05d}.example.org"
        if kind == "role"
        else f"reader{number:05d}.demo@{domain}"
        for number, domain, kind in zip(numbers, domains, kinds, strict=True)
    ]
    return np.array(made, dtype=object)


def _draw_memberships(world: World) -> None:
    """Put everybody on lists: own contacts by choice, bought ones by import."""
    rng, people = world.generator("memberships"), world.people
    count = len(people)
    is_old, is_bought = people.cohort == "before", people.cohort == "bought"
    joined_at = world.start + rng.integers(0, YEAR_DAYS * DAY, count)
    age = np.minimum(rng.exponential(500, count) + 2, 1800) * DAY
    joined_at[is_old] = world.start - age[is_old].astype(np.int64)
    upload = world.moment(IMPORT_DAY, minute=14 * 60)
    joined_at[is_bought] = upload + np.arange(is_bought.sum()) * 40
    method = _opt_in_methods(rng, people.signup_source)
    is_member = {
        name: rng.random(count) < pd.Series(people.cohort).map(chances).to_numpy()
        for name, chances in MEMBER_SHARES.items()
    }
    is_member["Newsletter"] |= ~np.logical_or.reduce(list(is_member.values()))
    # Most people confirm within the hour; some never do and stay pending.
    wait = (rng.lognormal(2.3, 1.0, count) * MINUTE).astype(np.int64)
    is_pending = (rng.random(count) < 0.06) & ~is_old
    confirmed_at = np.where((method == "double") & ~is_pending, joined_at + wait, NEVER)
    for name, is_on in is_member.items():
        person = np.flatnonzero(is_on)
        rows = world.spells.add(
            person, name, method[person], joined_at[person], confirmed_at[person]
        )
        _plan_quiet_exits(world, rng, name, rows)


def _opt_in_methods(rng: np.random.Generator, signup_source: Words) -> Words:
    draw = rng.random(len(signup_source))
    method = np.where(draw < 0.6, "double", "single").astype(object)
    method[signup_source == "checkout"] = "single"
    method[signup_source == "event"] = "event"
    method[(signup_source == "partner") & (draw < 0.6)] = "unknown"
    method[signup_source == "import"] = "purchased"
    return method


def _plan_quiet_exits(
    world: World, rng: np.random.Generator, name: str, rows: Positions
) -> None:
    """Decide who will leave without any mail: by page, by phone, erased, lost."""
    spells, count = world.spells, len(rows)
    since = np.maximum(spells.mailable_at[rows], world.start)
    page_opens = np.maximum(since, world.moment(PREFERENCE_CENTRE_DAY, 9 * 60))

    def waited(yearly_pct: float, earliest: Moments) -> Moments:
        days = rng.exponential(YEAR_DAYS * 100 / yearly_pct, count)
        return np.minimum(earliest + (days * DAY).astype(np.int64), NEVER)

    if name != SHOP_OFFERS.mail_list:
        by_staff = rng.random(count) < 0.12
        method = np.where(by_staff, "admin", "preference_page").astype(object)
        reason = _reasons(rng, np.where(by_staff, 0.0, 0.55), "ordinary")
        at = waited(2.0, page_opens)
        spells.leave(rows, at, "unsubscribe", method=method, reason=reason)
    spells.leave(rows, waited(DELETED_A_YEAR_PCT, since), "deleted")
    spells.vanishes_at[rows] = waited(0.6, since)


def _reasons(
    rng: np.random.Generator,
    answer_share: npt.NDArray[np.float64],
    mood: str | Words,
) -> Words:
    """Draw what each of some leavers answers: an option, own words, or nothing."""
    count = len(answer_share)
    answers = np.full(count, "", dtype=object)
    moods = np.broadcast_to(np.asarray(mood, dtype=object), (count,))
    for row in np.flatnonzero(rng.random(count) < answer_share):
        weights = REASONS[moods[row]]
        share = np.array(list(weights.values()), dtype=float)
        reason = list(weights)[rng.choice(len(share), p=share / share.sum())]
        own = OWN_WORDS.get(reason, ())
        if own and rng.random() < 0.15:
            answers[row] = own[rng.integers(len(own))]
        else:
            answers[row] = OPTIONS[reason]
    return answers


def _validate(world: World) -> None:
    """Ask a validator about everybody who is mailed, before the clean."""
    at = world.moment(VALIDATION_DAY, minute=10 * 60)
    rng = world.generator("validation")
    spells, people = world.spells, world.people
    rows = np.concatenate([spells.active(name, at) for name in LISTS])
    person = np.unique(spells.person[rows])
    verdict = people.kind[person]
    verdict[people.dies_at[person] <= at] = "mailbox_not_found"
    verdict[rng.random(len(person)) < 0.012] = "timeout"
    world.verdicts = pd.DataFrame({"person": person, "validation_reason": verdict})


def _clean(world: World) -> None:
    """Take off every list whoever the validator advised against."""
    at = world.moment(CLEAN_DAY, minute=9 * 60)
    is_bad = world.verdicts["validation_reason"].isin(REMOVED_KINDS)
    bad = world.verdicts.loc[is_bad, "person"]
    for name in LISTS:
        rows = world.spells.active(name, at)
        rows = rows[np.isin(world.spells.person[rows], bad)]
        world.spells.leave(rows, np.full(len(rows), at), "validation_removal")


def _sunset(world: World) -> None:
    """Let go of half of those who hardly ever opened anything."""
    at = world.moment(SUNSET_DAY, minute=9 * 60)
    rng, spells = world.generator("sunset"), world.spells
    rows = spells.active(NEWSLETTER.mail_list, at)
    engagement = world.people.engagement[spells.person[rows]]
    is_idle = engagement < np.quantile(engagement, 2 * SUNSET_PCT / 100)
    is_old = spells.joined_at[rows] < at - 180 * DAY
    rows = rows[is_idle & is_old & (rng.random(len(rows)) < 0.5)]
    spells.leave(rows, np.full(len(rows), at), "sunset")


def _send_campaign(world: World, send: Planned) -> None:
    rng = world.generator("campaign", send.campaign_id)
    at = world.moment(send.day, send.minute)
    spell = world.spells.active(send.stream.mail_list, at)
    spell = spell[rng.random(len(spell)) < send.share]
    sent_at = at + np.sort(rng.integers(0, 20 * MINUTE, len(spell)))
    _mail(world, send, world.spells.person[spell], spell, sent_at, rng)


def _send_welcome(world: World, day: int) -> None:
    """Greet who joined the offers list: at once, and three days later."""
    spells = world.spells
    first, last = world.within(day)
    for number, wait in enumerate((2 * MINUTE, 3 * DAY), start=1):
        since = spells.mailable_at + wait
        is_due = (since >= first) & (since < last) & (spells.left_at > since)
        spell = np.flatnonzero(is_due)
        is_greeted = spells.mail_list[spell] == WELCOME.mail_list
        spell = spell[is_greeted & (spells.opt_in_method[spell] != "purchased")]
        send = Planned(
            stream=WELCOME,
            number=number,
            day=day,
            minute=0,
            campaign_id=_campaign_id(WELCOME, number),
            name=f"Welcome {number}",
            subject=WELCOME.subjects[number - 1],
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
        stream=ORDERS,
        number=day + 1,
        day=day,
        minute=0,
        campaign_id="",
        name="Order confirmation",
        subject=ORDERS.subjects[0],
        is_failing=day in FAILING_TEMPLATE_DAYS,
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


def _when(condition: Flags, moments: Moments) -> Moments:
    return np.where(condition, moments, NEVER)


def _seconds(rng: np.random.Generator, low: float, high: float, count: int) -> Moments:
    return rng.integers(int(low * SECOND), int(high * SECOND), count)


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
    transit += np.where(is_deferred, _seconds(rng, 1200, 12000, count), 0)
    bounce_wait = _seconds(rng, 1, 40, count)
    bounce_wait += np.where(outcome == "soft", _seconds(rng, 1e4, 5e4, count), 0)
    bounce_wait += np.where(is_late, _seconds(rng, 9e4, 3e5, count), 0)
    is_arrived = (outcome == "delivered") | is_late
    return {
        "outcome": outcome,
        "is_read": (outcome == "delivered") & ~is_dead,
        "deferred_at": _when(is_deferred, sent_at + _seconds(rng, 90, 600, count)),
        "delivered_at": _when(is_arrived, sent_at + transit),
        "bounced_at": _when(outcome != "delivered", sent_at + bounce_wait),
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
    opened_at = _when(is_opened, delivered_at + wait)
    is_fetched = mails["is_read"] & has_proxy & (rng.random(count) < 0.9)
    to_click = stream.click_to_open * send.clicks * noise[1]
    is_clicked = is_opened & (rng.random(count) < to_click)
    is_bought = is_clicked & (rng.random(count) < 0.06)
    return {
        "opened_at": opened_at,
        "repeat_count": np.where(is_opened, rng.geometric(0.87, count) - 1, 0),
        "machine_opened_at": _when(
            is_fetched, delivered_at + _seconds(rng, 20, 2400, count)
        ),
        "clicked_at": _when(is_clicked, opened_at + _seconds(rng, 8, 150, count)),
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
    wait = (rng.exponential(2.1 * DAY, count)).astype(np.int64) + 90 * SECOND
    opted_out_at = _when(is_leaving, delivered_at + wait)
    wait = (rng.exponential(0.6 * DAY, count)).astype(np.int64) + 10 * MINUTE
    complained_at = _when(is_complaining, delivered_at + wait)
    # Some people do both, and the opt-out comes first.
    is_both = is_complaining & (rng.random(count) < 0.12)
    opted_out_at = np.where(is_both, complained_at - 90 * SECOND, opted_out_at)
    method = np.where(rng.random(count) < 0.45, "header_one_click", "body_link")
    method = method.astype(object)
    is_scanned = np.zeros(count, dtype=bool)
    if send.is_scanned:
        is_scanned = may_leave & world.people.is_scanned[mails["person"]]
        is_scanned &= rng.random(count) < 0.15
        soon = delivered_at + _seconds(rng, *SCANNER_SECONDS, count)
        opted_out_at = np.where(is_scanned, soon, opted_out_at)
        complained_at = _when(~is_scanned, complained_at)
        method[is_scanned] = "body_link"
    gone_at = np.minimum(spells.left_at[spell], spells.vanishes_at[spell])
    gone_at = np.minimum(gone_at, world.end)
    opted_out_at = _when(opted_out_at < gone_at, opted_out_at)
    # Whoever uses the link in the body has the mail open, with pictures or without.
    is_seen = (opted_out_at < NEVER) & (method == "body_link") & ~is_scanned
    is_seen &= rng.random(count) < 0.7
    seen_at = _when(is_seen, np.maximum(opted_out_at - 40 * SECOND, delivered_at))
    return {
        "opted_out_at": opted_out_at,
        "opt_out_method": method,
        "is_scanned": is_scanned & (opted_out_at < NEVER),
        "complained_at": _when(complained_at < gone_at, complained_at),
        "opened_at": np.minimum(mails["opened_at"], seen_at),
    }


def _leaving_chances(
    world: World, send: Planned, mails: Columns
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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
    weeks = np.clip(sent_at - world.moment(IMPORT_DAY), 0, None) // (7 * DAY)
    fade = 0.55 ** weeks.astype(float)
    leaving = np.where(
        is_bought,
        np.maximum(BOUGHT_UNSUBSCRIBE_PCT * fade, 0.6),
        stream.unsubscribe_pct * newness,
    )
    complaining = np.where(
        is_bought,
        np.maximum(BOUGHT_COMPLAINT_PCT * fade, 0.08),
        np.full(len(person), stream.complaint_pct),
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
    topic = rng.choice(np.array(TOPICS, dtype=object), count, p=[0.2, 0.2, 0.6])
    stays = (mails["opted_out_at"] == NEVER) & (mails["complained_at"] == NEVER)
    is_dropping = mails["is_read"] & stays
    is_dropping &= rng.random(count) < send.stream.topic_opt_out_pct / 100
    for row in np.flatnonzero(is_dropping):
        choice = (int(mails["person"][row]), str(topic[row]))
        is_dropping[row] = choice not in world.topics_off
        world.topics_off.add(choice)
    wait = (rng.exponential(1.5 * DAY, count)).astype(np.int64) + 2 * MINUTE
    at = mails["delivered_at"] + wait
    return {"topic": topic, "topic_opted_out_at": _when(is_dropping, at)}


def _apply_exits(
    world: World, send: Planned, mails: Columns, rng: np.random.Generator
) -> None:
    """End the memberships that this send ends, and plan who comes back."""
    spells, people, spell = world.spells, world.people, mails["spell"]
    person, outcome = mails["person"], mails["outcome"]
    is_hard = np.isin(outcome, ("hard", "invalid_address"))
    if send.stream.keeps_events:
        refused_at = np.minimum(
            _when(is_hard, mails["bounced_at"]), mails["complained_at"]
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
    reason = _reasons(rng, np.where(is_asked, 0.65, 0.0), mood)
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
        for row in world.spells.active(SHOP_OFFERS.mail_list, moment)
        if world.spells.person[row] == who
    ]
    rows = np.array([row for row, _ in found], dtype=np.int64)
    return rows, np.array([moment for _, moment in found], dtype=np.int64)


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
    share = np.where(is_scanned, 0.6, RETURNING_PCT / 100)
    is_back = (rng.random(count) < share) & (joined_at < world.end)
    single = np.array(["single"], dtype=object)
    for row in np.flatnonzero(is_back):
        old = rows[row]
        new = spells.add(
            spells.person[[old]],
            spells.mail_list[old],
            single,
            joined_at[[row]],
            np.array([NEVER]),
        )
        world.returns.append((int(old), int(new[0])))


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
EVENT_WORDS: Mapping[str, str] = {
    "bounce_class": "",
    "drop_reason": "",
    "client": "",
    "url": "",
    "method": "",
    "scope": "",
    "scope_id": "",
}
"""What an event says unless it is of the kind that says more."""
SHOP, MAIL_SITE = (
    "https://shop.harbourpine.example.com",
    "https://mail.harbourpine.example.com",
)
REDELIVERED_SHARE = 0.015
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


@dataclass(frozen=True)
class DemoFile:
    """One written file: where, what kind, how many records and bytes."""

    path: Path
    source: str
    account: str
    export: str
    record_count: int
    byte_count: int


@dataclass(frozen=True)
class DemoSummary:
    """What ``write_demo`` wrote and which stories are in it."""

    directory: Path
    first_day: date
    last_day: date
    files: tuple[DemoFile, ...]
    stories: tuple[Story, ...] = STORIES

    @property
    def record_count(self) -> int:
        """Records over all files."""
        return sum(file.record_count for file in self.files)

    @property
    def byte_count(self) -> int:
        """Bytes over all files, as stored."""
        return sum(file.byte_count for file in self.files)


def write_demo(
    directory: Path, seed: int = 7, today: date = DEFAULT_TODAY, scale: float = 1.0
) -> DemoSummary:
    """Write the demo year below a folder, in the layout of an inbox.

    The same arguments give the same bytes and the same file times; no clock is read.

    Args:
        directory: made when missing; files of the same name are replaced.
        seed: another seed is another year with the same stories.
        today: the last day of the year; everything moves with it.
        scale: multiplies the number of people; below 1 the stories drown in noise.
    """
    world = draw_year(seed, today, scale)
    writer = _Writer(directory)
    _write_campaign_totals(world, writer)
    _write_mail_events(world, writer)
    _write_contacts(world, writer)
    _write_preference_centre(world, writer)
    _write_store_events(world, writer)
    _write_verdicts(world, writer)
    return DemoSummary(directory, _utc(world.start).date(), today, tuple(writer.files))


class _Writer:
    """Puts files into the inbox layout, each with the time of its export."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.files: list[DemoFile] = []

    def write(
        self, path: str, export: str, content: bytes, records: int, at: int
    ) -> None:
        """Write one file whole: a watched inbox never sees a part of it."""
        target = self._directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        part.write_bytes(content)
        os.utime(part, ns=(at * 1_000_000, at * 1_000_000))
        part.replace(target)
        source, *account, _ = path.split("/")
        self.files.append(
            DemoFile(target, source, "".join(account), export, records, len(content))
        )


def _printer(source: str) -> ModuleType:
    """Load what prints a vendor's files; its folder stays three plain files."""
    path = Path(__file__).parent / "sources" / source / "export.py"
    spec = importlib.util.spec_from_file_location(f"demo_export_{source}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _moments(values: Moments) -> npt.NDArray[np.datetime64]:
    """Milliseconds as naive UTC moments, unknown where nothing happened."""
    unknown = np.datetime64("NaT", "ms")
    return np.where(values < NEVER, values.astype("datetime64[ms]"), unknown)


def campaign_totals(world: World, source: str, at: int) -> pd.DataFrame:
    """Count what a source's campaigns had met by a moment, a row a campaign."""
    rows = []
    for send, mails in world.mailings:
        sent_at = world.moment(send.day, send.minute)
        if send.stream.source != source or sent_at > at or send.stream.keeps_events:
            continue
        is_bounced = mails["bounced_at"] <= at
        hard = int((is_bounced & (mails["outcome"] == "hard")).sum())
        soft = int((is_bounced & (mails["outcome"] == "soft")).sum())
        is_opened = mails["opened_at"] <= at
        is_fetched = mails["machine_opened_at"] <= at
        repeats = int(mails["repeat_count"][is_opened].sum())
        is_clicked = mails["clicked_at"] <= at
        cents = mails["order_cents"][is_clicked]
        rows.append(
            {
                "campaign_id": send.campaign_id,
                "campaign_name": send.name,
                "subject": send.subject,
                "stream": send.stream.name,
                "list": send.stream.mail_list,
                "sent_at": _utc(sent_at),
                "sent": len(is_opened),
                "delivered": len(is_opened) - hard - soft,
                "hard_bounces": hard,
                "soft_bounces": soft,
                "unique_opens": int((is_opened | is_fetched).sum()),
                "opens": int(is_opened.sum() + is_fetched.sum()) + repeats,
                "unique_clicks": int(is_clicked.sum()),
                "clicks": int(is_clicked.sum() * 1.3),
                "unsubscribes": int((mails["opted_out_at"] <= at).sum()),
                "complaints": int((mails["complained_at"] <= at).sum()),
                "orders": int((cents > 0).sum()),
                "revenue": int(cents.sum()) / 100,
            }
        )
    return pd.DataFrame(rows)


def _write_campaign_totals(world: World, writer: _Writer) -> None:
    """A cumulative export a month, and two more in the last week."""
    source, account = NEWSLETTER.source, NEWSLETTER.account
    last_week = [world.moment(359, 6 * 60), world.moment(363, 6 * 60), world.end]
    for at in (*(first + 6 * HOUR for first in world.month_starts()), *last_week):
        totals = campaign_totals(world, source, at)
        is_broken = totals["campaign_id"].isin(_sent(NEWSLETTER, CONTRADICTORY_DAY))
        missing = (totals["sent"] * CONTRADICTORY_SHARE).astype(int)
        totals["sent"] = np.where(is_broken, totals["sent"] - missing, totals["sent"])
        content = _printer(source).campaigns_csv(totals)
        path = f"{source}/{account}/campaigns-{_utc(at):%Y-%m-%d}.csv"
        writer.write(path, "campaign_stats", content, len(totals), at)


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
    person, count = messages["person"], len(send)
    is_order = np.array([planned.stream == ORDERS for planned in send])
    friends = rng.choice(np.flatnonzero(world.suppressed_at == NEVER), count)
    is_gift = is_order & (rng.random(count) < 0.05) & (friends != person)
    is_gift &= messages["outcome"] == "delivered"
    recipients = np.empty(count, dtype=object)
    address = world.people.address
    for row, (who, friend) in enumerate(zip(person, friends, strict=True)):
        both = (address[who], address[friend])
        recipients[row] = both if is_gift[row] else both[:1]
    return {**messages, "send": send, "is_gift": is_gift, "recipients": recipients}


def _printed_messages(messages: Columns) -> pd.DataFrame:
    """What a record repeats of its message, in canonical words."""
    send, person, sent_at = messages["send"], messages["person"], messages["sent_at"]
    is_order = np.array([planned.stream == ORDERS for planned in send])
    return pd.DataFrame(
        {
            "message_key": [
                f"{planned.campaign_id}/{who}/{at}"
                for planned, who, at in zip(send, person, sent_at, strict=True)
            ],
            "sent_at": _moments(sent_at),
            "sender": [planned.stream.sender for planned in send],
            "recipients": messages["recipients"],
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
        for name, value in {**EVENT_WORDS, "recipient": address, **words}.items():
            part[name] = value[happened] if isinstance(value, np.ndarray) else value
        parts.append(pd.DataFrame({**part, "at": moments[happened]}))

    is_accepted = ~np.isin(outcome, ("failed", "policy"))
    tell("sent", _when(is_accepted, at["sent_at"]), recipient="")
    tell("deferred", at["deferred_at"])
    tell("delivered", at["delivered_at"], recipient="")
    for kind in ("hard", "soft"):
        tell("bounced", _when(outcome == kind, at["bounced_at"]), bounce_class=kind)
    for kind in ("prior_bounce", "invalid_address", "policy"):
        tell("dropped", _when(outcome == kind, at["bounced_at"]), drop_reason=kind)
    tell("failed", _when(outcome == "failed", at["bounced_at"]))

    # Nobody can say which of two recipients opened a gift's message.
    opened_at = _when(~is_gift, at["opened_at"])
    tell("opened", opened_at, client=client)
    for repeat in (1, 2):
        again = opened_at + rng.integers(HOUR, 60 * HOUR, count)
        tell("opened", _when(at["repeat_count"] >= repeat, again), client=client)
    fetched_at = _when(~is_gift, at["machine_opened_at"])
    tell("opened", fetched_at, client="privacy_proxy")
    tell("clicked", _when(~is_gift, at["clicked_at"]), client=client, url=page)

    opted_out_at, method = at["opted_out_at"], at["opt_out_method"]
    is_link, is_scanned = method == "body_link", at["is_scanned"]
    by_hand = _when(is_link & ~is_scanned, opted_out_at - 5 * SECOND)
    tell("clicked", by_hand, client=client, url=leave_page)
    by_machine = _when(is_scanned, opted_out_at - 400)
    for url in (page, choice_page, leave_page):
        tell("clicked", by_machine, client="scanner", url=url)
    tell("unsubscribed", opted_out_at, method=method, scope="list")
    narrowed_at = at["topic_opted_out_at"]
    chosen: dict[str, Any] = {"method": "body_link", "scope": "topic"}
    tell("clicked", narrowed_at - 20 * SECOND, client=client, url=choice_page)
    tell("unsubscribed", narrowed_at, **chosen, scope_id=at["topic"])
    tell("complained", at["complained_at"])
    chosen["scope"] = "list"
    tell("resubscribed", _returned_at(world, messages), **chosen)
    # Saving the preference page without changing anything is recorded too.
    is_idle = is_accepted & (opted_out_at == NEVER) & (rng.random(count) < 0.0002)
    tell("preference_changed", _when(is_idle, at["delivered_at"] + HOUR), **chosen)
    events = pd.concat(parts, ignore_index=True)
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


def _write_mail_events(world: World, writer: _Writer) -> None:
    """A file a week of what arrived in it, some of it twice, as it really does."""
    rng = world.generator("transport")
    messages = mail_messages(world)
    events = mail_events(world, messages)
    source, account = SHOP_OFFERS.source, SHOP_OFFERS.account
    printer = _printer(source)
    lines = printer.event_lines(
        _printed_messages(messages),
        events.assign(occurred_at=_moments(events["at"].to_numpy())),
        TOPICS,
    )
    published_at = events["at"].to_numpy() + _seconds(rng, 0.2, 20, len(events))
    twice = np.flatnonzero(rng.random(len(events)) < REDELIVERED_SHARE)
    wait = np.where(rng.random(len(twice)) < 0.8, MINUTE, 3 * DAY)
    record = np.concatenate([np.arange(len(events)), twice])
    arrived_at = np.concatenate([published_at, published_at[twice] + wait])
    arrived_at = np.minimum(arrived_at, world.end)
    order = np.argsort(arrived_at, kind="stable")
    week = (arrived_at[order] - world.start) // (7 * DAY)
    for number in np.unique(week):
        taken = record[order[week == number]]
        at = min(world.moment(7 * (int(number) + 1)), world.end)
        is_topic = number % 9 == 4
        chosen = [
            printer.enveloped(lines[row], _moments(published_at[[row]])[0])
            if is_topic
            else lines[row]
            for row in taken
        ]
        kind = "notifications" if is_topic else "events"
        first = _utc(world.moment(7 * int(number)))
        path = f"{source}/{account}/{kind}-{first:%Y-%m-%d}.ndjson.gz"
        writer.write(path, "events", printer.ndjson_gz(chosen), len(chosen), at)


def _write_store_events(world: World, writer: _Writer) -> None:
    """What the agency reports of its invitations, with one count it never told."""
    source, account = STORE_EVENTS.source, STORE_EVENTS.account
    stats = campaign_totals(world, source, world.end)
    counts = ("delivered", "hard_bounces", "soft_bounces")
    stats[list(counts)] = stats[list(counts)].astype(object)
    stats.loc[stats["campaign_id"] == UNKNOWN_DELIVERED, list(counts)] = None
    stats = stats.drop(columns=["list", "opens", "clicks", "orders", "revenue"]).assign(
        audience="Readers near the store",
        content_category="event",
        send_type=STORE_EVENTS.send_type,
        exported_at=_utc(world.end),
    )
    content = _printer(source).ndjson_bytes(stats)
    path = f"{source}/{account}/store-events.ndjson"
    writer.write(path, "campaign_stats", content, len(stats), world.end)


def contact_snapshot(world: World, mail_list: str, at: int) -> pd.DataFrame:
    """A full export of one list: everybody ever on it who was not lost from it."""
    spells, people = world.spells, world.people
    is_known = (spells.mail_list == mail_list) & (spells.joined_at <= at)
    rows = np.flatnonzero(is_known)
    rows = rows[np.argsort(spells.joined_at[rows], kind="stable")]
    newest = pd.Series(spells.person[rows]).duplicated(keep="last").to_numpy()
    rows = rows[~newest & (spells.vanishes_at[rows] > at)]
    person, left_at = spells.person[rows], spells.left_at[rows]
    is_gone = left_at <= at
    is_pending = ~is_gone & (spells.mailable_at[rows] > at)
    cause = np.where(is_gone, spells.cause[rows], "")
    status = pd.Series(cause).map(STATUSES).to_numpy()
    returned = np.isin(rows, [new for _, new in world.returns])
    joined_at, confirmed_at = spells.joined_at[rows], spells.confirmed_at[rows]
    changed_at = np.where(is_gone, left_at, _when(returned, joined_at))
    # A few addresses are written the way their owners typed them.
    typed = [
        address.title() if number % 67 == 0 else address
        for number, address in zip(person, people.address[person], strict=True)
    ]
    method = spells.opt_in_method[rows]
    is_legacy = (people.cohort[person] == "before") & (person % 25 == 0) & ~returned
    is_told = is_gone & (cause == "unsubscribe")
    return pd.DataFrame(
        {
            "email": typed,
            "list": mail_list,
            "status": np.where(is_pending, "pending", status),
            "exported_at": _moments(np.full(len(rows), at)),
            "snapshot_scope": "full",
            "opted_in_at": _moments(_when(~is_legacy, joined_at)),
            "confirmed_at": _moments(
                _when((confirmed_at <= at) & ~is_legacy, confirmed_at)
            ),
            "opt_in_method": np.where(is_legacy, "unknown", method),
            "signup_source": np.where(is_legacy, "", people.signup_source[person]),
            "status_changed_at": _moments(changed_at),
            "exit_cause": np.where(np.isin(cause, SAID_CAUSES), cause, ""),
            "opt_out_reason": np.where(is_told, spells.reason[rows], ""),
            "opt_out_campaign_id": np.where(is_told, spells.campaign_id[rows], ""),
            "other_channels": people.other_channels[person],
        }
    )


def _write_contacts(world: World, writer: _Writer) -> None:
    """Every list whole, on the first day, every month and at the end."""
    first = world.start + 5 * HOUR
    months = [start + 5 * HOUR for start in world.month_starts()]
    for at in (first, *months, world.end):
        for name in LISTS:
            snapshot = contact_snapshot(world, name, at)
            content = _printer("generic").csv_bytes(snapshot)
            slug = name.lower().replace(" ", "-")
            path = f"generic/crm/contacts-{slug}-{_utc(at):%Y-%m-%d}.csv"
            writer.write(path, "contacts", content, len(snapshot), at)


def preference_events(world: World) -> pd.DataFrame:
    """What people told the preference centre and the staff, in time order."""
    rng = world.generator("preference centre")
    spells = world.spells
    opened = world.moment(PREFERENCE_CENTRE_DAY, 9 * 60)
    dropped = set(world.topics_off)
    events: list[dict[str, Any]] = []

    def tell(event_type: str, at: int, spell: int, **words: str) -> None:
        if opened <= at < world.end:
            event = {"event_type": event_type, "at": at, "spell": spell}
            events.append({**event, **PREFERENCE_WORDS, **words})

    for _ in range(
        rng.poisson(TOPIC_DROPS * len(world.people) / sum(COHORTS.values()))
    ):
        at = int(rng.integers(opened, world.end))
        name = LISTS[rng.integers(2)]
        members = spells.active(name, at)
        if not len(members):
            continue
        spell = int(rng.choice(members))
        if rng.random() < 0.25:
            tell("preference_changed", at, spell, opt_out_scope="")
            continue
        topic = str(rng.choice(TOPICS))
        choice = (int(spells.person[spell]), topic)
        if choice in dropped:
            continue
        dropped.add(choice)
        mood = "too_often" if rng.random() < 0.5 else "ordinary"
        reason = str(_reasons(rng, np.array([0.5]), mood)[0])
        words = {"opt_out_scope": "topic", "opt_out_scope_id": topic}
        tell("unsubscribed", at, spell, **words, reason=reason)
        if rng.random() < 0.08:
            back = at + int(rng.integers(5 * DAY, 60 * DAY))
            tell("resubscribed", back, spell, **words)
    is_told = np.isin(spells.method, ("preference_page", "admin"))
    for row in np.flatnonzero(is_told & (spells.left_at < spells.vanishes_at)):
        spell = int(row)
        method = str(spells.method[spell])
        by = "sender" if method == "admin" else "recipient"
        words = {"opt_out_method": method, "initiator": by}
        reason = str(spells.reason[spell])
        tell("unsubscribed", int(spells.left_at[spell]), spell, **words, reason=reason)
    for _, new in world.returns:
        if spells.mail_list[new] != SHOP_OFFERS.mail_list:
            tell("resubscribed", int(spells.joined_at[new]), new)
    told = pd.DataFrame(
        events, columns=["event_type", "at", "spell", *PREFERENCE_WORDS]
    ).sort_values(["at", "spell"], kind="stable")
    rows = told["spell"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "event_id": [f"pc-{number:05d}" for number in range(1, len(told) + 1)],
            "event_type": told["event_type"].to_numpy(),
            "occurred_at": _moments(told["at"].to_numpy(dtype=np.int64)),
            "email": world.people.address[spells.person[rows]],
            "list": spells.mail_list[rows],
            **{name: told[name].to_numpy() for name in PREFERENCE_WORDS},
        }
    )


def _write_preference_centre(world: World, writer: _Writer) -> None:
    """An export a quarter, as someone downloads it."""
    events = preference_events(world)
    occurred_at = events["occurred_at"].to_numpy().astype(np.int64)
    quarters = [at for at in world.month_starts()[2::3] if at > world.moment(120)]
    since = world.start
    for at in (*quarters, world.end):
        part = events[(occurred_at >= since) & (occurred_at < at)]
        if part.empty:
            continue
        content = _printer("generic").csv_bytes(part)
        path = f"generic/crm/preference-centre-{_utc(at):%Y-%m-%d}.csv"
        writer.write(path, "events", content, len(part), at)
        since = at


def _write_verdicts(world: World, writer: _Writer) -> None:
    """The bulk file of the clean, and one later call for the newest contacts."""
    people, printer = world.people, _printer("zerobounce")
    at = world.moment(VALIDATION_DAY, minute=16 * 60)
    person = world.verdicts["person"].to_numpy()
    verdicts = world.verdicts.assign(
        email=people.address[person], signup_source=people.signup_source[person]
    )
    path = f"zerobounce/before-the-clean-{_utc(at):%Y-%m-%d}.csv"
    content = printer.bulk_csv(verdicts)
    writer.write(path, "bulk", content, len(verdicts), at)

    at = world.moment(YEAR_DAYS - 27, minute=8 * 60)
    spells = world.spells
    rows = np.flatnonzero((spells.mailable_at <= at) & (spells.left_at > at))
    newest = rows[np.argsort(-spells.mailable_at[rows], kind="stable")]
    person = np.array(list(dict.fromkeys(spells.person[newest]))[:40])
    batch = pd.DataFrame(
        {
            "email": people.address[person],
            "validation_reason": people.kind[person],
            "verified_at": _moments(at + np.arange(len(person)) * 137),
        }
    )
    path = f"zerobounce/new-contacts-{_utc(at):%Y-%m-%d}.json"
    writer.write(path, "batch", printer.batch_json(batch), len(batch), at)
