"""midiopt status on a terminal: one screen, whatever the database holds."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from midiopt.cli.fit import cell_len, fit_end, fit_path
from midiopt.cli.last_run import ABNORMAL, ago, run_lines
from midiopt.cli.status_table import plain_lines, screen_lines
from midiopt.library.queries import FileSize, FileTime, MissingCounts, Run
from midiopt.library.status import FilesWithIssue, FilesWithStatus, LibraryStatus
from midiopt.schema import ISSUES, STATUSES

NOW = dt.datetime(2026, 11, 28, 20, 36, tzinfo=dt.UTC)
LONG = "/music/" + "a folder with a long name/" * 9 + "ピアノ小曲.mid"


def a_run(**changed) -> Run:
    counts = dict.fromkeys(STATUSES, 100) | {"files": 1000, "skipped": 400, "gone": 0, "moved": 0, "deleted": 0}
    counts |= {"duplicates": 5, "bytes": 10**7, "seconds": 83.0}
    facts = {"id": 1, "started": NOW - dt.timedelta(minutes=5), "ended": NOW - dt.timedelta(minutes=3), "outcome": "finished"}
    facts |= {"error": None, "version": "0.1.0", "build": "release", "sources": ["/music"], "options": {"workers": 2, "batch_size": 2048}}
    return Run(**facts | counts | changed)


def a_status(issues: int = len(ISSUES), path: str = LONG) -> LibraryStatus:
    """The worst that there is: every status, many issues, long paths and errors."""
    return LibraryStatus(
        files={name: FilesWithStatus(1_234_567, 10**9, path, "an error of many words " * 9) for name in STATUSES},
        database_bytes=12_700_000_000,
        contents=1_000_000,
        duplicates=234_567,
        issues={name: FilesWithIssue(10_000 - i, path) for i, name in enumerate(ISSUES[:issues])},
        slowest=[FileTime(path, 1.5)] * 5,
        largest=[FileSize(path, 10**6)] * 5,
        missing=MissingCounts(12, 3, path, path, path),
        last_run=a_run(sources=[path] * 5, error="an error of many words " * 9),
    )


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (80, 40), (200, 60), (40, 30)])
def test_the_worst_status_fits_a_screen(width, height):
    lines = ["".join(text for text, _ in line) for line in screen_lines("x.db", a_status(), width, height)]
    assert len(lines) <= height - 1, "the prompt needs a line"
    assert max(map(cell_len, lines)) <= width
    for title in ("issues", "last run"):
        assert title in lines


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (80, 40), (200, 60)])
def test_a_common_status_fits_a_screen_and_fills_it(width, height):
    status = a_status()
    few = {
        name: FilesWithStatus(5, 10, LONG, "e") if name in ("ok", "repaired", "rejected") else FilesWithStatus(0, 0) for name in STATUSES
    }
    status = status._replace(files=few, last_run=a_run())
    lines = ["".join(text for text, _ in line) for line in screen_lines("x.db", status, width, height)]
    assert height - 4 <= len(lines) <= height - 1
    [more] = [line.strip() for line in lines if line.strip().startswith("and ")] or [""]
    shown = [name for name in ISSUES if any(line.startswith(f"  {name[:18]}") for line in lines)]
    assert len(shown) >= 3 and (f"and {len(ISSUES) - len(shown)} more" in more or len(shown) == len(ISSUES))
    assert shown == list(ISSUES[: len(shown)]), "the most frequent ones, each with an example"


def test_a_pipe_gets_everything():
    shown = "\n".join(plain_lines("x.db", a_status()))
    assert "…" not in shown and all(f"  {name} " in shown for name in ISSUES) and shown.count(LONG) == 6 + len(ISSUES) + 10 + 5 + 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (60, "1 minute ago"), (179, "2 minutes ago"), (3600, "1 hour ago"), (86400 * 400, "400 days ago")],
)
def test_ago(seconds, words):
    assert ago(NOW - dt.timedelta(seconds=seconds), NOW) == words


def test_the_last_run_in_words():
    assert run_lines(a_run(), NOW) == [
        "finished 3 minutes ago (2026-11-28 20:33 UTC) after 1:23",
        "1,000 files found, 500 analysed, 400 unchanged",
        "from /music with --workers 2; midiopt 0.1.0, build release",
    ]
    lines = run_lines(a_run(gone=7, moved=2, deleted=5), NOW)
    assert lines[1].endswith(", 7 no longer there, 2 moved, 5 deleted from the database")
    assert run_lines(a_run(seconds=0.42), NOW)[0].endswith("after 0.4 s")
    assert run_lines(a_run(outcome="failed", error="the disk is full"), NOW)[0].endswith("after 1:23: the disk is full")
    killed = run_lines(a_run(outcome="killed", ended=None, seconds=None), NOW)
    assert killed[0].startswith(ABNORMAL) and "run the same command to resume" in killed[0] and len(killed) == 2
    assert run_lines(a_run(outcome="running", ended=None), NOW)[0] == "running, started 5 minutes ago (2026-11-28 20:31 UTC)"
    assert run_lines(a_run(sources=["@-", "/music"]), NOW)[2].startswith("from standard input, /music with")
    assert run_lines(None, NOW) == ["none"]


def test_fitted_text_is_never_wider():
    for text, width in itertools.product(["", "abc", LONG, "ピアノ" * 30, "/" * 50, "/x" * 40], range(-1, 60)):
        for fit in (fit_end, fit_path):
            fitted = fit(text, width)
            assert cell_len(fitted) <= max(0, width)
            assert fitted == text or "…" in fitted or width < 1
    for width in range(1, 40):
        assert list(screen_lines("x.db", a_status(), width, 24)), "of a very narrow terminal"
    assert fit_path("/a/bb/song.mid", 10) == "…/song.mid"


@pytest.mark.parametrize(("number", "words"), [(0, "0 duplicates"), (1, "1 duplicate"), (2, "2 duplicates")])
def test_the_number_of_duplicates(number, words):
    [line] = [line for line in plain_lines("x.db", a_status()._replace(duplicates=number)) if line.startswith("contents")]
    assert line.endswith(f" {words}")
