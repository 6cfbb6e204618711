"""Databases that fail during a run: they come back, or the run ends with one sentence and keeps the committed batches."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import midiopt
from benchmarks import postgres_server
from midiopt.errors import SinkError
from midiopt.sinks import open_sink, sqlite_connection
from tests.helpers.batches import query, write
from tests.helpers.databases import (
    LOCK_HOLDER,
    break_connections,
    lock_waiters,
    one_file_batch,
    open_transaction,
    run_blocked_in_a_batch,
    wait_until,
)
from tests.helpers.processes import command, tables

FILES = 3000


@pytest.fixture(scope="module")
def own_server():
    with postgres_server.temporary_server() as server:
        yield server


@pytest.fixture
def server(own_server):
    """A server that the test may stop, and the URL of an empty database on it."""
    with postgres_server.database(own_server.url) as url:
        yield own_server, url


def start_run(songs, url, *more) -> subprocess.Popen[str]:
    """A run with many small batches."""
    more = ("--batch-size", 32, "--workers", 2, "--quiet", "--json", *more)
    return subprocess.Popen(command(songs, "--db", url, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restarted_server_loses_no_row(songs, without_failure, server, mode, tmp_path):
    server, url = server
    with run_blocked_in_a_batch(url, start_run, songs, url, "--log", tmp_path / "log") as run:
        server.stop(mode)
        server.start()
    for _ in range(2):
        with open_transaction(url, "LOCK TABLE files IN SHARE MODE"):
            wait_until(lambda: lock_waiters(url))
            server.stop(mode)
            server.start()
    stdout, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert stderr == ""
    assert json.loads(stdout)["ok"] == FILES
    assert tables(url) == without_failure
    assert "reconnect" in {json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()}


def test_broken_connections_lose_no_row(songs, without_failure, pg_url):
    with run_blocked_in_a_batch(pg_url, start_run, songs, pg_url, "--writers", 3) as run:
        assert break_connections(pg_url, "wait_event_type = 'Lock'")
    for _ in range(30):  # not for ever: on a busy machine no batch may end between two of them
        if run.poll() is not None:
            break
        break_connections(pg_url)
        time.sleep(0.2)
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert tables(pg_url) == without_failure


def test_a_server_that_does_not_come_back_ends_the_run(songs, without_failure, server):
    """Exit code 1, one line, and every committed batch is there when the server is started again."""
    server, url = server
    midiopt.run([songs / "000"], url)
    with run_blocked_in_a_batch(url, start_run, songs, url + "&password=s3cret", "--sink-timeout", 1) as run:
        server.stop()
    stdout, stderr = run.communicate(timeout=120)
    server.start()
    assert run.returncode == 1 and stdout == ""
    assert stderr.startswith("midiopt: PostgreSQL: ") and stderr.count("\n") == 1
    assert "did not come back within 1 seconds" in stderr and "run the same command again" in stderr
    assert "s3cret" not in stderr
    files, analyses = tables(url)
    assert 0 < len(files) < FILES
    assert all(row in without_failure[0] for row in files) and {row[3] for row in files} <= {row[0] for row in analyses}
    again = start_run(songs, url)
    stdout, stderr = again.communicate(timeout=120)
    assert (again.returncode, json.loads(stdout)["skipped"]) == (0, len(files)), stderr
    assert tables(url) == without_failure


def test_a_signal_does_not_wait_for_an_unavailable_server(songs, server):
    server, url = server
    with run_blocked_in_a_batch(url, start_run, songs, url, "--sink-timeout", 100000) as run:
        server.stop()
        run.send_signal(signal.SIGTERM)
    _, stderr = run.communicate(timeout=120)
    server.start()
    assert run.returncode == 1 and "run the same command again" in stderr and "Traceback" not in stderr


def test_the_lock_is_taken_again_with_the_connection(pg_url):
    with open_sink(pg_url) as sink:
        assert break_connections(pg_url) >= 3
        write(sink, one_file_batch(1))
        with pytest.raises(SinkError, match="another run"):
            open_sink(pg_url)
        assert break_connections(pg_url, LOCK_HOLDER) == 1
        assert sink.paths_between("", "0") == ["/1"]
        with pytest.raises(SinkError, match="another run"):
            open_sink(pg_url)
        break_connections(pg_url)
        sink.finalize()
    assert query(pg_url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'analyses_bpm'") == [(1,)]


def test_another_run_may_take_the_lost_lock(pg_url):
    with pytest.raises(SinkError, match="another run is writing"), open_sink(pg_url, timeout=1) as sink:
        break_connections(pg_url)
        with open_sink(pg_url) as other:
            with pytest.raises(SinkError, match="another run is writing"):
                write(sink, one_file_batch(1))
            write(other, one_file_batch(2))
    assert query(pg_url, "SELECT path FROM files") == [("/2",)]


ENDLESS_INSERT = """
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
CREATE TRIGGER wait BEFORE INSERT ON files FOR EACH STATEMENT EXECUTE FUNCTION wait();
"""


def test_a_server_that_does_not_answer_ends_the_run(pg_url):
    """A trigger without end stands for a server that hangs: its connections are open, and it does not answer."""
    open_sink(pg_url).close()
    query(pg_url, ENDLESS_INSERT)
    with pytest.raises(SinkError, match="has not committed a batch"), open_sink(pg_url, timeout=0.5) as sink:
        write(sink, one_file_batch(1))
    assert query(pg_url, "SELECT count(*) FROM analyses") == [(0,)]
    break_connections(pg_url, "query LIKE 'INSERT%'")
    open_sink(pg_url).close()


def test_a_lock_during_the_run_ends_it_with_a_sentence(pg_url):
    open_sink(pg_url).close()
    with (
        open_transaction(pg_url, "LOCK TABLE files IN SHARE MODE"),
        pytest.raises(SinkError, match="another session has locked a table of the database; end that session"),
        open_sink(pg_url, timeout=0.5) as sink,
    ):
        write(sink, one_file_batch(1))


def test_a_cancelled_statement_is_not_retried(pg_url):
    open_sink(pg_url).close()
    with_lock_timeout = f"{pg_url}&options=-clock_timeout%3D100"
    with (
        open_transaction(pg_url, "LOCK TABLE files IN SHARE MODE"),
        pytest.raises(SinkError, match="lock timeout"),  # its own limit, not that of the run
        open_sink(with_lock_timeout) as sink,
    ):
        write(sink, one_file_batch(1))


def test_sqlite_waits_for_another_program(tmp_path, monkeypatch):
    """For longer than SQLite itself waits at a time."""
    monkeypatch.setattr(sqlite_connection, "LOCK_POLL", 0.1)
    url = f"sqlite:///{tmp_path}/x.db"
    with open_sink(url) as sink:
        other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.25, lambda: other.execute("COMMIT")).start()
        write(sink, one_file_batch(1))
    with open_sink(url, timeout=0.1) as sink:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkError, match=r"x\.db: another program has locked the database"):
            write(sink, one_file_batch(2))
        other.execute("COMMIT")
        other.close()
    assert query(url, "SELECT path FROM files") == [("/1",)]
