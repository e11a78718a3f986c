"""The gate between facts and marts: YAML suites on small frames of aggregates.

Rows are dbt's to test. A suite gets a frame of one row an account, read with SQL, so
that its cost stays constant; an exception inside a suite counts as failed. The verdict
is kept in the warehouse beside the facts it judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict

from dagster_project.settings import Home
from dagster_project.warehouse import read_only, writable


class Limit(BaseModel):
    """One expectation of a suite.

    Attributes:
        type: a Great Expectations type, snake case.
        kwargs: its arguments.
        severity: critical stops the marts, warning is reported.
        because: where the limit comes from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    kwargs: dict[str, Any] = {}
    severity: Literal["critical", "warning"]
    because: str


class Suite(BaseModel):
    """A file of ``expectations/``: which table it guards, on which frame, how.

    Attributes:
        guards: the table of the facts that the check is shown on.
        frame: SQL over facts; few rows, whatever the volume.
        keys: columns that name a failing row.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    guards: str
    description: str
    frame: str
    keys: list[str]
    expectations: list[Limit]


@dataclass(frozen=True)
class Finding:
    """An expectation that was not met.

    Attributes:
        keys: failing rows by the suite's key columns, 20 at most.
        crashed: the class of an exception inside the expectation, if any.
    """

    limit: Limit
    keys: list[str] = field(default_factory=list)
    crashed: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        where = ", ".join(self.keys) or "everywhere"
        what = f"crashed ({self.crashed})" if self.crashed else "is out of its limit"
        column = self.limit.kwargs.get("column")
        return f"{where}: {column} {what}. {self.limit.because}"


@dataclass(frozen=True)
class Outcome:
    """What one suite found for one build of the facts."""

    build_id: str
    row_count: int
    evaluated: int
    findings: list[Finding]

    @property
    def is_passed(self) -> bool:
        """Whether nothing critical was found; a crash is critical."""
        return not any(
            finding.limit.severity == "critical" or finding.crashed
            for finding in self.findings
        )


def load_suites(folder: Path) -> list[Suite]:
    """Every suite of the folder, by name."""
    return [
        Suite(**yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.yaml"))
    ]


def judge(home: Home, suite: Suite) -> Outcome:
    """Run one suite on the facts and keep its verdict.

    Returns:
        What it found; never raises for the data's sake.
    """
    with read_only(home.warehouse, with_lake=True) as warehouse:
        build_id = facts_build_id(warehouse)
        frame = warehouse.execute(suite.frame).df()
    findings = _validate(suite, frame)
    outcome = Outcome(build_id, len(frame), len(suite.expectations), findings)
    with writable(home) as warehouse:
        _record(warehouse, suite, outcome)
    return outcome


def _validate(suite: Suite, frame: Any) -> list[Finding]:
    # Importing it takes seconds: only a run that reaches the gate pays.
    import great_expectations as gx
    from great_expectations.core import ExpectationSuite
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("facts")
        .add_dataframe_asset(suite.name)
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": frame})
    )
    findings = []
    for limit in suite.expectations:
        one = ExpectationSuite(
            name=suite.name, expectations=[{"type": limit.type, "kwargs": limit.kwargs}]
        )
        result = batch.validate(
            one,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": suite.keys,
                "include_unexpected_rows": False,
            },
        ).results[0]
        crashed = _crash(result.exception_info)
        if crashed or not result.success:
            findings.append(Finding(limit, _failing(suite, result.result), crashed))
    return findings


def _crash(info: dict[str, Any]) -> str | None:
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return str(entry.get("exception_message") or "exception").split(":")[0]
    return None


def _failing(suite: Suite, result: dict[str, Any]) -> list[str]:
    rows = result.get("unexpected_index_list") or []
    return ["/".join(str(row[key]) for key in suite.keys) for row in rows[:20]]


def _record(
    warehouse: duckdb.DuckDBPyConnection, suite: Suite, outcome: Outcome
) -> None:
    warehouse.execute("begin")
    warehouse.execute("create schema if not exists gate")
    warehouse.execute(
        "create table if not exists gate.verdicts"
        " (build_id varchar, suite varchar, is_passed boolean, findings varchar)"
    )
    warehouse.execute(
        "delete from gate.verdicts where build_id <> ? or suite = ?",
        [outcome.build_id, suite.name],
    )
    warehouse.execute(
        "insert into gate.verdicts values (?, ?, ?, ?)",
        [
            outcome.build_id,
            suite.name,
            outcome.is_passed,
            "\n".join(str(finding) for finding in outcome.findings),
        ],
    )
    warehouse.execute("commit")


def facts_build_id(warehouse: duckdb.DuckDBPyConnection) -> str:
    """Which build the facts are of."""
    row = warehouse.execute("select build_id from facts.dim_runs").fetchone()
    return str(row[0]) if row else ""


def verdict(warehouse: duckdb.DuckDBPyConnection, build_id: str) -> bool | None:
    """The gate's word on a build: passed, stopped, or None when not fully judged."""
    from dagster_project.settings import EXPECTATIONS

    there = warehouse.execute(
        "select count(*) from duckdb_tables() where schema_name = 'gate'"
    ).fetchone()
    if not there or not there[0]:
        return None
    rows = warehouse.execute(
        "select suite, is_passed from gate.verdicts where build_id = ?", [build_id]
    ).fetchall()
    judged = dict(rows)
    wanted = {suite.name for suite in load_suites(EXPECTATIONS)}
    if not wanted <= judged.keys():
        return None
    return all(judged[name] for name in wanted)
