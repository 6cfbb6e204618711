"""Reading PostgreSQL in one read-only transaction."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import psycopg

from midiopt.errors import NoDatabase
from midiopt.library.moments import Moments
from midiopt.schema import PRODUCT
from midiopt.sinks.dialects import POSTGRES
from midiopt.sinks.postgres_retries import sink_errors
from midiopt.sinks.postgres_session import LOCK_CLASS, connect, schema_version
from midiopt.sinks.versions import require_current_schema

FETCH_ROWS = 10_000
SCHEMAS = (
    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relname IN ('files', 'analyses', 'library') GROUP BY 1 HAVING count(*) = 3 ORDER BY 1"
)
IS_LOCKED = (
    f"SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK_CLASS}"
    " AND objid = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class PostgresSnapshot:
    """A Snapshot of the current schema of the database at `url`."""

    dialect = POSTGRES

    def __init__(self, url: str) -> None:
        with contextlib.ExitStack() as resources, sink_errors():
            self._connection = resources.enter_context(contextlib.closing(connect(url)))
            self._connection.execute("SET cursor_tuple_fraction = 1")  # every row of a cursor is read
            # A search by words remembers pages, not rows, where a million rows exceed 4 MB: it then took 26 s instead of 1.3.
            self._connection.execute("SET work_mem = '64MB'")
            self._moments = Moments(self._begin_moment, self._end_moment)
            version = schema_version(self._connection)
            if version is None and (schemas := [name for (name,) in self._connection.execute(SCHEMAS)]):
                raise NoDatabase(f"the tables of {PRODUCT} are in another schema; --schema names it: {', '.join(schemas)}")
            require_current_schema(version)
            self._cursor_names = map("rows_{}".format, itertools.count())
            [(self.in_use,)] = self.rows(IS_LOCKED)
            self._resources = resources.pop_all()

    def _begin_moment(self) -> None:
        with sink_errors():
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def _end_moment(self) -> None:
        with contextlib.suppress(psycopg.Error):  # closed meanwhile, or the server is
            self._connection.execute("COMMIT")

    def moment(self) -> AbstractContextManager[None]:
        """See Snapshot."""
        return self._moments.read()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """See Snapshot."""
        with sink_errors(), self._moments.read(), self._connection.cursor(next(self._cursor_names)) as cursor:
            cursor.itersize = FETCH_ROWS
            cursor.execute(query, values or None)  # without values, % is no placeholder
            yield from cursor

    def page(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See Snapshot. Each query is planned with its values: one that is prepared after five times may be planned without."""
        with sink_errors():
            return self._connection.execute(query.encode(), values or None, prepare=False).fetchall()

    def expected_rows(self, query: str, values: Sequence[object] = ()) -> float:
        """See Snapshot."""
        with sink_errors():
            [([plan],)] = self._connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode(), values or None)
        return float(plan["Plan"]["Plan Rows"])

    def __enter__(self) -> Self:
        self._resources.enter_context(self.moment())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._resources.close()
