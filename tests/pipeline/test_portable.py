"""Runs without the calls that only Linux has: MIDIOPT_WITHOUT switches them off one by one, and all together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from midiopt.sources.system import CALLS, has, shared_memory
from tests.helpers.processes import finish, tables

SAMPLE = Path(__file__).parents[2] / "sample" / "midi" / "piano"
OF_A_RUN = [call for call in CALLS if call != "inotify"]  # tests/sources/test_watch.py has that


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> tuple[list, list]:
    db = tmp_path_factory.mktemp("with") / "all.db"
    assert finish(SAMPLE, "--db", db, "--workers", "1", "--quiet").returncode == 0
    return tables(db)


@pytest.mark.parametrize("call", [*OF_A_RUN, "all"])
def test_a_run_without_a_call_has_the_same_rows(tmp_path, expected, call):
    environment = {**os.environ, "MIDIOPT_WITHOUT": call, "MIDIOPT_READER": "mmap" if call == "MAP_POPULATE" else "ahead"}
    done = finish(SAMPLE, "--db", tmp_path / "x.db", "--workers", "1", "--quiet", env=environment)
    assert done.returncode == 0, done.stderr
    assert tables(tmp_path / "x.db") == expected


def test_what_is_switched_off(monkeypatch):
    for value, off in (("", ()), ("prctl,inotify", ("prctl", "inotify")), ("all", CALLS)):
        monkeypatch.setenv("MIDIOPT_WITHOUT", value)
        assert [call for call in CALLS if not has(call)] == [call for call in CALLS if call in off or sys.platform != "linux"]


def test_memory_in_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("MIDIOPT_WITHOUT", "memfd_create")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    descriptor = shared_memory("midiopt-test")
    os.truncate(descriptor, 100)
    assert os.fstat(descriptor).st_size == 100 and not list(tmp_path.iterdir())
    os.close(descriptor)


@pytest.mark.parametrize("without", ["", "prctl"])
def test_a_process_ends_with_its_parent(without):
    """The child is busy and looks at no pipe."""
    child = (
        "import sys, time; from midiopt.sources.system import end_with;"
        "end_with(int(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE);"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "MIDIOPT_WITHOUT": without}
    process = subprocess.Popen([sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True, env=environment)
    number = int(process.stdout.readline())
    process.kill()
    process.wait()
    end = time.monotonic() + 30
    while time.monotonic() < end and is_alive(number):
        time.sleep(0.05)
    alive = is_alive(number)
    if alive:
        os.kill(number, signal.SIGKILL)
    process.stdout.close()
    assert not alive


def is_alive(number: int) -> bool:
    """Whether the process runs; one that has ended may wait for whoever takes orphans."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
