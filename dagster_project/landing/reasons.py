"""Why somebody left, as a canonical word: exact options first, then rules that abstain.

Rules are data, ``reason_rules/<language>.csv``, read once; ``docs/reasons.md`` says how
they are written and checked. A text is judged once however many people wrote it, and
goes no further than here.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RULES = Path(__file__).parent / "reason_rules"
LANGUAGES = "languages.csv"
_READ = 2000
"""Characters of a comment that rules look at; who writes more has said why."""
_SURVEYED = "not_asked"
"""The one word of a record whose maker saw no list of reasons."""


@dataclass(frozen=True)
class Answer:
    """What one text says.

    Attributes:
        reason: the canonical word.
        basis: how it was found: option, rule or none.
        rule: the rule that found it.
        labels: further words that other rules found, in their order.
        language: of the writer's own words, where it can be told.
        length: characters of the writer's own words; None of an option.
    """

    reason: str
    basis: str
    rule: str | None = None
    labels: tuple[str, ...] = ()
    language: str | None = None
    length: int | None = None


@dataclass(frozen=True)
class Rule:
    """One way people put one reason.

    Attributes:
        rule_id: unique over all languages.
        reason: the canonical word.
        pattern: met in a :func:`spoken` text.
        guard: what takes the sense away wherever it stands.
    """

    rule_id: str
    reason: str
    pattern: re.Pattern[str]
    guard: re.Pattern[str] | None

    def spans(self, text: str) -> int:
        """How many words of a spoken text it accounts for; 0 when it abstains."""
        found = self.pattern.search(text)
        if found is None or (self.guard and self.guard.search(text)):
            return 0
        return len(found[0].split())


@dataclass(frozen=True)
class Language:
    """The rules of one language, and the small words that give it away."""

    code: str
    common_words: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class ReasonRules:
    """Every language, and what changes when one of their files does."""

    languages: tuple[Language, ...]
    fingerprint: str

    def answer(
        self, text: str, options: Mapping[str, str], words: frozenset[str]
    ) -> Answer:
        """The exact option of the source, else a canonical word itself, else rules.

        Args:
            text: as the export has it.
            options: of the source, spelled as :func:`one_line` spells.
            words: every canonical word.
        """
        plain = one_line(text)
        if plain in options:
            return Answer(options[plain], "option")
        word = plain.replace(" ", "_")
        if word in words:
            return Answer(word, "option")
        return self.judge(text)

    def judge(self, text: str) -> Answer:
        """Somebody's own words: the first rule of their language, or ``unclassified``.

        The language is the one that accounts for most words, by its common words and
        by what its rules met. Where two account for as many the rules must agree.
        """
        length = len(text.strip())
        said = spoken(text[:_READ])
        spread = said.split()
        scores = {}
        for language in self.languages:
            met = [(rule, rule.spans(said)) for rule in language.rules]
            hits = [rule for rule, count in met if count]
            common = sum(word in language.common_words for word in spread)
            scores[language.code] = (common + sum(n for _, n in met), hits)
        most = max((score for score, _ in scores.values()), default=0)
        best = [code for code, (score, _) in scores.items() if score == most and most]
        told = best[0] if len(best) == 1 else None
        first = {scores[code][1][0].reason if scores[code][1] else "" for code in best}
        if len(first) != 1 or first == {""}:
            return Answer("unclassified", "none", language=told, length=length)
        hits = scores[best[0]][1]
        reasons = dict.fromkeys(rule.reason for rule in hits)
        labels = tuple(reasons)[1:]
        return Answer(hits[0].reason, "rule", hits[0].rule_id, labels, told, length)


def one_line(text: str) -> str:
    """A text as options are compared: one blank between words, without case."""
    return " ".join(text.split()).casefold()


def offered(reason: str | None) -> bool:
    """Whether somebody with this word had a list of reasons before them."""
    return reason is not None and reason != _SURVEYED


def spoken(text: str) -> str:
    """The words alone with a blank between them: what rules are met with.

    Lower case without accents and marks; an apostrophe parts words, as a blank does.
    """
    words = re.sub(r"[\W_]+", " ", plain_letters(text.casefold()))
    return " ".join(words.split())


def plain_letters(text: str) -> str:
    """Letters without their accents, as hurried people write them."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in apart if not unicodedata.combining(mark))


def between_words(pattern: str, mail_words: str) -> re.Pattern[str]:
    """A rule's pattern, met only where words begin and end.

    Args:
        pattern: over :func:`spoken` text; ``{mail}`` is any word for mail.
        mail_words: those words, with bars between.
    """
    written = pattern.replace("{mail}", f"(?:{mail_words})")
    return re.compile(f"(?:^| )(?:{plain_letters(written)})(?: |$)")


@cache
def load_rules(folder: Path = RULES) -> ReasonRules:
    """Read every language's rules, in the order of their files.

    Raises:
        FileNotFoundError: for a language that is listed and has no file.
    """
    digest = hashlib.sha256()
    languages = []
    for listed in _rows(folder / LANGUAGES, digest):
        code, mail = listed["language"], listed["mail_words"]
        rules = tuple(
            Rule(
                row["rule_id"],
                row["reason"],
                between_words(row["pattern"], mail),
                between_words(row["guard"], mail) if row["guard"] else None,
            )
            for row in _rows(folder / f"{code}.csv", digest)
        )
        common = frozenset(plain_letters(listed["common_words"]).split())
        languages.append(Language(code, common, rules))
    return ReasonRules(tuple(languages), digest.hexdigest())


def _rows(path: Path, digest: hashlib._Hash) -> list[dict[str, str]]:
    content = path.read_bytes()
    digest.update(content)
    return list(csv.DictReader(content.decode("utf-8").splitlines()))
