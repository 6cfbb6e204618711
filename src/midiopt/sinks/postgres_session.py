"""Sessions of PostgreSQL, of readers and of runs: how they begin, the schema, the lock of a run, and the version of the tables."""

from __future__ import annotations

import contextlib
import logging
import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege, UndefinedColumn
from psycopg.sql import SQL, Identifier

from midiopt.errors import DatabaseBusy, SinkError
from midiopt.schema import PRODUCT
from midiopt.sinks.sql import quoted_name
from midiopt.sinks.urls import has_password, split_schema
from midiopt.sinks.versions import TABLE_NAMES, check_version

Connection = psycopg.Connection[tuple[Any, ...]]

LOCK_CLASS = int.from_bytes(PRODUCT[:4].encode())  # the other half of the advisory lock is the oid of the schema: one run per schema
IN_SCHEMA = "relnamespace = quote_ident(current_schema())::regnamespace"  # of a row of pg_class
CONNECT_TIMEOUT = 10  # seconds
MAX_LOCK_TIMEOUT = 2**31 - 1  # milliseconds

# A network that drops packets silently is noticed within a minute. Parameters in the URL take precedence.
NETWORK = {
    "connect_timeout": CONNECT_TIMEOUT,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its pool would print warnings to stderr; the errors say enough


def connect(url: str) -> Connection:
    """A new connection. Raises SinkError with the reason, and without any part of a password."""
    try:
        database, schema = split_schema(url)
        connection: Connection = psycopg.connect(database, **session_parameters(database, schema))
        set_output(connection)
        return connection
    except psycopg.Error as error:
        reason = ". ".join(line.strip() for line in str(error).splitlines())
        if has_password(url, reason):
            reason = "malformed URL, or its server does not answer; in a password write @ : / ? # as %40 %3A %2F %3F %23"
        raise SinkError(f"cannot connect to PostgreSQL: {reason}") from None  # the cause would show the password


def session_parameters(url: str, schema: str | None) -> dict[str, Any]:
    """Connection parameters that `url` does not set itself. All tables are in the schema, if one is named."""
    given = conninfo_to_dict(url)
    parameters = {"autocommit": True, "client_encoding": "UTF8"} | {k: v for k, v in NETWORK.items() if k not in given}
    if schema is not None:
        escaped = re.sub(r"([\\ ])", r"\\\1", quoted_name(schema))
        parameters["options"] = f"{given.get('options', '')} -c search_path={escaped}"
    return parameters


def schema_version(connection: Connection) -> int | None:
    """See versions.check_version."""
    found = connection.execute(
        f"SELECT relname FROM pg_class WHERE {IN_SCHEMA} AND relname = ANY(%s)",
        (list(TABLE_NAMES),),
    )
    names = {name for (name,) in found}
    meta: dict[str, str] = {}
    if "meta" in names:
        with contextlib.suppress(UndefinedColumn):  # another program's table
            meta = dict(connection.execute("SELECT key::text, value::text FROM meta").fetchall())
    return check_version(names, meta)


def create_schema(connection: Connection, name: str) -> None:
    """Create the schema unless it is there, which needs no permission."""
    if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", [name]).fetchall():
        return
    try:
        connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(name)))
    except InsufficientPrivilege as error:
        user = connection.info.user
        reason = f"there is no schema {name}, and {user} may not create it; its owner may: CREATE SCHEMA {name} AUTHORIZATION {user}"
        raise SinkError(f"PostgreSQL: {reason}") from error


def set_output(connection: Connection) -> None:
    """Let the server write times as psycopg reads them, and every digit of a number, whatever the role or the database prefers."""
    connection.execute("SET datestyle = ISO; SET extra_float_digits = 1")


def lift_time_limits(connection: Connection) -> None:
    """Let a statement take its time, as pg_dump does: hosted servers limit it per role, and the indexes of a large library take minutes.

    A limit in the URL or in PGOPTIONS stays.
    """
    connection.execute(
        "SELECT set_config(name, '0', FALSE) FROM pg_settings"
        " WHERE name IN ('statement_timeout', 'transaction_timeout') AND setting <> '0' AND source <> 'client'"
    )


def set_lock_timeout(connection: Connection, seconds: float) -> None:
    """How long the server waits for each lock on behalf of this session."""
    connection.execute(f"SET lock_timeout = {min(max(1, round(seconds * 1000)), MAX_LOCK_TIMEOUT)}")


def take_lock(connection: Connection) -> None:
    """Take the lock of the current schema; it is held until the session ends."""
    row = connection.execute(
        "SELECT pg_try_advisory_lock(%s, oid::int4) FROM pg_namespace WHERE nspname = current_schema()", (LOCK_CLASS,)
    ).fetchone()
    if row is None:
        raise SinkError("PostgreSQL: there is no schema to create tables in; check search_path")
    if not row[0]:
        raise DatabaseBusy("another run is writing this database; wait until it has ended")
