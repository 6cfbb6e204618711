"""kill -9 of the run itself: the database opens, holds whole batches, and the same command completes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from midiopt.schema import LIBRARY_TRACKS_COLUMNS
from midiopt.sinks.sql import ANALYSIS_ID
from tests.helpers.batches import sqlite_path
from tests.helpers.databases import other_sessions, wait_until
from tests.helpers.processes import ask, finish, tables, written
from tests.helpers.songs import write_songs

KILLS = 20
FILES, BATCH = 3000, 128  # a batch has the files of whole tasks, 128 each and 56 in the last one


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """Half of them are copies of the others: no row may be committed before the analysis of its content."""
    folder = tmp_path_factory.mktemp("songs")
    write_songs(folder / "a", FILES // 2)
    write_songs(folder / "b", FILES // 2)
    return folder


# Without the yields by time every task has FILES_PER_TASK files, so that whole batches are recognised by their size.
FULL_TASKS = """
import sys
from midiopt.orchestrator import main
from midiopt.pipeline import new_files
assert new_files.FILES_PER_TASK == 128 and new_files.YIELD_INTERVAL
new_files.YIELD_INTERVAL = 1e9
sys.exit(main())
"""


def arguments(songs: Path, url: str) -> tuple[object, ...]:
    return songs, "--db", url, "--tracks", "--batch-size", BATCH, "--workers", 2, "--quiet"


def tracks(url: str) -> list[tuple[Any, ...]]:
    """The tracks of each file, without the number of its analysis."""
    names = ", ".join(column.name for column in LIBRARY_TRACKS_COLUMNS if column.name != ANALYSIS_ID)
    return ask(url, f"SELECT {names} FROM library_tracks ORDER BY path, track")


def test_a_run_killed_at_random_points_is_completed_by_the_next(songs, url):
    began = time.monotonic()
    assert finish(*arguments(songs, url)).returncode == 0
    duration = time.monotonic() - began
    expected, expected_tracks = tables(url), tracks(url)
    assert len(expected[0]) == 2 * len(expected[1]) == FILES
    assert {row[0] for row in expected_tracks} == {row[0] for row in expected[0]}
    empty(url)

    rng = random.Random(1)
    partly = killed = 0
    while killed < KILLS:
        before = written(url)
        run = subprocess.Popen([sys.executable, "-c", FULL_TASKS, *map(str, arguments(songs, url))], stderr=subprocess.PIPE)
        if killed % 2:
            time.sleep(rng.uniform(0, duration))  # from the first import to the last index
        else:
            while written(url) == before and run.poll() is None:  # it writes for a tenth of its duration
                time.sleep(0.002)
            time.sleep(rng.uniform(0, duration / 20))
        run.kill()
        _, stderr = run.communicate()
        assert run.returncode in (0, -9), stderr
        wait_until(lambda: not other_sessions(url))  # check() compares two queries, and no COMMIT may come between them
        if run.returncode == 0:
            assert tables(url) == expected
            empty(url)
            continue
        killed += 1
        partly += check(url, expected, expected_tracks)
    assert partly, "no run was killed while it wrote"
    done = finish(*arguments(songs, url))
    assert done.returncode == 0, done.stderr
    assert tables(url) == expected
    assert tracks(url) == expected_tracks


def check(url: str, expected: tuple[list, list], expected_tracks: list[tuple[Any, ...]]) -> bool:
    """The database holds whole batches of an undisturbed run. Returns whether it holds some of them but not all."""
    count = written(url)
    if not count:
        return False
    if url.startswith("sqlite:"):
        assert ask(url, "PRAGMA integrity_check") == [("ok",)]
    assert count % BATCH in (0, FILES % BATCH)
    files, analyses = tables(url)
    for found, table, identity in ((files, expected[0], 3), (analyses, expected[1], 0)):  # not of which file a content is the first copy
        rows, wanted = ({str((*row[:identity], *row[identity + 1 :])) for row in both} for both in (found, table))
        assert rows <= wanted
    assert {row[3] for row in files} == {row[0] for row in analyses}
    paths = {row[0] for row in files}
    assert tracks(url) == [row for row in expected_tracks if row[0] in paths]
    return count < FILES


def empty(url: str) -> None:
    """Delete the tables, or the file."""
    if url.startswith("sqlite:"):
        db = Path(sqlite_path(url))
        for path in db.parent.glob(f"{db.name}*"):
            path.unlink()
        return
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
