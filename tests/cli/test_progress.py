"""The progress of a run: what a line shows on narrow and wide terminals, in a log and in a notebook."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from rich.console import Console

import midiopt
from docs.record_terminal import run_in_terminal
from midiopt.cli import notebook_view
from midiopt.cli.analyze import next_commands
from midiopt.cli.console import NOTHING_FOUND
from midiopt.cli.progress_line import bar_text, live_line, plain_line
from midiopt.cli.run_view import print_summary
from tests.helpers.songs import write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def state(done: int, **counts: int) -> midiopt.Summary:
    return midiopt.Summary(files=100_000, ok=done - sum(counts.values()), bytes=done * 13_000, **counts)


def shown(summary: midiopt.Summary, total: int | None, width: int, seconds: float = 4.0) -> str:
    return bar_text(live_line(summary, seconds, total, width))


def test_60_columns_have_the_bar_percentage_time_rate_and_counts():
    line = shown(state(42_000, rejected=7), 100_000, 60)
    assert re.fullmatch(r"━+─+ +42% +0:06 left +10,500 files/s +42,000/100,000", line) and len(line) <= 60


@pytest.mark.parametrize("width", range(10, 240, 7))
@pytest.mark.parametrize("total", [None, 100_000, 12_345_678])
def test_no_line_is_wider_than_the_terminal(width, total):
    assert len(shown(state(99_999, repaired=700, rejected=60, crashed=5), total, width)) <= width


def test_what_is_wanted_most_stays_longest():
    summary = state(42_000, repaired=700, rejected=60, crashed=5)
    words = ["42%", "left", "files/s", "/100,000", "700 repaired", "60 rejected", "5 crashed", "MB/s"]
    counts = [[word in shown(summary, 100_000, width) for word in words] for width in (6, 18, 34, 60, 80, 100, 140)]
    assert [line.count(True) for line in counts] == sorted(line.count(True) for line in counts)
    assert all(line == sorted(line, reverse=True) for line in counts), "what comes first is left out last"
    assert counts[0].count(True) == 1 and all(counts[-1])


def test_the_bar_keeps_its_length():
    lengths = {len(re.match("[━─]+", shown(state(done), 100_000, 80))[0]) for done in (500, 9_999, 50_000, 99_999, 100_000)}
    assert len(lengths) == 1
    assert shown(state(100_000), 100_000, 80).count("─") == 0 and "finishing" in shown(state(100_000), 100_000, 80)


def test_before_the_number_of_files_is_known():
    assert shown(state(500), None, 60).split("  ")[-1] == "500 of 100,000 found so far"
    assert "starting" in shown(midiopt.Summary(files=9), 9, 60, 0.0)


def test_the_line_of_a_log_has_everything():
    line = plain_line(state(42_000, repaired=700, rejected=60), 4.0, 100_000)
    assert line == "42%, 0:06 left, 10,500 files/s, 42,000/100,000, 700 repaired, 60 rejected, 136.5 MB/s"


class Display:
    """What IPython.display.display is called with, and what its handle."""

    def __init__(self) -> None:
        self.contents: list[dict[str, str]] = []

    def display(self, content: dict[str, str], raw: bool, display_id: bool) -> Display:
        self.contents.append(content)
        return self

    def update(self, content: dict[str, str], raw: bool) -> None:
        self.contents.append(content)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Display:
    """A notebook's kernel, without IPython."""
    shown = Display()
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display.display = shown.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as ipykernel does
    monkeypatch.setattr(notebook_view, "INTERVAL", 0.0)
    return shown


