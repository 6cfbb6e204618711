"""Where rows go: one protocol, one module a database, chosen by URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol, Self

from midiopt.errors import MissingExtra
from midiopt.rows.batch import Batch
from midiopt.sinks.urls import is_postgres, sqlite_path


class Sink(Protocol):
    """A database that one run writes. Opening it takes the run's lock and creates or upgrades the tables.

    Every method raises SinkError when the database fails; what was written before stays. As a context
    manager a sink is closed at the end.
    """

    patience: float  # seconds that what is to be done may wait, as for a server that starts again; then SinkError
    # Whether the run is to end. Then known(), contents() and finish() that take longer raise Stopped, and nothing waits for
    # more than some seconds.
    stopped: Callable[[], bool]

    def start_run(self, facts: dict[str, object]) -> None:
        """Add a row to ``runs``: some of its columns by name. Earlier rows without an outcome become `killed`."""

    def end_run(self, facts: dict[str, object]) -> None:
        """Complete the row that ``start_run`` added."""

    def known(self, keep_old: bool = False) -> Generator[list[tuple[str, int, int, bool]]]:
        """Path, bytes and mtime in ns of every file, and whether it need not be read again if both are unchanged.

        That is: settled (ok, repaired, rejected, or opened without an error) by this version of the analyser or a
        newer one; with ``keep_old`` by any. The rows come some thousand at a time; read them to the end, or close them.
        """

    def contents(self) -> Generator[bytes]:
        """Hashes, 16 bytes each, some thousand in a row: of contents whose copies need not be analysed. They were ok
        with this version, and their analyses are there. Read them to the end, or close them, before the first write."""

    def paths(self, after: str, before: str) -> list[str]:
        """The first paths between these two in the order of their bytes, some thousand at a time."""

    def forget(self, paths: list[str]) -> None:
        """Delete these rows of ``files``."""

    def write(self, batch: Batch) -> None:
        """Commit the rows of both tables in one transaction, or none of them.

        A sink with writers of its own returns when it has room for the batch; ``flush`` waits until all are
        committed. An error then comes from a later call, and from every call after it. A file is never
        committed without its analysis, were that in another batch. A stored row is replaced only if a
        column differs that does not vary by itself, so writing a batch
        twice changes nothing. Of rows with the same key in one batch the last counts.
        """

    def flush(self) -> None:
        """Wait until every batch written is committed."""

    def finish(self) -> int:
        """At the end of a whole run: build the secondary indexes, which would slow every write, and delete the
        analyses that no file refers to any more; the number of duplicates: analysed files whose content an earlier
        one had. After an interrupt all is left to the next run; of what is left in the middle nothing stays."""

    def close(self) -> None:
        """Release the lock; batches that no writer has begun are left to the next run. Closing twice does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind, error, traceback) -> None: ...


# Batches of 2,048 rows into a server on the same two busy cores, best and median of six rounds in turns,
# thousand rows/s: 52 and 35 with one writer, 57 and 46 with two, 58 and 40 with three, 66 and 44 with
# four; with a connection a batch 28 and 21 with one, 38 and 28 with two.
WRITERS = 2
PATIENCE = 300.0  # seconds: a server that is restarted, or upgraded, is back before


def open_sink(url: str | os.PathLike[str], writers: int = WRITERS, warm: bool = True, patience: float = PATIENCE) -> Sink:
    """Open the database that `url` names, for writing.

    ``postgresql://...`` and ``postgres://...`` are PostgreSQL; ``sqlite:///relative.db``,
    ``sqlite:////absolute.db`` and a bare path are SQLite. PostgreSQL commits
    `writers` batches at a time; ``warm=False`` makes it open a connection for each, which is there to be
    measured. SQLite has one writer, always. `patience` is Sink.patience.
    Raises SinkError when it cannot be used, DatabaseBusy while another run writes it and MissingExtra
    without the PostgreSQL driver.
    """
    url = os.fspath(url)
    if is_postgres(url):
        try:
            import psycopg  # noqa: F401
            import psycopg_pool  # noqa: F401
        except ImportError as error:
            raise MissingExtra("PostgreSQL", "postgres") from error
        from midiopt.sinks.postgres import PostgresSink

        return PostgresSink(url, writers, warm, patience)
    from midiopt.sinks.sqlite import SqliteSink

    return SqliteSink(sqlite_path(url), patience)


class Library(Protocol):
    """A database that runs have filled, as it is at one moment. Reading it writes nothing and stops no run."""

    in_use: bool  # a run is writing it

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:
        """The answer to a query in SQL, row by row; a `?` stands for each of the values."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind, error, traceback) -> None: ...


def open_library(url: str | os.PathLike[str]) -> Library:
    """Open the database that `url` names (see ``open_sink``) for reading.

    Raises SinkError when it does not exist, when midiopt has not made it or an older midiopt has, and
    MissingExtra without the PostgreSQL driver.
    """
    url = os.fspath(url)
    if is_postgres(url):
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise MissingExtra("PostgreSQL", "postgres") from error
        from midiopt.sinks.postgres import PostgresLibrary

        return PostgresLibrary(url)
    from midiopt.sinks.sqlite import SqliteLibrary

    return SqliteLibrary(sqlite_path(url))
