"""What is true in the demo year: the streams, the plan of every send, the stories.

Only facts and rates stand here, and nothing random; who exists is in ``people``, what
a send meets in ``mail``. A story is a change of the ordinary rates of some sends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

COMPANY = "Harbour & Pine"
YEAR_DAYS = 365

# True rates in percent behind the stories.
INVALID_A_YEAR_PCT = 7.5
DELETED_A_YEAR_PCT = 0.8
SUNSET_PCT = 2.5
RETURNING_PCT = 6.0
BOUGHT_INVALID_PCT = 11.0
BOUGHT_UNSUBSCRIBE_PCT = 3.4
BOUGHT_COMPLAINT_PCT = 2.2
SCANNER_SECONDS = (2, 6)
"""How long after delivery a gateway follows the links, from and to."""


@dataclass(frozen=True)
class Stream:
    """One kind of mail to one list, and the true rates of an ordinary send.

    Attributes:
        name: as the sender calls it.
        mail_list: whose members receive it.
        inbox: folder of the system that sends it: source and account.
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
    inbox: str
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
    inbox="mailchimp/newsletter",
    slug="",
    unsubscribe_pct=0.24,
    topic_opt_out_pct=0.0,
    complaint_pct=0.02,
    open_factor=0.85,
    click_to_open=0.14,
    send_type="campaign",
    sender=f"{COMPANY} <hello@news.harbourpine.example.com>",
    # Every fourth sells; the others are there to be read.
    subjects=(
        "A quiet week by the water",
        "15 % off oak until Sunday",
        "Three rooms, one lamp",
        "The slow Sunday list",
        "Oak, ash, pine: what lasts?",
        "20 % off wool blankets",
        'Readers ask: "how do I oil a table?"',
        "Lys i mørket 🕯",
        "Small repairs, long life",
        "10 % off everything with drawers",
        "What we learned from 400 chairs",
        "One table, forty years on",
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
    inbox="amazon_ses/shop",
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
    inbox="generic/crm",
    slug="store-event",
    unsubscribe_pct=0.35,
    subjects=(
        "An evening of lamps",
        "Repair café on Saturday",
        "Wool and wine",
        "Meet the weavers",
    ),
)
TOPICS = ("new-arrivals", "home-and-garden", "weekend-deals")


@dataclass(frozen=True)
class Planned:
    """One send of the plan; the multipliers are what a story changes.

    Attributes:
        stream: the kind of mail.
        day: days after the first day of the year.
        campaign_id: the same for every seed.
        subject: as received.
        name: of the campaign.
        audience: whom it went to, in the sender's words, where an export has them.
        hour: hours after midnight UTC.
        share: of the list that receives it.
        unsubscribe: multiplies the stream's rate, as ``opens``, ``clicks`` and
            ``complaints`` do theirs.
        mood: which reasons people give (a key of ``REASONS``).
        list_age_days: how old the copy of the list is that it goes out to.
        is_scanned: a security gateway follows every link of its users' mail.
        is_failing: the template cannot be rendered.
    """

    stream: Stream
    day: int
    campaign_id: str
    subject: str
    name: str = ""
    audience: str = ""
    hour: float = 0
    share: float = 1.0
    unsubscribe: float = 1.0
    opens: float = 1.0
    clicks: float = 1.0
    complaints: float = 1.0
    mood: str = "ordinary"
    list_age_days: int = 0
    is_scanned: bool = False
    is_failing: bool = False


# Days after the first one, which is a Saturday in the default year (2025-11-01).
PREFERENCE_CENTRE_DAY = 92
IMPORT_DAY = 143
AFTER_IMPORT_DAYS, OFFER_AFTER_IMPORT_DAY = (145, 152), 146
VALIDATION_DAY, CLEAN_DAY = 249, 251
SUNSET_DAY = 319
MISLEADING_DAY, UNUSUAL_AUDIENCE_DAY, WRONG_SEGMENT_DAY = 82, 234, 313
AFTER_GAP_DAYS = (262, 283, 304)
SCANNED_DAYS = (83, 174, 230)
OLD_COPY_DAY = 195
CONTRADICTORY_DAY = 222
UNKNOWN_DELIVERED_DAY = 206
LAST_NEWSLETTER_DAY = 362
FAILING_TEMPLATE_DAYS = (118, 119)

_WEEKLY = range(5, LAST_NEWSLETTER_DAY + 1, 7)
NEWSLETTER_DAYS = tuple(day for day in _WEEKLY if day not in (54, 257))
PRODUCT_NEWS_DAYS = (*range(3, 193, 21), *range(262, 347, 21))
CLIMBING_DAYS = tuple(sorted((*range(276, 361, 7), *range(279, 364, 7))))
SHOP_OFFERS_DAYS = (*range(6, 273, 7), *CLIMBING_DAYS)
# Nobody invites anybody in Easter week.
STORE_EVENT_DAYS = tuple(day for day in range(10, 347, 14) if day != 150)

