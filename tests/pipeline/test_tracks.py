"""Runs with --tracks: what they store, and what they analyse again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import midiopt
from midiopt.cli import main
from midiopt.kinds import FLOAT32, FLOAT64
from midiopt.schema import LIBRARY_TRACKS_COLUMNS
from tests.helpers.archives import zip_of
from tests.helpers.batches import query
from tests.helpers.songs import song, write_songs
from tests.helpers.track_rows import track_rows

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
COUNT = "SELECT count(*) FROM library_tracks"


def analysed(log: Path) -> int:
    """Number of contents that the runs have analysed, from their log."""
    return sum(line["contents"] for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "batch")


def test_rows_hold_the_facts_of_their_tracks(tmp_path):
    """Those that the analyser gives for the file itself; of every file, although copies are analysed once."""
    shutil.copytree(SAMPLE, tmp_path / "music" / "a")
    shutil.copytree(SAMPLE, tmp_path / "music" / "b")
    midiopt.run([tmp_path / "music"], tmp_path / "x.db", workers=2, tracks=True)
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.row_factory = sqlite3.Row
        for (path,) in connection.execute("SELECT path FROM library WHERE status IN ('ok', 'repaired')").fetchall():
            rows = connection.execute("SELECT * FROM library_tracks WHERE path = ? ORDER BY track", (path,)).fetchall()
            for row, facts in zip(rows, track_rows(Path(path).read_bytes()), strict=True):
                for column in LIBRARY_TRACKS_COLUMNS[1:-1]:
                    expected = facts[column.name]
                    if column.name == "analyzer_version":
                        continue
                    if column.kind in (FLOAT32, FLOAT64):
                        expected = None if expected is None else pytest.approx(expected, rel=1e-6)
                    elif isinstance(expected, bytes):
                        expected = expected.hex()
                    found = json.loads(row[column.name]) if column.name == "channels" else row[column.name]
                    assert found == expected, (path, column.name)


def test_without_the_option_there_are_none(tmp_path, url):
    midiopt.run([SAMPLE], url)
    assert query(url, "SELECT count(*) FROM tracks") == [(0,)]


def test_contents_that_were_analysed_without_are_analysed_again(tmp_path, url):
    """Once, whether or not their files have changed; a run without the option then leaves them alone."""
    write_songs(tmp_path / "music", 20)
    shutil.copytree(tmp_path / "music", tmp_path / "copies")
    log = tmp_path / "log"
    midiopt.run([tmp_path / "music"], url)
    for sources, tracks, contents, rows in (
        (["copies"], True, 20, 40),
        (["music", "copies"], True, 0, 40),
        (["music"], False, 0, 40),
    ):
        log.write_text("")
        midiopt.run([tmp_path / name for name in sources], url, tracks=tracks, log=log)
        assert analysed(log) == contents
        assert query(url, "SELECT count(DISTINCT path) FROM library_tracks") == [(rows,)]


def test_members_of_an_archive_get_their_tracks_later(tmp_path, url):
    (tmp_path / "x.zip").write_bytes(zip_of({f"{i}.mid": song(i) for i in range(5)}))
    midiopt.run([tmp_path], url)
    assert midiopt.run([tmp_path], url, tracks=True).skipped == 0
    assert query(url, "SELECT count(DISTINCT path) FROM library_tracks") == [(5,)]
    assert midiopt.run([tmp_path], url, tracks=True).skipped > 0


def test_results_of_a_newer_analyser_replace_the_tracks(tmp_path, url):
    write_songs(tmp_path / "music", 5)
    midiopt.run([tmp_path / "music"], url, tracks=True)
    before = query(url, COUNT)
    for table in ("files", "analyses", "tracks"):
        query(url, f"UPDATE {table} SET analyzer_version = 0")
    query(url, "INSERT INTO tracks SELECT analysis_id, 99, " + ", ".join(c.name for c in LIBRARY_TRACKS_COLUMNS[2:-1]) + " FROM tracks")
    midiopt.run([tmp_path / "music"], url, tracks=True)
    assert query(url, COUNT) == before
    assert query(url, "SELECT count(*) FROM tracks WHERE analyzer_version = 0") == [(0,)]


def test_the_command_line_has_the_option(tmp_path):
    write_songs(tmp_path / "music", 3)
    db = tmp_path / "x.db"
    assert main.main(["analyze", str(tmp_path / "music"), "--db", str(db), "--quiet", "--tracks"]) == 0
    assert query(f"sqlite:///{db}", "SELECT count(DISTINCT path) FROM library_tracks") == [(3,)]
