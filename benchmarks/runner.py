"""Product against floor, in turn, as whole processes; no time without equal numbers.

Rounds are paired: the ratio of a round compares two processes that ran one after the
other, so that a busy or slow machine moves both. What is reported is the median of the
rounds' ratios, never a goal in seconds.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.files import NOW, events_file, inbox
from benchmarks.measuring import Usage, run_module

EXPORTED = ("csv", "ndjson")
"""Formats the product reads."""
STAGES = ("landing", "facts", "gate", "marts", "publish", "report")

_STEP = re.compile(r'Finished execution of step "(\w+)" in ([\w.]+)\.')
_STAGE_OF = {"published__marts": "publish", "report__page": "report"}
_PART = re.compile(r"([\d.]+)(ms|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}

Say = Callable[[str], None]


class UnequalError(Exception):
    """Product and floor count differently, so that no time may be shown."""

    def __init__(self, layout: str, comparison: dict[str, Any]) -> None:
        """Keep both sides for the reader."""
        super().__init__(f"Product and floor differ on {layout}.")
        self.layout = layout
        self.comparison = comparison


@dataclass(frozen=True)
class Pair:
    """One round of one format.

    Attributes:
        layout: of the file both read.
        floor: cost of the hand-written SQL.
        product: cost of a first run in a fresh home.
        stages: wall seconds of the product's stages, from its own log.
    """

    layout: str
    floor: Usage
    product: Usage
    stages: dict[str, float]

    def ratio(self, measure: str) -> float:
        """Product over floor."""
        return float(getattr(self.product, measure) / getattr(self.floor, measure))


@dataclass
class Result:
    """Everything one call measured.

    Attributes:
        machine: what it ran on.
        events: what the files hold.
        totals: sums both sides agree on.
        pairs: every round.
    """

    machine: dict[str, Any]
    events: dict[str, Any]
    totals: dict[str, int] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)

    def of(self, layout: str) -> list[Pair]:
        """The rounds of one format."""
        return [pair for pair in self.pairs if pair.layout == layout]

    def summary(self, layout: str) -> dict[str, Any]:
        """Medians over the rounds of one format."""
        pairs = self.of(layout)
        measures = ("wall_seconds", "cpu_seconds", "peak_mebibytes")
        return {
            "rounds": len(pairs),
            "floor": {m: median(getattr(p.floor, m) for p in pairs) for m in measures},
            "product": {
                m: median(getattr(p.product, m) for p in pairs) for m in measures
            },
            "ratio": {m: round(median(p.ratio(m) for p in pairs), 2) for m in measures},
            "stages": {
                stage: round(median(p.stages[stage] for p in pairs), 2)
                for stage in STAGES
                if all(stage in p.stages for p in pairs)
            },
        }

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        layouts = dict.fromkeys(pair.layout for pair in self.pairs)
        return {
            "machine": self.machine,
            "events": self.events,
            "totals": self.totals,
            "summary": {layout: self.summary(layout) for layout in layouts},
            "rounds": [asdict(pair) for pair in self.pairs],
        }


def measure(
    event_count: int,
    rounds: int,
    layouts: Sequence[str],
    work: Path,
    say: Say,
) -> Result:
    """Generate, then run floor and product in turn.

    Args:
        event_count: about how many events.
        rounds: how often.
        layouts: formats to read.
        work: folder for everything; the events are used again when they are there.
        say: told what is going on.

    Raises:
        UnequalError: before any time is known.
        FailedError: when a process fails.
    """
    machine = describe_machine()
    events = work / f"events-{event_count}"
    say(f"Writing about {event_count:,} events.")
    _, printed = run_module(
        "benchmarks.generator",
        ["--events", str(event_count), "--to", events],
        work / "logs" / "generator.log",
    )
    result = Result(machine, json.loads(printed))
    for number in range(1, rounds + 1):
        for layout in layouts:
            say(f"Round {number} of {rounds}, {layout}: floor, then product.")
            pair, totals = _measure_pair(events, layout, work, number)
            result.pairs.append(pair)
            result.totals = totals
    return result


def _measure_pair(
    events: Path, layout: str, work: Path, number: int
) -> tuple[Pair, dict[str, int]]:
    floor_folder, home = work / "floor", work / "home"
    shutil.rmtree(floor_folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
    logs = work / "logs"
    floor, _ = run_module(
        "benchmarks.floor",
        [
            *("--events", events_file(events, layout)),
            *("--layout", layout),
            *("--to", floor_folder),
        ],
        logs / f"floor-{layout}-{number}.log",
    )
    product, _ = run_module(
        "dagster_project",
        ["run", "--home", home, "--inbox", inbox(events, layout), "--now", NOW],
        logs / f"product-{layout}-{number}.log",
    )
    _, printed = run_module(
        "benchmarks.equality",
        ["--floor", floor_folder / "floor.duckdb", "--home", home],
        logs / f"equality-{layout}-{number}.log",
    )
    comparison = json.loads(printed)
    if not comparison["is_equal"]:
        raise UnequalError(layout, comparison)
    stages = read_stages(home / "logs" / "run.log")
    return Pair(layout, floor, product, stages), comparison["floor"]


def read_stages(log: Path) -> dict[str, float]:
    """Wall seconds by stage, from what the run's log says of its steps.

    A step of the gate is named after the check; every step without another name is one.
    """
    stages: dict[str, float] = {}
    for step, duration in _STEP.findall(log.read_text(encoding="utf-8")):
        name = step if step in STAGES else _STAGE_OF.get(step, "gate")
        stages[name] = round(stages.get(name, 0) + _seconds(duration), 3)
    return stages


def _seconds(duration: str) -> float:
    return sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(duration))


def describe_machine() -> dict[str, Any]:
    """What a reader must know to judge a figure."""
    return {
        "system": platform.system(),
        "processor_count": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "dbt": version("dbt-core"),
        "dagster": version("dagster"),
    }
