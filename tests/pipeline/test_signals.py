"""SIGINT and SIGTERM: the first one ends a run in order, the second one at once, and none leaves a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.databases import wait_until
from tests.helpers.processes import (
    alive,
    ask,
    children,
    command,
    cpu_seconds,
    delivered,
    finish,
    tables,
    with_faults,
    write_faulty,
    written,
)

SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def start(fault: str, songs: Path, folder: Path, *options: object) -> subprocess.Popen[str]:
    """A run with a worker that has a faulty file: it cannot end by itself. Its database is x.db in the folder."""
    (folder / "hangs").touch()
    (folder / "hold").touch()
    write_faulty(folder / "00000.mid", fault)
    arguments = command(folder, songs, "--db", folder / "x.db", "--file-timeout", 600, *options)
    environment = with_faults(MIDIOPT_FAULT_HANGS=str(folder / "hangs"), MIDIOPT_FAULT_HOLD=str(folder / "hold"))
    run = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, process_group=0)
    wait_until(lambda: (folder / "hangs").stat().st_size)
    return run


@SIGNALS
def test_a_signal_keeps_all_results(number, code, songs, expected, tmp_path):
    """The whole process group receives it, as from a terminal, and no worker dies of it."""
    db = tmp_path / "x.db"
    run = start("hold", songs, tmp_path, "--batch-size", 128, "--workers", 2, "--json", "--quiet")
    wait_until(lambda: written(db) >= 128)
    os.killpg(run.pid, number)
    (tmp_path / "hold").unlink()
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == code
    assert "run the same command again" in stderr and "Traceback" not in stderr
    summary = json.loads(stdout)
    assert written(db) == summary["ok"] >= 128 and summary["crashed"] == 0
    assert finish(tmp_path, songs, "--db", db, "--quiet").returncode == 0
    assert [row for row in tables(db)[0] if row[0] != f"{tmp_path}/00000.mid"] == expected[0]


@SIGNALS
def test_a_signal_does_not_wait_for_a_slow_file(number, code, songs, expected, tmp_path):
    """The results of the other workers are written, and the file is left to the next run."""
    run, db = start("hang", songs, tmp_path, "--workers", 2), tmp_path / "x.db"
    run.send_signal(number)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code
    assert "run the same command again" in stderr
    assert ask(db, "SELECT count(*) FROM files WHERE status != 'ok'") == [(0,)]
    assert finish(tmp_path, songs, "--db", db, "--quiet").returncode == 0
    assert [row for row in tables(db)[0] if row[0] != f"{tmp_path}/00000.mid"] == expected[0]


def test_a_signal_does_not_wait_for_another_program(songs, expected, tmp_path):
    """A run waits five minutes for a locked database, but not after a signal; what is in flight cannot be written then."""
    run, db = start("hang", songs, tmp_path, "--workers", 2), tmp_path / "x.db"
    with contextlib.closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run.send_signal(signal.SIGINT)
        _, stderr = run.communicate(timeout=60)
    assert run.returncode == 1 and "another program has locked the database" in stderr and "Traceback" not in stderr
    assert finish(tmp_path, songs, "--db", db, "--quiet").returncode == 0
    assert [row for row in tables(db)[0] if row[0] != f"{tmp_path}/00000.mid"] == expected[0]


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@SIGNALS
def test_a_second_signal_aborts_the_run(number, code, first, songs, tmp_path):
    run, db = start("hang", songs, tmp_path, "--workers", 1, "--batch-size", 128), tmp_path / "x.db"
    workers = children(run.pid)
    run.send_signal(first)
    # The handler has run: Python calls those of two pending signals in numeric order. Lines of progress may come before.
    assert any("stopping" in line for line in run.stderr)
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
    print("started", flush=True)
    sqlite3.connect(":memory:").execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n").fetchall()
"""


@SIGNALS
def test_a_second_signal_does_not_wait_for_the_database(number, code):
    """SQLite executes a statement without end, so that Python calls no signal handler."""
    run = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "started\n"
    used = cpu_seconds(run.pid)
    wait_until(lambda: cpu_seconds(run.pid) > used + 0.2)  # it is in the statement
    run.send_signal(number)
    wait_until(lambda: delivered(run.pid, number))
    assert run.poll() is None
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
    """During the interpreter's shutdown, after Python has removed its own handlers."""
    assert subprocess.run([sys.executable, "-c", LATE.format(int(number))]).returncode == 0


@pytest.mark.parametrize("library", ["xxhash", "_multiarray_umath", "sqlite_statement"])
@pytest.mark.parametrize("module", ["midiopt.orchestrator", "midiopt"])
@SIGNALS
def test_a_signal_during_the_start_is_quiet(number, code, module, library, tmp_path):
    """While modules are imported: it arrives when a library is mapped. The run cannot end by itself."""
    write_faulty(tmp_path / "x.mid", "hang")
    arguments = ("analyze", tmp_path) if module == "midiopt" else (tmp_path,)
    options = ("--db", tmp_path / "x.db", "--file-timeout", 600, "--quiet")
    run = subprocess.Popen(command(*arguments, *options, module=module), stderr=subprocess.PIPE, text=True, env=with_faults())
    wait_until(lambda: library in mapped(run.pid))
    run.send_signal(number)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code and "Traceback" not in stderr


def mapped(pid: int) -> str:
    """The files that a process has mapped into its memory."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""
