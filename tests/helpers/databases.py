"""What tests of sinks share: other programs at work in the same database."""

from __future__ import annotations

import contextlib
import time

import psycopg

from midiopt.sinks import open_sink
from tests.helpers.batches import analysis_row, file_row, make_batch, query


@contextlib.contextmanager
def held_up(url: str, statement: str):
    """While another program's transaction is open, which comes to nothing, or while there is a server."""
    connection = psycopg.connect(url)
    try:
        connection.execute(statement)
        yield
    finally:
        connection.close()


def waiting(url: str) -> int:
    """How many connections to this database wait for another one's lock."""
    return query(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")[0][0]


def soon(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def stuck_in_a_batch(url: str, start, *arguments):
    """A run that waits in its first batch for another program's lock: it cannot have ended before a test comes to it."""
    open_sink(url).close()
    with held_up(url, "LOCK TABLE files IN SHARE MODE"):
        run = start(*arguments)
        soon(lambda: waiting(url))
        yield run


def one_file(n: int, **facts):
    key = n.to_bytes(16)
    return make_batch([file_row(path=f"/{n}", content_hash=key, **facts)], [analysis_row(content_hash=key)])


def break_connections(url: str, which: str = "true") -> int:
    """End the sessions of this database that `which` is true of, but for our own; returns how many there were."""
    sessions = f"datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND ({which})"
    return query(url, f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {sessions}")[0][0]


LOCK_HOLDER = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
