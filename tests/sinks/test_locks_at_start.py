"""A database that another program has locked when the run begins: it waits up to --sink-timeout, and says so."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import LockNotAvailable

from midiopt.errors import SinkError
from midiopt.sinks import open_sink
from midiopt.sinks.postgres_retries import Retries
from tests.helpers.batches import sqlite_path
from tests.helpers.processes import command, written

TABLES = ["files", "meta"]  # the first is read by the run, the second one when the database is opened


@contextlib.contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """While the with block runs, nobody else can read the table (in SQLite, any table)."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(sqlite_path(url), isolation_level=None)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
    else:
        connection = psycopg.connect(url)
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    with contextlib.closing(connection):
        yield


def start(songs, url: str, timeout: float, *more: str) -> subprocess.Popen[str]:
    arguments = command(songs / "000", "--db", url, "--sink-timeout", timeout, *more)
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("table", TABLES)
def test_a_lock_that_is_released(songs, url, table):
    open_sink(url).close()
    with locked(url, table):
        run = start(songs, url, 600)
        said = run.stderr.readline()
    _, stderr = run.communicate(timeout=60)
    assert said.startswith("midiopt: another ") and "has locked" in said and "waiting up to 600 seconds" in said + stderr
    assert run.returncode == 0, stderr
    assert written(url) > 0


@pytest.mark.parametrize("table", TABLES)
def test_a_lock_that_stays(songs, url, table):
    open_sink(url).close()
    with locked(url, table):
        _, stderr = start(songs, url, 2.5, "--quiet").communicate(timeout=60)
    assert stderr.startswith("midiopt: ") and stderr.count("\n") == 1
    assert "has locked" in stderr and "--sink-timeout" in stderr and "run the same command again" in stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_does_not_wait_for_the_lock(songs, url, number, code):
    open_sink(url).close()
    with locked(url, "files"):
        run = start(songs, url, 600)
        assert "has locked" in run.stderr.readline()
        run.send_signal(number)
        _, stderr = run.communicate(timeout=60)
    assert run.returncode == code and "Traceback" not in stderr


def test_only_waits_for_locks_count_and_not_the_work_between_them():
    """At the end of a run minutes of making indexes may lie between two short locks of autovacuum."""
    told: list[str] = []
    retries = Retries(lambda: 0.5, lambda: False, threading.Event(), told.append, lambda: None)
    for _ in range(4):
        retries.handle(LockNotAvailable(), 0.1)
        time.sleep(0.2)  # the work
    assert len(told) == 1 and "waiting up to 0.5 seconds" in told[0]
    with pytest.raises(SinkError, match="has locked a table"):
        retries.handle(LockNotAvailable(), 0.1)
