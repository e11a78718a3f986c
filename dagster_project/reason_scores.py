"""How often each rule is right, by a person's own labels; and how much rules cover.

A rule is verified once enough labels prove it right often enough: the lower end of its
interval counts, not the share that a lucky handful gives.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.comments import NO_RULE, SAMPLE_COLUMNS, CommentsError
from dagster_project.landing.reasons import load_rules
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import SEEDS, Settings
from dagster_project.share import Share
from dagster_project.warehouse import read_only

FEWEST_LABELS = 50
"""45 right of 50 still give 79-96 %: fewer labels say little (a choice)."""
LEAST_PRECISION_PCT = 80
"""What the lower end of the interval must reach (a choice)."""

_COVERAGE = """
select
    coalesce(reason_language, 'unknown') as language,
    count(*) as comment_count,
    count(reason_rule) as classified_count,
    100e0 * count(reason_rule) / count(*) as classified_pct
from facts.fct_opt_outs
where has_own_words
group by all
order by comment_count desc, language
"""


@dataclass
class Scored:
    """What labels say.

    Attributes:
        rules: a row a rule with a label, the most labelled first.
        abstained: labels of comments that no rule met.
        missed: of these, how many have a reason after all.
        coverage: a row a language, from the opt-outs of the home.
    """

    rules: list[dict[str, Any]] = field(default_factory=list)
    abstained: int = 0
    missed: int = 0
    coverage: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> list[tuple[list[dict[str, Any]], str]]:
        """For people: rows, and the line that explains them."""
        advice = (
            f"Unverified: fewer than {FEWEST_LABELS} labels, or a lower end under"
            f" {LEAST_PRECISION_PCT} %. Of {self.abstained} labelled comments that no"
            f" rule met, {self.missed} have a reason.\n"
        )
        covered = "Comments of opt-outs, and those that a rule met, by language."
        rules, languages = (
            [
                {
                    name: f"{value:.1f}" if isinstance(value, float) else value
                    for name, value in row.items()
                }
                for row in rows
            ]
            for rows in (self.rules, self.coverage)
        )
        return [(rules, advice), (languages, covered if languages else "")]

    def summary(self) -> dict[str, Any]:
        """For programs."""
        return {
            "rules": self.rules,
            "abstained_labels": self.abstained,
            "abstained_with_a_reason": self.missed,
            "coverage": self.coverage,
        }


def score(settings: Settings, file: Path) -> Scored:
    """Compare a labelled sample with the rules that were drawn for it.

    A label is a canonical reason, or several with commas between where a comment gives
    several: the rule is right when its reason is among them. An empty label counts
    nowhere.

    Raises:
        CommentsError: naming file, line and what was expected.
    """
    reasons = {
        rule.rule_id: rule.reason
        for language in load_rules().languages
        for rule in language.rules
    }
    scored = Scored(coverage=_coverage(settings))
    counts: dict[str, list[int]] = {}
    for line, rule, labels in _labelled(file):
        if rule == NO_RULE:
            scored.abstained += 1
            scored.missed += not labels & {"unclassified", "other", "declined"}
            continue
        if rule not in reasons:
            raise CommentsError(
                f"{file}, line {line}: no rule is called {rule} any more. Draw a new"
                " sample with `optout reasons sample`."
            )
        found = counts.setdefault(rule, [0, 0])
        found[0] += 1
        found[1] += reasons[rule] in labels
    for rule, (count, right) in counts.items():
        precision = Share(right, count)
        assert precision.interval is not None
        low, high = precision.interval
        is_verified = count >= FEWEST_LABELS and low >= LEAST_PRECISION_PCT
        scored.rules.append(
            {
                "rule": rule,
                "reason": reasons[rule],
                "labels": count,
                "right": right,
                "precision_pct": precision.pct,
                "precision_low_pct": low,
                "precision_high_pct": high,
                "verdict": "verified" if is_verified else "unverified",
            }
        )
    scored.rules.sort(key=lambda row: (-row["labels"], row["rule"]))
    return scored


def _labelled(file: Path) -> list[tuple[int, str, set[str]]]:
    """Line, rule and label words of what somebody has labelled."""
    words = vocabularies(SEEDS)["opt_out_reason_words"].words
    found = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = {"label", "rule"} - set(reader.fieldnames or ())
            if missing:
                raise CommentsError(
                    f"{file}: expected the columns {', '.join(SAMPLE_COLUMNS)} of"
                    f" `optout reasons sample`; {' and '.join(sorted(missing))} is"
                    " missing."
                )
            for row in reader:
                given = (row["label"] or "").lower().split(",")
                labels = {word.strip().replace(" ", "_") for word in given} - {""}
                if strange := labels - set(words):
                    raise CommentsError(
                        f"{file}, line {reader.line_num}: {sorted(strange)[0]} is no"
                        f" reason; expected one of {', '.join(words)}."
                    )
                if labels:
                    found.append((reader.line_num, row["rule"], labels))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommentsError(f"{file} cannot be read as UTF-8 CSV: {error}") from None
    if not found:
        raise CommentsError(
            f"{file} has no label yet. Write a reason into the column `label`: one of"
            f" {', '.join(words)}."
        )
    return found


def _coverage(settings: Settings) -> list[dict[str, Any]]:
    """Comments and how many a rule met, by language; empty before the first run."""
    if not settings.at.warehouse.exists():
        return []
    with read_only(settings.at.warehouse) as connection:
        try:
            answer = connection.execute(_COVERAGE)
        except duckdb.CatalogException:
            return []  # never built
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
