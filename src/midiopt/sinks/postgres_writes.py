"""Writing a batch into PostgreSQL: COPY into the staging tables of the session, and INSERT from there into the real ones.

A batch brings an id for each of its analyses. Where the content is there already, its row keeps the id it has. So analyses that are new
are inserted first. If all are, which the number of inserted rows tells, the files take the ids that the batch brings, and only copies
of other contents are looked up; otherwise those that are there are updated, and every id is looked up.
"""

from __future__ import annotations

from array import array

from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSES, FILES
from midiopt.sinks.batch_rows import ids_of_analyses, last_row_per_key
from midiopt.sinks.postgres_connections import Connection
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sql import ANALYSIS_ID, TABLES, UNKNOWN_ID, column_names, upsert

NUMBERS = {ANALYSES: "id", FILES: ANALYSIS_ID}  # the last column of a staged row

_COPY = [f"COPY new_{table.name} ({column_names(table)}, {NUMBERS[table]}) FROM STDIN (FORMAT binary)" for table in TABLES]
_STAGED = f"SELECT {column_names(ANALYSES)}, id FROM new_analyses ORDER BY content_hash"
_INSERT_ANALYSES = f"INSERT INTO analyses ({column_names(ANALYSES)}, id) {_STAGED} ON CONFLICT (content_hash) DO NOTHING"
_UPDATE_ANALYSES = upsert(ANALYSES, _STAGED, "IS DISTINCT FROM", "id")


def _upsert_files(known: str) -> str:
    """The files with the ids that the batch brings where `known` is true."""
    found = "(SELECT a.id FROM analyses a WHERE a.content_hash = n.content_hash)"
    number = f"CASE WHEN {known} THEN n.{ANALYSIS_ID} ELSE {found} END"
    return upsert(FILES, f"SELECT {column_names(FILES)}, {number} FROM new_files n ORDER BY path", "IS DISTINCT FROM", ANALYSIS_ID)


_UPSERT_FILES_OF_NEW = _upsert_files(f"n.{ANALYSIS_ID} IS DISTINCT FROM {UNKNOWN_ID}")
_UPSERT_FILES = _upsert_files(f"n.{ANALYSIS_ID} IS NULL")


class BatchEncoder:
    """Turns batches into the bytes of COPY."""

    def __init__(self) -> None:
        self._analyses, self._files = (CopyEncoder(LAYOUTS[table].fields) for table in TABLES)

    def encode(self, batch: Batch, ids: array[int]) -> list[bytearray]:
        """What copy_and_insert() takes of a batch from distinct(), with an id for each analysis."""
        return [
            self._analyses.encode(batch.analyses, batch.heap, memoryview(ids)),
            self._files.encode(batch.files, batch.heap, ids_of_analyses(batch, ids.tobytes())),
        ]


def distinct(batch: Batch) -> Batch:
    """The batch with the last row of each key."""
    return Batch(last_row_per_key(FILES, batch), last_row_per_key(ANALYSES, batch), batch.heap)


def create_staging_tables(connection: Connection) -> None:
    """Tables of the session that COPY fills."""
    with connection.transaction():
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")


def copy_and_insert(connection: Connection, analyses: int, streams: list[bytearray]) -> None:
    """Write a batch, of which so many rows are analyses, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for copy_statement, stream in zip(_COPY, streams, strict=True):
            with cursor.copy(copy_statement) as copy:
                copy.write(stream)
        cursor.execute(_INSERT_ANALYSES)
        if cursor.rowcount == analyses:
            cursor.execute(_UPSERT_FILES_OF_NEW)
        else:
            cursor.execute(_UPDATE_ANALYSES)
            cursor.execute(_UPSERT_FILES)
