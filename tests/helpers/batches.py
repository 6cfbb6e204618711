"""Batches made from Python dicts, the inverse of ``row_to_dict``, and rows read back from either database.

``file_row`` and ``analysis_row`` take the columns that a test is about; the others get a default of their kind.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import psycopg

from midiopt.kinds import (
    BOOL,
    ENUM,
    FLOAT32,
    FLOAT64,
    HASH8,
    HASH16,
    INT16,
    INT32,
    INT64,
    NULL_TEXT,
    SET,
    SHARES,
    SKETCH,
    TEXT,
    TEXTS,
    TIME,
)
from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, TRACKS_DTYPE, Batch
from midiopt.rows.content_hash import ContentHash
from midiopt.rows.decode import row_to_dict
from midiopt.schema import ANALYSES, ANALYZER_VERSION, FILES, TRACKS, Column
from midiopt.sinks import open_sink
from midiopt.sinks.base import Sink
from tests.helpers import parquet

EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
NOW = dt.datetime(2024, 2, 29, 23, 59, 59, 999999, dt.UTC)
HASH = bytes(range(1, 17))

_DEFAULTS: dict[object, Any] = {
    TEXT: "some text", TEXTS: ["one", "two"], INT16: 7, INT32: 7, INT64: 7, FLOAT32: 0.5, FLOAT64: 0.5,
    SHARES: [0.25] * 4 + [0.0] * 8, HASH16: HASH, HASH8: HASH[:8], SKETCH: [5, (31 << 19) + 7], TIME: NOW, BOOL: True,
}  # fmt: skip


def default(column: Column) -> Any:
    """A value of the column's kind that is not null."""
    if column.name == "analyzer_version":
        return ANALYZER_VERSION
    if column.kind is ENUM:
        return column.values[0]
    return [column.first] if column.kind is SET else _DEFAULTS[column.kind]


def file_row(**facts: Any) -> dict[str, Any]:
    """The values of a row of ``files``; `facts` replace the defaults."""
    return {c.name: default(c) for c in FILES} | {"error": None} | facts


def analysis_row(**facts: Any) -> dict[str, Any]:
    """The values of a row of ``analyses``; `facts` replace the defaults."""
    return {c.name: default(c) for c in ANALYSES} | facts


def track_row(**facts: Any) -> dict[str, Any]:
    """The values of a row of ``tracks``; `facts` replace the defaults."""
    return {c.name: default(c) for c in TRACKS} | {"track": 0} | facts


def make_batch(
    files: Sequence[dict[str, Any]] = (), analyses: Sequence[dict[str, Any]] = (), tracks: Sequence[dict[str, Any]] = ()
) -> Batch:
    """A batch of these rows."""
    heap = bytearray()
    arrays = [np.zeros(len(files), FILES_DTYPE), np.zeros(len(analyses), ANALYSES_DTYPE), np.zeros(len(tracks), TRACKS_DTYPE)]
    for table, rows, dicts in zip((FILES, ANALYSES, TRACKS), arrays, (files, analyses, tracks), strict=True):
        for row, values in zip(rows, dicts, strict=True):
            for column in table:
                row[column.name] = _field(column, values[column.name], heap)
    return Batch(arrays[0], arrays[1], bytes(heap), arrays[2])


def _field(column: Column, value: Any, heap: bytearray) -> Any:
    kind = column.kind
    if kind.is_text:
        if value is None:
            return 0, NULL_TEXT
        data = ("\0".join(value) if kind is TEXTS else value).encode()
        heap += data
        return len(heap) - len(data), len(data)
    if value is None:
        return kind.null
    if kind is ENUM:
        return column.values.index(value)
    if kind is SET:
        bits = np.zeros(column.bits, "u1")
        bits[[member - column.first for member in value]] = 1
        return np.packbits(bits, bitorder="little")
    if kind is TIME:
        return (value - EPOCH) // dt.timedelta(microseconds=1)
    if kind is SKETCH:
        values = np.zeros(32, "i4")
        values[[hash_ >> 19 for hash_ in value]] = value
        return values
    return np.frombuffer(value, "u1") if kind in (HASH16, HASH8) else value


def write(sink: Sink, batch: Batch) -> None:
    """Write a batch and wait until it is committed."""
    sink.write(batch)
    sink.flush()


def sqlite_path(url: str) -> str:
    return url.removeprefix("sqlite:///")


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query over a connection of its own; its changes are committed, but not in a Parquet directory."""
    if url.startswith(parquet.PREFIX):
        with parquet.as_sqlite(url) as copy:
            return query(copy, sql)
    if url.startswith("postgresql:"):
        with psycopg.connect(url, options="-c TimeZone=UTC") as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(sqlite_path(url))) as database, database:
        return database.execute(sql).fetchall()


CONTENT_KEY = bytes(range(32))
known_hash = ContentHash(CONTENT_KEY).digest
"""The hash of a content in databases of :func:`fix_content_key`."""


def fix_content_key(url: str) -> None:
    """Give a new database a known key instead of its random one."""
    open_sink(url).close()
    query(url, f"UPDATE meta SET value = '{CONTENT_KEY.hex()}' WHERE key = 'content_key'")


TABLES = {table.name: table for table in (FILES, ANALYSES, TRACKS)}


def stored(url: str, name: str) -> list[dict[str, Any]]:
    """The rows of `files`, `analyses` or `tracks` in a database, as ``row_to_dict`` gives them."""
    table = TABLES[name]
    if url.startswith(parquet.PREFIX):
        of_table = dict(zip((FILES, ANALYSES), parquet.files_and_analyses(url), strict=True))[table]
        rows = ({c.name: row[c.name] for c in table} for row in of_table)
        return sorted(rows, key=lambda row: row["path"].encode() if table is FILES else row[table.key])
    of_analysis = " JOIN (SELECT id, content_hash FROM analyses) AS a ON id = analysis_id" if table is TRACKS else ""
    order = "content_hash, track" if table is TRACKS else table.key
    rows = query(url, f"SELECT {', '.join(c.name for c in table)} FROM {name}{of_analysis} ORDER BY {order}")
    return [{c.name: _object(c, value) for c, value in zip(table, row, strict=True)} for row in rows]


def records(batch: Batch, name: str) -> list[dict[str, Any]]:
    """What ``stored`` should return for a batch whose keys are unique."""
    table = TABLES[name]
    rows: list[dict[str, Any]] = [row_to_dict(table, row, batch.heap) for row in batch.rows(table)]
    if table is TRACKS:
        return sorted(rows, key=lambda row: (row["content_hash"], row["track"]))
    return sorted(rows, key=lambda row: row[table.key].encode() if table is FILES else row[table.key])


def _object(column: Column, value: Any) -> Any:
    """A value as a driver returns it; a 32-bit float may come as any double that rounds to it."""
    if value is None:
        return None
    kind = column.kind
    if kind is BOOL:
        return bool(value)
    if kind.is_list and isinstance(value, str):
        value = json.loads(value)
    if kind is TIME and isinstance(value, str):
        return dt.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    if kind is FLOAT32:
        return float(np.float32(value))
    return [float(np.float32(x)) for x in value] if kind is SHARES else value


def make_older(url: str, version: int) -> None:
    """Make a database one of an older schema, which had no tracks."""
    for view in ("library_tracks", "library_issues"):
        query(url, f"DROP VIEW {view}")
    query(url, "DROP TABLE tracks")
    query(url, f"UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")
