"""The gate's suites and what they found, as Great Expectations' own pages.

Written on request only; a run does not need them. They hold aggregates and no value
that failed.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.quality import load_suites, quiet_context, read_frame
from dagster_project.settings import EXPECTATIONS, Home
from dagster_project.warehouse import read_only


def write_data_docs(home: Home) -> Path:
    """Write what was expected and what was found as Great Expectations' own pages.

    Returns:
        The first page, below the home's ``report`` folder.
    """
    import great_expectations as gx

    folder = home.report.parent / "checks"
    context = quiet_context()
    context.add_data_docs_site(
        "checks",
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
        },
    )
    data_source = context.data_sources.add_pandas("facts")
    for suite in load_suites(EXPECTATIONS):
        with read_only(home.warehouse, with_lake=True) as warehouse:
            frame, findings = read_frame(warehouse, suite)
        if findings:
            continue
        expectations = [
            {
                "type": limit.type,
                "kwargs": limit.kwargs,
                "severity": limit.severity,
                "notes": f"{limit.because} {limit.advice}",
            }
            for limit in suite.expectations
        ]
        rows = data_source.add_dataframe_asset(suite.name)
        definition = gx.ValidationDefinition(
            name=suite.name,
            data=rows.add_batch_definition_whole_dataframe("all"),
            suite=context.suites.add(
                gx.ExpectationSuite(name=suite.name, expectations=expectations)
            ),
        )
        gx.Checkpoint(
            name=suite.name,
            validation_definitions=[context.validation_definitions.add(definition)],
            result_format="BOOLEAN_ONLY",
        ).run(batch_parameters={"dataframe": frame})
    context.build_data_docs(["checks"])
    return folder / "index.html"
