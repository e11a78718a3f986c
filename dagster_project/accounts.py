"""What only the owner of an account knows: ``config/accounts.yaml``, checked.

Every setting has a default, and the ledger says which defaults a file was read with.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

DEFAULT_ACCOUNT = "default"
DEFAULT_TIMEZONE = "UTC"


class ConfigurationError(Exception):
    """A file under ``config/`` is wrong; the text says where and what was expected."""


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


class Account(BaseModel):
    """One account of one source.

    Attributes:
        timezone: IANA zone of times that carry none.
        industry: for the published bands.
        opt_in: how contacts usually join.
        promised_per_week: mails a week that subscribers were told to expect.
        is_group_headline: whether a group opt-out counts as leaving.
        settle_days: age from which a send's counts are final.
        confirmed_files: files whose unusual numbers the owner has checked, as
            `optout files` names them; the gate compares them with nothing.
        settings: what the source's mapping asks the owner for.
        snapshots: which exports hold the whole list and which a part. Nothing is read
            again for it: a file lands the same whatever it holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str | None = None
    industry: str | None = None
    opt_in: Literal["single", "double"] | None = None
    promised_per_week: float | None = Field(default=None, gt=0)
    is_group_headline: bool = False
    settle_days: int | None = Field(default=None, ge=0)
    confirmed_files: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    snapshots: tuple[Snapshot, ...] = ()

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

    @property
    def zone(self) -> str:
        """The zone in force."""
        return self.timezone or DEFAULT_TIMEZONE


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: dict[str, dict[str, Account]] = {}


class Accounts:
    """Every declared account; one that is not declared has the defaults."""

    def __init__(self, declared: dict[tuple[str, str], Account]) -> None:
        """Take accounts by (source, account)."""
        self.declared = declared

    def of(self, source: str, account: str) -> Account:
        """The account's settings, or the defaults."""
        return self.declared.get((source, account), Account())


def load_accounts(config: Path) -> Accounts:
    """Read ``accounts.yaml`` (``accounts: {source: {account: {...}}}``) if it exists.

    Raises:
        ConfigurationError: naming the path inside the file and what was expected.
    """
    path = config / "accounts.yaml"
    if not path.exists():
        return Accounts({})
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        file = _File(**content)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"config/accounts.yaml is not YAML: {error}") from None
    except ValidationError as error:
        raise ConfigurationError(f"config/accounts.yaml: {_explain(error)}") from None
    except ValueError as error:
        raise ConfigurationError(
            f"config/accounts.yaml has a day that no calendar knows: {error}"
        ) from None
    except TypeError:
        raise ConfigurationError(
            "config/accounts.yaml: expected `accounts:` at the top"
        ) from None
    return Accounts(
        {
            (source, account): settings
            for source, accounts in file.accounts.items()
            for account, settings in accounts.items()
        }
    )


def _explain(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in entry['loc'])}: {entry['msg']}"
        for entry in error.errors(include_input=False, include_url=False)
    )
