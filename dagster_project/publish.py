"""Marts to what BI opens: one DuckDB file and Parquet, swapped whole.

Only after the gate has passed exactly this build of the facts. Readers keep the old
file until they open it again; nobody sees a mixture.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from dagster_project import quality
from dagster_project.settings import Home
from dagster_project.warehouse import read_only

STORAGE_VERSION = "v1.2.0"
"""BI tools embed older DuckDBs, which cannot open newer storage formats."""


class NotPublishedError(Exception):
    """The marts may not be published; the old ones stay. The text says why."""


@dataclass(frozen=True)
class Published:
    """What was published.

    Attributes:
        build_id: the same in every table.
        row_counts: rows of each mart.
    """

    build_id: str
    row_counts: dict[str, int]


def published_clock(home: Home) -> datetime:
    """The moment that the published marts were judged at: naive UTC."""
    with read_only(home.marts) as published:
        row = published.execute("select now_at from main.builds").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def publish(home: Home) -> Published:
    """Copy the marts out of the warehouse and swap them in.

    Raises:
        NotPublishedError: without the gate's verdict for this build, or when a mart
            belongs to another build.
    """
    with read_only(home.warehouse) as warehouse:
        build_id = quality.facts_build_id(warehouse)
        verdict = quality.verdict(warehouse, build_id)
        marts = _marts(warehouse)
        strange = [mart for mart in marts if _build_of(warehouse, mart) - {build_id}]
    if verdict is not True:
        raise NotPublishedError(
            f"The gate has {'stopped' if verdict is False else 'not judged'} build"
            f" {build_id}. The published marts stay as they are."
        )
    if strange or not marts:
        raise NotPublishedError(
            f"Marts of another build: {', '.join(strange) or 'none found'}. Run again."
        )
    for leftover in home.published.glob(".*.tmp*"):
        leftover.unlink()
    row_counts = _write(home, marts)
    return Published(build_id, row_counts)


def _marts(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    rows = warehouse.execute(
        "select table_name from duckdb_tables() where schema_name = 'marts'"
        " order by table_name"
    ).fetchall()
    return [name for (name,) in rows]


def _build_of(warehouse: duckdb.DuckDBPyConnection, mart: str) -> set[str]:
    rows = warehouse.execute(f'select distinct build_id from marts."{mart}"').fetchall()
    return {build_id for (build_id,) in rows}


def _write(home: Home, marts: list[str]) -> dict[str, int]:
    fresh = home.published / ".marts.duckdb.tmp"
    row_counts = {}
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"attach '{home.warehouse}' as warehouse (read_only)")
        connection.execute(
            f"attach '{fresh}' as published (storage_version '{STORAGE_VERSION}')"
        )
        connection.execute("use published")
        connection.execute("create schema marts")
        connection.execute("create table main.builds as from warehouse.facts.dim_runs")
        for mart in marts:
            # The tables lie in the main schema: the file's name is a schema's name
            # too, so that a client which opens it cannot say marts.<table>.
            connection.execute(
                f'create table main."{mart}" as'
                f' select * from warehouse.marts."{mart}" order by all'
            )
            connection.execute(
                f'create view marts."{mart}" as select * from main."{mart}"'
            )
            row_counts[mart] = _copy(connection, home.published, mart)
        connection.execute("checkpoint published")
        connection.execute("use memory")
        connection.execute("detach published")
    finally:
        connection.close()
    for mart in marts:
        table = home.published / f"{mart}.parquet"
        _swap(table.with_name(f".{table.name}.tmp"), table)
    _swap(fresh, home.marts)
    for old in home.published.glob("*.parquet"):
        if old.stem not in marts:
            old.unlink()
    return row_counts


def _copy(connection: duckdb.DuckDBPyConnection, folder: Path, mart: str) -> int:
    target = folder / f".{mart}.parquet.tmp"
    copied = connection.execute(
        f"copy main.\"{mart}\" to '{target}' (format parquet)"
    ).fetchone()
    return int(copied[0]) if copied else 0


def _swap(fresh: Path, target: Path) -> None:
    handle = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.replace(target)
