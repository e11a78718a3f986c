"""`python -m benchmarks`: arguments in, small tables and JSON out.

Without a command the whole pipeline is measured; `simulation`, `decay` and
`interventions` tell how often the shipped models are right, `judging` what they cost.
"""

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

from benchmarks import decay, interventions, judging
from benchmarks.measuring import FailedError
from benchmarks.runner import (
    EXPORTED,
    STAGES,
    Result,
    UnequalError,
    describe_machine,
    measure,
)
from benchmarks.shipped import compile_project
from benchmarks.simulation import Comparison, Figure, Outcome, simulate

DEFAULT_EVENTS = 200_000
FEWEST_EVENTS = 10_000
"""Below that, campaigns shrink to a handful of sends."""
DEFAULT_STREAMS = 6000
FEWEST_STREAMS = 400
"""Below that, the rarer half of the figures rests on a handful of sends."""
DEFAULT_SEED = 1
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
    """Run what was asked for; exit with 1 when it fails or does not hold."""
    given = _arguments()
    {
        "pipeline": _measure_pipeline,
        "simulation": _simulate,
        "decay": _recover_decay,
        "interventions": _judge_interventions,
        "judging": _measure_judging,
    }[given.command](given)


def _measure_pipeline(given: argparse.Namespace) -> None:
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
    _write(given.json, result.as_json())


def _simulate(given: argparse.Namespace) -> None:
    console, talk = _console(sys.stdout), _console(sys.stderr)
    talk.print("Compiling the project.")
    steps = simulate(compile_project(), given.streams, given.seed)
    for step in steps:
        if isinstance(step, Outcome):
            _print_outcome(console, step)
            _write(given.json, step.as_json())
            sys.exit(1 if step.lost else 0)
        talk.print(step)


def _recover_decay(given: argparse.Namespace) -> None:
    console, talk = _console(sys.stdout), _console(sys.stderr)
    talk.print("Compiling the project.")
    seeds = range(given.seed, given.seed + len(decay.SEEDS))
    found = decay.recover(compile_project(), seeds)
    _print_recoveries(console, found)
    _write(given.json, {"recoveries": [recovery.as_json() for recovery in found]})
    sys.exit(0 if all(recovery.holds for recovery in found) else 1)


def _judge_interventions(given: argparse.Namespace) -> None:
    console, talk = _console(sys.stdout), _console(sys.stderr)
    talk.print("Compiling the project.")
    shipped = compile_project()
    seeds = range(given.seed, given.seed + len(interventions.SEEDS))
    plain = interventions.judge(shipped, seeds)
    harder = {
        world: interventions.judge(shipped, seeds, hard)
        for world, hard in interventions.HARDER.items()
    }
    _print_judgements(console, {"": plain, **harder})
    _write(
        given.json,
        {
            "judgements": [each.as_json() for each in plain],
            "harder": {
                world: [each.as_json() for each in found]
                for world, found in harder.items()
            },
        },
    )
    sys.exit(0 if all(each.holds for each in plain) else 1)


def _measure_judging(given: argparse.Namespace) -> None:
    console, talk = _console(sys.stdout), _console(sys.stderr)
    talk.print("Compiling the project.")
    found = judging.measure(
        compile_project(), judging.STREAMS, judging.SENDS, given.seed
    )
    _print_costs(console, found)
    _write(given.json, {"machine": describe_machine(), **found})
    sys.exit(1 if found["cpu_seconds"] > judging.CPU_SECONDS_ALLOWED else 0)


