"""PostgreSQL: rows go by binary COPY into a temporary table, and from there into the real one."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from urllib.parse import unquote

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UndefinedColumn

from ..errors import DatabaseBusy, SinkError
from ..rows import Batch
from ..schema import PRODUCT, SCHEMA_VERSION
from .pgcopy import CopyEncoder
from .tables import (
    COUNT_DUPLICATES,
    COUNT_STATUSES,
    CREATE_INDEXES,
    KNOWN,
    LIBRARY,
    OURS,
    TABLES,
    check_version,
    counts,
    rows_of,
)

TYPES = {
    "text": "text", "texts": "text[]", "int16": "smallint", "int32": "integer", "int64": "bigint", "float32": "real",
    "float64": "double precision", "floats": "real[]", "hash16": "bytea", "hash8": "bytea", "enum": "text", "bool": "boolean",
    "set": "smallint[]", "time": "timestamptz",
}  # fmt: skip
KEYS = {"files": 'COLLATE "C" PRIMARY KEY', "analyses": "PRIMARY KEY"}

LOCK = int.from_bytes(PRODUCT[:4].encode())  # beside it stands the schema's oid: one run a schema
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds before a transaction that others got in the way of is tried again


class PostgresSink:
    """A Sink (see there for the methods) over the current schema of the database at `url`."""

    def __init__(self, url: str):
        self._closed = False
        with contextlib.ExitStack() as held, _errors():
            self._connection = held.enter_context(contextlib.closing(_connect(url)))
            held.callback(_unlock, self._connection, _lock(self._connection))
            self._open(self._connection)
            self._held = held.pop_all()
        self._tables = [
            (
                table,
                CopyEncoder(table.plan()),
                f"COPY new_{table.name} ({table.names}) FROM STDIN (FORMAT binary)",
                table.upsert(f"SELECT {table.names} FROM new_{table.name} ORDER BY {table.key}", "IS DISTINCT FROM"),
            )
            for table in TABLES
        ]

    def _open(self, connection: psycopg.Connection) -> None:
        [(encoding,)] = connection.execute("SHOW server_encoding").fetchall()
        if encoding != "UTF8":
            raise SinkError(f"the database has encoding {encoding}, which cannot hold every path; create it with ENCODING 'UTF8'")
        version = _version(connection)
        if version != SCHEMA_VERSION:
            with connection.transaction():
                _upgrade(connection, version)
        for table in TABLES:
            connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")

    def known(self) -> Iterator[tuple[str, int, int]]:
        # WITH HOLD: the server keeps the answer, so no transaction stays open in which a write would hide.
        with _errors(), self._connection.cursor("known", withhold=True) as cursor:
            cursor.itersize = 10_000
            cursor.execute(KNOWN)
            yield from cursor

    def write(self, batch: Batch) -> None:
        streams = [encoder.encode(rows_of(table, batch), batch.heap) for table, encoder, *_ in self._tables]
        with _errors():
            for pause in (*PAUSES, None):
                try:
                    return self._load(streams)
                except (DeadlockDetected, SerializationFailure):
                    if pause is None:
                        raise
                    time.sleep(pause)

    def _load(self, streams: list[bytearray]) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for (_, _, copy_statement, insert), stream in zip(self._tables, streams, strict=True):
                with cursor.copy(copy_statement) as copy:
                    copy.write(stream)
                cursor.execute(insert)

    def counts(self) -> dict[str, int]:
        with _errors():
            statuses = self._connection.execute(COUNT_STATUSES).fetchall()
            [(duplicates,)] = self._connection.execute(COUNT_DUPLICATES).fetchall()
            return counts(statuses, duplicates)

    def close(self, finish: bool = True) -> None:
        if self._closed:
            return
        self._closed = True
        with self._held, _errors():
            for statement in CREATE_INDEXES if finish else ():
                self._connection.execute(statement)

    def __enter__(self) -> PostgresSink:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self.close(finish=kind is None)


def _connect(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, autocommit=True, client_encoding="UTF8")
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        if any(part in reason for part in _secrets(url)):
            reason = "the URL is not as expected, or its server does not answer; in a password write @ : / ? # as %40 %3A %2F %3F %23"
        raise SinkError(f"cannot connect to PostgreSQL: {reason}") from None  # the cause would show it


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
    for table in TABLES:
        if version is None:
            connection.execute(f"CREATE TABLE {table.name} ({table.definitions(TYPES, KEYS[table.name])})")
        else:  # new columns are null until the file is analysed again
            for column in table.columns:
                connection.execute(f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS {column.name} {TYPES[column.kind]}")
    connection.execute("DROP VIEW IF EXISTS library")
    connection.execute(LIBRARY)
    connection.execute(
        "INSERT INTO meta VALUES ('schema_version', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (str(SCHEMA_VERSION),)
    )
