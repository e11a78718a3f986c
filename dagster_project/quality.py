"""The gate between facts and marts: YAML suites on small frames of aggregates.

Rows are dbt's to test. A suite gets a frame of one row an account, read with SQL, so
that its cost stays constant. Whatever keeps a suite from judging counts as failed: a
file that cannot be read, an exception inside it, an empty frame. The verdict is kept in
the warehouse beside the facts it judged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.settings import EXPECTATIONS, Home
from dagster_project.warehouse import read_only, writable

NEVER_UNGUARDED = {"fct_campaigns", "fct_opt_outs"}
"""Facts that carry the rate: a build that no suite judged on them has no verdict."""

_NAMED = 20
"""Failing keys that a finding names at most."""

Severity = Literal["critical", "warning"]


class Limit(BaseModel):
    """One expectation of a suite.

    Attributes:
        type: a Great Expectations type, snake case.
        kwargs: its arguments.
        severity: critical stops the marts, warning is reported.
        because: what it means when the limit is passed, and where the limit comes from.
        advice: what the reader should do about it.
        names: column of the frame that lists what failed (campaign ids, dates).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    kwargs: dict[str, Any] = {}
    severity: Severity
    because: str
    advice: str
    names: str | None = None


class Suite(BaseModel):
    """A file of ``expectations/``: which table it guards, on which frame, how.

    Attributes:
        name: the file's.
        guards: the table of the facts that the check is shown on.
        frame: SQL over facts; few rows, whatever the volume.
        keys: columns that name a failing row.
        fault: why the file cannot be read; such a suite always fails.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    guards: str
    description: str
    frame: str
    keys: list[str] = Field(min_length=1)
    expectations: list[Limit] = Field(min_length=1)
    fault: str | None = None


@dataclass(frozen=True)
class Finding:
    """An expectation that was not met, or what kept a suite from judging.

    Attributes:
        text: one line for people.
        column: which number is out of its limit, if one is.
        keys: failing rows by the suite's key columns, 20 at most.
        names: what failed inside them, such as campaign ids, 20 at most.
        is_crash: nothing was judged.
    """

    severity: Severity
    text: str
    column: str | None = None
    keys: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    is_crash: bool = False

    def __str__(self) -> str:
        """The line."""
        return self.text


@dataclass(frozen=True)
class Outcome:
    """What one suite found for one build of the facts."""

    suite: str
    build_id: str
    row_count: int
    evaluated: int
    findings: list[Finding]

    @property
    def is_passed(self) -> bool:
        """Whether nothing critical was found; a crash is critical."""
        return not any(finding.severity == "critical" for finding in self.findings)


@dataclass(frozen=True)
class Checked:
    """The gate's word on the facts as they are, and how they reconcile.

    Attributes:
        reconciliation: a row a check of the campaigns, with how many got which verdict.
    """

    outcomes: list[Outcome]
    reconciliation: list[dict[str, Any]]

    @property
    def is_passed(self) -> bool:
        """Whether every suite passed."""
        return all(outcome.is_passed for outcome in self.outcomes)

    def summary(self) -> dict[str, Any]:
        """For programs."""
        return {
            "is_passed": self.is_passed,
            "suites": [
                {
                    "suite": outcome.suite,
                    "build_id": outcome.build_id,
                    "is_passed": outcome.is_passed,
                    "expectations": outcome.evaluated,
                    "findings": [asdict(finding) for finding in outcome.findings],
                }
                for outcome in self.outcomes
            ],
            "reconciliation": self.reconciliation,
        }


def load_suites(folder: Path) -> list[Suite]:
    """Every suite of the folder, by name.

    A file that cannot be read becomes a suite that always fails: a broken guard must
    never look like none.
    """
    return [_load(path) for path in sorted(folder.glob("*.yaml"))]


def _load(path: Path) -> Suite:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Suite(name=path.stem, **content)
    except ValidationError as error:
        fault = "; ".join(
            f"{'.'.join(str(part) for part in entry['loc'])}: {entry['msg']}"
            for entry in error.errors(include_input=False, include_url=False)
        )
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        fault = f"it is no suite ({type(error).__name__})"
    return Suite.model_construct(
        name=path.stem,
        guards="fct_campaigns",
        description=f"{path.name} cannot be read.",
        frame="",
        keys=[],
        expectations=[],
        fault=f"expectations/{path.name} cannot be read: {fault}. Mend the file.",
    )


def judge(home: Home, suite: Suite) -> Outcome:
    """Run one suite on the facts and keep its verdict.

    Returns:
        What it found; whatever goes wrong inside is a critical finding.

    Raises:
        duckdb.Error: when the warehouse cannot be opened or has no facts.
    """
    with read_only(home.warehouse, with_lake=True) as warehouse:
        build_id = facts_build_id(warehouse)
        frame, findings = read_frame(warehouse, suite)
    if not findings:
        findings = _validate(suite, frame)
    outcome = Outcome(
        suite.name, build_id, len(frame), len(suite.expectations), findings
    )
    with writable(home) as warehouse:
        _record(warehouse, outcome)
    return outcome


_RECONCILIATION = """
select
    check_name,
    count(*) filter (verdict = 'reconciled') as reconciled,
    count(*) filter (verdict = 'within_tolerance') as within_tolerance,
    count(*) filter (verdict = 'broken') as broken,
    count(*) filter (verdict = 'unknown') as unknown,
    count(*) filter (is_excluded) as excluded