def _write(path: Path | None, found: dict[str, Any]) -> None:
    if path:
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="The whole pipeline beside a hand-written floor.",
    )
    parser.set_defaults(command="pipeline")
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
    commands = parser.add_subparsers(metavar="command")
    for name, about in (
        ("simulation", "How often the shipped models are right, in known worlds."),
        ("decay", "How often the interval of a list's attrition holds the truth."),
        ("interventions", "How often what is said of a change is right."),
        ("judging", "Processor seconds of judging 100,000 campaigns."),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(command=name)
        command.add_argument("--seed", type=int, default=DEFAULT_SEED)
        command.add_argument("--json", type=Path, help="also write the result here")
        if name == "simulation":
            command.add_argument(
                "--streams", type=int, default=DEFAULT_STREAMS, help="of every world"
            )
    given = parser.parse_args()
    if given.events < FEWEST_EVENTS:
        parser.error(f"--events: expected {FEWEST_EVENTS} or more")
    if given.rounds < 1:
        parser.error("--rounds: expected 1 or more")
    if not set(given.formats) <= set(EXPORTED):
        parser.error(f"--formats: expected some of {', '.join(EXPORTED)}")
    if given.command == "simulation" and given.streams < FEWEST_STREAMS:
        parser.error(f"--streams: expected {FEWEST_STREAMS} or more")
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


def _table(*titles: str, words: int = 2) -> Table:
    """Columns of words, then numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, title in enumerate(titles):
        table.add_column(title, justify="left" if place < words else "right")
    return table


def _print_outcome(console: Console, outcome: Outcome) -> None:
    for title in dict.fromkeys(figure.table for figure in outcome.figures):
        console.print()
        console.print(f"[bold]{title}[/]")
        console.print(_figure_table([f for f in outcome.figures if f.table == title]))
    console.print()
    console.print("[bold]Product and rivals where both are wrong equally often[/]")
    console.print(_rival_table(outcome.comparisons))
    compared = [figure for figure in outcome.figures if figure.research]
    outside = sum(figure.is_outside for figure in compared)
    console.print(
        f"{outcome.streams:,} streams a world, seed {outcome.seed}. In brackets what"
        f" the research printed: {outside} of {len(compared)} figures, marked !, are"
        " further away than chance explains."
    )
    for lost in outcome.lost:
        console.print(f"[bold red]Not better than {lost.rival}: {lost.world}.[/]")


def _figure_table(figures: list[Figure]) -> Table:
    columns = list(dict.fromkeys(figure.column for figure in figures))
    cells = {(figure.row, figure.column): _cell(figure) for figure in figures}
    table = _table("", *columns, words=1)
    for row in dict.fromkeys(figure.row for figure in figures):
        table.add_row(row, *(cells.get((row, column), "") for column in columns))
    return table


def _cell(figure: Figure) -> str:
    digits = 1 if abs(figure.value) >= 10 else 2
    cell = f"{figure.value:.{digits}f}"
    if figure.research is not None:
        cell += f" ({figure.research})" + ("!" if figure.is_outside else "")
    return cell


def _rival_table(comparisons: list[Comparison]) -> Table:
    table = _table("world", "rival", "its limit", "it finds, %", "product finds, %")
    for compared in comparisons:
        table.add_row(
            compared.world,
            compared.rival,
            f"{compared.limit:.2f}",
            f"{compared.found:.1f}",
            f"{compared.product:.1f}",
        )
    return table


def _print_costs(console: Console, found: dict[str, Any]) -> None:
    models = found["models"]
    table = _table("model", "layer", "rows", "processor s")
    for name in sorted(models, key=lambda name: -models[name]["cpu_seconds"]):
        cost = models[name]
        table.add_row(
            name, cost["layer"], f"{cost['row_count']:,}", f"{cost['cpu_seconds']:.2f}"
        )
    console.print(table)
    console.print(
        f"{found['streams'] * found['sends']:,} campaigns in {found['streams']:,}"
        f" streams: {found['cpu_seconds']:.1f} processor seconds"
        f" of {judging.CPU_SECONDS_ALLOWED:g} allowed."
    )


def _print_recoveries(console: Console, found: list[decay.Recovery]) -> None:
    table = _table("lists told by", "lists", "covered", "planted %", "found %")
    for recovery in found:
        table.add_row(
            recovery.kind,
            f"{recovery.lists}",
            f"{recovery.covered}",
            f"{recovery.planted_pct:.3f}",
            f"{recovery.found_pct:.3f}",
        )
    console.print(table)
    console.print(
        "Covered: the planted monthly attrition lies in the 95 % interval of"
        f" list_decay_summary; at least {decay.COVERED_AT_LEAST:.0%} must."
    )


def _print_judgements(
    console: Console, found: dict[str, list[interventions.Judgement]]
) -> None:
    for world, judgements in found.items():
        console.print(f"[bold]{world[:1].upper() + world[1:] or 'Plain worlds'}[/]")
        table = _table(
            *("unit; compared with", "planted %", "worlds", "judged"),
            *(
                "covered",
                "worked",
                "backfired",
                "found %",
                "half width",
                "would show %",
            ),
            words=1,
        )
        for each in judgements:
            table.add_row(
                interventions.KINDS[each.kind],
                f"{each.planted_pct:.0f}",
                *(f"{each.worlds}", f"{each.judged}", f"{each.covered}"),
                *(f"{count}" for count in each.called),
                f"{each.found_pct:.1f}",
                f"{each.half_width_pct:.1f}",
                f"{each.detectable_pct:.1f}",
            )
        console.print(table)
        console.print()
    console.print(
        "Covered: the planted effect lies in the 95 % interval of intervention_effects."
        f" In plain worlds at least {interventions.COVERED_AT_LEAST:.0%} must, and at"
        f" most {interventions.CALLED_AT_MOST:.0%} without an effect may be called one."
        " Found, half width and what would show are medians."
    )


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
