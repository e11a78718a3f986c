"""The gate: every suite of ``expectations/`` as a blocking check on the facts."""

from collections.abc import Iterable

import dagster as dg

from dagster_project import quality
from dagster_project.progress import report
from dagster_project.settings import EXPECTATIONS, Settings
from dagster_project.warehouse import hold


def _check(suite: quality.Suite) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=suite.name,
        asset=["facts", suite.guards],
        blocking=True,
        description=suite.description,
    )
    def check() -> dg.AssetCheckResult:
        settings = Settings.for_process()
        report("gate", 0, None, suite.name)
        with hold(settings.at):
            outcome = quality.judge(settings.at, suite)
        return dg.AssetCheckResult(
            passed=not outcome.findings,
            severity=_severity(outcome),
            metadata={
                "build_id": outcome.build_id,
                "rows": outcome.row_count,
                "expectations": outcome.evaluated,
                "findings": [str(finding) for finding in outcome.findings],
                "failing_keys": _unique(found.keys for found in outcome.findings),
                "failing_names": _unique(found.names for found in outcome.findings),
            },
        )

    return check


def _unique(lists: Iterable[list[str]]) -> list[str]:
    """Accounts, campaigns and days that failed: what to look at, 20 at most."""
    return list(dict.fromkeys(entry for entries in lists for entry in entries))[:20]


def _severity(outcome: quality.Outcome) -> dg.AssetCheckSeverity:
    """A warning is shown and lets the marts pass; anything critical stops them."""
    if outcome.is_passed:
        return dg.AssetCheckSeverity.WARN
    return dg.AssetCheckSeverity.ERROR


gate = [_check(suite) for suite in quality.load_suites(EXPECTATIONS)]
