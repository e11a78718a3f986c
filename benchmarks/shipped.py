"""The shipped models and macros on tables of one's own, without a lake or a run.

``compile_project`` lets dbt itself write the SQL, in a home that is thrown away; a
``World`` is a fresh database in which some relations are filled by the caller and the
rest is built from that SQL. Used by the tests of the statistics and by the simulations:
neither holds a copy of a formula. Contracts and data tests belong to a real build.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import yaml
from jinja2 import Environment

from dagster_project.dbt_project import DbtError, executable, target
from dagster_project.mapping.canonical import LANDING_TABLES, table_columns
from dagster_project.settings import DBT_PROJECT, Settings

Node = dict[str, Any]


class Shipped:
    """The compiled project: open worlds of it, or render one of its macros.

    Attributes:
        nodes: what dbt knows of each model and seed, by name.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        """Take dbt's manifest, as compiling leaves it."""
        self.nodes: dict[str, Node] = {
            node["name"]: node
            for node in manifest["nodes"].values()
            if node["resource_type"] in ("model", "seed")
        }
        self._macros = [
            macro["macro_sql"]
            for macro in manifest["macros"].values()
            if macro["package_name"] == manifest["metadata"]["project_name"]
            and not macro["name"].startswith("test_")
        ]

    def open(self) -> World:
        """A database that holds nothing yet."""
        return World(self)

    def scalar(self, macro: str, *arguments: Any) -> str:
        """The SQL text of a macro, given the texts of its arguments."""
        return str(getattr(self._module, macro)(*arguments)).strip()

    def between(self, filled: Collection[str], names: Sequence[str]) -> list[str]:
        """The models to build for ``names``, each after what it reads.

        Raises:
            LookupError: when one of them reads the lake, which is not there.
        """
        ordered: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in filled or name in ordered:
                return
            for parent in self.nodes[name]["depends_on"].get("nodes", []):
                if parent.startswith("source."):
                    raise LookupError(f"{name} reads {parent}: fill what is above it")
                visit(parent.split(".")[2])
            ordered[name] = None

        for name in names:
            visit(name)
        return list(ordered)

    @cached_property
    def _module(self) -> Any:
        written = (DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
        environment = Environment()
        environment.globals["var"] = yaml.safe_load(written)["vars"].__getitem__
        return environment.from_string("\n".join(self._macros)).module


class World:
    """One database in memory; its relations have the names that the models read.

    Attributes:
        connection: for whoever needs more than :meth:`rows`.
    """

    def __init__(self, shipped: Shipped) -> None:
        """Make the schemas, and let every relation be found without its schema."""
        self._nodes = shipped.nodes
        self._between = shipped.between
        self._filled: set[str] = set()
        (catalog,) = {node["database"] for node in self._nodes.values()}
        schemas = sorted({node["schema"] for node in self._nodes.values()})
        self.connection = duckdb.connect(
            config={"threads": 2, "preserve_insertion_order": False}
        )
        self.connection.execute(f"attach ':memory:' as {catalog}; use {catalog}")
        for schema in schemas:
            self.connection.execute(f"create schema {schema}")
        found_in = ",".join(f"{catalog}.{schema}" for schema in schemas)
        self.connection.execute(f"set search_path = '{found_in}'; set timezone = 'UTC'")

    def table(self, model: str, rows: Any) -> None:
        """Put rows in the place of a model or seed; columns not given are NULL.

        Args:
            model: or seed, by its name.
            rows: dictionaries, a query, or what DuckDB takes for a table.

        Raises:
            LookupError: when a given column is none of the model's.
        """
        types = _column_types(self._nodes[model]) or _landed_types(model)
        if isinstance(rows, Sequence) and not isinstance(rows, str):
            keys = dict.fromkeys(key for row in rows for key in row) or types
            rows = pa.table({key: [row.get(key) for row in rows] for key in keys})
        # DuckDB finds a table of Python by the name of its variable.
        query = rows if isinstance(rows, str) else "select * from rows"
        given = self.connection.sql(query)
        unknown = sorted(set(given.columns) - set(types)) if types else []
        if unknown:
            raise LookupError(f"{model} has no column {', '.join(unknown)}")
        columns = [
            f"cast({name if name in given.columns else 'null'} as {kind}) as {name}"
            for name, kind in types.items()
        ]
        place = self._nodes[model]["relation_name"]
        self.connection.execute(
            f"create or replace table {place} as"
            f" select {', '.join(columns) or '*'} from given"
        )
        self._filled.add(model)

    def seeds(self) -> None:
        """Load every seed as it is shipped."""
        for name, node in self._nodes.items():
            if node["resource_type"] == "seed":
                path = DBT_PROJECT / node["original_file_path"]
                self.table(
                    name,
                    f"from read_csv('{path}', delim = ',', header = true,"
                    f" types = {_column_types(node)})",
                )

    def build(self, *names: str) -> None:
        """Build these models, in this order, from what is there."""
        for name in names:
            node = self._nodes[name]
            self.connection.execute(
                f"create or replace table {node['relation_name']}"
                f" as {node['compiled_code']}"
            )

    def build_upstream(self, *names: str) -> None:
        """Build these models, and before them all between them and what was filled."""
        self.build(*self._between(self._filled, names))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer to a query, a dictionary a row."""
        answer = self.connection.execute(sql)
        columns = [column[0] for column in answer.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def compile_project() -> Shipped:
    """Let dbt compile the project as it stands.

    Raises:
        DbtError: when it does not compile.
    """
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        settings.at.make()
        # Models alone: compiling the data tests as well takes twice as long.
        done = subprocess.run(
            [
                *(executable(), "--no-use-colors", "compile", "--no-introspect"),
                *("--select", "resource_type:model", "--project-dir", DBT_PROJECT),
            ],
            env={**os.environ, **settings.tool_environment()},
            cwd=settings.at.dbt,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DbtError(done.stdout[-4000:])
        written = target(settings) / "manifest.json"
        return Shipped(json.loads(written.read_text(encoding="utf-8")))


def _column_types(node: Node) -> dict[str, str]:
    """Types of a seed's or a described model's columns; none where not all are told."""
    told = node["config"].get("column_types") or {
        name: column["data_type"] for name, column in node["columns"].items()
    }
    return told if all(told.values()) else {}


def _landed_types(model: str) -> dict[str, str]:
    """Types of what a staging model hands on of its landing table; none for others."""
    table = model.removeprefix("stg_")
    if table == model or table not in LANDING_TABLES:
        return {}
    columns = {column.name: column.sql_type for column in table_columns(table)}
    return {**columns, "load": "varchar"}
