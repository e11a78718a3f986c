"""What was guessed of one export, before it is written down."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dagster_project.mapping.canonical import TableName
from dagster_project.scaffold.example import Example, Leaf
from dagster_project.scaffold.shapes import Shape
from dagster_project.scaffold.words import Words


@dataclass
class Guessed:
    """One export, guessed.

    Attributes:
        name: of the export.
        lands: its table.
        example: what it was guessed from.
        shapes: name of an input -> what its texts look like.
        inputs: name of an input -> leaf.
        required: inputs that identify the file.
        fields: canonical field -> expression.
        missing: required fields that no leaf looks like.
        words: the words of the events' column, of statuses or verdicts.
        bounce_words: words of a bounce class column.
        telling: the input whose words say what a record is: event, status, verdict.
        event: the same, where it says what happened.
        address: what holds the person: an input, ``item``, or the first of several.
        people: for records of many: the expression that lists them.
        let: other names for expressions.
        key: what makes an event itself.
        reason: the input that says why somebody left.
        delivered: how the delivered count is known.
        rate: the input with the vendor's own rate, and its base where it shows.
        zone: empty where nothing says one.
        formats: of moments.
        style: marks of thousands and of the fraction.
        is_fraction: whether 0.2 means 20 %.
    """

    name: str
    lands: TableName
    example: Example
    shapes: dict[str, Shape] = field(default_factory=dict)
    inputs: dict[str, Leaf] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    words: Words = field(default_factory=Words)
    bounce_words: Words = field(default_factory=Words)
    telling: str | None = None
    event: str | None = None
    address: str | None = None
    people: str | None = None
    let: dict[str, str] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    reason: str | None = None
    delivered: str = ""
    rate: tuple[str, str | None] | None = None
    zone: str = "in_value"
    formats: list[str] = field(default_factory=list)
    style: tuple[str | None, str] = (None, ".")
    is_fraction: bool = False

    @property
    def used(self) -> set[str]:
        """Inputs that something reads."""
        texts = [*self.fields.values(), *self.key, self.address, self.event]
        texts += [self.reason, self.people, *self.let.values()]
        names = {word for text in texts if text for word in re.findall(r"\w+", text)}
        return names & set(self.inputs)
