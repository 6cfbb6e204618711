"""PostgreSQL: rows are sent by binary COPY, in a first run into the tables, else into temporary ones and inserted from there.

The control connection holds the lock of the run and runs everything that is done once. Batches are committed over a pool of
connections, opened before the run and kept, while the parent goes on. When a connection breaks, its action is repeated over
a new one.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self

from midiopt.rows.batch import Batch
from midiopt.schema import SCHEMA_VERSION
from midiopt.sinks import missing_sql
from midiopt.sinks.base import KnownFile
from midiopt.sinks.batch_rows import add_missing_analyses
from midiopt.sinks.commit_threads import CommitThreads, CommitTimeout
from midiopt.sinks.dialects import POSTGRES as DIALECT
from midiopt.sinks.facets import fill_facets
from midiopt.sinks.finalize import finalize
from midiopt.sinks.postgres_connections import Connections
from midiopt.sinks.postgres_session import Connection, schema_version
from midiopt.sinks.postgres_tables import add_constraints, add_statistics, create_tables, fill_names, next_ids
from midiopt.sinks.postgres_writes import BatchEncoder, EncodedBatch, copy_and_insert, create_staging_tables, distinct
from midiopt.sinks.sql import MARK_KILLED_RUNS, PAGE_ROWS, content_key, insert_run, select_content_hashes, select_files, update_run

COMMIT_GRACE = 2.0  # seconds beyond the timeout in which a commit thread reports its own error


class PostgresSink(missing_sql.MissingFilesCatalog):
    """A Database (base.py describes the methods) in the current schema of the database at `url`.

    `writers` batches are committed at the same time, each over its own connection. The connections are opened here and kept;
    with ``warm=False`` each batch opens a new one, to measure what that costs.
    """

    _dialect = DIALECT
    shares_analyses = True
    commits_in_order = False

    def __init__(
        self, url: str, writers: int, warm: bool, timeout: float, should_stop: Callable[[], bool], notify: Callable[[str], None]
    ) -> None:
        self._encoder = BatchEncoder()
        self._numbers = itertools.count()
        self._uncommitted: dict[int, Batch] = {}
        self._run_id: int | None = None
        self._connections = Connections(url, timeout, should_stop, notify)
        try:
            self._connections.run_on_control(_prepare_tables)
            self.content_key = self._connections.run_on_control(lambda control: content_key(control.execute))
            self._ids = self._connections.run_on_control(next_ids)  # for the next analyses
            self._is_first_run = self._connections.run_on_control(
                lambda control: not control.execute("SELECT FROM analyses LIMIT 1").fetchall()
            )
            self._connections.open_pool(writers, warm, create_staging_tables)
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

    def iter_files(self, keep_old: bool = False, tracks: bool = False) -> Generator[list[KnownFile]]:
        """See Catalog."""
        return self._connections.pages(select_files(keep_old, tracks), PAGE_ROWS)

    def iter_content_hashes(self, tracks: bool = False) -> Generator[bytes]:
        """See Catalog."""
        pages = self._connections.pages(select_content_hashes(tracks), PAGE_ROWS)
        return (b"".join(digest for (digest,) in rows) for rows in pages)

    def missing_paths(self) -> Generator[list[str]]:
        """See Catalog."""
        return ([path for (path,) in rows] for rows in self._connections.pages(missing_sql.SELECT_MISSING, PAGE_ROWS))

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connections.run_on_control(lambda control: control.execute(query, values or None).fetchall())

    def _change(self, statement: str, *values: object) -> None:
        self._connections.run_on_control(lambda control: control.execute(statement, values))

    def _change_files(self, statement: str, paths: list[str], *values: object) -> None:
        self._change(statement, *values, paths)

    def write(self, batch: Batch) -> None:
        """See Sink."""
        complete = add_missing_analyses(batch, list(self._uncommitted.values()))
        is_new = self._is_first_run and complete is batch  # else another batch will have written analyses of this one
        rows = distinct(complete)
        ids = self._take_ids(len(rows.analyses))
        number = next(self._numbers)
        self._uncommitted[number] = complete
        self._threads.submit((number, self._encoder.encode(rows, ids), is_new))

    def flush(self) -> None:
        """See Sink."""
        self._threads.flush()

    def _take_ids(self, count: int) -> array[int]:
        """Ids that no analysis has had."""
        ids = array("q")
        while True:
            taken = self._ids[: count - len(ids)]
            self._ids = self._ids[len(taken) :]
            ids.extend(taken)
            if len(ids) == count:
                return ids
            self._ids = self._connections.run_on_control(next_ids)

    def _commit(self, item: tuple[int, EncodedBatch, bool]) -> None:
        """Commit one batch, in a commit thread: between its waits for the server it needs the GIL only for moments."""
        number, batch, is_new = item
        self._connections.run_on_pool(lambda connection: copy_and_insert(connection, batch, is_new))
        del self._uncommitted[number]

    def finalize(self) -> int:
        """See Catalog."""

        def make_indexes(statements: list[str]) -> None:
            self._connections.run_side_by_side(statements[::-1])  # the last ones take longest, and begin first

        def complete(control: Connection) -> int:
            add_constraints(control)
            duplicates = finalize(control.execute, make_indexes, DIALECT)
            with control.transaction():
                fill_facets(control.execute, DIALECT)
            add_statistics(control)
            return duplicates

        self.flush()
        return self._connections.run_cancellable(complete)

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


def _prepare_tables(connection: Connection) -> None:
    version = schema_version(connection)
    if version != SCHEMA_VERSION:
        create_tables(connection, version)
    fill_names(connection)
