"""A Parquet file as a CSV text: typed columns become the text an export would print."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from dagster_project.landing.reader import CHUNK, Member, RefusedError, TextStream

MAGIC = b"PAR1"
_ROWS = 1 << 14
"""Rows turned into text at once."""


def table(member: Member, source: Path | bytes) -> Member:
    """The Parquet file that a member is, as a member whose text is CSV."""
    return Member(
        name=member.name,
        open=lambda: cast(BinaryIO, TextStream(_text(source))),
        packed_bytes=len(source) if isinstance(source, bytes) else member.packed_bytes,
        is_packed=True,
        received=lambda: _received(source),
    )


def _received(source: Path | bytes) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _text(source: Path | bytes) -> Generator[bytes, None, None]:
    """The file as CSV, in chunks.

    Raises:
        RefusedError: when it is damaged, or holds fewer records than it says.
    """
    given = pa.BufferReader(source) if isinstance(source, bytes) else str(source)
    count = 0
    try:
        with (
            pq.ParquetFile(given, page_checksum_verification=True) as file,
            duckdb.connect(":memory:", config={"threads": 1}) as engine,
        ):
            engine.execute("set TimeZone = 'UTC'")
            expected = file.metadata.num_rows
            names, query = file.schema_arrow.names, _query(file.schema_arrow)
            yield _csv(pa.table({str(n): [name] for n, name in enumerate(names)}))
            for batch in file.iter_batches(_ROWS):
                rows = pa.Table.from_batches([batch])
                places = [f"c{n}" for n in range(len(names))]
                engine.register("rows", rows.rename_columns(places))
                texts = cast(pa.Table, engine.sql(query).to_arrow_table())
                count += texts.num_rows
                yield _csv(texts)
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk's fault, not the file's
        raise _damaged() from None
    if count != expected:
        raise _damaged()


def _damaged() -> RefusedError:
    return RefusedError(
        "broken_container",
        "The Parquet file is cut or damaged. Download or copy it again.",
    )


def _csv(texts: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(texts, sink, pa.csv.WriteOptions(include_header=False))
    return cast(bytes, sink.getvalue().to_pybytes())


def _query(schema: pa.Schema) -> str:
    texts = [_as_text(column.type, f"c{n}") for n, column in enumerate(schema)]
    if len(texts) == 1:
        # Nothing would be written as an empty line, which is no record.
        texts = [f"coalesce({texts[0]}, '')"]
    listed = ", ".join(f"{text} as c{n}" for n, text in enumerate(texts))
    return f"select {listed} from rows"


def _as_text(kind: pa.DataType, name: str) -> str:
    """SQL that prints a column of the kind."""
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"cast(timezone('UTC', {name}) as varchar) || 'Z'"
    if pa.types.is_floating(kind):
        return (
            f"case when {name} = trunc({name}) and abs({name}) < 1e18"
            f" then cast(cast({name} as bigint) as varchar)"
            f" when not isnan({name}) then cast({name} as varchar) end"
        )
    if pa.types.is_nested(kind):
        return f"cast(to_json({name}) as varchar)"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return f"decode({name})"
    return f"cast({name} as varchar)"
