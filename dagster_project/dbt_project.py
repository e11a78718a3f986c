"""The dbt project as an installed thing: its executable, target folder and manifest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dagster_project.settings import DBT_PROJECT, Settings


class DbtError(Exception):
    """dbt could not read its own project; the text is dbt's."""


def executable() -> Path:
    """The ``dbt`` of this interpreter's environment, whatever PATH says."""
    return Path(sys.executable).with_name("dbt")


def target(settings: Settings) -> Path:
    """Where dbt writes; it lies in the home and is reused from run to run."""
    return settings.at.dbt / "target"


def manifest(settings: Settings) -> Path:
    """The parsed project, parsed again when a file of it is newer.

    Raises:
        DbtError: when the project does not parse.
    """
    path = target(settings) / "manifest.json"
    if not path.exists() or path.stat().st_mtime < _newest(DBT_PROJECT):
        settings.at.make()
        parsed = subprocess.run(
            [executable(), "--no-use-colors", "parse", "--project-dir", DBT_PROJECT],
            env={**os.environ, **settings.tool_environment()},
            cwd=settings.at.dbt,
            capture_output=True,
            text=True,
            check=False,
        )
        if parsed.returncode:
            raise DbtError(parsed.stdout[-4000:])
    return path


def _newest(folder: Path) -> float:
    return max(path.stat().st_mtime for path in folder.rglob("*") if path.is_file())
