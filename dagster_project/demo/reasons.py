"""Why people say they leave: how often which reason, and in what words.

Nothing here knows who leaves or by which mail.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagster_project.demo.world import Shares, Words

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
    "too_far": {"not_relevant": 62, "expectation_mismatch": 14, "no_value": 8},
    "misled": {"expectation_mismatch": 52, "spam_like": 16, "no_value": 12},
    "sold_to": {"no_value": 38, "not_relevant": 26, "too_frequent": 14, "spam_like": 6},
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


def draw_reasons(
    rng: np.random.Generator, answer_share: Shares, mood: str | Words
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