from facts.fct_denominator_checks group by all order by check_name
"""


def check(home: Home) -> Checked:
    """Judge every suite again on the facts as they are; call it holding the home."""
    outcomes = [judge(home, suite) for suite in load_suites(EXPECTATIONS)]
    with read_only(home.warehouse) as warehouse:
        rows = warehouse.execute(_RECONCILIATION).df().to_dict("records")
    return Checked(outcomes, [{str(k): v for k, v in row.items()} for row in rows])


def read_frame(
    warehouse: duckdb.DuckDBPyConnection, suite: Suite
) -> tuple[pd.DataFrame, list[Finding]]:
    """What the suite judges, and why it cannot where it cannot."""
    nothing = pd.DataFrame()
    if suite.fault is not None:
        return nothing, [_crash(suite.fault)]
    try:
        frame = warehouse.execute(suite.frame).df()
    except duckdb.Error as error:
        says = str(error).partition("\n")[0]
        return nothing, [_crash(f"{suite.name}: its frame cannot be read. {says}")]
    if frame.empty:
        return nothing, [_crash(f"{suite.name}: there is nothing to judge.")]
    return frame, []


def _crash(text: str) -> Finding:
    return Finding("critical", f"{text} Counts as failed.", is_crash=True)


def _validate(suite: Suite, frame: pd.DataFrame) -> list[Finding]:
    from great_expectations.core import ExpectationSuite

    rows = _any_frame()

    def result_of(limit: Limit, part: pd.DataFrame) -> Any:
        one = ExpectationSuite(
            name=suite.name, expectations=[{"type": limit.type, "kwargs": limit.kwargs}]
        )
        batch = rows.get_batch({"dataframe": part})
        # Every other format writes values into its results.
        return batch.validate(one, result_format="BOOLEAN_ONLY").results[0]

    findings = []
    for limit in suite.expectations:
        try:
            result = result_of(limit, frame)
            crashed = _raised(result.exception_info)
            failing = (
                [
                    place
                    for place in range(len(frame))
                    if not result_of(limit, frame.iloc[[place]]).success
                ]
                if not (result.success or crashed)
                else []
            )
        except Exception as error:
            # Great Expectations raises of its own accord for a type it does not know.
            crashed, failing = type(error).__name__, []
        if crashed:
            what = f"{suite.name}: {limit.type} crashed ({crashed})."
            findings.append(_crash(what))
        elif failing or not result.success:
            findings.append(_finding(suite, limit, frame.iloc[failing]))
    return findings


def quiet_context() -> Any:
    """A Great Expectations context that keeps nothing and draws no progress bar."""
    # Importing it takes seconds: only a run that reaches the gate pays.
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@cache
def _any_frame() -> Any:
    """What Great Expectations calls a batch definition; it holds no frame itself."""
    frames = quiet_context().data_sources.add_pandas("facts").add_dataframe_asset("one")
    return frames.add_batch_definition_whole_dataframe("all")


def _raised(info: dict[str, Any]) -> str | None:
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            return str(entry.get("exception_message") or "exception").split(":")[0]
    return None


def _finding(suite: Suite, limit: Limit, failing: pd.DataFrame) -> Finding:
    """A line with the numbers: aggregates, so nothing personal is told."""
    column = limit.kwargs.get("column")
    rows = failing.head(_NAMED).to_dict("records")
    keys = ["/".join(str(row[key]) for key in suite.keys) for row in rows]
    named = [name for row in rows for name in _listed(row, limit.names)][:_NAMED]
    values = [f"{_number(row[column])}" for row in rows if column in row]
    where = ", ".join(
        f"{key} ({value})" for key, value in zip(keys, values, strict=False)
    )
    what = str(column or limit.type).replace("_pct", " %").replace("_", " ")
    text = f"{what}, {_expected(limit)}: {where or 'everywhere'}."
    if named:
        text += f" Look at {', '.join(named)}."
    text = f"{text} {limit.because} {limit.advice}"
    return Finding(limit.severity, text[0].upper() + text[1:], column, keys, named)


def _listed(row: dict[Any, Any], column: str | None) -> list[str]:
    found = row.get(column) if column else None
    return [] if found is None or isinstance(found, float) else [str(v) for v in found]


def _expected(limit: Limit) -> str:
    least, most = limit.kwargs.get("min_value"), limit.kwargs.get("max_value")
    if least is None and most is None:
        return limit.type.removeprefix("expect_column_values_").replace("_", " ")
    told = [f"at least {least}"] * (least is not None)
    told += [f"at most {most}"] * (most is not None)
    return f"expected {' and '.join(told)}"


def _number(value: Any) -> str:
    if value is None or value != value:
        return "unknown"
    return f"{value:.10g}" if isinstance(value, int) else f"{float(value):.3g}"


def _record(warehouse: duckdb.DuckDBPyConnection, outcome: Outcome) -> None:
    warehouse.execute("begin")
    warehouse.execute("create schema if not exists gate")
    warehouse.execute(
        "create table if not exists gate.verdicts"
        " (build_id varchar, suite varchar, is_passed boolean, findings varchar)"
    )
    warehouse.execute(
        "delete from gate.verdicts where build_id <> ? or suite = ?",
        [outcome.build_id, outcome.suite],
    )
    warehouse.execute(
        "insert into gate.verdicts values (?, ?, ?, ?)",
        [
            outcome.build_id,
            outcome.suite,
            outcome.is_passed,
            "\n".join(str(finding) for finding in outcome.findings),
        ],
    )
    warehouse.execute("commit")


def forget_verdicts(home: Home) -> None:
    """Facts are about to be built: no earlier word counts for what comes."""
    if home.warehouse.exists():
        with writable(home) as warehouse:
            warehouse.execute("drop schema if exists gate cascade")


def facts_build_id(warehouse: duckdb.DuckDBPyConnection) -> str:
    """Which build the facts are of."""
    row = warehouse.execute("select build_id from facts.dim_runs").fetchone()
    return str(row[0]) if row else ""


def verdict(warehouse: duckdb.DuckDBPyConnection, build_id: str) -> bool | None:
    """The gate's word on a build: passed, stopped, or None when not fully judged."""
    there = warehouse.execute(
        "select count(*) from duckdb_tables() where schema_name = 'gate'"
    ).fetchone()
    if not there or not there[0]:
        return None
    rows = warehouse.execute(
        "select suite, is_passed from gate.verdicts where build_id = ?", [build_id]
    ).fetchall()
    judged = dict(rows)
    if not all(judged.values()):
        return False
    suites = load_suites(EXPECTATIONS)
    is_guarded = {suite.guards for suite in suites} >= NEVER_UNGUARDED
    is_judged = {suite.name for suite in suites} <= judged.keys()
    return True if is_guarded and is_judged else None
