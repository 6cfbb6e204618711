"""What reading and writing SQLite share: its errors, and the version of its tables."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from midiopt.errors import SinkError
from midiopt.sinks.versions import TABLE_NAMES, check_version

DAMAGED = "the database is damaged; put back a copy of it, or delete it and analyse the files again"
ERROR_MESSAGES = {
    sqlite3.SQLITE_BUSY: "another program has locked the database; end it or raise --sink-timeout, then run the same command again",
    sqlite3.SQLITE_FULL: "the disk is full; committed batches stay, make room and run the same command again to resume",
    sqlite3.SQLITE_IOERR: "the disk cannot be written (is it full?); committed batches stay, run the same command again to resume",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database or its log cannot be opened for writing",
}

PROGRESS_STEPS = 1000  # instructions of SQLite's virtual machine between two checks for a stop: about 100 rows, 1 ms


@contextlib.contextmanager
def sink_errors(path: str) -> Iterator[None]:
    """Raise errors of SQLite as a SinkError that names the database."""
    try:
        yield
    except sqlite3.Error as error:
        raise SinkError(f"{path}: {ERROR_MESSAGES.get(primary_code(error), error)}") from error
    except UnicodeDecodeError as error:  # the name of a table, or a message of SQLite that quotes the text of one
        raise SinkError(f"{path}: {DAMAGED}") from error


def schema_version(connection: sqlite3.Connection) -> int | None:
    """See versions.check_version."""
    names = {name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    meta: dict[str, str] = {}
    if "meta" in names:
        with contextlib.suppress(sqlite3.OperationalError):  # another program's table, with other columns
            meta = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    return check_version(names & set(TABLE_NAMES), meta)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error raised by Python's module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
