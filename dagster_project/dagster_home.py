"""Dagster's own folder inside the home: telemetry off, one run at a time."""

from __future__ import annotations

from dagster_project.settings import Settings

_INSTANCE = """\
telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
"""


def prepare(settings: Settings) -> None:
    """Write the instance file that every command and the daemon share."""
    settings.at.make()
    path = settings.at.dagster / "dagster.yaml"
    if not path.exists() or path.read_text(encoding="utf-8") != _INSTANCE:
        path.write_text(_INSTANCE, encoding="utf-8")
