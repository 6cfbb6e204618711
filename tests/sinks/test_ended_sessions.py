"""Every way in which a session of PostgreSQL may end during a run: it is replaced, and no row is lost or doubled."""

from __future__ import annotations

import json
import subprocess

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import midiopt
from benchmarks import postgres_server
from midiopt.pipeline.file_index import FileIndex
from midiopt.sinks import open_sink, postgres
from midiopt.sinks.postgres_retries import is_transient
from tests.helpers.batches import query, write
from tests.helpers.databases import (
    LOCK_HOLDER,
    Proxy,
    break_connections,
    lock_waiters,
    one_file_batch,
    open_transaction,
    run_blocked_in_a_batch,
    wait_until,
)
from tests.helpers.processes import command, tables

OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {}"


def start_run(songs, url, *more) -> subprocess.Popen[str]:
    more = ("--batch-size", 32, "--workers", 2, "--quiet", "--json", *more)
    return subprocess.Popen(command(songs, "--db", url, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("state", ["57P01", "57P02", "57P03", "57P05", "25P03", "53300", "08000", "08003", "08006", "08001"])
def test_what_ends_a_session_is_transient(state):
    assert is_transient(psycopg.errors.lookup(state)()) and is_transient(psycopg.OperationalError("the connection is closed"))


@pytest.mark.parametrize("state", ["57014", "57P04", "42P01", "53100", "22P02", "40P01", "28P01"])
def test_what_does_not_end_a_session_is_not(state):
    """Among them a statement that was cancelled, a database that was dropped, a table that is missing, a full disk."""
    assert not is_transient(psycopg.errors.lookup(state)())


def test_sessions_that_were_idle_for_too_long(pg_url):
    """57P05 ends the connections that commit; that of the lock is not ended, or another run could take it."""
    url = f"{pg_url}&options=-cidle_session_timeout%3D100"
    with open_sink(url) as sink:
        holder = query(pg_url, f"SELECT pid FROM pg_stat_activity WHERE {LOCK_HOLDER}")
        for number in (1, 2, 3):
            write(sink, one_file_batch(number))
            sink.flush()
            wait_until(lambda: query(pg_url, OTHERS.format(f"NOT {LOCK_HOLDER}")) == [(0,)])
        assert query(pg_url, f"SELECT pid FROM pg_stat_activity WHERE {LOCK_HOLDER}") == holder
        assert sink.finalize() == 0
    assert query(pg_url, "SELECT path FROM files ORDER BY path") == [("/1",), ("/2",), ("/3",)]


def test_a_transaction_that_was_idle_for_too_long(pg_url, monkeypatch):
    """25P03 while the known files are read, a row per page: they come again, and the index of files counts them once."""
    monkeypatch.setattr(postgres, "PAGE_ROWS", 1)
    with open_sink(f"{pg_url}&options=-cidle_in_transaction_session_timeout%3D100") as sink:
        for number in (1, 2, 3):
            write(sink, one_file_batch(number))
        sink.flush()
        pages = sink.iter_files()
        found = [next(pages)]
        wait_until(lambda: query(pg_url, OTHERS.format("state = 'idle in transaction'")) == [(0,)])
        found += pages
    paths = [path for [(path, *_)] in found]
    assert paths[:2] == ["/1", "/1"] and paths[-3:] == ["/1", "/2", "/3"]  # on a busy machine they may come a third time
    index = FileIndex(found)
    index.mark_visited(["/1", "/3"])
    assert len(index) == 3 and not index.all_visited()
    index.mark_visited(["/2"])
    assert index.all_visited()


def test_connections_that_are_reset(songs, without_failure, pg_url, tmp_path):
    """By the network: RST, again and again; the host in the URL is a proxy that sends it."""
    server = conninfo_to_dict(pg_url)
    [(port,)] = query(pg_url, "SHOW port")
    proxy = Proxy(f"{server['host']}/.s.PGSQL.{port}")
    url = f"postgresql://{server['user']}@127.0.0.1:{proxy.port}/{server['dbname']}?sslmode=disable"
    with run_blocked_in_a_batch(pg_url, start_run, songs, url, "--log", tmp_path / "log") as run:
        assert proxy.reset() >= 2
    for _ in range(3):
        with open_transaction(pg_url, "LOCK TABLE files IN SHARE MODE"):
            wait_until(lambda: lock_waiters(pg_url))
            proxy.reset()
    stdout, stderr = run.communicate()
    proxy.close()
    assert run.returncode == 0, stderr
    assert json.loads(stdout)["ok"] == 3000
    assert tables(pg_url) == without_failure
    assert query(pg_url, "SELECT outcome FROM runs") == [("finished",)]


def test_a_lost_confirmation_does_not_record_a_run_twice(pg_url):
    """The action is repeated after its commit, as after a connection that broke before the answer came."""
    with open_sink(pg_url) as sink:
        once = sink._connections.run_on_control
        sink._connections.run_on_control = lambda action: once(lambda control: [action(control), action(control)][1])
        sink.start_run({"started": "2026-01-01T00:00:00Z", "version": "1", "build": "release", "sources": [], "options": "{}"})
    assert query(pg_url, "SELECT id, outcome FROM runs") == [(1, None)]


def test_a_database_that_is_dropped_ends_the_run(songs, pg_dsn, pg_url):
    """At once, and not after --sink-timeout: nobody can wait for it to come back."""
    name = conninfo_to_dict(pg_url)["dbname"]
    with run_blocked_in_a_batch(pg_url, start_run, songs, pg_url, "--sink-timeout", 100_000) as run:
        postgres_server.execute(pg_dsn, f"DROP DATABASE {name} WITH (FORCE)")
        _, stderr = run.communicate(timeout=60)
    postgres_server.execute(pg_dsn, f"CREATE DATABASE {name}")
    assert run.returncode == 1 and stderr.count("\n") == 1
    assert f"the database {name} was dropped or renamed during the run" in stderr


def test_tables_that_are_dropped_end_the_run(songs, pg_url):
    """Behind a broken connection: the next one has no table to make its own ones like.

    The transaction that holds the lock renames the table itself: no connection of the run comes between.
    """
    open_sink(pg_url).close()
    with open_transaction(pg_url, "LOCK TABLE files IN SHARE MODE") as other:
        run = start_run(songs, pg_url, "--sink-timeout", 100_000)
        wait_until(lambda: lock_waiters(pg_url))
        break_connections(pg_url, "wait_event_type = 'Lock'")
        other.execute("ALTER TABLE files RENAME TO was")
        other.commit()
        _, stderr = run.communicate(timeout=60)
    assert run.returncode == 1 and 'relation "files" does not exist' in stderr and stderr.count("\n") == 1
    query(pg_url, "ALTER TABLE was RENAME TO files")
    assert midiopt.run([songs], pg_url).files == 3000
