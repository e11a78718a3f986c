"""A run that is killed at any moment leaves nothing that the next run cannot use."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration import exports
from tests.integration.pipeline import ABOUT_FILES, NOW, Deployment

pytestmark = pytest.mark.slow

KILLS = {"short": 5, "long": 20}
STEPS_BEGUN = (1, 0, 2, 1, 7)
"""Kills fall soon after so many steps of a run began, in turn: a slow machine takes
a minute to begin, so that moments by the clock would all hit the same stage."""
LONGEST_PAUSE_SECONDS = 1
LONGEST_RUN_SECONDS = 300


def _fill(deployment: Deployment, number: int) -> None:
    """A few more files than the run before had, so that landing has work each time."""
    shop = deployment.inbox / "generic/shop"
    name = f"campaign{number:02d}"
    exports.write(shop / f"{name}.ndjson", exports.small_events(name))
    exports.write(
        shop / f"{name}.broken.ndjson",
        exports.small_events(f"{name}b", broken_line=True),
    )
    month = 1 + number % 12
    exports.write(
        deployment.inbox / f"generic/club/contacts{number:02d}.csv",
        exports.contact_table(f"2025-{month:02d}-28T23:00:00Z", gone=number),
    )


def _kill_after(deployment: Deployment, steps: int, seconds: float) -> str | None:
    """Start a run and kill it with everything it started so long after a step began.

    Returns:
        The step that ran when it was killed, by its own log; None where it had ended.
    """
    # Each run begins its log anew, some seconds after it was started.
    (deployment.home / "logs" / "run.log").unlink(missing_ok=True)
    run = subprocess.Popen(
        deployment.command("run", "--json", "--now", NOW),
        env=deployment.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    while (
        len(_steps(deployment)) < steps
        and run.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    time.sleep(seconds)
    was_running = run.poll() is None
    if was_running:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return ["start", *_steps(deployment)][-1] if was_running else None


def _steps(deployment: Deployment) -> list[str]:
    """The steps that the newest run began, in order."""
    log = deployment.home / "logs" / "run.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    begun = (line for line in text.splitlines() if " - STEP_START - " in line)
    return [line.split(" - ")[-3] for line in begun]


def test_many_kills_and_one_run_give_the_marts_of_a_run_without_kills(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = KILLS[pytestconfig.getoption("--faults")]
    chance = random.Random(20)
    killed = Deployment(tmp_path / "killed")
    stages: list[str | None] = []
    for number in range(kills):
        _fill(killed, number)
        steps = STEPS_BEGUN[number % len(STEPS_BEGUN)]
        pause = chance.uniform(0, LONGEST_PAUSE_SECONDS)
        stages.append(_kill_after(killed, steps, pause))
    killed.run()

    whole = Deployment(tmp_path / "whole")
    for number in range(kills):
        _fill(whole, number)
    whole.run()

    assert None not in stages, stages
    # Landing may be over before the kill that was meant for it.
    assert {"start", "facts", "marts"} <= {*stages}, stages
    # The ledger numbers and dates files by the run that judged them.
    assert killed.marts(leave_out=ABOUT_FILES) == whole.marts(leave_out=ABOUT_FILES)
    ledger = (
        "select file_name, state, loaded_count, rejected_count from main.load_ledger"
    )
    listed = f"{ledger} order by all"
    assert killed.query(listed) == whole.query(listed)
    leftovers = [path for path in killed.home.rglob(".load=*")]
    assert leftovers == []
