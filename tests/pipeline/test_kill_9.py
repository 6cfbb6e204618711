"""kill -9 of the run itself: the database opens, holds whole batches, and the same command completes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.batches import sqlite_path
from tests.helpers.processes import ask, finish, tables, written
from tests.helpers.songs import write_songs

KILLS = 20
FILES, BATCH = 3000, 128  # a batch is whole chunks, of 128 files or the last 56


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """Half of them are copies of the others: no row may come before the facts of its content."""
    folder = tmp_path_factory.mktemp("songs")
    write_songs(folder / "a", FILES // 2)
    write_songs(folder / "b", FILES // 2)
    return folder


# The walk never hands on the part of a chunk that it has found by a certain time, so that whole batches can be told by number.
PATIENT = "import sys, midiopt.sources.walk; midiopt.sources.walk.SIGN_EVERY = 1e9; from midiopt.orchestrator import main; sys.exit(main())"


def arguments(songs: Path, url) -> tuple:
    return songs, "--db", url, "--batch-size", BATCH, "--workers", 2, "--quiet"


def test_a_run_killed_at_random_points_is_completed_by_running_it_again(songs, url):
    began = time.monotonic()
    assert finish(*arguments(songs, url)).returncode == 0
    longest = time.monotonic() - began
    expected = tables(url)
    assert len(expected[0]) == 2 * len(expected[1]) == FILES
    empty(url)

    rng = random.Random(1)
    partly = killed = 0
    while killed < KILLS:
        before = written(url)
        run = subprocess.Popen([sys.executable, "-c", PATIENT, *map(str, arguments(songs, url))], stderr=subprocess.PIPE)
        if killed % 2:
            time.sleep(rng.uniform(0, longest))  # from the first import to the last index
        else:
            while written(url) == before and run.poll() is None:  # it may write for a tenth of that time only
                time.sleep(0.002)
            time.sleep(rng.uniform(0, longest / 20))
        run.kill()
        _, stderr = run.communicate()
        assert run.returncode in (0, -9), stderr
        if run.returncode == 0:
            assert tables(url) == expected
            empty(url)
            continue
        killed += 1
        partly += check(url, expected)
    assert partly, "no run was killed while it wrote"
    done = finish(*arguments(songs, url))
    assert done.returncode == 0, done.stderr
    assert tables(url) == expected


def check(url, expected) -> bool:
    """Whole batches, and nothing in them that an undisturbed run would not have; whether there are some but not all."""
    count = written(url)
    if not count:
        return False
    if url.startswith("sqlite:"):
        assert ask(url, "PRAGMA integrity_check") == [("ok",)]
    assert count % BATCH in (0, FILES % BATCH)
    files, analyses = tables(url)
    assert set(files) <= set(expected[0]) and set(map(str, analyses)) <= set(map(str, expected[1]))
    assert {row[3] for row in files} == {row[0] for row in analyses}
    return count < FILES


def empty(url) -> None:
    """Start again, with a database as new as the first."""
    if url.startswith("sqlite:"):
        db = Path(sqlite_path(url))
        for path in db.parent.glob(f"{db.name}*"):
            path.unlink()
        return
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
