"""Runs the real command in a process of its own and reads what it published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

NOW = "2026-04-01T00:00:00Z"
ABOUT_FILES = ("load_ledger", "source_freshness")
"""Marts that tell when files came, so that the same file again shows in them."""


@dataclass
class Deployment:
    """A home and an inbox of one test."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "dagster_project", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "OPTOUT_HOME": str(self.home),
            "OPTOUT_INBOX": str(self.inbox),
            "OPTOUT_SETTLE_SECONDS": "0",
        }

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def run(self, expected: int = 0, now: str = NOW) -> dict[str, Any]:
        """Run the pipeline and insist on its exit code."""
        done = self.call("run", "--json", "--now", now)
        log = self.home / "logs" / "run.log"
        tail = log.read_text(encoding="utf-8")[-3000:] if log.exists() else ""
        assert done.returncode == expected, done.stdout + done.stderr + tail
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    def query(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(
            str(self.home / "published" / "marts.duckdb"), read_only=True
        ) as marts:
            answer = marts.execute(sql)
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def marts(self, *, leave_out: tuple[str, ...] = ()) -> dict[str, list[str]]:
        """Every published row as text, without the build it belongs to."""
        names = [
            row["table_name"]
            for row in self.query(
                "select table_name from duckdb_tables() order by table_name"
            )
        ]
        assert names, "nothing is published"
        return {
            name: sorted(
                repr({k: v for k, v in row.items() if k != "build_id"})
                for row in self.query(f'from main."{name}"')
            )
            for name in names
            if name not in leave_out
        }

    def call_changed(
        self, change: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in a process in which a line of Python came first."""
        program = f"{change}\nfrom dagster_project.cli import main\nmain()"
        return subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def materialize(self, *selection: str) -> subprocess.CompletedProcess[str]:
        """Materialise assets alone, as a person does in the Dagster UI."""
        dagster = self.home / "dagster"
        return subprocess.run(
            [
                *(sys.executable, "-m", "dagster", "asset", "materialize"),
                *("-m", "dagster_project.definitions", "--select", " ".join(selection)),
            ],
            env={**self.environment, "DAGSTER_HOME": str(dagster)},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
