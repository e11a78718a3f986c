"""The code location: everything in ``defs/``, run in one process."""

import dagster as dg
from dagster_dbt import DbtCliResource

from dagster_project import dbt_project, defs
from dagster_project.defs.automation import daily, inbox_files, refresh
from dagster_project.settings import DBT_PROJECT

definitions = dg.Definitions(
    assets=dg.load_assets_from_package_module(defs),
    asset_checks=dg.load_asset_checks_from_package_module(defs),
    jobs=[refresh],
    schedules=[daily],
    sensors=[inbox_files],
    executor=dg.in_process_executor,
    resources={
        "dbt": DbtCliResource(
            project_dir=str(DBT_PROJECT),
            profiles_dir=str(DBT_PROJECT),
            dbt_executable=str(dbt_project.executable()),
        )
    },
)
