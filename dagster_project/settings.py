"""Where everything lies and how much may be used: the only reader of the environment.

A :class:`Home` names every path of one deployment; nothing is kept outside it.
Thresholds of the statistics are dbt vars and seeds, not settings.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_PACKAGE = Path(__file__).resolve().parent


def _project_root() -> Path:
    """The folder that holds ``dbt/`` and ``expectations/``: the clone, or the wheel."""
    packaged = _PACKAGE / "_project"
    return packaged if packaged.is_dir() else _PACKAGE.parent


PROJECT_ROOT = _project_root()
DBT_PROJECT = PROJECT_ROOT / "dbt"
EXPECTATIONS = PROJECT_ROOT / "expectations"
SEEDS = DBT_PROJECT / "seeds"
SOURCES = _PACKAGE / "sources"


class Home:
    """Every path of one deployment; the folder itself is private to its owner."""

    def __init__(self, root: Path) -> None:
        """Take the folder; it is made on first use, see :meth:`make`."""
        self.root = root.expanduser().resolve()
        self.archive = self.root / "archive"
        self.landing = self.root / "landing"
        self.context = self.landing / "context"
        self.warehouse = self.root / "warehouse.duckdb"
        self.published = self.root / "published"
        self.marts = self.published / "marts.duckdb"
        self.report = self.root / "report" / "index.html"
        self.config = self.root / "config"
        self.key = self.root / "key"
        self.logs = self.root / "logs"
        self.dagster = self.root / "dagster"
        self.dbt = self.root / "dbt"
        self.temporary = self.root / "tmp"
        self.lock = self.root / "lock"

    def make(self) -> None:
        """Create the folders, private to their owner; harmless when they exist."""
        os.umask(0o077)
        for folder in (
            self.root,
            self.archive,
            self.landing,
            self.published,
            self.config,
            self.logs,
            self.dagster,
            self.dbt,
            self.temporary,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


class Settings(BaseSettings):
    """What a deployment may say through the environment (prefix ``OPTOUT_``)."""

    model_config = SettingsConfigDict(env_prefix="OPTOUT_", extra="ignore")

    home: Path = Path("optout-home")
    inbox: str = "inbox"
    now: datetime | None = None
    contact_key: SecretStr | None = Field(
        default=None,
        description="The deployment's own secret; without it the home's key file.",
    )
    memory_limit: str = "4GB"
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1)
    settle_seconds: float = Field(
        default=1.0, description="How long a file must lie still before it is taken."
    )
    full_refresh: bool = False

    @classmethod
    def for_process(cls) -> Settings:
        """The environment's settings, with what dbt needs put into the environment."""
        settings = cls()
        os.environ.update(settings.tool_environment())
        return settings

    def share(self, *, with_clock: bool = True) -> None:
        """Let everything in this process, and what it starts, see these settings.

        Args:
            with_clock: also the moment of this run; not for a server, which lives on.
        """
        os.environ.update(
            OPTOUT_HOME=str(self.at.root),
            OPTOUT_INBOX=self.inbox,
            OPTOUT_FULL_REFRESH=str(self.full_refresh).lower(),
            **self.tool_environment(),
        )
        if with_clock:
            os.environ["OPTOUT_NOW"] = self.clock.isoformat()

    @cached_property
    def at(self) -> Home:
        """The paths of this deployment."""
        return Home(self.home)

    @cached_property
    def clock(self) -> datetime:
        """The moment that maturity, ageing and windows are judged at: naive UTC."""
        moment = self.now or datetime.now(UTC)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment.replace(microsecond=0)

    def tool_environment(self) -> dict[str, str]:
        """What dbt needs to know; telemetry is off and nothing is written outside."""
        home = self.at
        return {
            "OPTOUT_LANDING": str(home.landing),
            "OPTOUT_WAREHOUSE": str(home.warehouse),
            "OPTOUT_TEMP": str(home.temporary),
            "OPTOUT_MEMORY_LIMIT": self.memory_limit,
            "DBT_PROFILES_DIR": str(DBT_PROJECT),
            "DBT_TARGET_PATH": str(home.dbt / "target"),
            "DBT_LOG_PATH": str(home.dbt / "logs"),
            # Everything dbt says of every statement is 10 MB a run, and time.
            "DBT_LOG_LEVEL_FILE": "info",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DAGSTER_HOME": str(home.dagster),
            "GX_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
