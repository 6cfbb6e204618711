"""SIGINT and SIGTERM: the first ends a run in order, the second at once, and none leaves a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.databases import wait_until
from tests.helpers.processes import alive, ask, children, command, finish, tables, with_faults, write_faulty, written

SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def until(condition, run: subprocess.Popen) -> None:
    while not condition() and run.poll() is None:
        time.sleep(0.005)


@SIGNALS
def test_a_signal_keeps_what_is_done(number, code, songs, expected, tmp_path):
    """The whole process group gets it, as from a terminal: no worker dies of it."""
    db = tmp_path / "x.db"
    arguments = command(songs, "--db", db, "--batch-size", 128, "--workers", 2, "--json")
    run = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    until(lambda: written(db), run)
    os.killpg(run.pid, number)
    stdout, stderr = run.communicate(timeout=60)
    if run.returncode == 0:  # it had just finished
        assert tables(db) == expected
        return
    assert run.returncode == code
    assert "run the same command again" in stderr and "Traceback" not in stderr
    assert written(db) == json.loads(stdout)["ok"] >= 128
    assert finish(songs, "--db", db, "--quiet").returncode == 0
    assert tables(db) == expected


def hanging(songs: Path, folder: Path, *options) -> tuple[subprocess.Popen, Path]:
    """A run of which one worker has a file in hand that takes for ever, and its database."""
    hung = folder / "hung"
    hung.touch()
    write_faulty(folder / "00000.mid", "hang")
    arguments = command(songs, folder, "--db", folder / "x.db", "--file-timeout", 600, *options)
    run = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=with_faults(MIDIOPT_FAULT_HANGS=str(hung)))
    until(lambda: hung.stat().st_size, run)
    return run, folder / "x.db"


@SIGNALS
def test_a_signal_does_not_wait_for_ever(number, code, songs, expected, tmp_path):
    """A file that takes ten minutes may be in hand: what the others have done is written, and that one left."""
    run, db = hanging(songs, tmp_path, "--workers", 2)
    run.send_signal(number)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code
    assert "run the same command again" in stderr
    assert ask(db, "SELECT count(*) FROM files WHERE status != 'ok'") == [(0,)]
    assert finish(songs, tmp_path, "--db", db, "--quiet").returncode == 0
    assert [row for row in tables(db)[0] if row[0] != f"{tmp_path}/00000.mid"] == expected[0]


def test_a_signal_does_not_wait_for_another_program(songs, expected, tmp_path):
    """It has locked the database, for which a run waits five minutes: what is in hand then cannot be written."""
    run, db = hanging(songs, tmp_path, "--workers", 2)
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=60)
    assert run.returncode == 1 and "another program has locked the database" in stderr and "Traceback" not in stderr
    assert finish(songs, tmp_path, "--db", db, "--quiet").returncode == 0
    assert [row for row in tables(db)[0] if row[0] != f"{tmp_path}/00000.mid"] == expected[0]


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@SIGNALS
def test_a_second_signal_stops_at_once(number, code, first, songs, tmp_path):
    run, db = hanging(songs, tmp_path, "--workers", 1, "--batch-size", 128)
    workers = children(run.pid)
    run.send_signal(first)
    time.sleep(0.1)  # or the kernel would make one of two equal ones
    run.send_signal(number)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code
    assert "aborted" in stderr and "Traceback" not in stderr
    assert workers
    wait_until(lambda: not any(map(alive, workers)))
    assert ask(db, "PRAGMA integrity_check") == [("ok",)]


ENDLESS = """
import sqlite3
from midiopt.pipeline.signals import Stop, install_exit_handlers
install_exit_handlers()
with Stop().on_signals():
    print("begun", flush=True)
    sqlite3.connect(":memory:").execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n").fetchall()
"""


@SIGNALS
def test_a_second_signal_does_not_wait_for_the_database(number, code):
    """SQLite is in the middle of a statement that never ends: Python itself never hears of a signal."""
    run = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "begun\n"
    for _ in range(2):
        time.sleep(0.2)  # into the statement, and one after the other
        run.send_signal(number)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code and stderr.count("aborted") == 1 and "Traceback" not in stderr


LATE = """
import os
from midiopt.pipeline.signals import install_exit_handlers
install_exit_handlers()
class Late:
    def __del__(self, kill=os.kill):
        kill(os.getpid(), {})
late = Late()
"""


@SIGNALS
def test_a_signal_at_the_very_end_changes_nothing(number, code):
    """Python takes modules apart, and has taken its own handlers off before."""
    assert subprocess.run([sys.executable, "-c", LATE.format(int(number))]).returncode == 0


@pytest.mark.parametrize("module", ["midiopt.orchestrator", "midiopt"])
@SIGNALS
def test_a_signal_during_the_start_is_quiet(number, code, module, tmp_path):
    """While modules are imported: each library that is mapped is another moment."""
    arguments = ("analyze", tmp_path) if module == "midiopt" else (tmp_path,)
    seen = set()
    for library in ("xxhash", "_multiarray_umath", "numpy", "sqlrows"):
        run = subprocess.Popen(command(*arguments, "--db", tmp_path / "x.db", module=module), stderr=subprocess.PIPE, text=True)
        until(lambda run=run, library=library: library in mapped(run.pid), run)
        run.send_signal(number)
        _, stderr = run.communicate(timeout=60)
        assert "Traceback" not in stderr
        seen.add(run.returncode)
    assert code in seen and seen <= {0, code}


def mapped(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""
