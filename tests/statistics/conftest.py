"""The shipped models for the tests of the statistics, compiled once a test run."""

from __future__ import annotations

import fcntl
import os
import pickle
from pathlib import Path

import pytest

from benchmarks.shipped import Shipped, World, compile_project


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The compiled project; workers side by side share the first one's."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept: Path = folder / "shipped.pickle"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(compile_project()))
    return pickle.loads(kept.read_bytes())


@pytest.fixture
def world(shipped: Shipped) -> World:
    """A database with the seeds and a run, and nothing else."""
    opened = shipped.open()
    opened.seeds()
    opened.table("dim_runs", "select 'build' as build_id")
    return opened
