"""What the end of a first run fills in a thread: the same rows as without it, whatever happens meanwhile."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from midiopt.errors import Stopped
from midiopt.sinks import never, open_sink, sqlite_first_tables
from midiopt.sinks.sqlite_first_tables import FirstTables
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write

CONTENTS = 300
WORDS = ("mid", "songs", "tune", "slap", "n7", "n299")


def contents(first: int, last: int):
    keys = [(n + 1).to_bytes(16) for n in range(first, last)]
    files = [file_row(path=f"/songs/n{first + i}.mid", content_hash=key) for i, key in enumerate(keys)]
    analyses = [
        analysis_row(
            content_hash=key,
            title=f"Tune {first + i}",
            track_names=["Slap Bass"],
            programs=[i % 128],
            sketch=[first + i + 1, (31 << 19) + i % 7],
        )
        for i, key in enumerate(keys)
    ]
    return make_batch(files, analyses)


def tables(url: str) -> list[object]:
    """What was filled, and what the index of words finds; SQLite checks the index itself."""
    query(url, "INSERT INTO midiopt_words (midiopt_words) VALUES ('integrity-check')")
    named = [query(url, f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("analysis_programs", "sketch_hashes", "midiopt_words_idx")]
    kept = query(url, "SELECT key, value FROM meta WHERE key NOT IN ('content_key', 'words') ORDER BY 1")
    schema = query(url, "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
    found = [query(url, f"SELECT rowid FROM midiopt_words WHERE midiopt_words MATCH '{word}' ORDER BY 1") for word in WORDS]
    return [named, kept, schema, found, query(url, "PRAGMA integrity_check")]


def finish(tmp_path, name: str, should_stop=never) -> str:
    url = f"sqlite:///{tmp_path}/{name}.db"
    with open_sink(url, should_stop=should_stop) as sink:
        write(sink, contents(0, CONTENTS))
        sink.finalize()
    return url


@pytest.fixture
def wanted(tmp_path):
    """The tables as they are filled one after the other."""
    return tables(finish(tmp_path, "wanted"))


@pytest.fixture
def waits(wanted, monkeypatch):
    """In a thread from now on: whether each one has made everything."""
    monkeypatch.setattr(sqlite_first_tables, "MIN_CONTENTS", CONTENTS)
    results: list[bool] = []
    wait = FirstTables.wait

    def noted(self) -> sqlite3.Connection | None:
        connection = wait(self)
        results.append(connection is not None)
        return connection

    monkeypatch.setattr(FirstTables, "wait", noted)
    return results


def test_the_same_rows_as_one_after_the_other(tmp_path, wanted, waits):
    url = finish(tmp_path, "facts")
    assert waits == [True] and tables(url) == wanted
    assert len(wanted[0][1]) == 2 * CONTENTS and [len(rows) for rows in wanted[3]] == [CONTENTS] * 4 + [1, 1]


def test_a_second_run_continues_what_the_thread_has_made(tmp_path, wanted, waits):
    url = finish(tmp_path, "facts")
    with open_sink(f"sqlite:///{tmp_path}/wanted.db") as before, open_sink(url) as after:
        for sink in (before, after):
            write(sink, contents(CONTENTS, CONTENTS + 3))
            sink.finalize()
    assert waits == [True] and tables(url) == tables(f"sqlite:///{tmp_path}/wanted.db") != wanted


def test_contents_that_another_program_deletes_meanwhile(tmp_path, waits, monkeypatch):
    url = f"sqlite:///{tmp_path}/facts.db"
    wait = FirstTables.wait

    def changed(self) -> sqlite3.Connection | None:
        done = wait(self)
        query(url, "DELETE FROM files WHERE path = '/songs/n7.mid'")
        query(url, "DELETE FROM analyses WHERE title = 'Tune 7'")
        return done

    monkeypatch.setattr(FirstTables, "wait", changed)
    finish(tmp_path, "facts")
    [programs, hashes, _], *_, found, intact = tables(url)
    assert waits == [True] and intact == [("ok",)]
    assert len(programs) == CONTENTS - 1 and len(hashes) == 2 * (CONTENTS - 1) and found[WORDS.index("n7")] == []


@pytest.mark.parametrize("name", ["programs", "analysis_programs", "sketch_hashes", "midiopt_words"])
def test_a_table_of_the_user_with_such_a_name_stays(tmp_path, waits, name):
    query(f"sqlite:///{tmp_path}/facts.db", f"CREATE TABLE {name} (mine TEXT)")
    url = finish(tmp_path, "facts")
    assert waits == [] and query(url, f"SELECT mine FROM {name}") == []
    assert query(url, "SELECT count(*) FROM library") == [(CONTENTS,)]


@pytest.mark.parametrize("step", ["connect", "build_words"])
def test_what_the_thread_cannot_make_is_made_without_it(tmp_path, wanted, waits, monkeypatch, step):
    def full(*_, **options) -> None:
        raise sqlite3.OperationalError("unable to open database file" if options else "database or disk is full")

    monkeypatch.setattr(sqlite_first_tables, step, full)
    url = finish(tmp_path, "facts")
    assert waits == [False] and tables(url) == wanted


def test_a_stop_ends_the_thread_and_the_next_run_completes(tmp_path, wanted, waits, monkeypatch):
    started: list[bool] = []

    def endless(connection: sqlite3.Connection, *_) -> None:
        started.append(True)
        connection.execute("WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n").fetchall()

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(sqlite_first_tables, "build_programs", endless)
        finish(tmp_path, "facts", should_stop=lambda: bool(started))
    assert not [thread for thread in threading.enumerate() if "first-tables" in thread.name]
    assert not (tmp_path / "facts.db-wal").exists()
    with open_sink(f"sqlite:///{tmp_path}/facts.db") as sink:
        sink.finalize()
    assert tables(f"sqlite:///{tmp_path}/facts.db") == wanted
