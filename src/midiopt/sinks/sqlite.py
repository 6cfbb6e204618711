"""SQLite: the default database, one file beside its write-ahead log."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from urllib.parse import quote

from midiopt.errors import DatabaseBusy, SinkError, Stopped
from midiopt.rows.batch import Batch
from midiopt.schema import PRODUCT, SCHEMA_VERSION
from midiopt.sinks.sql import (
    CONTENTS,
    COUNT_ANALYSES,
    COUNT_CONTENTS,
    CREATE_INDEXES,
    DELETE_ORPHANS,
    LIBRARY,
    NEVER_ENDED,
    OURS,
    PAGE,
    PATHS,
    RECORDS,
    TABLES,
    Table,
    check_version,
    known,
    must_be_current,
    rows_of,
)
from midiopt.sinks.sqlite_rows import RowEncoder

TYPES = {
    "text": "TEXT", "texts": "TEXT", "int16": "INTEGER", "int32": "INTEGER", "int64": "INTEGER", "float32": "REAL",
    "float64": "REAL", "floats": "TEXT", "hash16": "BLOB", "hash8": "BLOB", "enum": "TEXT", "bool": "INTEGER",
    "set": "TEXT", "time": "TEXT",
}  # fmt: skip
# WITHOUT ROWID keeps each path once: 3.0 microseconds and 152 bytes a row in walk order, against 3.5
# and 221 with a rowid and an index beside it. Contents come in no order: clustered on their hash,
# whole rows would move about.
CREATE = {
    "files": ("PRIMARY KEY", "WITHOUT ROWID"),
    "analyses": ("UNIQUE", ""),
    "runs": ("PRIMARY KEY", ""),
}

# The hash index takes its entries anywhere: past 100,000 contents nearly every insert changes another
# page. Over 512,000 rows of each table, 4,000 a batch, SQLite's defaults wrote 34,000 pairs/s (47,000 a
# second of processor time), this cache 40,000 (52,000), and with the log copied back every 64 MiB, not
# every 4 MiB, 53,000 (58,000).
CACHE = 32 * 1024  # KiB
CHECKPOINT = 16384  # pages of 4 KiB
SENTENCES = {
    sqlite3.SQLITE_BUSY: "another program has locked the database",
    sqlite3.SQLITE_FULL: "the disk is full; what was committed stays, make room and run the same command again to go on",
    sqlite3.SQLITE_IOERR: "the disk cannot be written (is it full?); what was committed stays, run the same command again to go on",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database, or the log that belongs beside it, cannot be opened for writing",
}
LOOK = 1.0  # seconds that SQLite itself waits for another program's lock: Ctrl-C is heard between two waits
HASTE = 2.0  # seconds that another program's lock is waited for after it
STEPS = 1000  # of SQLite's virtual machine between two looks whether to leave a statement: a hundred rows, a millisecond as a rule


class SqliteSink:
    """A Sink (see there for the methods) over the SQLite database at `path`, made when absent."""

    def __init__(self, path: str, patience: float):
        self.patience = patience
        self.stopped: Callable[[], bool] = bool  # never
        self._path = path
        with contextlib.ExitStack() as held, self._errors():
            held.callback(os.close, _lock(path))  # last of all, see there
            # Absolute, so that a path is a path even when SQLite would read more into it (":memory:").
            connection = sqlite3.connect(os.path.abspath(path), timeout=LOOK, isolation_level=None)
            self._connection = held.enter_context(contextlib.closing(connection))
            self._open(self._connection)
            self._held = held.pop_all()
        self._statements = [(t, RowEncoder(t.plan()), t.upsert(f"VALUES ({', '.join('?' * len(t.columns))})", "IS NOT")) for t in TABLES]

    def _open(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)  # before anything is changed
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        if version == SCHEMA_VERSION:
            return
        with self._transaction(connection):
            if version is None:
                connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
                connection.execute("INSERT INTO meta VALUES ('product', ?)", (PRODUCT,))
            for table in (*TABLES, RECORDS):
                key, rest = CREATE[table.name]
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({table.definitions(TYPES, key)}) {rest}")
                _extend(connection, table)
            connection.execute("DROP VIEW IF EXISTS library")
            connection.execute(LIBRARY)
            connection.execute("REPLACE INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))

    def start_run(self, facts: dict[str, object]) -> None:
        with self._errors(), self._transaction(self._connection):
            self._connection.execute(NEVER_ENDED)
            marks = ", ".join("?" * len(facts))
            cursor = self._connection.execute(f"INSERT INTO runs ({', '.join(facts)}) VALUES ({marks})", _plain(facts))
            self._run = cursor.lastrowid

    def end_run(self, facts: dict[str, object]) -> None:
        with self._errors(), self._transaction(self._connection):
            self._connection.execute(f"UPDATE runs SET {' = ?, '.join(facts)} = ? WHERE id = ?", (*_plain(facts), self._run))

    def known(self, keep_old: bool = False) -> Generator[list[tuple[str, int, int, bool]]]:
        return self._pages(known(keep_old))

    def contents(self) -> Generator[bytes]:
        return (b"".join(digest for (digest,) in rows) for rows in self._pages(CONTENTS))

    def _pages(self, query: str) -> Generator[list]:
        with self._errors(), self._left_when_stopped():
            cursor = self._connection.execute(query)
            while rows := cursor.fetchmany(PAGE):
                yield rows

    def paths(self, after: str, before: str) -> list[str]:
        with self._errors():
            return [path for (path,) in self._connection.execute(PATHS, (after, before))]

    def forget(self, paths: list[str]) -> None:
        with self._errors(), self._transaction(self._connection):
            self._connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))

    def write(self, batch: Batch) -> None:
        with self._errors(), self._transaction(self._connection):
            for table, encoder, statement in self._statements:
                self._connection.executemany(statement, encoder.tuples(rows_of(table, batch), batch.heap))

    def flush(self) -> None:
        """What write() returned from is committed."""

    def finish(self) -> int:
        with self._errors(), self._left_when_stopped():
            self._connection.execute("PRAGMA cache_size = -2000")  # or sorting takes another CACHE
            for statement in CREATE_INDEXES:
                with self._transaction(self._connection):
                    self._connection.execute(statement)
            [(files, contents)] = self._connection.execute(COUNT_CONTENTS).fetchall()
            [(analyses,)] = self._connection.execute(COUNT_ANALYSES).fetchall()
            if analyses > contents:
                with self._transaction(self._connection):
                    self._connection.execute(DELETE_ORPHANS)
            return files - contents

    def close(self) -> None:
        with self._errors():
            self._held.close()

    def __enter__(self) -> SqliteSink:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self.close()

    def _errors(self):
        return _errors(self._path)

    @contextlib.contextmanager
    def _left_when_stopped(self):
        self._connection.set_progress_handler(lambda: self.stopped(), STEPS)  # where SQLite works Python hears of a signal here only
        try:
            yield
        except sqlite3.OperationalError as error:
            if self.stopped() and _code(error) in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise Stopped("a statement of the database was left") from error
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    @contextlib.contextmanager
    def _transaction(self, connection: sqlite3.Connection):
        self._begin(connection)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            raise

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction; while another program writes the database, wait."""
        give_up_at = time.monotonic() + self.patience
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if self.stopped():
                    give_up_at = min(give_up_at, time.monotonic() + HASTE)
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise


