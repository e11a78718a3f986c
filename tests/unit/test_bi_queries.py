"""The queries that the BI page prints run on published marts and find something."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.settings import DBT_PROJECT
from tests.unit.report_marts import write_marts, year_of_marts

PAGE = DBT_PROJECT.parent / "docs" / "connect-your-bi.md"
QUERIES = re.findall(
    r"```sql\n-- ([^\n]*)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marts")
    rows = year_of_marts()
    rows["unsubscribe_rates_monthly"] = [{"stream_id": "(all)"}]
    return write_marts(folder / "marts.duckdb", rows)


@pytest.mark.parametrize("query", [pytest.param(sql, id=name) for name, sql in QUERIES])
def test_a_printed_query_runs(marts: Path, query: str) -> None:
    with duckdb.connect(str(marts), read_only=True) as connection:
        assert connection.execute(query).fetchall()
