"""The hashes of sketches in SQLite, sorted outside of it: the same rows as by SQL, in one part or in many."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3

import numpy as np
import pytest

from midiopt.sinks import sqlite_sketches
from midiopt.sinks.sqlite_hashes import MAX_ID, sort_by_hash
from midiopt.sinks.sqlite_statement import connect

ODD = ("[]", "[7]", "[ 7, 8 ,9]", None, "[0]", "[16777215]")  # the last is the greatest hash


@pytest.fixture
def database(tmp_path):
    """A connection with contents that have sketches, and its handle."""
    connection, handle = connect(str(tmp_path / "facts.db"), isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("BEGIN")  # to the end of the test
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute("CREATE TABLE analyses (id INTEGER PRIMARY KEY, sketch TEXT)")
        for statement in (sqlite_sketches.CREATE, *sqlite_sketches.CREATE_TRIGGERS):
            connection.execute(statement)
        chance = random.Random(4)
        sketches = [json.dumps([place << 19 | chance.randrange(1, 40) for place in range(32)]) for _ in range(500)]
        connection.executemany("INSERT INTO analyses (sketch) VALUES (?)", ((text,) for text in (*ODD, *sketches)))
        yield connection, handle


def fill(connection: sqlite3.Connection, handle: object | None) -> list[tuple[int, int]]:
    sqlite_sketches.fill_sketch_hashes(connection, handle)
    return connection.execute("SELECT hash, analysis_id FROM sketch_hashes ORDER BY 1, 2").fetchall()


@pytest.mark.parametrize("contents", [10, 100, 10_000])
def test_the_rows_are_those_of_sql(database, contents, monkeypatch):
    monkeypatch.setattr(sqlite_sketches, "CONTENTS", contents)
    monkeypatch.setattr(sqlite_sketches, "SAMPLED", 8)
    connection, handle = database
    assert handle is not None
    wanted = connection.execute(
        "SELECT value, analyses.id FROM analyses, json_each(sketch) WHERE sketch IS NOT NULL AND value > 0 ORDER BY 1, 2"
    ).fetchall()
    assert len(wanted) > 16_000
    assert fill(connection, handle) == wanted
    more = [*wanted, (7, len(ODD) + 501)]  # a later run
    connection.execute("INSERT INTO analyses (sketch) VALUES ('[7]')")
    assert fill(connection, handle) == sorted(more)
    connection.execute("DELETE FROM analyses WHERE id > 3")
    assert fill(connection, handle) == [(7, 2), (7, 3), (8, 3), (9, 3)]


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
@pytest.mark.parametrize("greatest", [1, 40, (1 << 24) - 1])
def test_numbers_are_sorted(count, greatest):
    chance = random.Random(count)
    ids = sorted(chance.randrange(1, MAX_ID + 1) for _ in range(count))
    numbers = [chance.randrange(1, greatest + 1) * (MAX_ID + 1) + number for number in ids]
    in_place = np.array(numbers, np.int64)
    sort_by_hash(in_place)
    assert in_place.tolist() == sorted(numbers)


@pytest.mark.parametrize("number", [MAX_ID, MAX_ID + 1])
def test_any_id_of_a_content_is_entered(database, number):
    connection, handle = database
    connection.execute("INSERT INTO analyses VALUES (?, '[16777215]')", (number,))
    assert fill(connection, handle)[-1] == (16777215, number)


def test_an_interrupted_statement_raises(database):
    connection, handle = database
    connection.set_progress_handler(lambda: True, 100)
    with pytest.raises(sqlite3.OperationalError, match="interrupted") as caught:
        fill(connection, handle)
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
