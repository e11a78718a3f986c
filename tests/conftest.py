"""What every test may lean on: a private home, a fixed clock, a known key, an inbox.

Nothing here starts an orchestrator. Files get a fixed modification time, so that what
an export does not say about its own age is the same in every run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from dagster_project.landing.identity import ContactKey, load_key
from dagster_project.landing.land import Landed, land_inbox
from dagster_project.landing.ledger import Ledger, Load
from dagster_project.settings import Settings

# The same draws in every run, nothing kept between runs. A test's folder may be shared
# by its examples: each overwrites what it reads.
hypothesis_settings.register_profile(
    "repeatable",
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("repeatable")

NOW = datetime(2026, 11, 1)
DROPPED_AT = datetime(2026, 10, 31, 12)
"""When every dropped file says it was written: before NOW, so it dates its export."""
SECRET = "a-secret-for-tests-only-" + "0" * 40


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


@dataclass(frozen=True)
class Deployment:
    """One home with its inbox, used as an owner would: drop files, land, look."""

    settings: Settings

    @property
    def inbox(self) -> Path:
        return Path(self.settings.inbox)

    @property
    def home(self) -> Path:
        return self.settings.at.root

    def drop(self, name: str, content: bytes | str, at: datetime = DROPPED_AT) -> Path:
        """Put a file into the inbox, whole and with a known modification time."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        moment = at.replace(tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        return path

    def land(self, days: int = 0) -> Landed:
        """Land the inbox, ``days`` after the fixed clock."""
        later = NOW + timedelta(days=days)
        return land_inbox(self.settings.model_copy(update={"now": later}))

    def rows(self, table: str, order: str = "all") -> list[dict[str, Any]]:
        """Everything a landing table holds, as any engine sees it."""
        with _engine().cursor() as cursor:
            cursor.execute(
                f"from read_parquet('{self.settings.at.landing}/load=*/{table}.parquet',"
                " hive_partitioning=true, hive_types={'load': 'varchar'},"
                f" union_by_name=true) order by {order}"
            )
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def loads(self) -> dict[str, Load]:
        """The ledger's entries by file name."""
        return {load.file_name: load for load in Ledger(self.settings.at)}

    def configure(self, accounts_yaml: str) -> None:
        """Write the owner's ``config/accounts.yaml``."""
        self.settings.at.config.mkdir(parents=True, exist_ok=True)
        path = self.settings.at.config / "accounts.yaml"
        path.write_text(accounts_yaml, encoding="utf-8")


def deploy(folder: Path, **changes: Any) -> Deployment:
    """A deployment of its own below a folder."""
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "home": folder / "home",
        "inbox": str(folder / "inbox"),
        "now": NOW,
        "contact_key": SECRET,
        "settle_seconds": 0,
        "memory_limit": "1GB",
        "threads": 2,
    }
    return Deployment(Settings(**(given | changes)))


LONGEST_FIRST = (
    "test_gate",
    "test_main_job",
    "test_head_to_head",
    "test_denominator_faults",
    "test_killed_runs",
    "test_demo_year",
    "test_dbt",
    "test_accounts",
)
"""Files that run the pipeline most often: begun last, one would run on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes runs last, so that a slip is known within one."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if "slow" not in item.keywords:
        return 0
    name = item.path.stem
    return 1 + (LONGEST_FIRST.index(name) if name in LONGEST_FIRST else 99)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--faults=long`` runs the long form of the tests that break things."""
    parser.addoption("--faults", choices=("short", "long"), default="short")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A developer's own deployment never leaks into a test, nor a test's umask out."""
    for name in list(os.environ):
        if name.startswith("OPTOUT_"):
            monkeypatch.delenv(name)
    mask = os.umask(0o022)
    yield
    os.umask(mask)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A deployment of one test's own."""
    return deploy(tmp_path)


@pytest.fixture
def settings(deployment: Deployment) -> Settings:
    """The settings of the test's deployment."""
    return deployment.settings


@pytest.fixture
def drop(deployment: Deployment) -> Callable[..., Path]:
    """``drop("generic/events.csv", text)`` puts a file into the inbox."""
    return deployment.drop


@pytest.fixture
def contact_key() -> ContactKey:
    """The key that every test's home uses."""
    return load_key(Path("nowhere"), SECRET, may_create=False)
