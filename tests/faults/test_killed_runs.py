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
ONE_RUN_SECONDS = 30
"""About what a run takes; moments are drawn over it, so that every stage is hit."""


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


def _kill_after(deployment: Deployment, seconds: float) -> bool:
    """Start a run and kill it with everything it started; whether it still ran."""
    run = subprocess.Popen(
        deployment.command("run", "--json", "--now", NOW),
        env=deployment.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    was_running = run.poll() is None
    os.killpg(run.pid, signal.SIGKILL) if was_running else None
    run.wait()
    return was_running


def _stage(deployment: Deployment) -> str:
    """How far the killed run had come, by its own log."""
    log = deployment.home / "logs" / "run.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    started = [line for line in text.splitlines() if "STEP_START" in line]
    return started[-1].split(" - ")[-3] if started else "start"


def test_many_kills_and_one_run_give_the_marts_of_a_run_without_kills(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = KILLS[pytestconfig.getoption("--faults")]
    chance = random.Random(20)
    killed = Deployment(tmp_path / "killed")
    stages: list[str] = []
    for number in range(kills):
        _fill(killed, number)
        # Every second kill falls into the whole run, the others into its first third,
        # where landing is.
        longest = ONE_RUN_SECONDS if number % 2 else ONE_RUN_SECONDS / 3
        if _kill_after(killed, chance.uniform(0.5, longest)):
            stages.append(_stage(killed))
    killed.run()

    whole = Deployment(tmp_path / "whole")
    for number in range(kills):
        _fill(whole, number)
    whole.run()

    assert len(stages) >= kills / 2, stages
    assert len(set(stages)) >= 2, stages
    # The ledger numbers and dates files by the run that judged them.
    assert killed.marts(leave_out=ABOUT_FILES) == whole.marts(leave_out=ABOUT_FILES)
    ledger = (
        "select file_name, state, loaded_count, rejected_count from main.load_ledger"
    )
    listed = f"{ledger} order by all"
    assert killed.query(listed) == whole.query(listed)
    leftovers = [path for path in killed.home.rglob(".load=*")]
    assert leftovers == []
