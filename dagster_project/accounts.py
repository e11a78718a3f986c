"""What only the owner of an account knows: ``config/accounts.yaml``, checked.

Every setting has a default, and the ledger says which defaults a file was read with.
What a campaign is called and how a source of contacts joined are rules of the owner's;
they are data for dbt, and no file is read again for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from dagster_project.configuration import AccountPlace, Document, read_document
from dagster_project.mapping.patterns import check_pattern
from dagster_project.mapping.vocabulary import vocabularies
from dagster_project.settings import SEEDS

DEFAULT_ACCOUNT = "default"
DEFAULT_TIMEZONE = "UTC"
_NO_DOCUMENT = Document("config/accounts.yaml", "accounts")


class Snapshot(BaseModel):
    """What the export of a list on one day holds, whatever the file itself claims.

    Attributes:
        exported: the day it was exported, UTC.
        scope: the whole list, or a part of it.
        list: the list; every list of that day's exports when it is not named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    exported: date
    scope: Literal["full", "segment"]
    list: str | None = Field(default=None, min_length=1)


def _opt_in_method(word: str) -> str:
    known = [w for w in vocabularies(SEEDS)["opt_in_methods"].words if w != "unknown"]
    if word not in known:
        raise ValueError(f"expected one of {', '.join(known)}")
    return word


Pattern = Annotated[str, Field(min_length=1), AfterValidator(check_pattern)]
"""Searched anywhere in a text, without case."""
OptInMethod = Annotated[str, AfterValidator(_opt_in_method)]
Name = Annotated[str, Field(min_length=1)]


class _Rule(BaseModel):
    """Patterns that a campaign's texts must all match; a text it lacks matches none.

    Attributes:
        name: of the campaign.
        subject: its subject line.
        tag: any one of its tags.
        folder: where the sender keeps it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Pattern | None = None
    subject: Pattern | None = None
    tag: Pattern | None = None
    folder: Pattern | None = None

    @property
    def patterns(self) -> dict[str, str]:
        """What is asked, by the text it is asked of."""
        texts = ("name", "subject", "tag", "folder", "audience")
        asked = {text: getattr(self, text, None) for text in texts}
        return {text: pattern for text, pattern in asked.items() if pattern is not None}

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.patterns:
            fields = type(self).model_fields
            known = [name for name in fields if name not in ("stream", "category")]
            raise ValueError(f"expected one or more of {', '.join(known)}")
        return self


class StreamRule(_Rule):
    """What makes a campaign part of a stream, where its export names none.

    Attributes:
        stream: the stream's name.
        audience: the list or segment it was sent to.
    """

    stream: Name
    audience: Pattern | None = None


class CategoryRule(_Rule):
    """What makes a campaign part of a content category, where its export names none.

    Attributes:
        category: the category's name.
    """

    category: Name


class Account(BaseModel):
    """One account of one source.

    Attributes:
        timezone: IANA zone of times that carry none.
        industry: for the published bands.
        opt_in: how contacts usually join.
        promised_per_week: mails a week that subscribers were told to expect.
        lists_in: source/account on whose lists the people of this account stand.
        is_group_headline: whether a group opt-out counts as leaving.
        streams_by_audience: whether each audience of a named stream is a stream.
        settle_days: age from which a send's counts are final.
        confirmed_files: files whose unusual numbers the owner has checked, as
            `optout files` names them; the gate compares them with nothing.
        settings: what the source's mapping asks the owner for.
        snapshots: which exports hold the whole list and which a part. Nothing is read
            again for it: a file lands the same whatever it holds.
        streams: the first rule that matches names a campaign's stream.
        content_categories: the first rule that matches names its category.
        acquisition: signup source -> how its contacts joined, where the export does
            not say; compared without case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str | None = None
    industry: str | None = None
    opt_in: Literal["single", "double"] | None = None
    promised_per_week: float | None = Field(default=None, gt=0)
    is_group_headline: bool = False
    streams_by_audience: bool = False
    lists_in: AccountPlace | None = None
    settle_days: int | None = Field(default=None, ge=0)
    confirmed_files: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    snapshots: tuple[Snapshot, ...] = ()
    streams: tuple[StreamRule, ...] = ()
    content_categories: tuple[CategoryRule, ...] = ()
    acquisition: dict[Name, OptInMethod] = {}

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        try:
            if zone is not None:
                ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                "expected an IANA zone such as Europe/Copenhagen"
            ) from None
        return zone

    @model_validator(mode="after")
    def _declared_once(self) -> Self:
        days = [(snapshot.exported, snapshot.list) for snapshot in self.snapshots]
        for day, name in days:
            if days.count((day, name)) > 1:
                raise ValueError(
                    f"snapshots: {day} is declared twice for the same list; keep one"
                )
        return self

    @field_validator("acquisition")
    @classmethod
    def _said_once(cls, acquisition: dict[str, str]) -> dict[str, str]:
        """By the text that is compared: trimmed, in lower case."""
        compared: dict[str, str] = {}
        for source, method in acquisition.items():
            same = source.strip().lower()
            if not same or same in compared:
                raise ValueError(
                    f"expected every signup source once, `{source}` is not"
                )
            compared[same] = method
        return compared

    @property
    def zone(self) -> str:
        """The zone in force."""
        return self.timezone or DEFAULT_TIMEZONE


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: dict[str, dict[str, Account]] = {}


class Accounts:
    """Every declared account; one that is not declared has the defaults."""

    def __init__(
        self,
        declared: dict[tuple[str, str], Account],
        document: Document = _NO_DOCUMENT,
    ) -> None:
        """Take accounts by (source, account), and the file that declares them."""
        self.declared = declared
        self._document = document

    def of(self, source: str, account: str) -> Account:
        """The account's settings, or the defaults."""
        return self.declared.get((source, account), Account())

    def place(self, *path: str | int) -> str:
        """File, line and path of something declared, for an error to begin with."""
        return self._document.place("accounts", *path)


def load_accounts(config: Path) -> Accounts:
    """Read ``accounts.yaml`` (``accounts: {source: {account: {...}}}``) if it exists.

    Raises:
        ConfigurationError: naming the line, the path inside the file and what was
            expected.
    """
    document = read_document(config, "accounts.yaml", "accounts")
    if document is None:
        return Accounts({})
    file = document.read(_File, _keys_of)
    declared = {
        (source, account): settings
        for source, accounts in file.accounts.items()
        for account, settings in accounts.items()
    }
    return Accounts(declared, document)


_RULES: dict[str | int, type[BaseModel]] = {
    "snapshots": Snapshot,
    "streams": StreamRule,
    "content_categories": CategoryRule,
}


def _keys_of(path: Sequence[str | int]) -> type[BaseModel]:
    if len(path) > 4:
        return _RULES[path[3]]
    return _File if len(path) == 1 else Account
