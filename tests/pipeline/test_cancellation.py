"""SIGINT or SIGTERM in a step of the database that takes very long: the step is cancelled, and the run ends in order."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

import midiopt
from benchmarks import postgres_server
from tests.helpers.archives import tar_of
from tests.helpers.batches import query, sqlite_path
from tests.helpers.databases import lock_waiters, open_transaction, wait_until
from tests.helpers.processes import ask, command, cpu_seconds, finish, tables
from tests.helpers.songs import song

SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
INDEXES = {"analyses_bpm", "analyses_key_bpm", "files_analysis_id"}


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def change(url: str, *statements: str) -> None:
    for statement in statements:
        query(url, statement)


def start(songs: Path, url: str) -> subprocess.Popen[str]:
    arguments = command(songs, "--db", url, "--json", "--quiet")
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(run: subprocess.Popen[str], number: int, code: int) -> dict:
    """The summary of a run that a signal ends."""
    assert run.poll() is None
    run.send_signal(number)
    try:
        stdout, stderr = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == code, stderr
    assert "run the same command again" in stderr and "Traceback" not in stderr
    return json.loads(stdout)


def check_next_run(songs: Path, url: str, expected: tuple[list, list]) -> None:
    """The next run completes what the interrupted one left."""
    assert ask(url, "SELECT outcome FROM runs ORDER BY id DESC LIMIT 1") == [("interrupted",)]
    done = finish(songs, "--db", url, "--quiet")
    assert done.returncode == 0, done.stderr
    assert tables(url) == expected
    assert indexes(url) == INDEXES


def indexes(url: str) -> set[str]:
    names = "SELECT name FROM sqlite_master WHERE type = 'index'" if is_sqlite(url) else "SELECT indexname FROM pg_indexes"
    return {name for (name,) in query(url, names)} & INDEXES


@SIGNALS
def test_while_the_file_index_is_loaded(number, code, songs, url):
    """The table is replaced by a view: in SQLite without end, in PostgreSQL with a first row that takes ten minutes."""
    midiopt.run([songs], url)
    expected = tables(url)
    kept = "path, size_bytes, mtime_ns, content_hash, status, error, analyzer_version, analyzed_at, analysis_us"
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT {} FROM n, was"
    slow = "SELECT {} FROM was, (SELECT pg_sleep(600)) AS slow"
    change(url, "ALTER TABLE files RENAME TO was", f"CREATE VIEW files AS {(endless if is_sqlite(url) else slow).format(kept)}")
    run = start(songs, url)
    if is_sqlite(url):
        wait_until(lambda: has_started(url))
        used = cpu_seconds(run.pid)
        wait_until(lambda: cpu_seconds(run.pid) > used + 0.2)  # it reads the rows
    else:
        wait_until(lambda: query(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == [(1,)])
    summary = stop(run, number, code)
    assert (summary["files"], summary["duplicates"]) == (0, None)
    change(url, "DROP VIEW files", "ALTER TABLE was RENAME TO files")
    check_next_run(songs, url, expected)


@SIGNALS
def test_while_indexes_are_built(number, code, songs, url):
    """In SQLite over a column with 3,000 values of 40 ms each; in PostgreSQL another program holds a lock."""
    midiopt.run([songs], url)
    expected = tables(url)
    change(url, "DROP INDEX analyses_key_bpm", "DROP INDEX analyses_bpm")
    if is_sqlite(url):
        slow = "key GENERATED ALWAYS AS (length(hex(zeroblob(10000000 + note_count)))) VIRTUAL"
        change(url, "ALTER TABLE analyses RENAME COLUMN key TO was", f"ALTER TABLE analyses ADD COLUMN {slow}")
        run = start(songs, url)
        wait_until(lambda: has_started(url) and is_writing(url))
        summary = stop(run, number, code)
        assert indexes(url) == {"files_analysis_id"}
        change(url, "ALTER TABLE analyses DROP COLUMN key", "ALTER TABLE analyses RENAME COLUMN was TO key")
    else:
        with open_transaction(url, "LOCK TABLE analyses IN ROW EXCLUSIVE MODE"):
            run = start(songs, url)
            wait_until(lambda: has_started(url) and lock_waiters(url))  # connections may wait for each other while they are opened
            summary = stop(run, number, code)
            assert indexes(url) == {"files_analysis_id"}
    assert (summary["skipped"], summary["duplicates"]) == (3000, None)
    check_next_run(songs, url, expected)


SLOW_SEARCH = """
CREATE FUNCTION held() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
    IF current_query() LIKE '%ORDER BY path%' THEN PERFORM pg_sleep(600); END IF;
    RETURN true;
END $$;
ALTER TABLE files RENAME TO was;
CREATE VIEW files AS SELECT * FROM was WHERE held();
"""


def test_while_missing_members_are_searched_and_the_server_is_away(tmp_path):
    """All members are committed, and only the archive's own row is not."""
    archive = tmp_path / "a.tar"
    members = {f"{i:03}.mid": song(i) for i in range(200)}  # two tasks, and FinishArchive after them
    archive.write_bytes(tar_of(members))
    with postgres_server.temporary_server() as server, postgres_server.database(server.url) as url:
        midiopt.run([archive], url)
        query(url, SLOW_SEARCH)
        archive.write_bytes(tar_of(members | {"200.mid": song(200)}))
        log = tmp_path / "run.log"
        arguments = command(archive, "--db", url, "--sink-timeout", 100_000, "--log", log, "--quiet")
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as run:
            wait_until(lambda: query(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == [(1,)])
            server.stop()
            wait_until(lambda: '"reconnect"' in log.read_text())
            assert run.poll() is None
            run.send_signal(signal.SIGTERM)
            try:
                _, stderr = run.communicate(timeout=60)
            finally:
                run.kill()
        server.start()
        assert run.returncode == 1 and "run the same command again" in stderr and "Traceback" not in stderr
        query(url, "DROP VIEW files; ALTER TABLE was RENAME TO files")
        assert query(url, "SELECT count(*) FROM files") == [(202,)], "all members are there"
        assert midiopt.run([archive], url).opened == 1


def has_started(url: str) -> bool:
    """Whether the second run has inserted its row: from then on it handles signals itself."""
    return query(url, "SELECT count(*) FROM runs") == [(2,)]


def is_writing(url: str) -> bool:
    """Whether another program has been in a transaction for a tenth of a second."""
    with contextlib.closing(sqlite3.connect(sqlite_path(url), timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False
