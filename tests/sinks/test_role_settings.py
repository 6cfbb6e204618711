"""Settings that an administrator gives a role or a database of PostgreSQL, which the sessions of midiopt begin with."""

from __future__ import annotations

import json
import subprocess
import time

import midiopt
from benchmarks import postgres_server
from midiopt.sinks.postgres_session import connect, lift_time_limits
from tests.helpers.batches import query
from tests.helpers.databases import run_blocked_in_a_batch
from tests.helpers.processes import call, command
from tests.helpers.songs import write_songs


def alter(url: str, setting: str) -> None:
    [(name,)] = query(url, "SELECT current_database()")
    postgres_server.execute(url, f"ALTER DATABASE {name} SET {setting}")


def last_start(url: str) -> str:
    return json.loads(call("status", "--db", url, "--json").stdout)["last_run"]["started"]


def test_dates_as_people_of_a_country_write_them(pg_url, tmp_path):
    """Runs and every command ended with "NotImplementedError: can't parse timestamptz with DateStyle 'German, DMY'"."""
    songs = write_songs(tmp_path / "songs", 3)
    midiopt.run([songs], pg_url)
    began = last_start(pg_url)
    alter(pg_url, "datestyle = 'German, DMY'")
    alter(pg_url, "timezone = 'Asia/Kolkata'")
    assert last_start(pg_url) == began
    next(songs.rglob("*.mid")).unlink()
    summary = midiopt.run([songs], pg_url)
    assert (summary.skipped, summary.gone) == (2, 1)
    assert last_start(pg_url) > began
    assert call("search", "--db", pg_url, "--jsonl").stdout.count("\n") == 2


def test_every_digit_of_a_number(pg_url, tmp_path):
    """With 0, as before PostgreSQL 12, verify found values that differ in every file."""
    alter(pg_url, "extra_float_digits = 0")
    midiopt.run([write_songs(tmp_path / "songs", 3)], pg_url)
    done = call("verify", pg_url, "--all")
    assert (done.returncode, done.stdout) == (0, "3 files checked, 0 values differ; 0 files changed, 0 no longer there\n")


def test_a_limit_of_statements_does_not_end_a_run(pg_url, tmp_path):
    """Hosted servers have one for each role: a run whose statement took longer, as indexes of a million files do, never finished."""
    alter(pg_url, "statement_timeout = '500ms'")

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True)

    with run_blocked_in_a_batch(pg_url, start, write_songs(tmp_path / "songs", 3), "--db", pg_url, "--quiet") as run:
        time.sleep(1.0)
    _, stderr = run.communicate()
    assert (run.returncode, stderr, query(pg_url, "SELECT count(*) FROM files")) == (0, "", [(3,)])


def test_a_limit_in_the_url_stays(pg_url):
    alter(pg_url, "statement_timeout = '500ms'")
    for url, kept in ((pg_url, "0"), (f"{pg_url}&options=-cstatement_timeout%3D700", "700ms")):
        with connect(url) as connection:
            lift_time_limits(connection)
            assert connection.execute("SHOW statement_timeout").fetchall() == [(kept,)]
