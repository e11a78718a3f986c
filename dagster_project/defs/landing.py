"""inbox -> landing: one asset a source, and the lake tables they fill."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.landing.context import CONTEXT_TABLES
from dagster_project.landing.land import land_inbox, require_something
from dagster_project.mapping.canonical import LANDING_TABLES
from dagster_project.mapping.model import Source, load_sources
from dagster_project.progress import report
from dagster_project.settings import SOURCES, Settings
from dagster_project.warehouse import hold

_SOURCES = load_sources(SOURCES)


def _source_spec(source: Source) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["inbox", source.source],
        group_name="landing",
        description=f"Exports of {source.title} that landed as canonical rows.",
        skippable=True,
        kinds={"python", "parquet"},
    )


def _table_spec(table: str) -> dg.AssetSpec:
    fills = [name for name, source in _SOURCES.items() if table in source.covers]
    return dg.AssetSpec(
        ["landing", table],
        deps=[["inbox", name] for name in fills or _SOURCES],
        group_name="landing",
        description=f"Lake table {table}: Parquet, one load package a file.",
        kinds={"parquet"},
    )


def _context_spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["context", table],
        deps=[["inbox", name] for name in _SOURCES],
        group_name="landing",
        description=f"What dbt joins beside the lake: {table}.",
        kinds={"parquet"},
    )


@dg.multi_asset(
    specs=[
        *(_source_spec(source) for source in _SOURCES.values()),
        *(_table_spec(table) for table in LANDING_TABLES),
        *(_context_spec(table) for table in CONTEXT_TABLES),
    ],
)
def landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Land what waits; a source's asset appears only when the run judged its files."""
    settings = Settings.for_process()
    with hold(settings.at):
        landed = land_inbox(settings, lambda *at: report("landing", *at))
    require_something(settings.at)
    for name in _SOURCES:
        counts = landed.counts(name)
        if counts["files_loaded"] or counts["files_refused"]:
            yield dg.MaterializeResult(asset_key=["inbox", name], metadata=counts)
    totals = landed.counts()
    for table in LANDING_TABLES:
        yield dg.MaterializeResult(asset_key=["landing", table], metadata=totals)
    for table in CONTEXT_TABLES:
        yield dg.MaterializeResult(asset_key=["context", table])
