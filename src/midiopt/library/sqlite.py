"""Reading SQLite without leaving a trace."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from midiopt.errors import NoDatabase, SinkError
from midiopt.library.moments import Moments
from midiopt.sinks.dialects import SQLITE
from midiopt.sinks.sqlite_file import file_uri, is_locked
from midiopt.sinks.sqlite_session import schema_version, sink_errors
from midiopt.sinks.versions import require_current_schema
from midiopt.sinks.words import FUNCTION, has_phrase

NO_DATABASE = "there is no database {}; midiopt analyze makes one"


class SqliteSnapshot:
    """A Snapshot of the SQLite file at `path`."""

    dialect = SQLITE

    def __init__(self, path: str, finds_use: bool = True) -> None:
        self._path = path
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise NoDatabase(NO_DATABASE.format(path))
            # Before SQLite opens the file: closing any descriptor of it would drop SQLite's locks.
            self.in_use = finds_use and is_locked(path)
        except (FileNotFoundError, NotADirectoryError):
            raise NoDatabase(NO_DATABASE.format(path)) from None
        except OSError as error:
            raise SinkError(f"cannot open the database {path}: {error.strerror}") from error
        with contextlib.ExitStack() as resources, sink_errors(path):
            uri = file_uri(path, _open_mode(path))
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)  # one thread at a time is enough
            self._connection = resources.enter_context(contextlib.closing(connection))
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA temp_store = MEMORY")  # sorting writes no file either
            self._connection.create_function(FUNCTION, 4, has_phrase, deterministic=True)
            require_current_schema(schema_version(self._connection))
            self._moments = Moments(self._begin_moment, self._end_moment)
            self._resources = resources.pop_all()

    def _begin_moment(self) -> None:
        with sink_errors(self._path):
            self._connection.execute("BEGIN")

    def _end_moment(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # closed meanwhile
            self._connection.execute("COMMIT")

    def moment(self) -> AbstractContextManager[None]:
        """See Snapshot."""
        return self._moments.read()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """See Snapshot."""
        with sink_errors(self._path):
            yield from self._connection.execute(query, values)

    def page(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See Snapshot."""
        return list(self.rows(query, values))

    def expected_rows(self, query: str, values: Sequence[object] = ()) -> float:
        """See Snapshot."""
        return 0.0

    def __enter__(self) -> Self:
        self._resources.enter_context(self.moment())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._resources.close()


def _open_mode(path: str) -> str:
    """How to open a database so that reading it leaves no trace.

    Beside a database in WAL mode SQLite creates two files, which only a connection that may write removes again. If they
    exist already, a run is active or was killed, and they stay as they are. They are beside the file, not beside a link to it.
    """
    file = os.path.realpath(path)
    folder = os.path.dirname(file)
    if os.path.exists(file + "-wal"):
        if not os.path.exists(file + "-shm") and not os.access(folder, os.W_OK):
            names = f"{os.path.basename(file)} and {os.path.basename(file)}-wal"
            raise SinkError(f"{path}: the last run was killed, so its log can be read only where it can be written; copy {names} elsewhere")
        return "mode=ro"
    return "mode=rw" if os.access(path, os.W_OK) and os.access(folder, os.W_OK) else "immutable=1"
