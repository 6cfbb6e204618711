"""Batches made from Python dicts, the inverse of ``rows.record``, and read back from either database.

``file_row`` and ``analysis_row`` take only the columns that a test is about; the others get a plain
value of their kind.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing

import numpy as np
import psycopg

from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, Batch, record
from midiopt.schema import ANALYSES, ANALYZER_VERSION, FILES, NULL_ENUM, NULL_INT, NULL_TEXT, Column
from midiopt.sinks.base import Sink

EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
NOW = dt.datetime(2024, 2, 29, 23, 59, 59, 999999, dt.UTC)
HASH = bytes(range(1, 17))

_PLAIN = {
    "text": "some text", "texts": ["one", "two"], "int16": 7, "int32": 7, "int64": 7, "float32": 0.5, "float64": 0.5,
    "floats": [0.25] * 4 + [0.0] * 8, "hash16": HASH, "hash8": HASH[:8], "time": NOW, "bool": True,
}  # fmt: skip


def plain(column: Column):
    """A value of the column's kind that is not null."""
    if column.name == "analyzer_version":
        return ANALYZER_VERSION
    if column.kind == "enum":
        return column.values[0]
    return [column.first] if column.kind == "set" else _PLAIN[column.kind]


def file_row(**facts) -> dict:
    return {c.name: plain(c) for c in FILES} | {"error": None} | facts


def analysis_row(**facts) -> dict:
    return {c.name: plain(c) for c in ANALYSES} | facts


def make_batch(files=(), analyses=()) -> Batch:
    heap = bytearray()
    tables = []
    for columns, dtype, dicts in ((FILES, FILES_DTYPE, files), (ANALYSES, ANALYSES_DTYPE, analyses)):
        rows = np.zeros(len(dicts), dtype)
        for row, values in zip(rows, dicts, strict=True):
            for column in columns:
                row[column.name] = _field(column, values[column.name], heap)
        tables.append(rows)
    return Batch(*tables, bytes(heap))


def _field(column: Column, value, heap: bytearray):
    kind = column.kind
    if kind in ("text", "texts"):
        if value is None:
            return 0, NULL_TEXT
        data = ("\0".join(value) if kind == "texts" else value).encode()
        heap += data
        return len(heap) - len(data), len(data)
    if kind == "enum":
        return NULL_ENUM if value is None else column.values.index(value)
    if kind == "bool":
        return NULL_ENUM if value is None else value
    if kind in NULL_INT:
        return NULL_INT[kind] if value is None else value
    if kind in ("float32", "float64"):
        return np.nan if value is None else value
    if kind == "set":
        bits = np.zeros(column.bits, "u1")
        bits[[member - column.first for member in value]] = 1
        return np.packbits(bits, bitorder="little")
    if kind == "time":
        return (value - EPOCH) // dt.timedelta(microseconds=1)
    if kind in ("hash16", "hash8"):
        return np.frombuffer(value or bytes(16 if kind == "hash16" else 8), "u1")
    return value  # floats


def write(sink: Sink, batch: Batch) -> None:
    """Write a batch and wait until it is committed."""
    sink.write(batch)
    sink.flush()


def sqlite_path(url: str) -> str:
    return url.removeprefix("sqlite:///")


def query(url: str, sql: str) -> list[tuple]:
    """The rows of a query, by a connection of its own; what the query changes is committed."""
    if url.startswith("postgresql:"):
        with psycopg.connect(url, options="-c TimeZone=UTC") as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(sqlite_path(url))) as connection, connection:
        return connection.execute(sql).fetchall()


def stored(url: str, table: str) -> list[dict]:
    """The rows of `files` or `analyses` as dicts of the same Python objects as ``rows.record`` gives."""
    columns, key = (FILES, "path") if table == "files" else (ANALYSES, "content_hash")
    rows = query(url, f"SELECT {', '.join(c.name for c in columns)} FROM {table} ORDER BY {key}")
    return [{c.name: _object(c, value) for c, value in zip(columns, row, strict=True)} for row in rows]


def records(batch: Batch, table: str) -> list[dict]:
    """What ``stored`` should give for a batch whose keys are unique."""
    columns, key = (FILES, "path") if table == "files" else (ANALYSES, "content_hash")
    rows = [record(columns, row, batch.heap) for row in getattr(batch, table)]
    return sorted(rows, key=lambda row: row[key].encode() if table == "files" else row[key])


def _object(column: Column, value):
    """A value as a driver gives it; one of 32 bits may come as any double that rounds to it."""
    if value is None:
        return None
    kind = column.kind
    if kind == "bool":
        return bool(value)
    if kind in ("texts", "floats", "set") and isinstance(value, str):
        value = json.loads(value)
    if kind == "time" and isinstance(value, str):
        return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=dt.UTC)
    if kind == "float32":
        return float(np.float32(value))
    return [float(np.float32(x)) for x in value] if kind == "floats" else value