class SqliteLibrary:
    """A Library (see there for the methods) over the SQLite database at `path`."""

    def __init__(self, path: str):
        self._path = path
        if not os.path.isfile(path):
            raise SinkError(f"there is no database {path}")
        self.in_use = _is_locked(path)  # before SQLite opens it: see _lock
        with contextlib.ExitStack() as held, _errors(path):
            uri = f"file:{quote(os.path.abspath(path))}?{_least_access(path)}"
            self._connection = held.enter_context(contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)))
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA temp_store = MEMORY")  # sorting writes no file either
            self._connection.execute("BEGIN")
            must_be_current(_version(self._connection))
            self._held = held.pop_all()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:
        with _errors(self._path):
            yield from self._connection.execute(query, values)

    def __enter__(self) -> SqliteLibrary:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._held.close()


def _least_access(path: str) -> str:
    """How to open a database so that reading leaves no trace.

    Beside one in WAL mode SQLite makes two files, which only a connection that may write removes again.
    Where they are there already, a run goes on or was killed, and they stay as they are.
    """
    if os.path.exists(path + "-wal"):
        return "mode=ro"
    return "mode=rw" if os.access(path, os.W_OK) and os.access(os.path.dirname(os.path.abspath(path)), os.W_OK) else "immutable=1"


@contextlib.contextmanager
def _errors(path: str):
    try:
        yield
    except sqlite3.Error as error:
        raise SinkError(f"{path}: {SENTENCES.get(_code(error), error)}") from error


def _is_locked(path: str) -> bool:
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock(path: str) -> int:
    """Take the lock of this database, for as long as the descriptor returned stays open.

    An flock on the file itself: it ends with the process however that ends, and SQLite's own locks
    are of another kind, so readers never notice. The descriptor must be closed after SQLite's:
    closing any descriptor of a file drops all POSIX locks that the process has on it, SQLite's too.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise SinkError(f"cannot open the database {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DatabaseBusy(f"another run is writing {path}; wait until it has ended") from None
    return descriptor


def _plain(facts: dict[str, object]) -> list[object]:
    """The values of a row of `runs` as SQLite takes them, written as in the other tables."""
    return [
        f"{v.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, dt.datetime) else json.dumps(v) if isinstance(v, list) else v
        for v in facts.values()
    ]


def _code(error: sqlite3.Error) -> int:
    """The primary result code; 0 for an error that is Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _version(connection: sqlite3.Connection) -> int | None:
    names = {name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    meta: dict[str, str] = {}
    if "meta" in names:
        with contextlib.suppress(sqlite3.OperationalError):  # another product's table, with other columns
            meta = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    return check_version(names & set(OURS), meta)


def _extend(connection: sqlite3.Connection, table: Table) -> None:
    """Add the columns that a newer schema has; they are null until the file is analysed again."""
    present = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table.name})")}
    for column in table.columns:
        if column.name not in present:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {TYPES[column.kind]}")