def test_a_notebook_shows_the_bar_and_then_the_summary(kernel, tmp_path, capfd):
    songs = write_songs(tmp_path / "<songs>", 3000)
    summary = midiopt.run([songs], tmp_path / "<x>.db", workers=1, progress=True)
    texts = [content["text/plain"] for content in kernel.contents]
    assert any("files/s" in text for text in texts[:-1]) and all(len(text) <= 80 for text in texts[:-1])
    assert "files found" in texts[-1] and f"{summary.files:,}" in texts[-1] and str(tmp_path) in texts[-1]
    assert all("<songs>" not in content["text/html"] and "<x>" not in content["text/html"] for content in kernel.contents)
    assert not any("\x1b" in text for text in texts)
    assert capfd.readouterr() == ("", "")


def test_a_new_database_is_followed_by_what_reads_it(tmp_path, monkeypatch):
    """On a terminal where there is the command, and once: not after a second run."""
    (tmp_path / "midiopt").write_text("")
    (tmp_path / "midiopt").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIDIOPT_DB", raising=False)
    analyze = [sys.executable, "-m", "midiopt", "analyze", str(SAMPLE)]
    option = "--db 'my songs.db'"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert run_in_terminal([*analyze, "--db", "my songs.db"], 80, 24).splitlines()[-1] == (
        f"next: midiopt status {option}, midiopt search key:Am {option} or midiopt browse {option}"
    )
    assert "next:" not in run_in_terminal([*analyze, "--db", "my songs.db"], 80, 24)
    commands = "midiopt status, midiopt search key:Am or midiopt browse"
    assert next_commands("midiopt.db") == f"next: {commands}"
    for url in ("postgresql://me:secret@host/music", "postgresql://host/music?password=secret", "host=host password=secret"):
        monkeypatch.delenv("MIDIOPT_DB", raising=False)
        assert next_commands(url) == f"next, with this database in MIDIOPT_DB: {commands}"  # a command that works, without the password
        monkeypatch.setenv("MIDIOPT_DB", url)
        assert next_commands(url) == f"next: {commands}"


def test_rows_of_missing_files_are_followed_by_what_deletes_them(tmp_path):
    songs = write_songs(tmp_path / "songs", 2)
    midiopt.run(songs, tmp_path / "x.db")
    next(songs.rglob("*.mid")).unlink()
    analyze = [sys.executable, "-m", "midiopt", "analyze", str(songs), "--db", str(tmp_path / "x.db")]
    assert "no longer there keep their rows, until --prune deletes these" in run_in_terminal(analyze, 80, 24)
    assert "next:" not in run_in_terminal([*analyze, "--prune"], 80, 24)


def test_a_script_shows_the_summary(tmp_path):
    code = f"import midiopt; midiopt.run([{str(SAMPLE)!r}], {str(tmp_path / 'x.db')!r}, progress={{}})"
    done = subprocess.run([sys.executable, "-c", code.format(True)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "" and "files found" in done.stderr
    for quiet in (False, None):
        done = subprocess.run([sys.executable, "-c", code.format(quiet)], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_real_kernel(tmp_path):
    """Where ipykernel is installed."""
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("jupyter_client")
    manager, kernel = client.manager.start_new_kernel(kernel_name="python3")
    try:
        reply = kernel.execute_interactive(
            f"import midiopt; midiopt.run([{str(SAMPLE)!r}], {str(tmp_path / 'x.db')!r}, progress=True).ok",
            timeout=60,
            output_hook=(messages := []).append,
        )
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"
    shown = [m["content"]["data"] for m in messages if m["msg_type"] in ("display_data", "update_display_data")]
    assert shown and "files found" in shown[-1]["text/plain"] and shown[-1]["text/html"].startswith("<pre")
    assert not [m for m in messages if m["msg_type"] == "stream"]


@pytest.mark.parametrize(("interrupted", "is_said"), [(0, True), (2, False)])
def test_only_a_run_that_has_searched_says_that_it_found_nothing(interrupted, is_said):
    printed = io.StringIO()
    print_summary(Console(file=printed), midiopt.Summary(interrupted=interrupted), "midiopt.db")
    assert (NOTHING_FOUND in printed.getvalue().replace("\n", " ")) == is_said
