"""SQLite, the default database: one file and its write-ahead log."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from midiopt.schema import ANALYSES, FILES, SCHEMA_VERSION, TRACKS, Table
from midiopt.sinks import missing_sql
from midiopt.sinks.base import KnownFile
from midiopt.sinks.dialects import SQLITE as DIALECT
from midiopt.sinks.facets import fill_facets
from midiopt.sinks.finalize import finalize
from midiopt.sinks.sql import (
    MARK_KILLED_RUNS,
    PAGE_ROWS,
    TABLES,
    UNKNOWN_ID,
    content_key,
    insert_run,
    select_content_hashes,
    select_files,
    update_run,
)
from midiopt.sinks.sqlite_connection import LOCK_POLL, SqliteConnection
from midiopt.sinks.sqlite_first_tables import FirstTables, are_empty
from midiopt.sinks.sqlite_programs import fill_analysis_programs
from midiopt.sinks.sqlite_session import schema_version, sink_errors
from midiopt.sinks.sqlite_sketches import fill_sketch_hashes
from midiopt.sinks.sqlite_statement import RowStatement
from midiopt.sinks.sqlite_tables import create_tables, fill_names
from midiopt.sinks.sqlite_words import fill_words
from midiopt.sinks.sqlite_writers import RowTuples, row_writer
from midiopt.sinks.upgrade_notice import UpgradeNotice

if TYPE_CHECKING:
    from midiopt.rows.batch import Batch

# The hash index is filled in random order: beyond 100,000 contents nearly every insert changes another page. Over 512,000 rows
# of each table, 4,000 per batch: 34,000 pairs/s with SQLite's defaults (47,000 per second of processor time), 40,000 (52,000)
# with this cache, 53,000 (58,000) with a checkpoint every 64 MiB instead of every 4 MiB as well.
CACHE_KIB = 32 * 1024
CHECKPOINT_BYTES = 64 << 20
# Of a new database. Over 30,000 songs a run takes 0.93 of the processor time that it takes with SQLite's 4 KiB, indexes included: each
# index reads the whole table. With 16 KiB it takes 1.00, as more is moved at each insertion.
PAGE_BYTES = 8192


class SqliteSink(missing_sql.MissingFilesCatalog):
    """A Database (base.py describes the methods) in the SQLite file at `path`, which is created if absent."""

    _dialect = DIALECT
    shares_analyses = True
    commits_in_order = True

    def __init__(self, path: str, timeout: float, should_stop: Callable[[], bool], notify: Callable[[str], None]) -> None:
        self._path = path
        self._should_stop = should_stop
        self._notify = notify
        self._run_id: int | None = None
        self._connection = SqliteConnection(path, timeout, should_stop, notify)
        with contextlib.ExitStack() as resources, sink_errors(path):
            resources.callback(self._connection.close)
            self._connection.while_locked(self._create_tables)
            with self._connection.transaction():
                self.content_key = content_key(self._connection.execute)
            resources.pop_all()
        self._writers: list[RowStatement | RowTuples] = []  # of analyses and files, from the first batch on
        self._tracks_writer: RowStatement | RowTuples | None = None

    def _create_tables(self) -> None:
        execute = self._connection.execute
        version = schema_version(self._connection.sqlite)  # before anything is changed
        execute(f"PRAGMA page_size = {PAGE_BYTES}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        [[page_bytes]] = execute("PRAGMA page_size")
        execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // page_bytes}")
        execute("PRAGMA ignore_check_constraints = ON")  # of enumerations, whose values come from their own lists of names
        if version == SCHEMA_VERSION:
            with self._connection.transaction():
                fill_names(self._connection.sqlite)
            return
        execute("PRAGMA foreign_keys = OFF")  # a file is written after its analysis, and an analysis is deleted after its files
        with self._connection.transaction():
            create_tables(self._connection.sqlite, version, UpgradeNotice(self._path, version, self._count_rows, self._notify))

    def _count_rows(self) -> int:
        return sum(self._connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in TABLES)

    def _open_writer(self, table: Table) -> RowStatement | RowTuples:
        return self._connection.closed_before(contextlib.closing(row_writer(self._connection.sqlite, self._connection.handle, table)))

    def start_run(self, facts: dict[str, object]) -> None:
        """See RunJournal."""
        with sink_errors(self._path), self._connection.transaction():
            self._connection.execute(MARK_KILLED_RUNS)
            self._run_id = self._connection.execute(insert_run(facts, DIALECT), _sqlite_values(facts.values())).lastrowid

    def end_run(self, facts: dict[str, object], timeout: float | None = None) -> None:
        """See RunJournal."""
        with sink_errors(self._path), self._connection.transaction(timeout):
            self._connection.execute(update_run(facts, DIALECT), (*_sqlite_values(facts.values()), self._run_id))

    def iter_files(self, keep_old: bool = False, tracks: bool = False) -> Generator[list[KnownFile]]:
        """See Catalog."""
        return self._pages(select_files(keep_old, tracks))

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """See Catalog."""
        return (b"".join(digest for (digest,) in rows) for rows in self._pages(select_content_hashes(tracks)))

    def _pages(self, query: str) -> Generator[list[Any]]:
        with sink_errors(self._path), self._connection.interrupt_when_stopped():
            cursor = self._connection.while_locked(lambda: self._connection.execute(query))
            while rows := cursor.fetchmany(PAGE_ROWS):
                yield rows

    def missing_paths(self) -> Generator[list[str]]:
        """See Catalog."""
        return ([path for (path,) in rows] for rows in self._pages(missing_sql.SELECT_MISSING))

    def _rows(self, query: str, *values: object) -> list[Any]:
        with sink_errors(self._path):
            return self._connection.while_locked(lambda: self._connection.execute(query, _sqlite_values(values)).fetchall())

    def _change(self, statement: str, *values: object) -> None:
        with sink_errors(self._path), self._connection.transaction():
            self._connection.execute(statement, _sqlite_values(values))

    def _change_files(self, statement: str, paths: list[str], *values: object) -> None:
        others = _sqlite_values(values)
        with sink_errors(self._path), self._connection.transaction():
            self._connection.executemany(statement, ((*others, path) for path in paths))

    def write(self, batch: Batch) -> None:
        """See Sink."""
        from midiopt.sinks.batch_rows import ids_of_analyses  # numpy, which a run imports later than this module

        with sink_errors(self._path), self._connection.transaction():
            if not self._writers:
                self._writers = [self._open_writer(table) for table in (ANALYSES, FILES)]
            analyses, files = self._writers
            inserted = analyses.write(batch.analyses, batch.heap)
            files.write(batch.files, batch.heap, ids_of_analyses(batch, inserted))
            if len(batch.tracks):
                self._write_tracks(batch, inserted)

    def _write_tracks(self, batch: Batch, inserted: bytes | bytearray) -> None:
        """Write the tracks of a batch whose analyses have been; those of a content that was there before are replaced."""
        from midiopt.sinks.batch_rows import ids_of_tracks, last_row_per_key

        if self._tracks_writer is None:
            self._tracks_writer = self._open_writer(TRACKS)
        rows = last_row_per_key(TRACKS, batch)
        ids = ids_of_tracks(rows, batch.analyses, inserted)
        old = {content_hash.tobytes() for content_hash, number in zip(rows["content_hash"], ids, strict=True) if number == UNKNOWN_ID}
        delete = "DELETE FROM tracks WHERE analysis_id = (SELECT id FROM analyses WHERE content_hash = ?)"
        self._connection.executemany(delete, ((content_hash,) for content_hash in old))
        self._tracks_writer.write(rows, batch.heap, ids)

    def flush(self) -> None:
        """See Sink; write() returns after its commit, so there is nothing to wait for."""

    def finalize(self) -> int:
        """See Catalog."""

        def execute(statement: str) -> Iterable[Any]:
            with self._connection.transaction():
                return self._connection.execute(statement).fetchall()

        def make_indexes(statements: list[str]) -> None:
            for statement in statements:
                execute(statement)

        with sink_errors(self._path), self._connection.interrupt_when_stopped():
            if not self._fits_into_cache():
                self._connection.execute("PRAGMA cache_size = -2000")  # sorting takes another CACHE_KIB
            with contextlib.ExitStack() as resources:
                first = resources.enter_context(contextlib.closing(self._first_tables())) if are_empty(self._connection.sqlite) else None
                duplicates = finalize(execute, make_indexes, DIALECT)
                with self._connection.transaction():
                    fill_facets(self._connection.execute, DIALECT)
                if first and (connection := first.wait()):
                    with self._connection.transaction(connection=connection):
                        if first.fill(connection):
                            return duplicates
            with self._connection.transaction():
                fill_analysis_programs(self._connection.sqlite)
            with self._connection.transaction():
                fill_sketch_hashes(self._connection.sqlite, self._connection.handle)
            with self._connection.transaction():
                fill_words(self._connection.sqlite)
            return duplicates

    def _first_tables(self) -> FirstTables:
        self._connection.check_file()
        return FirstTables(self._path, self._connection.sqlite, self._should_stop, LOCK_POLL)

    def _fits_into_cache(self) -> bool:
        """Whether the pages stay in memory while indexes are built: those of 16,894 files then take 0.18 s instead of 0.31."""
        [[pages, page_size]] = self._connection.execute("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size")
        return bool(pages * page_size <= CACHE_KIB << 10)

    def close(self) -> None:
        """See Sink."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


def _sqlite_values(values: Iterable[object]) -> list[Any]:
    """Values in the form that the tables have: times and lists as text."""
    return [
        f"{v.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(v, dt.datetime) else json.dumps(v) if isinstance(v, list) else v
        for v in values
    ]
