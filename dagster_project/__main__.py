"""Lets ``python -m dagster_project`` stand in for the ``optout`` command."""

from dagster_project.cli import main

if __name__ == "__main__":
    main()
