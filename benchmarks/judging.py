"""What it costs to judge 100,000 campaigns: processor seconds of every model.

The campaigns are drawn, so neither landing nor facts are measured, and no data test.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from benchmarks.shipped import Shipped
from benchmarks.worlds import full_campaigns

STREAMS = 1000
SENDS = 100
CPU_SECONDS_ALLOWED = 15.0
MARTS = (
    "campaign_unsubscribe_rates",
    "unsubscribe_rate_trends",
    "stream_trends",
    "campaign_diagnoses",
)
"""Built with everything between them and the campaigns."""


def measure(shipped: Shipped, streams: int, sends: int, seed: int) -> dict[str, Any]:
    """Build the marts of drawn campaigns, one model after the other.

    Args:
        shipped: the compiled project.
        streams: how many.
        sends: of each stream.
        seed: of the draw.
    """
    world = shipped.open()
    world.seeds()
    given = {
        "dim_runs": "select 'build' as build_id",
        "fct_campaigns": full_campaigns(np.random.default_rng(seed), streams, sends),
    }
    facts = [name for name, node in shipped.nodes.items() if node["schema"] == "facts"]
    for name in facts:
        world.table(name, given.get(name, []))
    seeds = [n for n, node in shipped.nodes.items() if node["resource_type"] == "seed"]
    marts = [name for name in MARTS if name in shipped.nodes]
    models = {}
    for name in shipped.between({*facts, *seeds}, marts):
        cpu, wall = _cpu_seconds(), time.perf_counter()
        world.build(name)
        cpu, wall = _cpu_seconds() - cpu, time.perf_counter() - wall
        (built,) = world.rows(f"select count(*) as row_count from {name}")
        models[name] = {
            "layer": shipped.nodes[name]["schema"],
            **built,
            "cpu_seconds": round(cpu, 2),
            "wall_seconds": round(wall, 2),
        }
    return {
        "streams": streams,
        "sends": sends,
        "seed": seed,
        "cpu_seconds": round(sum(model["cpu_seconds"] for model in models.values()), 2),
        "models": models,
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
