"""PostgreSQL: rows go by binary COPY into a temporary table, and from there into the real one.

One connection holds the run's lock and does what is done once. Writers have connections of their own,
opened before the run and kept; each commits its batch while the parent goes on. When a connection
breaks, what it was doing is done again over a new one.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterator, Sequence

import psycopg
from psycopg.errors import UndefinedColumn

from midiopt.errors import SinkError, Stopped
from midiopt.rows.batch import Batch
from midiopt.schema import PRODUCT, SCHEMA_VERSION
from midiopt.sinks.commit_threads import NoAnswer, Writers
from midiopt.sinks.postgres_connections import LOCK, Connections, connect, errors
from midiopt.sinks.postgres_copy import CopyEncoder
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
    check_version,
    known,
    must_be_current,
    rows_of,
    with_analyses,
)

TYPES = {
    "text": "text", "texts": "text[]", "int16": "smallint", "int32": "integer", "int64": "bigint", "float32": "real",
    "float64": "double precision", "floats": "real[]", "hash16": "bytea", "hash8": "bytea", "enum": "text", "bool": "boolean",
    "set": "smallint[]", "time": "timestamptz",
}  # fmt: skip
KEYS = {"files": 'COLLATE "C" PRIMARY KEY', "analyses": "PRIMARY KEY", "runs": "PRIMARY KEY GENERATED ALWAYS AS IDENTITY"}

OUR_LOCK = (
    f"classid = {LOCK} AND objid = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
GRACE = 2.0  # seconds after its patience in which a writer says itself what was in its way


class PostgresSink:
    """A Sink (see there for the methods) over the current schema of the database at `url`.

    `writers` batches are committed at a time, each by one connection. They are warm: opened here and
    kept, whatever their age. With ``warm=False`` every batch opens one of its own, to show what that costs.
    """

    def __init__(self, url: str, writers: int, warm: bool, patience: float):
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
        self._connections = Connections(url, patience)
        try:
            with errors():
                self._open(self._connections.home)
            self._connections.open_writers(writers, warm, _prepare)
        except BaseException:
            self._connections.close()
            raise
        self._writers = Writers(writers, self._commit, lambda: self.patience + GRACE)

    @property
    def patience(self) -> float:
        return self._connections.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._connections.patience = seconds

    @property
    def stopped(self) -> Callable[[], bool]:
        return self._connections.stopped

    @stopped.setter
    def stopped(self, answer: Callable[[], bool]) -> None:
        self._connections.stopped = answer

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
        with errors(), self._connections.home.transaction():
            self._connections.home.execute(NEVER_ENDED)
            insert = f"INSERT INTO runs ({', '.join(facts)}) VALUES ({marks}) RETURNING id"
            [(self._run,)] = self._connections.home.execute(insert, list(facts.values())).fetchall()

    def end_run(self, facts: dict[str, object]) -> None:
        if isinstance(self._writers.error, NoAnswer):
            raise self._writers.error
        update = f"UPDATE runs SET {' = %s, '.join(facts)} = %s WHERE id = %s"
        self._connections.at_home(lambda home: home.execute(update, [*facts.values(), self._run]))

    def known(self, keep_old: bool = False) -> Generator[list[tuple[str, int, int, bool]]]:
        return self._pages(known(keep_old))

    def contents(self) -> Generator[bytes]:
        return (b"".join(digest for (digest,) in rows) for rows in self._pages(CONTENTS))

    def _pages(self, query: str) -> Generator[list]:
        # A cursor WITH HOLD needs no transaction, which a page not asked for leaves open, but takes twice as long.
        home = self._connections.home
        with self._connections.left_when_stopped(), errors(), home.transaction(), home.cursor("pages", binary=True) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(PAGE):
                if self.stopped():
                    raise Stopped("an answer of the database was not read to the end")
                yield rows

    def paths(self, after: str, before: str) -> list[str]:
        page = PATHS.replace("?", "%s")
        return [path for (path,) in self._connections.at_home(lambda home: home.execute(page, [after, before]).fetchall())]

    def forget(self, paths: list[str]) -> None:
        self._connections.at_home(lambda home: home.execute("DELETE FROM files WHERE path = ANY(%s)", [paths]))

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
        self._connections.as_writer(lambda connection: self._load(connection, streams))
        del self._uncommitted[number]

    def _load(self, connection: psycopg.Connection, streams: list[bytearray]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for (_, _, copy_statement, insert), stream in zip(self._tables, streams, strict=True):
                with cursor.copy(copy_statement) as copy:
                    copy.write(stream)
                cursor.execute(insert)

    def finish(self) -> int:
        self.flush()
        return self._connections.at_leisure(_finish)

    def close(self) -> None:
        self._connections.leave()
        self._writers.close()
        self._connections.close(in_order=not self._writers.error)

    def __enter__(self) -> PostgresSink:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()


class PostgresLibrary:
    """A Library (see there for the methods) over the current schema of the database at `url`."""

    def __init__(self, url: str):
        with contextlib.ExitStack() as held, errors():
            self._connection = held.enter_context(contextlib.closing(connect(url)))
            self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            must_be_current(_version(self._connection))
            self._names = map("rows_{}".format, itertools.count())
            [(self.in_use,)] = self.rows(f"SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND {OUR_LOCK}")
            self._held = held.pop_all()

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple]:
        with errors(), self._connection.cursor(next(self._names)) as cursor:
            cursor.itersize = 10_000
            cursor.execute(query.replace("?", "%s"), values)
            yield from cursor

    def __enter__(self) -> PostgresLibrary:
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._held.close()


def _finish(connection: psycopg.Connection) -> int:
    for statement in CREATE_INDEXES:
        connection.execute(statement)
    [(files, contents)] = connection.execute(COUNT_CONTENTS).fetchall()
    [(analyses,)] = connection.execute(COUNT_ANALYSES).fetchall()
    if analyses > contents:
        connection.execute(DELETE_ORPHANS)
    return files - contents


def _prepare(connection: psycopg.Connection) -> None:
    for table in TABLES:
        connection.execute(f"CREATE TEMP TABLE new_{table.name} (LIKE {table.name}) ON COMMIT DELETE ROWS")


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