CONTRADICTORY_SHARE = 0.06
"""Share of the contradictory newsletter's recipients missing from its total."""
WITHOUT_PREFERENCE_CENTRE = 2.0
"""How many leave the newsletter before they can choose topics, against afterwards."""
PROMOTIONS: Mapping[int, str] = {
    229: "15 % off everything for summer",
    236: "Last days: 15 % off everything",
    243: "20 % off lamps",
    250: "25 % off garden benches",
    264: "30 % off linen this week only",
    271: "35 % off: the summer must go",
    278: "Another 10 % off on top",
    285: "40 % off, really the last days",
}
"""Day -> subject of the newsletters that only sell."""
AFTER_PROMOTIONS_DAY = 306
"""A newsletter that would have sold something, had there not been so many."""


def _tired(done: float) -> Mapping[str, Any]:
    """What a send meets in the climb, from its first (0) to its last (1)."""
    return {
        "unsubscribe": 4.5**done,
        "opens": 1 - 0.4 * done,
        "clicks": 1 - 0.9 * done,
        "mood": "too_often",
    }


def _sold_to(subject: str, done: float) -> Mapping[str, Any]:
    """What a newsletter meets that only sells, from the first (0) to the last (1)."""
    return {"subject": subject, "unsubscribe": 3.2**done, "mood": "sold_to"}


EFFECTS: Mapping[tuple[str, int], Mapping[str, Any]] = {
    **{
        ("Newsletter", day): {"unsubscribe": WITHOUT_PREFERENCE_CENTRE}
        for day in NEWSLETTER_DAYS
        if day < PREFERENCE_CENTRE_DAY
    },
    **{
        ("Newsletter", day): _sold_to(subject, step / (len(PROMOTIONS) - 1))
        for step, (day, subject) in enumerate(PROMOTIONS.items())
    },
    ("Newsletter", AFTER_PROMOTIONS_DAY): {"subject": "Back to what we know best"},
    ("Newsletter", WRONG_SEGMENT_DAY): {
        "name": "Trade clearance",
        "subject": "Pallet deals for retailers: minimum order 40 pieces",
        "unsubscribe": 8.0,
        "opens": 0.95,
        "clicks": 0.6,
        "complaints": 3.0,
        "mood": "wrong_segment",
    },
    ("Newsletter", MISLEADING_DAY): {
        "name": "Order teaser",
        "subject": "RE: your order",
        "unsubscribe": 3.2 * WITHOUT_PREFERENCE_CENTRE,
        "opens": 1.75,
        "clicks": 0.3,
        "complaints": 2.0,
        "mood": "misled",
    },
    ("Store events", UNUSUAL_AUDIENCE_DAY): {
        "audience": "All newsletter readers",
        "share": 1.0,
        "unsubscribe": 5.0,
        "mood": "too_far",
    },
    ("Product news", AFTER_GAP_DAYS[0]): {
        "unsubscribe": 3.4,
        "opens": 0.9,
        "mood": "gap",
    },
    ("Product news", AFTER_GAP_DAYS[1]): {"unsubscribe": 1.5, "mood": "gap"},
    ("Product news", AFTER_GAP_DAYS[2]): {"unsubscribe": 1.2},
    ("Shop offers", OLD_COPY_DAY): {"list_age_days": 45},
    **{("Shop offers", day): {"is_scanned": True} for day in SCANNED_DAYS},
    **{
        ("Shop offers", day): _tired(step / (len(CLIMBING_DAYS) - 1))
        for step, day in enumerate(CLIMBING_DAYS)
    },
}
"""Stream and day of a send -> what a story changes about it."""


def campaign_id(stream: Stream, number: int) -> str:
    """The id of a stream's send; sends count from 1."""
    if stream.slug:
        return f"{stream.slug}-{number:02d}"
    made_up = f"{stream.name}/{number}".encode()
    return hashlib.md5(made_up, usedforsecurity=False).hexdigest()[:10]


def _sends(
    stream: Stream,
    days: tuple[int, ...],
    hour: float,
    share: float = 1.0,
    audience: str = "",
) -> Iterator[Planned]:
    for number, day in enumerate(days, start=1):
        send = Planned(
            stream=stream,
            day=day,
            campaign_id=campaign_id(stream, number),
            subject=stream.subjects[(number - 1) % len(stream.subjects)],
            name=f"{stream.name} {number:02d}",
            audience=audience,
            hour=hour,
            share=share,
        )
        yield replace(send, **EFFECTS.get((stream.name, day), {}))


