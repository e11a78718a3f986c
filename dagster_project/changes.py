"""What the owner changed about the mail, and when: ``config/changes.yaml``, checked.

What became of it is for dbt to reckon; which streams a change names is matched there
too, because only the exports say which streams there are.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from dagster_project.configuration import (
    ConfigurationError,
    Document,
    read_document,
)
from dagster_project.settings import SEEDS

_FIRST_YEAR, _LAST_YEAR = 1990, 2100


@cache
def change_kinds() -> Mapping[str, str]:
    """Every kind of change, and in what it is measured (seed change_kinds)."""
    path = SEEDS / "change_kinds.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["kind"]: row["unit"] for row in csv.DictReader(handle)}


def _kind(word: str) -> str:
    kinds = change_kinds()
    if word not in kinds:
        meant = get_close_matches(word, kinds, 1)
        guess = f"; did you mean {meant[0]}?" if meant else ""
        raise ValueError(f"expected one of {', '.join(kinds)}{guess}")
    return word


def _believable(day: datetime.date) -> datetime.date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return day


def _text(value: Any) -> Any:
    """A number is not read as text: 007 and 1e5 would lose what their owner wrote."""
    if not isinstance(value, str):
        raise ValueError("expected text; put quotes around a number, a date or a word")
    if not value.strip():
        raise ValueError("expected text that is not blank")
    return value


Day = Annotated[datetime.date, AfterValidator(_believable)]
Kind = Annotated[str, AfterValidator(_kind)]
Text = Annotated[str, BeforeValidator(_text)]


class Change(BaseModel):
    """One thing that the owner changed.

    Attributes:
        date: first day on which it holds, in the account's zone.
        kind: of change.
        stream: what it was done to, by name or id; every stream with marketing mail
            when it is not named.
        source: whose account it is, where ``account`` does not say.
        account: source/account, or the account alone beside ``source``.
        list: whose people joined otherwise, for what changes how people join.
        compare_with: streams that did not change; chosen by itself when it is absent,
            none when it is empty.
        campaigns: those that asked for permission.
        note: for whoever reads the answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: Day
    kind: Kind
    stream: Text | None = None
    source: Text | None = None
    account: Text | None = None
    list: Text | None = None
    compare_with: tuple[Text, ...] | None = None
    campaigns: tuple[Text, ...] = Field(default=())
    note: Text | None = None

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Source and account; None where neither or only the source is declared."""
        first, slash, second = (self.account or "").strip().partition("/")
        if slash:
            return first, second
        return (self.source or "").strip() or None, first or None

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What tells two changes apart; their place in the file does not."""
        source, account = self.place
        stream, named_list = (_compared(text) for text in (self.stream, self.list))
        return (str(self.date), self.kind, source, account, stream, named_list)

    @model_validator(mode="after")
    def _names_an_account(self) -> Self:
        if self.account is not None:
            parts = [part.strip() for part in self.account.split("/")]
            wanted = 1 if self.source else 2
            if len(parts) != wanted or not all(parts):
                raise ValueError(
                    "account: expected source/account, such as generic/crm, or the"
                    " account alone with `source:` beside it"
                )
        return self

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        is_of_joining = change_kinds()[self.kind] == "signup_week"
        if self.campaigns and self.kind != "re_permission":
            raise ValueError("campaigns: only re_permission has campaigns that asked")
        if self.list is not None and not is_of_joining:
            raise ValueError(
                f"list: {self.kind} is seen in mail that was sent; name the stream"
            )
        if self.compare_with and is_of_joining:
            raise ValueError(
                f"compare_with: {self.kind} changes who joins; people are compared"
                " with those who joined before, not with another stream"
            )
        stream = _compared(self.stream)
        if stream and stream in map(_compared, self.compare_with or ()):
            raise ValueError("compare_with: expected streams that did not change")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    changes: Annotated[
        tuple[Change, ...], BeforeValidator(lambda given: given or ())
    ] = ()


_NO_DOCUMENT = Document("config/changes.yaml", "changes")


@dataclass(frozen=True)
class Changes:
    """Every declared change in the owner's order, and the file that declares them."""

    declared: tuple[Change, ...] = ()
    document: Document = _NO_DOCUMENT

    def check_sources(self, known: Sequence[str]) -> None:
        """Refuse the name of a source that no mapping has.

        Raises:
            ConfigurationError: naming the line and the sources.
        """
        for number, change in enumerate(self.declared):
            source, _ = change.place
            if source is not None and source not in known:
                key = "account" if "/" in (change.account or "") else "source"
                raise ConfigurationError(
                    f"{self.document.place('changes', number, key)}: expected one of"
                    f" {', '.join(known)}"
                )


def load_changes(config: Path) -> Changes:
    """Read ``changes.yaml`` (``changes: [...]``, or the list alone) if it exists.

    Raises:
        ConfigurationError: naming the line, the path inside the file and what was
            expected.
    """
    document = read_document(config, "changes.yaml", "changes")
    if document is None:
        return Changes()
    declared = document.read(_File, _keys_of, is_list=True).changes
    places: dict[tuple[str | None, ...], str] = {}
    for number, change in enumerate(declared):
        place = document.place("changes", number)
        first = places.setdefault(change.identity, place)
        if first != place:
            raise ConfigurationError(
                f"{place}: the same kind of change on the same day and stream as"
                f" {first}; what began together is one change, keep one and say both in"
                " its note"
            )
    return Changes(declared, document)


def _compared(text: str | None) -> str | None:
    return None if text is None else text.strip().lower()


def _keys_of(path: Sequence[str | int]) -> type[BaseModel]:
    return _File if len(path) == 1 else Change
