"""published -> report: the page people look at."""

import dagster as dg

from dagster_project.progress import report as tell
from dagster_project.settings import Settings


@dg.asset(
    key=["report", "page"],
    deps=[["published", "marts"]],
    group_name="report",
    kinds={"html"},
)
def page() -> dg.MaterializeResult:
    """One self-contained HTML page drawn from the published marts."""
    from dagster_project.report import build_report

    home = Settings.for_process().at
    tell("report", 0, None)
    build_report(home.marts, home.report)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(home.report),
            "bytes": home.report.stat().st_size,
        }
    )
