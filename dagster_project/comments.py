"""What people wrote when they left: samples to label, and a campaign's comments.

Texts are read from the archive when asked for, redacted, and written to a file that
only its owner may read; never to the terminal, the lake or a mart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from dagster_project.landing.land import own_words
from dagster_project.landing.package import OwnWords
from dagster_project.landing.reasons import Answer, load_rules
from dagster_project.private import as_text, write_private
from dagster_project.settings import Settings
from dagster_project.warehouse import hold, read_only

SAMPLE_COLUMNS = ("number", "language", "comment", "label", "rule", "stratum_count")
COMMENT_COLUMNS = ("source", "account", "comment", "reason", "rule", "language")
_UNKNOWN = "unknown"
NO_RULE = "none"

_REDACTED = (
    (re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+"), "(address)"),
    (re.compile(r"(?i)\b(?:https?://|www\.)\S+"), "(link)"),
    (
        re.compile(r"(?i)\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|info|io|[a-z]{2})/\S*"),
        "(link)",
    ),
    (re.compile(r"\+?\d(?:[\s().\-/]*\d){5,}"), "(number)"),
)
"""In this order: an address holds what may look like a link, a link like a number."""


class CommentsError(Exception):
    """There is nothing to write; the text says what to do."""


def redacted(text: str) -> str:
    """A comment on one line, without addresses, links and numbers of six digits."""
    line = " ".join(text.split())
    for pattern, word in _REDACTED:
        line = pattern.sub(word, line)
    return as_text(line)


def write_sample(settings: Settings, file: Path, *, size: int, seed: int) -> int:
    """A sample to label, the same number from each stratum as far as it goes.

    A stratum is a rule, or none, and a language. What the rules said of a comment
    stands in the last columns: label first, look later.

    Returns:
        How many comments it holds.

    Raises:
        CommentsError, PrivateFileError: with advice.
    """
    strata: dict[tuple[str, str], list[str]] = {}
    for _, text, answer in _judged(settings):
        stratum = (answer.rule or NO_RULE, answer.language or _UNKNOWN)
        strata.setdefault(stratum, []).append(redacted(text))
    if not strata:
        raise CommentsError("Nobody wrote a comment: there is nothing to label.")
    generator = random.Random(seed)
    drawn = []
    for stratum, count in _shares(strata, size).items():
        texts = sorted(strata[stratum])
        rule, language = stratum
        drawn += [
            {
                "language": language,
                "comment": text,
                "label": "",
                "rule": rule,
                "stratum_count": len(texts),
            }
            for text in generator.sample(texts, count)
        ]
    generator.shuffle(drawn)
    rows = [{"number": number} | row for number, row in enumerate(drawn, start=1)]
    write_private(file, SAMPLE_COLUMNS, rows)
    return len(rows)


def _shares(
    strata: Mapping[tuple[str, str], Sequence[str]], size: int
) -> dict[tuple[str, str], int]:
    """One a stratum in turn until the sample is full: rare rules are judged too."""
    shares = dict.fromkeys(sorted(strata), 0)
    left = min(size, sum(len(texts) for texts in strata.values()))
    while left:
        for stratum in shares:
            if left and shares[stratum] < len(strata[stratum]):
                shares[stratum] += 1
                left -= 1
    return shares


def write_comments(
    settings: Settings, campaign_id: str, file: Path, *, source: str | None = None
) -> int:
    """What people wrote who left a campaign, redacted, sorted by what it means.

    A comment belongs to the campaign its record names; where it names none, to the one
    that the opt-out is attributed to.

    Returns:
        How many comments it holds.

    Raises:
        CommentsError, PrivateFileError: with advice.
    """
    attributed = _attributed(settings, campaign_id)
    rows = [
        {
            "source": words.source,
            "account": words.account,
            "comment": redacted(text),
            "reason": answer.reason,
            "rule": answer.rule or NO_RULE,
            "language": answer.language or _UNKNOWN,
        }
        for words, text, answer in _judged(settings)
        if source in (None, words.source)
        and (
            words.campaign_id == campaign_id
            or (
                words.campaign_id is None
                and (words.source, words.contact_key) in attributed
            )
        )
    ]
    if not rows:
        raise CommentsError(f"Nobody who left campaign {campaign_id} wrote why.")
    rows.sort(key=lambda row: (row["reason"], row["comment"]))
    write_private(file, COMMENT_COLUMNS, rows)
    return len(rows)


def _judged(settings: Settings) -> list[tuple[OwnWords, str, Answer]]:
    """Each comment once a person, however many exports repeat it."""
    rules = load_rules()
    with hold(settings.at):
        found = own_words(settings)
    once = {(words.contact_key, words.text): words for words in found}
    return [(words, words.text, rules.judge(words.text)) for words in once.values()]


def _attributed(settings: Settings, campaign_id: str) -> set[tuple[str, str]]:
    """Who left that campaign with a comment, and whose record has it."""
    if not settings.at.warehouse.exists():
        return set()
    with read_only(settings.at.warehouse) as connection:
        try:
            rows = connection.execute(
                "select reason_source, contact_key from facts.fct_opt_outs"
                " where campaign_id = $1 and has_own_words",
                [campaign_id],
            ).fetchall()
        except duckdb.CatalogException:
            return set()  # never built
    return set(rows)
