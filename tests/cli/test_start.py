"""What a command imports before it can do its work: counted in modules, since time depends on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from tests.helpers.songs import write_songs

SLOW = {"numpy", "rich", "sqlite3", "psycopg", "multiprocessing", "xxhash", "ctypes", "logging", "json", "tempfile"}
MAX_MODULES = 110  # after `--help`: Python itself has 35 at its start

RUN = """
import sys
sys.argv[1:] = {arguments}
from midiopt.__main__ import prepare_process
prepare_process()
from midiopt.cli import main
try:
    main.main()
except SystemExit:
    pass
print(*sys.modules)
"""
STARTED = """
import sys
from midiopt.pipeline import worker_handle
whole = worker_handle.WorkerHandle.__init__
def start(self, *arguments):
    print(*sys.modules)
    whole(self, *arguments)
worker_handle.WorkerHandle.__init__ = start
from midiopt.cli.main import main
main({arguments})
"""


def modules(code: str, *arguments: object) -> set[str]:
    """The names in the last line that a program prints: the modules that it has imported."""
    command = [sys.executable, "-c", code.format(arguments=list(map(str, arguments)))]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["analyze", "--help"],
        ["verify", "--help"],
        [],
        ["nonsense"],
        ["analyze"],
        ["analyze", "x", "--workers", "0"],
        ["analyze", "--qiuet"],
        ["help", "analyze"],
        ["completion", "fish"],
    ],
    ids=" ".join,
)
def test_help_and_usage_errors_import_little(arguments: list[str]) -> None:
    found = modules(RUN, *arguments)
    assert "midiopt.cli.main" in found
    assert SLOW & found == set()
    assert len(found) < MAX_MODULES


def test_a_command_that_reads_imports_what_reading_needs(tmp_path: Path) -> None:
    """Neither what writes a database, nor what only another one needs: status took 1.6 times as long with all of it."""
    midiopt.run([write_songs(tmp_path / "songs", 3)], tmp_path / "x.db", workers=1)
    found = modules(RUN, "status", tmp_path / "x.db")
    assert {"midiopt.library.status", "sqlite3", "json"} < found
    assert (SLOW - {"sqlite3", "json"} | {"urllib.parse", "shutil", "midiopt.sinks.sqlite", "midiopt.sinks.base"}) & found == set()


def test_a_worker_starts_before_what_it_would_wait_for_is_imported(tmp_path: Path) -> None:
    found = modules(STARTED, "analyze", write_songs(tmp_path / "songs", 3), "--db", tmp_path / "x.db")
    assert "midiopt.pipeline.pool" in found
    assert {"numpy", "rich"} & found == set()


def test_a_quiet_run_needs_no_table(tmp_path: Path) -> None:
    found = modules(RUN, "analyze", write_songs(tmp_path / "songs", 3), "--db", tmp_path / "x.db", "--quiet")
    assert "numpy" in found and "rich" not in found


def test_status_needs_neither_numpy_nor_rich(tmp_path: Path) -> None:
    modules(RUN, "analyze", write_songs(tmp_path / "songs", 3), "--db", tmp_path / "x.db", "--quiet")
    assert {"numpy", "rich", "psycopg"} & modules(RUN, "status", tmp_path / "x.db") == set()


@pytest.mark.parametrize("ask", ["status {db}", "search --db {db}", "search --json --db {db}", "--help", "search -h", "--version"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_line(tmp_path: Path, ask: str, unbuffered: str) -> None:
    midiopt.run([write_songs(tmp_path / "music", 2)], tmp_path / "music.db")
    command = f"{sys.executable} -m midiopt {ask.format(db=tmp_path / 'music.db')} > /dev/full"
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, env=environment)
    assert (done.returncode, done.stderr) == (1, "midiopt: cannot write: No space left on device\n")


@pytest.mark.parametrize("limit", [9, 12])
def test_too_few_open_files_are_one_line(tmp_path: Path, limit: int) -> None:
    command = f"ulimit -n {limit}; exec {sys.executable} -m midiopt analyze {write_songs(tmp_path / 'music', 2)} --db {tmp_path}/x.db -q"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "midiopt: Too many open files: raise the limit, such as with ulimit -n 256\n")


def test_closed_outputs_are_no_error(tmp_path: Path) -> None:
    music = write_songs(tmp_path / "music", 2)
    midiopt.run([music], tmp_path / "music.db")
    for ask in (f"status {tmp_path}/music.db", f"search --db {tmp_path}/music.db", f"show {music}/000/00000.mid"):
        command = f"{sys.executable} -m midiopt {ask}"
        assert subprocess.run(["sh", "-c", f"{command} >&- 2>&-"]).returncode == 0
