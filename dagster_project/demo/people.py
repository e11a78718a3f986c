"""Drawing the lists: who exists, who joins what, and who leaves without any mail.

What a mail makes people do is in ``mail``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from dagster_project.demo import stories
from dagster_project.demo.reasons import draw_reasons
from dagster_project.demo.stories import NEWSLETTER, SHOP_OFFERS, YEAR_DAYS
from dagster_project.demo.world import (
    DAY,
    MINUTE,
    NEVER,
    Moments,
    People,
    Positions,
    Words,
    World,
    generator,
    when,
)

COHORTS: Mapping[str, int] = {"before": 3950, "new": 1650, "bought": 650}
"""People by how they came: before the year, during it, in one purchase."""
MEMBER_SHARES: Mapping[str, Mapping[str, float]] = {
    "Newsletter": {"before": 0.835, "new": 0.80, "bought": 1.0},
    "Product news": {"before": 0.55, "new": 0.30, "bought": 0.0},
    "Shop offers": {"before": 0.21, "new": 0.25, "bought": 0.35},
}
"""List -> cohort -> share of it that is on the list."""
LISTS = tuple(MEMBER_SHARES)
SCANNED_DOMAIN = "corp.example.net"
MAIL_DOMAINS: Mapping[str, float] = {
    "example.com": 0.34,
    "example.org": 0.18,
    "example.net": 0.12,
    "mail.example.com": 0.12,
    "post.example.org": 0.08,
    "home.example.net": 0.06,
    "inbox.example.com": 0.04,
    SCANNED_DOMAIN: 0.06,
}
"""Reserved domains only, so that no address can be anybody's."""

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


def draw_people(seed: int, start: int, scale: float) -> People:
    """Draw own contacts of before and of this year, and the bought ones."""
    rng = generator(seed, "people")
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
    dead_pct = np.where(
        is_bought, 2 * stories.INVALID_A_YEAR_PCT, stories.INVALID_A_YEAR_PCT
    )
    life = rng.exponential(YEAR_DAYS * 100 / dead_pct)
    dies_at = start + (life * DAY).astype(np.int64)
    dies_at[is_bought & (rng.random(count) < stories.BOUGHT_INVALID_PCT / 100)] = start
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


def draw_memberships(world: World) -> None:
    """Put everybody on lists: own contacts by choice, bought ones by import."""
    rng, people = world.generator("memberships"), world.people
    count = len(people)
    is_old, is_bought = people.cohort == "before", people.cohort == "bought"
    joined_at = world.start + rng.integers(0, YEAR_DAYS * DAY, count)
    age = np.minimum(rng.exponential(500, count) + 2, 1800) * DAY
    joined_at[is_old] = world.start - age[is_old].astype(np.int64)
    upload = world.moment(stories.IMPORT_DAY, hour=14)
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
    confirmed_at = when((method == "double") & ~is_pending, joined_at + wait)
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
    page_opens = np.maximum(since, world.moment(stories.PREFERENCE_CENTRE_DAY, hour=9))

    def waited(yearly_pct: float, earliest: Moments) -> Moments:
        days = rng.exponential(YEAR_DAYS * 100 / yearly_pct, count)
        return np.minimum(earliest + (days * DAY).astype(np.int64), NEVER)

    if name != SHOP_OFFERS.mail_list:
        by_staff = rng.random(count) < 0.12
        method = np.where(by_staff, "admin", "preference_page").astype(object)
        reason = draw_reasons(rng, np.where(by_staff, 0.0, 0.55), "ordinary")
        at = waited(2.0, page_opens)
        spells.leave(rows, at, "unsubscribe", method=method, reason=reason)
    spells.leave(rows, waited(stories.DELETED_A_YEAR_PCT, since), "deleted")
    spells.vanishes_at[rows] = waited(0.6, since)


def _validate(world: World) -> None:
    """Ask a validator about everybody who is mailed, before the clean."""
    at = world.moment(stories.VALIDATION_DAY, hour=10)
    rng = world.generator("validation")
    spells, people = world.spells, world.people
    rows = np.concatenate([spells.active(name, at) for name in LISTS])
    person = np.unique(spells.person[rows])
    verdict = people.kind[person]
    verdict[people.dies_at[person] <= at] = "mailbox_not_found"
    verdict[rng.random(len(people))[person] < 0.012] = "timeout"
    world.verdicts = pd.DataFrame({"person": person, "validation_reason": verdict})


def _clean(world: World) -> None:
    """Take off every list whoever the validator advised against."""
    at = world.moment(stories.CLEAN_DAY, hour=9)
    is_bad = world.verdicts["validation_reason"].isin(REMOVED_KINDS)
    bad = world.verdicts.loc[is_bad, "person"]
    for name in LISTS:
        rows = world.spells.active(name, at)
        rows = rows[np.isin(world.spells.person[rows], bad)]
        world.spells.leave(rows, at, "validation_removal")


def _sunset(world: World) -> None:
    """Let go of half of those who hardly ever opened anything."""
    at = world.moment(stories.SUNSET_DAY, hour=9)
    rng, spells = world.generator("sunset"), world.spells
    rows = spells.active(NEWSLETTER.mail_list, at)
    engagement = world.people.engagement[spells.person[rows]]
    is_idle = engagement < np.quantile(engagement, 2 * stories.SUNSET_PCT / 100)
    is_old = spells.joined_at[rows] < at - 180 * DAY
    rows = rows[is_idle & is_old & (rng.random(len(rows)) < 0.5)]
    spells.leave(rows, at, "sunset")


UPKEEP: Mapping[int, Callable[[World], None]] = {
    stories.VALIDATION_DAY: _validate,
    stories.CLEAN_DAY: _clean,
    stories.SUNSET_DAY: _sunset,
}
"""Day -> what the senders do to their own lists before its first mail."""
