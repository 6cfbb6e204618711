"""PostgreSQL: rows go by binary COPY into a temporary table, and from there into the real one.

One connection holds the run's lock and does what is done once. Writers have connections of their own,
opened before the run and kept; each commits its batch while the parent goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UndefinedColumn
from psycopg_pool import ConnectionPool, NullConnectionPool, PoolTimeout

from ..errors import DatabaseBusy, SinkError
from ..events import event
from ..rows import Batch
from ..schema import PRODUCT, SCHEMA_VERSION
from .pgcopy import CopyEncoder
from .tables import (
    COUNT_DUPLICATES,
    COUNT_STATUSES,
    CREATE_INDEXES,
    DELETE_ORPHANS,
    LIBRARY,
    NEVER_ENDED,
    ORPHANS,
    OURS,
    PATHS,
    RECORDS,
    TABLES,
    check_version,
    counts,
    known,
    must_be_current,
    rows_of,
    with_analyses,
)
from .writers import Writers

TYPES = {
    "text": "text", "texts": "text[]", "int16": "smallint", "int32": "integer", "int64": "bigint", "float32": "real",
    "float64": "double precision", "floats": "real[]", "hash16": "bytea", "hash8": "bytea", "enum": "text", "bool": "boolean",
    "set": "smallint[]", "time": "timestamptz",
}  # fmt: skip
KEYS = {"files": 'COLLATE "C" PRIMARY KEY', "analyses": "PRIMARY KEY", "runs": "PRIMARY KEY GENERATED ALWAYS AS IDENTITY"}

LOCK = int.from_bytes(PRODUCT[:4].encode())  # beside it stands the schema's oid: one run a schema
OUR_LOCK = (
    f"classid = {LOCK} AND objid = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
SESSION: dict[str, Any] = {"autocommit": True, "client_encoding": "UTF8"}
OPENING = 10  # seconds for the writers' connections to open
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds before a transaction that others got in the way of is tried again


logging.getLogger("psycopg").addHandler(logging.NullHandler())  # or its pool would warn on stderr: errors say enough


class PostgresSink:
    """A Sink (see there for the methods) over the current schema of the database at `url`.

    `writers` batches are committed at a time, each by one connection. They are warm: opened here and
    kept, whatever their age. With ``warm=False`` every batch opens one of its own, to show what that costs.
    """

    def __init__(self, url: str, writers: int, warm: bool = True):
        self._tables = [
            (
                table,
                CopyEncoder(table.plan()),
                f"COPY new_{table.name} ({table.names}) FROM STDIN (FORMAT binary)",
                table.upsert(f"SELECT {table.names} FROM new_{table.name} ORDER BY {table.key}", "IS DISTINCT FROM"),
            )
            for table in TABLES
        ]
        self._numbers = itertools.count()
        self._uncommitted: dict[int, Batch] = {}
        with contextlib.ExitStack() as held, _errors():
            self._connection = held.enter_context(contextlib.closing(_connect(url)))
            held.callback(_unlock, self._connection, _lock(self._connection))
            self._open(self._connection)
            self._pool = held.enter_context(contextlib.closing(_pool(url, writers, warm)))
            self._writers = held.enter_context(contextlib.closing(Writers(writers, self._commit)))
            self._held = held.pop_all()

    def _open(self, connection: psycopg.Connection) -> None:
        [(encoding,)] = connection.execute("SHOW server_encoding").fetchall()
        if encoding != "UTF8":
            raise SinkError(f"the database has encoding {encoding}, which cannot hold every path; create it with ENCODING 'UTF8'")
        version = _version(connection)
        if version != SCHEMA_VERSION:
            with connection.transaction():
                _upgrade(connection, version)

    def start_run(self, facts: dict[str, object]) -> None:
        marks = ", ".join(["%s"] * len(facts))
        with _errors(), self._connection.transaction():
            self._connection.execute(NEVER_ENDED)
            insert = f"INSERT INTO runs ({', '.join(facts)}) VALUES ({marks}) RETURNING id"
            [(self._run,)] = self._connection.execute(insert, list(facts.values())).fetchall()

    def end_run(self, facts: dict[str, object]) -> None:
        with _errors():
            self._connection.execute(f"UPDATE runs SET {' = %s, '.join(facts)} = %s WHERE id = %s", [*facts.values(), self._run])

    def known(self, keep_old: bool = False) -> Iterator[tuple[str, int, int, bool]]:
        # WITH HOLD: the server keeps the answer, so no transaction stays open in which a write would hide.
        with _errors(), self._connection.cursor("known", withhold=True) as cursor:
            cursor.itersize = 10_000
            cursor.execute(known(keep_old))
            yield from cursor

    def paths(self, after: str, before: str) -> list[str]:
        with _errors():
            return [path for (path,) in self._connection.execute(PATHS.replace("?", "%s"), [after, before])]

    def forget(self, paths: list[str]) -> None:
        with _errors():
            self._connection.execute("DELETE FROM files WHERE path = ANY(%s)", [paths])

    def has_room(self, timeout: float = 0) -> bool:
        return self._writers.has_room(timeout)

    def write(self, batch: Batch) -> None:
        batch = with_analyses(batch, list(self._uncommitted.values()))
        streams = [encoder.encode(rows_of(table, batch), batch.heap) for table, encoder, *_ in self._tables]
        number = next(self._numbers)
        self._uncommitted[number] = batch
        self._writers.hand((number, streams))

    def flush(self) -> None:
        self._writers.flush()

    def _commit(self, load: tuple[int, list[bytearray]]) -> None:
        """What a writer's thread does; all it needs of Python's own lock is a moment between two waits."""
        number, streams = load
        with _errors():
            for pause in (*PAUSES, None):
                try:
                    self._load(streams)
                    break
                except (DeadlockDetected, SerializationFailure) as conflict:
                    if pause is None:
                        raise
                    event("retry", reason=conflict.diag.message_primary)
                    time.sleep(pause)
        del self._uncommitted[number]

    def _load(self, streams: list[bytearray]) -> None:
        with self._pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            for (_, _, copy_statement, insert), stream in zip(self._tables, streams, strict=True):
                with cursor.copy(copy_statement) as copy:
                    copy.write(stream)
                cursor.execute(insert)

    def counts(self) -> dict[str, int]:
        self.flush()
        with _errors():
            statuses = self._connection.execute(COUNT_STATUSES).fetchall()
            [(duplicates,)] = self._connection.execute(COUNT_DUPLICATES).fetchall()
            return counts(statuses, duplicates)

    def finish(self) -> None:
        with _errors():
            for statement in CREATE_INDEXES:
                self._connection.execute(statement)
            [(orphans,)] = self._connection.execute(ORPHANS).fetchall()
            if orphans:
                self._connection.execute(DELETE_ORPHANS)

    def close(self) -> None:
        with _errors():
            self._held.close()

    def __enter__(self) -> PostgresSink:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self.close()


class PostgresLibrary:
    """A Library (see there for the methods) over the current schema of the database at `url`."""

    def __init__(self, url: str):
        with contextlib.ExitStack() as held, _errors():
            self._connection = held.enter_context(contextlib.closing(_connect(url)))
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            must_be_current(_version(self._connection))
            self._names = map("rows_{}".format, itertools.count())
            [(self.in_use,)] = self.rows(f"SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND {OUR_LOCK}")
            self._held = held.pop_all()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:
        with _errors(), self._connection.cursor(next(self._names)) as cursor:
            cursor.itersize = 10_000
            cursor.execute(query.replace("?", "%s"), values)
            yield from cursor

    def __enter__(self) -> PostgresLibrary:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._held.close()


def _connect(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, **SESSION)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        if any(part in reason for part in _secrets(url)):
            reason = "the URL is not as expected, or its server does not answer; in a password write @ : / ? # as %40 %3A %2F %3F %23"
        raise SinkError(f"cannot connect to PostgreSQL: {reason}") from None  # the cause would show it


def _pool(url: str, size: int, warm: bool) -> ConnectionPool:
    """Connections for writers, all open when this returns; with a fixed size none is closed for being idle."""
    pool = (ConnectionPool if warm else NullConnectionPool)(
        url, kwargs=SESSION, min_size=size if warm else 0, max_size=size, max_lifetime=math.inf, configure=_prepare, open=False
    )
    try:
        pool.open(wait=True, timeout=OPENING)
    except PoolTimeout as error:
        raise SinkError(f"PostgreSQL gave no {size + 1} connections; allow it more, or run with fewer writers") from error
    return pool


def _prepare(connection: psycopg.Connection) -> None:
    for table in TABLES:
        connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")


def _secrets(url: str) -> set[str]:
    """Every piece of a password in `url`, also of one that libpq reads as something else and quotes."""
    user = url.partition("://")[2].rpartition("@")[0]
    passwords = [user.partition(":")[2], *re.findall(r"password=([^&]*)", url)]
    return {part for p in passwords for part in [*re.split(r"[@:/?#&=\[\]]", p), unquote(p)] if part}


@contextlib.contextmanager
def _errors():
    try:
        yield
    except psycopg.Error as error:
        raise SinkError(f"PostgreSQL: {error.diag.message_primary or ' '.join(str(error).split())}") from error


def _lock(connection: psycopg.Connection) -> int:
    """Take the lock of the current schema, held until the session ends, and return the schema's oid."""
    row = connection.execute(
        "SELECT oid::int4, pg_try_advisory_lock(%s, oid::int4) FROM pg_namespace WHERE nspname = current_schema()", (LOCK,)
    ).fetchone()
    if row is None:
        raise SinkError("PostgreSQL: there is no schema to create tables in; check search_path")
    if not row[1]:
        raise DatabaseBusy("another run is writing this database; wait until it has ended")
    return row[0]


