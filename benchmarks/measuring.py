"""What one whole process costs: wall clock, processor time and memory.

The system counts them, children included once they have been waited for, so nothing
runs beside the process to watch it. Keep whoever measures small: a process begins its
life as a copy of its parent, and that copy counts as memory of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in the system's unit of peak memory."""


class FailedError(Exception):
    """A measured process failed; the text has the end of what it said."""


@dataclass(frozen=True)
class Usage:
    """Cost of a process and everything it started.

    Attributes:
        wall_seconds: from start to end.
        cpu_seconds: user and system time of all threads and children.
        peak_mebibytes: resident memory of the largest single process, at its peak.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_mebibytes: float


def run_module(
    module: str, arguments: Sequence[str | Path], log: Path
) -> tuple[Usage, str]:
    """Run a module of this clone with this interpreter.

    Args:
        module: as after `python -m`.
        arguments: its arguments.
        log: where its errors and chatter go.

    Returns:
        What it cost, and what it printed.

    Raises:
        FailedError: when it does not exit with 0.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    printed = log.with_suffix(".out")
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with log.open("w") as errors, printed.open("w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=PROJECT, env=_environment(), stdout=output, stderr=errors
        )
        _, status, resources = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = (printed.read_text() + log.read_text())[-2000:]
        raise FailedError(f"{module} ended with {process.returncode}:\n{said}")
    usage = Usage(
        wall_seconds=round(wall, 3),
        cpu_seconds=round(resources.ru_utime + resources.ru_stime, 3),
        peak_mebibytes=round(resources.ru_maxrss * _PEAK_UNIT / (1 << 20), 1),
    )
    return usage, printed.read_text()


def _environment() -> dict[str, str]:
    """The caller's, without settings of a deployment: defaults are measured."""
    return {k: v for k, v in os.environ.items() if not k.startswith("OPTOUT_")}
