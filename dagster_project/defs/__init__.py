"""The pipeline as Dagster assets, checks and one job.

Read it top to bottom: landing, dbt_models, expectations, publish, report, automation.
Definitions only: what an asset does lives in the package around it.
"""
