"""Writing a batch into PostgreSQL: COPY into the staging tables of the session, and INSERT from there into the real ones.

A batch brings an id for each of its analyses. Where the content is there already, its row keeps the id it has. So analyses that are new
are inserted first. If all are, which the number of inserted rows tells, the files take the ids that the batch brings, and only copies
of other contents are looked up; otherwise those that are there are updated, and every id is looked up.
"""

from __future__ import annotations

from array import array

from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSES, FILES, TRACKS
from midiopt.sinks.batch_rows import ids_of_analyses, ids_of_tracks, last_row_per_key
from midiopt.sinks.postgres_connections import Connection
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sql import ANALYSIS_ID, TABLES, TRACK_NAMES, UNKNOWN_ID, column_names, upsert

NUMBERS = {ANALYSES: "id", FILES: ANALYSIS_ID, TRACKS: ANALYSIS_ID}  # the last column of a staged row

_COPY = [f"COPY new_{table.name} ({column_names(table)}, {NUMBERS[table]}) FROM STDIN (FORMAT binary)" for table in NUMBERS]
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


class BatchEncoder:
    """Turns batches into the bytes of COPY."""

    def __init__(self) -> None:
        self._analyses, self._files, self._tracks = (CopyEncoder(LAYOUTS[table].fields) for table in NUMBERS)

    def encode(self, batch: Batch, ids: array[int]) -> list[bytearray]:
        """What copy_and_insert() takes of a batch from distinct(), with an id for each analysis: a stream per table that has rows."""
        streams = [
            self._analyses.encode(batch.analyses, batch.heap, memoryview(ids)),
            self._files.encode(batch.files, batch.heap, ids_of_analyses(batch, ids.tobytes())),
        ]
        if len(batch.tracks):
            of_tracks = ids_of_tracks(batch.tracks, batch.analyses, ids.tobytes())
            streams.append(self._tracks.encode(batch.tracks, batch.heap, of_tracks))
        return streams


def distinct(batch: Batch) -> Batch:
    """The batch with the last row of each key."""
    files, analyses, tracks = (last_row_per_key(table, batch) for table in (FILES, ANALYSES, TRACKS))
    return Batch(files, analyses, batch.heap, tracks)


def create_staging_tables(connection: Connection) -> None:
    """Tables of the session that COPY fills."""
    with connection.transaction():
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")


def copy_and_insert(connection: Connection, analyses: int, streams: list[bytearray]) -> None:
    """Write a batch, of which so many rows are analyses, in one transaction."""
    has_tracks = len(streams) > len(TABLES)
    with connection.transaction(), connection.cursor() as cursor:
        if has_tracks:
            cursor.execute(_STAGE_TRACKS)
        for copy_statement, stream in zip(_COPY, streams, strict=False):
            with cursor.copy(copy_statement) as copy:
                copy.write(stream)
        cursor.execute(_INSERT_ANALYSES)
        if cursor.rowcount == analyses:
            cursor.execute(_UPSERT_FILES_OF_NEW)
            if has_tracks:
                cursor.execute(_INSERT_TRACKS_OF_NEW)
        else:
            cursor.execute(_UPDATE_ANALYSES)
            cursor.execute(_UPSERT_FILES)
            if has_tracks:
                cursor.execute(_DELETE_TRACKS)
                cursor.execute(_INSERT_TRACKS)
