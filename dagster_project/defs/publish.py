"""marts -> published: what BI opens, swapped whole."""

import dagster as dg

from dagster_project.defs.dbt_models import marts as marts_assets
from dagster_project.progress import report
from dagster_project.publish import publish
from dagster_project.settings import Settings
from dagster_project.warehouse import hold


@dg.asset(
    key=["published", "marts"],
    deps=[key for key in marts_assets.keys if key.path[0] == "marts"],
    group_name="published",
    kinds={"duckdb", "parquet"},
)
def published_marts() -> dg.MaterializeResult:
    """The marts alone, as one DuckDB file and Parquet, after the gate has passed."""
    settings = Settings.for_process()
    report("publish", 0, None)
    with hold(settings.at):
        published = publish(settings.at)
    return dg.MaterializeResult(
        metadata={
            "build_id": published.build_id,
            "rows": sum(published.row_counts.values()),
            "marts": published.row_counts,
        }
    )
