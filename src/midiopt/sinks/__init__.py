"""Writing rows: the protocols of a database (base.py), one module per database, selected by URL."""

from __future__ import annotations

import os

from midiopt.errors import MissingExtra, SinkError
from midiopt.limits import SINK_TIMEOUT, WRITERS
from midiopt.sinks.urls import is_postgres, parquet_path, sqlite_path

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

    from midiopt.sinks.base import Database


def never() -> bool:
    """The default of ``should_stop``."""
    return False


def tell_nobody(reason: str) -> None:
    """The default of ``notify``."""


def open_sink(
    url: str | os.PathLike[str],
    writers: int = WRITERS,
    warm: bool = True,
    timeout: float = SINK_TIMEOUT,
    should_stop: Callable[[], bool] = never,
    notify: Callable[[str], None] = tell_nobody,
) -> Database:
    """Open the database at `url` for writing.

    ``postgresql://...`` and ``postgres://...`` are PostgreSQL; ``sqlite:///relative.db``, ``sqlite:////absolute.db`` and a
    bare path are SQLite; ``parquet:DIR`` is a directory of Parquet files. PostgreSQL commits `writers` batches at the same time, each over
    its own connection, which ``warm=False`` opens anew for each batch (to measure its cost); SQLite has one writer. An unavailable or
    locked database is waited for `timeout` seconds, and `notify` is called with the reason, by any thread; a server that does not answer at
    the start is not. Once `should_stop` returns true, long steps raise Stopped and nothing is waited for longer than a few seconds.

    Raises SinkError if the database cannot be used, DatabaseBusy while another run writes it, and MissingExtra without the
    PostgreSQL driver or pyarrow.
    """
    url = os.fspath(url)
    if (folder := parquet_path(url)) is not None:
        if not folder:
            raise SinkError("parquet: must name a directory, such as parquet:facts")
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise MissingExtra("Parquet", "arrow") from error
        from midiopt.sinks.parquet import ParquetSink

        return ParquetSink(folder, should_stop)
    if is_postgres(url):
        try:
            import psycopg  # noqa: F401
            import psycopg_pool  # noqa: F401
        except ImportError as error:
            raise MissingExtra("PostgreSQL", "postgres") from error
        from midiopt.sinks.postgres import PostgresSink

        return PostgresSink(url, writers, warm, timeout, should_stop, notify)
    from midiopt.sinks.sqlite import SqliteSink

    return SqliteSink(sqlite_path(url), timeout, should_stop, notify)
