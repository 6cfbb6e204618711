"""The two ways of writing rows into SQLite."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from midiopt.rows.layout import LAYOUTS, Field
from midiopt.schema import Table
from midiopt.sinks.sql import Dialect, upsert
from midiopt.sinks.sqlite_rows import RowEncoder
from midiopt.sinks.sqlite_statement import RowStatement

if TYPE_CHECKING:
    from midiopt.rows.batch import Rows

DIALECT = Dialect("?", "sqlite")


class RowTuples:
    """Writes rows by Python's executemany(), where there is no handle for a RowStatement."""

    def __init__(self, connection: sqlite3.Connection, sql: str, fields: list[Field]) -> None:
        self._connection = connection
        self._sql = sql
        self._encoder = RowEncoder(fields)

    def write(self, rows: Rows, heap: bytes) -> None:
        """See RowStatement."""
        self._connection.executemany(self._sql, self._encoder.tuples(rows, heap))

    def close(self) -> None:
        """Nothing is open."""


def row_writer(connection: sqlite3.Connection, handle: object | None, table: Table) -> RowStatement | RowTuples:
    """What inserts or updates the rows of a table, in the fastest way there is."""
    sql, fields = upsert(table, f"VALUES {DIALECT.values(len(table))}", "IS NOT"), LAYOUTS[table].fields
    return RowTuples(connection, sql, fields) if handle is None else RowStatement(handle, sql, fields)
