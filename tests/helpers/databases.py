"""Other programs at work in the database that a test uses, and servers that fail."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from midiopt.rows.batch import Batch
from midiopt.sinks import open_sink, sqlite_connection
from tests.helpers.batches import analysis_row, file_row, make_batch, query

WAIT_TIMEOUT = 30.0  # seconds
WRITERS = ("sqlite", "sqlite by tuples", "postgres")
LOCK_HOLDER = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"


@contextlib.contextmanager
def open_transaction(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """While the with block runs, another program has a transaction open in which it has run a statement; it ends in a rollback."""
    connection = psycopg.connect(url)
    try:
        connection.execute(statement)
        yield connection
    finally:
        connection.close()


def lock_waiters(url: str) -> int:
    """The number of connections to this database that wait for a lock of another one."""
    return query(url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")[0][0]


def other_sessions(url: str) -> int:
    """The number of sessions of other clients with this database; the server ends that of a killed one after the COMMIT it was sent."""
    if not url.startswith("postgresql:"):
        return 0
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    return query(url, f"SELECT count(*) FROM pg_stat_activity WHERE {others}")[0][0]


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until the condition is true; fails after WAIT_TIMEOUT."""
    deadline = time.monotonic() + WAIT_TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def run_blocked_in_a_batch(url: str, start: Callable[..., subprocess.Popen[str]], *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A run whose first commit waits for a lock of another program: it cannot end before the with block does."""
    open_sink(url).close()
    with open_transaction(url, "LOCK TABLE files IN SHARE MODE"):
        run = start(*arguments)
        wait_until(lambda: lock_waiters(url))
        yield run


def one_file_batch(n: int, **facts: Any) -> Batch:
    """A batch with file /n and its analysis; `facts` replace columns of the file."""
    key = n.to_bytes(16)
    return make_batch([file_row(path=f"/{n}", content_hash=key, **facts)], [analysis_row(content_hash=key)])


def break_connections(url: str, which: str = "true") -> int:
    """Terminate the sessions of this database for which the condition `which` holds, except our own; returns their number."""
    sessions = f"datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND ({which})"
    return query(url, f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {sessions}")[0][0]


class Proxy:
    """A TCP port of its own for a server behind a Unix socket; ``reset`` breaks all connections through it by RST."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> int:
        """Break all connections; returns their number."""
        clients, self._clients = self._clients, []
        for client in clients:
            with contextlib.suppress(OSError):  # closed already
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends RST
                client.shutdown(socket.SHUT_RD)  # wakes the thread that reads it, and closes it
        return len(clients)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._path)
                self._clients.append(client)
                threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
                threading.Thread(target=self._copy, args=(server, client), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for end in (source, target):
            if end.family == socket.AF_UNIX:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # wakes the other thread
            end.close()


def url_of_writer(writer: str, request, tmp_path, monkeypatch) -> str:
    """The URL of an empty database that is written in one of these ways."""
    if writer == "postgres":
        return request.getfixturevalue("pg_url")
    if writer == "sqlite by tuples":
        monkeypatch.setattr(sqlite_connection, "connect", lambda path, **options: (sqlite3.connect(path, **options), None))
    return f"sqlite:///{tmp_path}/facts.db"
