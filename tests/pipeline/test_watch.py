"""midiopt analyze --watch: the rows of a run, after each change, and a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import midiopt
from midiopt.cli import watch as watching
from midiopt.cli.main import main
from tests.helpers.processes import ask, command, tables
from tests.helpers.songs import song


class Changes:
    """A watch that reports what it is told to: the number of looks until each change."""

    settle_time = 2.0

    def __init__(self, clock: list[float], looks: list[bool]) -> None:
        self.clock, self.looks = clock, looks

    def changed(self, timeout: float) -> bool:
        self.clock[0] += timeout
        return self.looks.pop(0) if self.looks else False

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("looks", "pause", "seconds"),
    [
        ([True], 0, 0.5 + 2.0),  # a change, and two seconds without
        ([False] * 4 + [True], 0, 2.5 + 2.0),
        ([True, True, False, False, True], 0, 2.5 + 2.0),  # each change begins the two seconds anew
        ([True] * 1000, 0, 0.5 + 60.0),  # something changes all the time
        ([True], 30, 30.0),  # the last run took that long
    ],
)
def test_when_the_next_run_begins(monkeypatch, looks, pause, seconds):
    clock = [100.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: clock[0])
    assert watching._wait(Changes(clock, looks), pause) == 0
    assert clock[0] - 100.0 == seconds


@pytest.mark.parametrize("without", ["", "inotify"])
def test_the_rows_are_those_of_a_run(tmp_path, without):
    music = tmp_path / "music"
    music.mkdir()
    for i in range(3):
        (music / f"{i}.mid").write_bytes(song(i))
    db, once = tmp_path / "watched.db", tmp_path / "once.db"
    environment = {**os.environ, "MIDIOPT_WITHOUT": without}
    process = subprocess.Popen(
        command("analyze", music, "--db", db, "--watch", "--workers", "1", module="midiopt"),
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    try:
        wait_for(process)
        (music / "new").mkdir()
        (music / "new" / "3.mid").write_bytes(song(3))
        (music / "0.mid").unlink()
        (music / "1.mid").write_bytes(song(9))
        wait_for(process)
        midiopt.run([music], str(once))
        assert [row for row in tables(db)[0] if not row[0].endswith("/0.mid")] == tables(once)[0]
        assert ask(db, "SELECT path FROM files WHERE missing_since IS NOT NULL") == [(str(music / "0.mid"),)]
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    assert process.returncode == 130 and "Traceback" not in rest
    assert ask(db, "SELECT count(*) FROM runs WHERE outcome IS NULL") == [(0,)]


def wait_for(process: subprocess.Popen[str]) -> None:
    """Wait until the run has ended and the next change is waited for."""
    end = time.monotonic() + 60
    while "waiting for changes" not in (line := process.stderr.readline()):
        assert line and time.monotonic() < end


def test_what_cannot_be_watched(tmp_path, capsys):
    (tmp_path / "list").write_text("a.mid\n")
    assert main(["analyze", f"@{tmp_path}/list", "--watch", "--db", str(tmp_path / "x.db")]) == 2
    assert main(["analyze", str(tmp_path), "--watch", "--dry-run"]) == 2
    assert main(["analyze", str(tmp_path / "none"), "--watch"]) == 2
    assert [*map(str.split, capsys.readouterr().err.splitlines())] and not Path(tmp_path / "x.db").exists()
