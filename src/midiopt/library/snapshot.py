"""Reading a database: what both kinds offer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

from midiopt.errors import MissingExtra, SinkError
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.urls import is_postgres, parquet_path, sqlite_path


class Snapshot(Protocol):
    """A database that is read, which does not change it. As a context manager, the database at one moment until it is closed."""

    dialect: Dialect
    in_use: bool
    """Whether a run is writing the database, if that was asked for."""

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query in the snapshot's dialect. Raises SinkError when the database fails."""

    def page(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The same of a query that has few rows: PostgreSQL sends them at once, which takes 0.5 ms less than a cursor."""

    def expected_rows(self, query: str, values: Sequence[object] = ()) -> float:
        """About how many rows the planner of the database expects of a query; 0 if it does not say."""

    def moment(self) -> AbstractContextManager[None]:
        """While the with block runs, all queries read the database as it was at one moment; without, each query at its own."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...


def open_snapshot(url: str | os.PathLike[str], finds_use: bool = True) -> Snapshot:
    """Open the database at `url` (see ``open_sink``) for reading.

    To find out whether a run is writing an SQLite database, its file is opened and closed, which drops the locks of other connections
    that this process has to it: a process that opens several does without (``finds_use``).

    Raises SinkError if it does not exist, was not made by midiopt, or was made by an older or newer midiopt, and MissingExtra
    without the PostgreSQL driver.
    """
    url = os.fspath(url)
    if (folder := parquet_path(url)) is not None:
        raise SinkError(
            f"{folder} holds Parquet files, which other programs read: DuckDB (SELECT * FROM '{folder}/*.parquet'),"
            f" polars (scan_parquet('{folder}/*.parquet')) or pyarrow (dataset.dataset('{folder}'));"
            " commands that read need an SQLite file or PostgreSQL"
        )
    if is_postgres(url):
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise MissingExtra("PostgreSQL", "postgres") from error
        from midiopt.library.postgres import PostgresSnapshot

        return PostgresSnapshot(url)
    from midiopt.library.sqlite import SqliteSnapshot

    return SqliteSnapshot(sqlite_path(url), finds_use)