def _unlock(connection: psycopg.Connection, schema: int) -> None:
    """Give the lock back before leaving: the server may notice only later that the session is gone."""
    with contextlib.suppress(psycopg.Error):
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK, schema))


def _version(connection: psycopg.Connection) -> int | None:
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relname = ANY(%s)", (list(OURS),)
    )
    names = {name for (name,) in tables}
    meta: dict[str, str] = {}
    if "meta" in names:
        with contextlib.suppress(UndefinedColumn):  # another product's table
            meta = dict(connection.execute("SELECT key::text, value::text FROM meta").fetchall())
    return check_version(names, meta)


def _upgrade(connection: psycopg.Connection, version: int | None) -> None:
    if version is None:
        connection.execute("CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)")
        connection.execute("INSERT INTO meta VALUES ('product', %s)", (PRODUCT,))
    for table in (*TABLES, RECORDS):
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({table.definitions(TYPES, KEYS[table.name])})")
        for column in () if version is None else table.columns:  # new ones are null until the file is analysed again
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {column.name} {TYPES[column.kind]}")
    connection.execute("DROP VIEW IF EXISTS library")
    connection.execute(LIBRARY)
    connection.execute(
        "INSERT INTO meta VALUES ('schema_version', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (str(SCHEMA_VERSION),)
    )
