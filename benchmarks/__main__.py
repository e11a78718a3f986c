"""`python -m benchmarks`: arguments in, a small table and JSON out."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FailedError
from benchmarks.runner import EXPORTED, STAGES, Result, UnequalError, measure

DEFAULT_EVENTS = 200_000
FEWEST_EVENTS = 10_000
"""Below that, campaigns shrink to a handful of sends."""
BUSY_SHARE = 0.5
"""Load per processor from which seconds say little and only ratios count."""

_COSTS = {
    "wall_seconds": ("wall s", ".1f"),
    "cpu_seconds": ("processor s", ".1f"),
    "peak_mebibytes": ("peak MiB", ",.0f"),
}
_PIPE_WIDTH = 120
"""Where nobody's terminal sets a width."""


def main() -> None:
    """Measure; exit with 1 when a process fails or the numbers differ."""
    given = _arguments()
    console, talk = _console(sys.stdout), _console(sys.stderr)
    try:
        with _folder(given.work) as work:
            result = measure(
                given.events, given.rounds, given.formats, work, talk.print
            )
    except UnequalError as unequal:
        _print_difference(talk, unequal)
        sys.exit(1)
    except FailedError as failed:
        talk.print(str(failed), markup=False)
        sys.exit(1)
    _print_result(console, result)
    if given.json:
        given.json.write_text(json.dumps(result.as_json(), indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="The whole pipeline beside a hand-written floor.",
    )
    parser.add_argument("--events", type=int, default=DEFAULT_EVENTS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--formats",
        default=",".join(EXPORTED),
        type=lambda text: text.split(","),
        help=f"of {', '.join(EXPORTED)}",
    )
    parser.add_argument("--work", type=Path, help="keep events, homes and logs here")
    parser.add_argument("--json", type=Path, help="also write the result here")
    given = parser.parse_args()
    if given.events < FEWEST_EVENTS:
        parser.error(f"--events: expected {FEWEST_EVENTS} or more")
    if given.rounds < 1:
        parser.error("--rounds: expected 1 or more")
    if not set(given.formats) <= set(EXPORTED):
        parser.error(f"--formats: expected some of {', '.join(EXPORTED)}")
    return given


def _console(stream: TextIO) -> Console:
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="optout-bench-") as folder:
        yield Path(folder)


def _print_result(console: Console, result: Result) -> None:
    summary = result.as_json()["summary"]
    events, machine = result.events, result.machine
    console.print(
        f"{events['events']:,} events, {events['copies']:,} of them copies;"
        f" {len(result.pairs) // len(summary)} round(s), medians."
        f" {machine['processor_count']} processors, DuckDB {machine['duckdb']}."
    )
    if machine["load_before"] > BUSY_SHARE * machine["processor_count"]:
        console.print(
            f"[yellow]The machine was busy (load {machine['load_before']}):"
            " compare ratios, not seconds.[/]"
        )
    totals = ", ".join(f"{name} {count:,}" for name, count in result.totals.items())
    console.print(f"Equal in every campaign: {totals}.")
    console.print(_cost_table(summary))
    console.print(_stage_table(summary))


def _cost_table(summary: dict[str, Any]) -> Table:
    table = _table("format", "process", *(title for title, _ in _COSTS.values()))
    for layout, found in summary.items():
        for process in ("floor", "product", "ratio"):
            cells = [
                format(found[process][cost], ".1f" if process == "ratio" else shape)
                for cost, (_, shape) in _COSTS.items()
            ]
            style = "bold" if process == "ratio" else None
            table.add_row(layout, process, *cells, style=style)
    return table


def _stage_table(summary: dict[str, Any]) -> Table:
    table = _table("format", "product, wall s", *STAGES, "before and after")
    for layout, found in summary.items():
        stages = found["stages"]
        rest = found["product"]["wall_seconds"] - sum(stages.values())
        cells = [f"{stages[s]:.1f}" if s in stages else "" for s in STAGES]
        table.add_row(layout, "stage", *cells, f"{rest:.1f}")
    return table


def _table(*titles: str) -> Table:
    """Two columns of words, then numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, title in enumerate(titles):
        table.add_column(title, justify="left" if place < 2 else "right")
    return table


def _print_difference(talk: Console, unequal: UnequalError) -> None:
    found = unequal.comparison
    talk.print(
        f"[bold red]{unequal} {found['differing_campaigns']} of"
        f" {found['campaigns']} campaigns. No time is shown.[/]"
    )
    table = _table("sum over campaigns", "", "floor", "product", "difference")
    for name, floor in found["floor"].items():
        product = found["product"][name]
        table.add_row(name, "", f"{floor:,}", f"{product:,}", f"{product - floor:+,}")
    talk.print(table)
    for example in found["examples"]:
        talk.print(
            f"{example['campaign_id']} {example['measure']}:"
            f" floor {example['floor']}, product {example['product']}"
        )


if __name__ == "__main__":
    main()
