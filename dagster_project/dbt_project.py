"""The dbt project as an installed thing: its executable, target folder and manifest."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.metadata import version
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
    """The parsed project, parsed again when a file of it is another.

    Times of files do not tell: a copied home and an installed wheel have their own.

    Raises:
        DbtError: when the project does not parse.
    """
    path = target(settings) / "manifest.json"
    parsed_from = target(settings) / "parsed-from"
    fingerprint = _fingerprint(DBT_PROJECT)
    is_parsed = path.exists() and parsed_from.exists()
    if not is_parsed or parsed_from.read_text(encoding="utf-8") != fingerprint:
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
        parsed_from.write_text(fingerprint, encoding="utf-8")
    return path


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256(version("dbt-core").encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
