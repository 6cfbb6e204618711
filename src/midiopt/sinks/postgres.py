"""PostgreSQL: rows are sent by binary COPY into a temporary table, and inserted from there into the real one.

The control connection holds the lock of the run and runs everything that is done once. Batches are committed over a pool of
connections, opened before the run and kept, while the parent goes on. When a connection breaks, its action is repeated over
a new one.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Self

from psycopg.errors import UndefinedColumn

from midiopt.errors import SinkError
from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.schema import ANALYSES, PRODUCT, RUNS, SCHEMA_VERSION
from midiopt.sinks.base import KnownFile
from midiopt.sinks.batch_rows import add_missing_analyses, last_row_per_key
from midiopt.sinks.commit_threads import CommitThreads, CommitTimeout
from midiopt.sinks.postgres_connections import Connection, Connections
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sql import (
    CREATE_VIEW,
    MARK_KILLED_RUNS,
    PAGE_ROWS,
    SELECT_CONTENT_HASHES,
    TABLE_NAMES,
    TABLES,
    WIDE_ISSUES,
    WIDE_ISSUES_VERSION,
    Dialect,
    check_version,
    column_definitions,
    column_names,
    content_key,
    finalize,
    insert_run,
    select_files,
    select_paths,
    update_run,
    upsert,
)

DIALECT = Dialect("%s", "postgres")
KEYS = {"files": 'COLLATE "C" PRIMARY KEY', "analyses": "PRIMARY KEY", "runs": "PRIMARY KEY GENERATED ALWAYS AS IDENTITY"}

COMMIT_GRACE = 2.0  # seconds beyond the timeout in which a commit thread reports its own error


class PostgresSink:
    """A Database (base.py describes the methods) in the current schema of the database at `url`.

    `writers` batches are committed at the same time, each over its own connection. The connections are opened here and kept;
    with ``warm=False`` each batch opens a new one, to measure what that costs.
    """

    def __init__(
        self, url: str, writers: int, warm: bool, timeout: float, should_stop: Callable[[], bool], notify: Callable[[str], None]
    ) -> None:
        self._tables = [
            (
                table,
                CopyEncoder(LAYOUTS[table].fields),
                f"COPY new_{table.name} ({column_names(table)}) FROM STDIN (FORMAT binary)",
                upsert(table, f"SELECT {column_names(table)} FROM new_{table.name} ORDER BY {table.key}", "IS DISTINCT FROM"),
            )
            for table in TABLES
        ]
        self._numbers = itertools.count()
        self._uncommitted: dict[int, Batch] = {}
        self._run_id: int | None = None
        self._connections = Connections(url, timeout, should_stop, notify)
        try:
            self._connections.run_on_control(_create_tables)
            self.content_key = self._connections.run_on_control(lambda control: content_key(control.execute))
            self._connections.open_pool(writers, warm, _create_staging_tables)
        except BaseException:
            self._connections.close()
            raise
        self._threads = CommitThreads(writers, self._commit, lambda: self._connections.timeout + COMMIT_GRACE, notify)

    def start_run(self, facts: dict[str, object]) -> None:
        """See RunJournal."""

        attempts = itertools.count()

        def insert(control: Connection) -> int:
            with control.transaction():
                rows = []
                if next(attempts):  # a commit whose confirmation was lost with the connection has inserted it
                    rows = control.execute("SELECT id FROM runs WHERE started = %s AND outcome IS NULL", [facts["started"]]).fetchall()
                if not rows:
                    control.execute(MARK_KILLED_RUNS)
                    rows = control.execute(f"{insert_run(facts, DIALECT)} RETURNING id", list(facts.values())).fetchall()
            [(number,)] = rows
            return int(number)

        self._run_id = self._connections.run_on_control(insert)

    def end_run(self, facts: dict[str, object], timeout: float | None = None) -> None:
        """See RunJournal."""
        if isinstance(self._threads.error, CommitTimeout):
            raise self._threads.error
        values = [*facts.values(), self._run_id]
        self._connections.run_on_control(lambda control: control.execute(update_run(facts, DIALECT), values), timeout)

    def iter_files(self, keep_old: bool = False) -> Generator[list[KnownFile]]:
        """See Catalog."""
        return self._connections.pages(select_files(keep_old), PAGE_ROWS)

    def iter_content_hashes(self) -> Generator[bytes]:
        """See Catalog."""
        return (b"".join(digest for (digest,) in rows) for rows in self._connections.pages(SELECT_CONTENT_HASHES, PAGE_ROWS))

    def paths_between(self, after: str, before: str) -> list[str]:
        """See Catalog."""
        rows = self._connections.run_on_control(lambda control: control.execute(select_paths(DIALECT), [after, before]).fetchall())
        return [path for (path,) in rows]

    def delete_files(self, paths: list[str]) -> None:
        """See Catalog."""
        self._connections.run_on_control(lambda control: control.execute("DELETE FROM files WHERE path = ANY(%s)", [paths]))

    def write(self, batch: Batch) -> None:
        """See Sink."""
        batch = add_missing_analyses(batch, list(self._uncommitted.values()))
        streams = [encoder.encode(last_row_per_key(table, batch), batch.heap) for table, encoder, *_ in self._tables]
        number = next(self._numbers)
        self._uncommitted[number] = batch
        self._threads.submit((number, streams))

    def flush(self) -> None:
        """See Sink."""
        self._threads.flush()

    def _commit(self, item: tuple[int, list[bytearray]]) -> None:
        """Commit one batch, in a commit thread: between its waits for the server it needs the GIL only for moments."""
        number, streams = item
        self._connections.run_on_pool(lambda connection: self._copy_and_insert(connection, streams))
        del self._uncommitted[number]

    def _copy_and_insert(self, connection: Connection, streams: list[bytearray]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for (_, _, copy_statement, insert), stream in zip(self._tables, streams, strict=True):
                with cursor.copy(copy_statement) as copy:
                    copy.write(stream)
                cursor.execute(insert)

    def finalize(self) -> int:
        """See Catalog."""
        self.flush()
        return self._connections.run_cancellable(lambda control: finalize(control.execute))

    def close(self) -> None:
        """See Sink."""
        self._connections.stop_retrying()
        self._threads.close()
        self._connections.close(unlock=not self._threads.error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()


def schema_version(connection: Connection) -> int | None:
    """See sql.check_version."""
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relname = ANY(%s)",
        (list(TABLE_NAMES),),
    )
    names = {name for (name,) in found}
    meta: dict[str, str] = {}
    if "meta" in names:
        with contextlib.suppress(UndefinedColumn):  # another program's table
            meta = dict(connection.execute("SELECT key::text, value::text FROM meta").fetchall())
    return check_version(names, meta)


def _create_tables(connection: Connection) -> None:
    """Create the tables, or upgrade those of an older schema. Raises SinkError when the database cannot be used."""
    [(encoding,)] = connection.execute("SHOW server_encoding").fetchall()
    if encoding != "UTF8":
        raise SinkError(f"the database has encoding {encoding}, which cannot store every path; create it with ENCODING 'UTF8'")
    version = schema_version(connection)
    if version == SCHEMA_VERSION:
        return
    execute = connection.execute
    with connection.transaction():
        if version is None:
            execute("CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)")
            execute("INSERT INTO meta VALUES ('product', %s)", (PRODUCT,))
        execute("DROP VIEW IF EXISTS library")  # a column that a view reads keeps its type
        for table in (*TABLES, RUNS):
            execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({column_definitions(table, DIALECT, KEYS[table.name])})")
            for column in () if version is None else table:  # new ones are null until the file is analysed again
                kind = DIALECT.type_of(column.kind)
                execute(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {column.name} {kind}")
                execute(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} TYPE {kind}")  # no work where it has this type already
        if version is not None and version < WIDE_ISSUES_VERSION:
            execute(f"ALTER TABLE analyses ALTER COLUMN issues TYPE {DIALECT.type_of(ANALYSES['issues'].kind)} USING {WIDE_ISSUES}")
        execute(CREATE_VIEW)
        execute(
            "INSERT INTO meta VALUES ('schema_version', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (str(SCHEMA_VERSION),)
        )


def _create_staging_tables(connection: Connection) -> None:
    with connection.transaction():
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")
