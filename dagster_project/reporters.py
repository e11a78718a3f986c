"""How a run shows its progress on the screen: a bar a stage, or a line a stage."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

_STAGES = {
    "landing": "Landing files",
    "facts": "Building facts",
    "gate": "Checking denominators",
    "marts": "Building marts",
    "publish": "Publishing",
    "report": "Drawing the report",
}


class LineReporter:
    """One plain line a stage: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        """Write to the console."""
        self._console = console
        self._stage = ""

    def advance(self, stage: str, done: int, total: int | None, name: str) -> None:
        """Say a stage's name once, when it begins."""
        if stage != self._stage:
            self._stage = stage
            self._console.print(f"{_STAGES.get(stage, stage)} ...")

    def close(self) -> None:
        """Nothing to give back."""


class BarReporter:
    """A bar a stage: for people."""

    def __init__(self, console: Console) -> None:
        """Draw on the console's terminal."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[name]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def advance(self, stage: str, done: int, total: int | None, name: str) -> None:
        """Move the stage's bar; the stages before it are done."""
        if stage not in self._tasks:
            self._finish_earlier()
            self._progress.start()
            title = _STAGES.get(stage, stage)
            self._tasks[stage] = self._progress.add_task(title, total=total, name="")
        self._progress.update(
            self._tasks[stage], completed=done, total=total, name=escape(name[-40:])
        )

    def _finish_earlier(self) -> None:
        for task in self._tasks.values():
            self._progress.update(task, total=1, completed=1, name="")

    def close(self) -> None:
        """Leave the bars as they are and give the terminal back."""
        self._finish_earlier()
        self._progress.stop()
