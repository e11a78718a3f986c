"""Names and words as people write them, compared with the synonyms.

``synonyms.yaml`` is the whole knowledge; this module only compares.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.scaffold.example import Leaf
from dagster_project.scaffold.shapes import tokens

_FILE = Path(__file__).with_name("synonyms.yaml")
_MOST_WORDS = 60
_LONGEST_WORD = 40


@cache
def synonyms() -> dict[str, Any]:
    """What is known of names and words."""
    known: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return known


@dataclass(frozen=True)
class Meaning:
    """What a word of an event column means.

    Attributes:
        event_type: ours.
        bounce_class: ours, where the word says it.
    """

    event_type: str
    bounce_class: str | None = None


@dataclass
class Words:
    """The distinct words of a column, by what they mean.

    Attributes:
        known: meaning -> words in lower case.
        unknown: words that no synonym has.
        share: of the texts, how many are known.
    """

    known: dict[Any, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    share: float = 0.0


def name_score(leaf: Leaf, phrases: list[str]) -> float:
    """How well a leaf's name says one of the phrases; 0 where it does not."""
    last, whole = tokens(leaf.name), tokens(leaf.path or leaf.name)
    best = 0.0
    for place, phrase in enumerate(phrases):
        wanted = tokens(phrase)
        score = 0.0
        if _squashed(last) == _squashed(wanted):
            score = 3.0
        elif _squashed(whole) == _squashed(wanted):
            score = 2.8
        elif len(wanted) > 1 and f" {' '.join(wanted)} " in f" {' '.join(whole)} ":
            score = 1 + len(wanted) / len(whole)
        if score:
            best = max(best, score - place / 100)
    return best


def words_in(leaf: Leaf, kind: str) -> Words:
    """The words of a leaf as words of one of our lists; empty where it has others."""
    counted = Counter(text.lower() for text in leaf.values)
    plain = {word: count for word, count in counted.items() if _is_word(word)}
    found = Words()
    if not plain or len(counted) > _MOST_WORDS or 2 * len(plain) < len(counted):
        return found
    table = _table(kind)
    for word in sorted(plain, key=lambda entry: (-plain[entry], entry)):
        meaning = table.get(_squashed(tokens(word)))
        if meaning is None:
            fillers = synonyms()["fillers"]
            bare = tuple(part for part in tokens(word) if part not in fillers)
            meaning = table.get(_squashed(bare))
        if meaning is None:
            found.unknown.append(word)
        else:
            found.known.setdefault(meaning, []).append(word)
    known = sum(plain[word] for words in found.known.values() for word in words)
    distinct = sum(len(words) for words in found.known.values())
    # By what occurs and by what differs: one frequent word is no vocabulary.
    found.share = (known / len(leaf.values) + distinct / len(counted)) / 2
    return found


@cache
def _table(kind: str) -> dict[str, Any]:
    known = synonyms()[kind]
    if kind != "events":
        return {_squashed(tokens(word)): ours for ours in known for word in known[ours]}
    return {
        _squashed(tokens(word)): Meaning(
            entry["event_type"], entry.get("set", {}).get("bounce_class")
        )
        for entry in known
        for word in entry["words"]
    }


def _is_word(text: str) -> bool:
    """Whether a text may be a vendor's word and is nobody's name, number or address."""
    is_short = len(text) <= _LONGEST_WORD and len(tokens(text)) <= 5
    return is_short and "@" not in text and not re.search(r"\d{4}", text)


def _squashed(parts: tuple[str, ...]) -> str:
    return "".join(parts)
