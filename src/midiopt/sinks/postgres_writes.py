"""Writing a batch into PostgreSQL: COPY into the staging tables of the session, and INSERT from there into the real ones.

In a first run COPY fills the real tables themselves, which takes the server 0.8 of the time, but for files whose contents are in other
batches. Where a row is there already, the batch is rolled back and staged.

A batch brings an id for each of its analyses. Where the content is there already, its row keeps the id it has. So analyses that are new
are inserted first. If all are, which the number of inserted rows tells, the files take the ids that the batch brings, and only copies
of other contents are looked up; otherwise those that are there are updated, and every id is looked up.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from psycopg import Cursor
from psycopg.errors import UniqueViolation

from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSES, FILES, TRACKS, Table
from midiopt.sinks.batch_rows import ids_of_analyses, ids_of_tracks, last_row_per_key
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.postgres_session import Connection
from midiopt.sinks.sql import ANALYSIS_ID, TABLES, TRACK_NAMES, UNKNOWN_ID, column_names, upsert

NUMBERS = {ANALYSES: "id", FILES: ANALYSIS_ID, TRACKS: ANALYSIS_ID}  # the last column of a staged row


def _copy(table: Table, prefix: str = "") -> str:
    return f"COPY {prefix}{table.name} ({column_names(table)}, {NUMBERS[table]}) FROM STDIN (FORMAT binary)"


_COPY = {table: _copy(table) for table in TABLES}
_STAGE = {table: _copy(table, "new_") for table in NUMBERS}
_STAGED = f"SELECT {column_names(ANALYSES)}, id FROM new_analyses ORDER BY content_hash"
_INSERT_ANALYSES = f"INSERT INTO analyses ({column_names(ANALYSES)}, id) {_STAGED} ON CONFLICT (content_hash) DO NOTHING"
_UPDATE_ANALYSES = upsert(ANALYSES, _STAGED, "IS DISTINCT FROM", "id")

_FOUND_ID = "(SELECT a.id FROM analyses a WHERE a.content_hash = n.content_hash)"


def _upsert_files(known: str) -> str:
    """The files with the ids that the batch brings where `known` is true."""
    number = f"CASE WHEN {known} THEN n.{ANALYSIS_ID} ELSE {_FOUND_ID} END"
    return upsert(FILES, f"SELECT {column_names(FILES)}, {number} FROM new_files n ORDER BY path", "IS DISTINCT FROM", ANALYSIS_ID)


_UPSERT_FILES_OF_NEW = _upsert_files(f"n.{ANALYSIS_ID} IS DISTINCT FROM {UNKNOWN_ID}")
_UPSERT_FILES = _upsert_files(f"n.{ANALYSIS_ID} IS NULL")

# The tracks of contents that were there before are replaced. Who writes a content has locked its row of `analyses` by then.
_STAGE_TRACKS = "CREATE TEMP TABLE IF NOT EXISTS new_tracks (LIKE tracks, content_hash bytea) ON COMMIT DELETE ROWS"
_OLD_IDS = f"SELECT {_FOUND_ID} FROM (SELECT DISTINCT content_hash FROM new_tracks) AS n"
_DELETE_TRACKS = f"DELETE FROM tracks WHERE {ANALYSIS_ID} IN ({_OLD_IDS})"


def _insert_tracks(number: str) -> str:
    return f"INSERT INTO tracks ({ANALYSIS_ID}, {TRACK_NAMES}) SELECT {number}, {TRACK_NAMES} FROM new_tracks n"


_INSERT_TRACKS_OF_NEW, _INSERT_TRACKS = _insert_tracks(ANALYSIS_ID), _insert_tracks(_FOUND_ID)


@dataclass(frozen=True)
class EncodedBatch:
    """A batch as streams of COPY."""

    analysis_count: int
    analyses: bytearray
    files: bytearray
    files_of_others: bytearray | None
    """Those whose analyses are in other batches."""
    tracks: bytearray | None


class BatchEncoder:
    """Turns batches into the bytes of COPY."""

    def __init__(self) -> None:
        self._analyses, self._files, self._tracks = (CopyEncoder(LAYOUTS[table].fields) for table in NUMBERS)

    def encode(self, batch: Batch, ids: array[int]) -> EncodedBatch:
        """A batch from distinct(), with an id for each analysis."""
        numbers = np.frombuffer(ids_of_analyses(batch, ids.tobytes()), np.int64)
        of_others = np.flatnonzero(numbers == UNKNOWN_ID)
        files_of_others = None
        if not len(of_others):
            files = self._files.encode(batch.files, batch.heap, numbers.data)
        else:
            own = np.flatnonzero(numbers != UNKNOWN_ID)
            files = self._files.encode(batch.files[own], batch.heap, numbers[own].data)
            files_of_others = self._files.encode(batch.files[of_others], batch.heap, numbers[of_others].data)
        tracks = None
        if len(batch.tracks):
            of_tracks = ids_of_tracks(batch.tracks, batch.analyses, ids.tobytes())
            tracks = self._tracks.encode(batch.tracks, batch.heap, of_tracks)
        # Each session takes its locks in the order of the hashes; the ids keep that of arrival.
        first, second = np.ascontiguousarray(batch.analyses["content_hash"]).view(">u8").reshape(-1, 2).T
        order = np.lexsort((second, first))
        analyses = self._analyses.encode(batch.analyses[order], batch.heap, np.frombuffer(ids, np.int64)[order].data)
        return EncodedBatch(len(batch.analyses), analyses, files, files_of_others, tracks)


def distinct(batch: Batch) -> Batch:
    """The batch with the last row of each key."""
    files, analyses, tracks = (last_row_per_key(table, batch) for table in (FILES, ANALYSES, TRACKS))
    return Batch(files, analyses, batch.heap, tracks)


def create_staging_tables(connection: Connection) -> None:
    """Tables of the session that COPY fills."""
    with connection.transaction():
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")


def copy_and_insert(connection: Connection, batch: EncodedBatch, is_new: bool) -> None:
    """Write a batch in one transaction. `is_new` says that none of its rows should be there."""
    if is_new:
        try:
            _copy_new(connection, batch)
            return
        except UniqueViolation:
            pass
    with connection.transaction(), connection.cursor() as cursor:
        _fill(cursor, _STAGE[ANALYSES], batch.analyses)
        _fill(cursor, _STAGE[FILES], batch.files, batch.files_of_others)
        _stage_tracks(cursor, batch)
        cursor.execute(_INSERT_ANALYSES)
        if cursor.rowcount == batch.analysis_count:
            cursor.execute(_UPSERT_FILES_OF_NEW)
            if batch.tracks:
                cursor.execute(_INSERT_TRACKS_OF_NEW)
        else:
            cursor.execute(_UPDATE_ANALYSES)
            cursor.execute(_UPSERT_FILES)
            if batch.tracks:
                cursor.execute(_DELETE_TRACKS)
                cursor.execute(_INSERT_TRACKS)


def _copy_new(connection: Connection, batch: EncodedBatch) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        _fill(cursor, _COPY[ANALYSES], batch.analyses)
        _fill(cursor, _COPY[FILES], batch.files)
        if batch.files_of_others:
            _fill(cursor, _STAGE[FILES], batch.files_of_others)
            cursor.execute(_UPSERT_FILES_OF_NEW)
        if batch.tracks:
            _stage_tracks(cursor, batch)
            cursor.execute(_INSERT_TRACKS_OF_NEW)


def _stage_tracks(cursor: Cursor[Any], batch: EncodedBatch) -> None:
    if batch.tracks:
        cursor.execute(_STAGE_TRACKS)
        _fill(cursor, _STAGE[TRACKS], batch.tracks)


def _fill(cursor: Cursor[Any], statement: str, *streams: bytearray | None) -> None:
    for stream in filter(None, streams):
        with cursor.copy(statement) as copy:
            copy.write(stream)
