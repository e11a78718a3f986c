"""The pipeline, read top to bottom: landing, dbt_models, expectations, publish,
report, automation. Definitions only: what an asset does lives in the package around it.
"""
