"""The connection that writes an SQLite file: it waits while another program has locked it, ends when the run is asked to, and notices
that the file is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from midiopt.errors import SinkError, Stopped
from midiopt.run_log import event
from midiopt.sinks.sqlite_file import DatabaseFile
from midiopt.sinks.sqlite_session import PROGRESS_STEPS, primary_code, sink_errors
from midiopt.sinks.sqlite_statement import connect

Result = TypeVar("Result")

LOCK_POLL = 1.0  # seconds that SQLite itself waits for a lock of another program; between two waits Python handles signals
STOP_TIMEOUT = 2.0  # seconds to wait for a lock once the run is asked to end


class SqliteConnection:
    """The connection to the file at `path`, which is created if absent. A lock of another program is waited for `timeout` seconds.

    ``sqlite`` is the connection itself, and ``handle`` that of the C library.
    """

    def __init__(self, path: str, timeout: float, should_stop: Callable[[], bool], notify: Callable[[str], None]) -> None:
        self._path = path
        self._timeout = timeout
        self._should_stop = should_stop
        self._notify = notify
        with contextlib.ExitStack() as resources, sink_errors(path):
            self._file = resources.enter_context(contextlib.closing(DatabaseFile(path)))  # closed last, see there
            # An absolute path, so that SQLite does not interpret it (":memory:").
            self.sqlite, self.handle = connect(os.path.abspath(path), timeout=LOCK_POLL, isolation_level=None)
            resources.enter_context(contextlib.closing(self.sqlite))
            resources.callback(self._leave_one_file)
            self._resources = resources.pop_all()
        self.execute, self.executemany = self.sqlite.execute, self.sqlite.executemany

    def close(self) -> None:
        """Close it, after what ``closed_before`` was given."""
        with sink_errors(self._path):
            self._resources.close()

    def closed_before(self, resource: AbstractContextManager[Result]) -> Result:
        """Enter a context that ends before the connection is closed."""
        return self._resources.enter_context(resource)

    @contextlib.contextmanager
    def interrupt_when_stopped(self) -> Iterator[None]:
        """While the with block runs, interrupt a statement and raise Stopped once the run is asked to end."""
        self.sqlite.set_progress_handler(self._should_stop, PROGRESS_STEPS)  # while SQLite works, signals are handled only here
        try:
            yield
        except sqlite3.OperationalError as error:
            if self._should_stop() and primary_code(error) in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise Stopped("a statement of the database was interrupted") from error
            raise
        finally:
            self.sqlite.set_progress_handler(None, 0)

    @contextlib.contextmanager
    def transaction(self, timeout: float | None = None, connection: sqlite3.Connection | None = None) -> Iterator[None]:
        """A transaction of this connection, or of another one to the file: committed where the with block ends, else rolled back."""
        connection = connection or self.sqlite
        self.check_file()
        self.while_locked(lambda: connection.execute("BEGIN IMMEDIATE"), timeout)
        try:
            yield
            self.while_locked(lambda: connection.execute("COMMIT"), timeout)
        except BaseException:
            if connection.in_transaction:  # a full disk has rolled it back already
                connection.execute("ROLLBACK")
            raise

    def while_locked(self, action: Callable[[], Result], timeout: float | None = None) -> Result:
        """Do something that may be repeated; while another program has locked the database, for this long, do it again."""
        timeout = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        has_told = False
        while True:
            try:
                return action()
            except sqlite3.OperationalError as error:
                if self._should_stop():
                    deadline = min(deadline, time.monotonic() + STOP_TIMEOUT)
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            if not has_told:
                has_told = True
                reason = f"another program has locked {self._path}; waiting up to {timeout:g} seconds"
                event("wait", reason=reason)
                self._notify(reason)

    def check_file(self) -> None:
        """Raise SinkError if the file is no longer where it was: what is written now would be lost, or found in no database."""
        if self._file.is_in_place():
            return
        with contextlib.suppress(sqlite3.Error):
            self.sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what is committed goes with a file that was moved
        # SQLite would delete the write-ahead log by its name when the connection closes, and that may be the log of another run by
        # now, in a new file of this name. So this connection is never closed, not even by the interpreter at its end.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.sqlite))
        self._resources.pop_all()
        raise SinkError(f"{self._path} {self._file.fate()}; run the same command again")

    def _leave_one_file(self) -> None:
        """Let the database end as one file, which can be read on a read-only disk and from a share: a file in WAL mode cannot.

        Readers that are in the midst of a query need its log; it then stays, and the end of the next run tries again.
        """
        if self._file.is_in_place():
            with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                self.sqlite.execute("PRAGMA busy_timeout = 0")
                self.sqlite.execute("PRAGMA journal_mode = DELETE")
