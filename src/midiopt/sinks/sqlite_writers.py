"""The two ways of writing rows into SQLite."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from midiopt.rows.layout import LAYOUTS, Field
from midiopt.schema import FILES, TRACKS, Table
from midiopt.sinks.sql import ANALYSIS_ID, TRACK_NAMES, UNKNOWN_ID, upsert
from midiopt.sinks.sqlite_rows import RowEncoder
from midiopt.sinks.sqlite_statement import RowStatement

if TYPE_CHECKING:
    from midiopt.rows.batch import Rows


class RowTuples:
    """Writes rows by Python's executemany(), where there is no handle for a RowStatement."""

    def __init__(self, connection: sqlite3.Connection, sql: str, fields: list[Field]) -> None:
        self._connection = connection
        self._sql = sql
        self._encoder = RowEncoder(fields)

    def write(self, rows: Rows, heap: bytes, numbers: memoryview | None = None) -> bytes:
        """See RowStatement; the rowids stay unknown."""
        values = self._encoder.tuples(rows, heap)
        if numbers is not None:
            values = ((*row, number or None) for row, number in zip(values, numbers, strict=True))
        self._connection.executemany(self._sql, values)
        return b""

    def close(self) -> None:
        """Nothing is open."""


def row_writer(connection: sqlite3.Connection, handle: object | None, table: Table) -> RowStatement | RowTuples:
    """What inserts or updates the rows of a table, in the fastest way there is. Rows of `tracks` are only inserted.

    A row of `files` or `tracks` is written with the id of its analysis, null if it has none, or UNKNOWN_ID to look it up: to look up
    each one takes SQLite 0.7 us.
    """
    values = [f"?{n}" for n in range(1, len(table) + 1)]
    content_hash = values[[c.name for c in table].index("content_hash")]
    number = f"?{len(values) + 1}"
    of_analysis = f"CASE {number} WHEN {UNKNOWN_ID} THEN (SELECT id FROM analyses WHERE content_hash = {content_hash}) ELSE {number} END"
    if table is TRACKS:
        others = [value for value, column in zip(values, table, strict=True) if not column.is_sent_only]
        sql = f"INSERT INTO tracks ({ANALYSIS_ID}, {TRACK_NAMES}) VALUES ({', '.join([of_analysis, *others])})"
    elif table is FILES:
        sql = upsert(table, f"VALUES ({', '.join([*values, of_analysis])})", "IS NOT", ANALYSIS_ID)
    else:
        sql = upsert(table, f"VALUES ({', '.join(values)})", "IS NOT")
    fields = LAYOUTS[table].fields
    return RowTuples(connection, sql, fields) if handle is None else RowStatement(handle, sql, fields)
