"""Reading SQLite without leaving a trace.

Who may not write beside a database reads it without locks. A run that writes it meanwhile is found out: the file has changed. What was
read then is refused, and the next reading opens the database anew.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from types import TracebackType
from typing import Any, Self

from midiopt.errors import NoDatabase, SinkError
from midiopt.library.moments import Moments
from midiopt.sinks.dialects import SQLITE
from midiopt.sinks.sqlite_file import file_uri, is_locked
from midiopt.sinks.sqlite_session import schema_version, sink_errors
from midiopt.sinks.versions import require_current_schema
from midiopt.sinks.words import FUNCTION, has_phrase

WITHOUT_LOCKS = "immutable=1"
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
        self._resources = contextlib.ExitStack()
        self._state: tuple[int, ...] | None = None  # of the file when it was opened, if it is read without locks
        with sink_errors(path):
            self._open()
        self._moments = Moments(self._begin_moment, self._end_moment)

    def _open(self) -> None:
        with contextlib.ExitStack() as resources:
            mode = _open_mode(self._path)
            state = _file_state(self._path) if mode == WITHOUT_LOCKS else None
            uri = file_uri(self._path, mode)
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)  # one thread at a time is enough
            self._connection = resources.enter_context(contextlib.closing(connection))
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA temp_store = MEMORY")  # sorting writes no file either
            self._connection.create_function(FUNCTION, 4, has_phrase, deterministic=True)
            require_current_schema(schema_version(self._connection))
            self._resources.push(resources.pop_all())
            self._state = state

    def _is_changed(self) -> bool:
        return self._state is not None and _file_state(self._path) != self._state

    def _begin_moment(self) -> None:
        with sink_errors(self._path):
            if self._is_changed() or (self._state and _has_log(self._path)):
                self._connection.close()
                self._open()
            self._connection.execute("BEGIN")

    def _end_moment(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # closed meanwhile
            self._connection.execute("COMMIT")

    def moment(self) -> AbstractContextManager[None]:
        """See Snapshot."""
        return self._moments.read()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """See Snapshot."""
        with sink_errors(self._path), contextlib.nullcontext() if self._state is None else self._unchanged():
            # chain has no close(): a reader that leaves early would else close the cursor, which fails once the connection is closed.
            yield from chain(self._connection.execute(query, values))

    @contextlib.contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Raise SinkError if the file is written while its rows are read."""
        with self.moment():
            try:
                yield
            except sqlite3.Error:
                if not self._is_changed():
                    raise
            if self._is_changed():
                raise SinkError(f"{self._path} was written while it was read; run the same command again")

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
    if _has_log(path):
        if not os.path.exists(file + "-shm") and not os.access(folder, os.W_OK):
            names = f"{os.path.basename(file)} and {os.path.basename(file)}-wal"
            raise SinkError(f"{path}: the last run was killed, so its log can be read only where it can be written; copy {names} elsewhere")
        return "mode=ro"
    return "mode=rw" if os.access(path, os.W_OK) and os.access(folder, os.W_OK) else WITHOUT_LOCKS


def _file_state(path: str) -> tuple[int, ...]:
    """What changes when a run writes the database. Raises SinkError if it is not there any more."""
    try:
        info = os.stat(path)
    except OSError as error:
        raise SinkError(f"cannot open the database {path}: {error.strerror}") from None
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


def _has_log(path: str) -> bool:
    """Whether a run writes the database, or one was killed: what SQLite makes beside it then, a reader shares with the run."""
    return os.path.exists(os.path.realpath(path) + "-wal")