_SENDS = (
    *_sends(NEWSLETTER, NEWSLETTER_DAYS, hour=9.5),
    *_sends(PRODUCT_NEWS, PRODUCT_NEWS_DAYS, hour=8),
    *_sends(SHOP_OFFERS, SHOP_OFFERS_DAYS, hour=7),
    *_sends(
        STORE_EVENTS,
        STORE_EVENT_DAYS,
        hour=10,
        share=0.31,
        audience="Readers near the store",
    ),
)
PLAN = tuple(sorted(_SENDS, key=lambda send: (send.day, send.hour)))
"""Every campaign of the year in the order of sending."""


def campaign_ids(stream: Stream, *days: int) -> tuple[str, ...]:
    """The campaigns that a stream sent on these days; every day must have one."""
    found = {send.day: send.campaign_id for send in PLAN if send.stream == stream}
    return tuple(found[day] for day in days)


@dataclass(frozen=True)
class Story:
    """Something that truly happens in the demo year.

    Attributes:
        key: stable name for tests and documents.
        title: one line for a reader.
        shows: what a reader of the marts should see.
        campaign_ids: where it shows, in the order of sending.
    """

    key: str
    title: str
    shows: str
    campaign_ids: tuple[str, ...] = ()


STORIES = (
    Story(
        "wrong_segment",
        "A trade promotion went to every newsletter reader",
        "one isolated spike, about something else than usual; then ordinary sends",
        campaign_ids(NEWSLETTER, WRONG_SEGMENT_DAY),
    ),
    Story(
        "frequency_doubled",
        "Shop offers went from once to twice a week and tired people",
        "a climb over the last three months while opens fall",
        campaign_ids(SHOP_OFFERS, *CLIMBING_DAYS),
    ),
    Story(
        "gap",
        "Product news paused for ten weeks",
        "a high first send after the gap, ordinary again after two more",
        campaign_ids(PRODUCT_NEWS, *AFTER_GAP_DAYS),
    ),
    Story(
        "unusual_audience",
        "An invitation to the store went to readers who live nowhere near it",
        "three times the usual recipients, and one isolated spike beside them",
        campaign_ids(STORE_EVENTS, UNUSUAL_AUDIENCE_DAY),
    ),
    Story(
        "bought_list",
        "650 bought contacts were imported and mailed",
        "hard bounces up, complaints above 0.1 %, bad share in the verdicts",
        (
            *campaign_ids(NEWSLETTER, AFTER_IMPORT_DAYS[0]),
            *campaign_ids(SHOP_OFFERS, OFFER_AFTER_IMPORT_DAY),
            *campaign_ids(NEWSLETTER, AFTER_IMPORT_DAYS[1]),
        ),
    ),
    Story(
        "mail_after_opt_out",
        "One offer went out to a copy of the list that was six weeks old",
        "mail to people who had opted out more than two, and ten working, days before",
        campaign_ids(SHOP_OFFERS, OLD_COPY_DAY),
    ),
    Story(
        "contradictory_totals",
        "Delivered and bounced exceed the recipients of one campaign",
        "the campaign is excluded in the open",
        campaign_ids(NEWSLETTER, CONTRADICTORY_DAY),
    ),
    Story(
        "unknown_delivered",
        "The agency never told how many invitations of one event arrived",
        "no rate, delivered unavailable",
        campaign_ids(STORE_EVENTS, UNKNOWN_DELIVERED_DAY),
    ),
    Story(
        "provisional",
        "The newest newsletter is two days old",
        "maturity provisional, and its totals restated between two exports",
        campaign_ids(NEWSLETTER, LAST_NEWSLETTER_DAY),
    ),
    Story(
        "misleading_subject",
        'A newsletter pretended to be an answer: "RE: your order"',
        "opens up, click-to-open down, opt-outs up",
        campaign_ids(NEWSLETTER, MISLEADING_DAY),
    ),
    Story(
        "promotions_in_a_row",
        "For two months every newsletter sold something",
        "more people leave with each one, and fewer again once there is more to read",
        campaign_ids(NEWSLETTER, *PROMOTIONS),
    ),
    Story(
        "preference_centre_launch",
        "Newsletter readers could choose topics from February on",
        "half the opt-outs of before, beside streams in which nothing changed",
    ),
    Story(
        "list_decay",
        "A quarter of the contacts leave within the year",
        "causes side by side; a step at the clean of month nine",
    ),
    Story(
        "preference_centre",
        "People drop one topic instead of leaving",
        "topic opt-outs beside, not inside, the unsubscribe rate",
    ),
    Story(
        "scanners",
        "Security gateways follow unsubscribe links within seconds",
        "opt-outs suspected automated",
        campaign_ids(SHOP_OFFERS, *SCANNED_DAYS),
    ),
    Story(
        "resubscribed",
        "Some come back",
        "a second spell on the list, the opt-out episode ended",
    ),
)
"""What the demo year hides; tests find each one in the drawn numbers."""
