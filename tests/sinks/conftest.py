"""What the tests of databases share."""

from __future__ import annotations

import sqlite3

import pytest

import midiopt
from benchmarks import postgres_server
from midiopt.sinks import open_sink, sqlite
from tests.helpers.processes import tables


@pytest.fixture(scope="session")
def without_failure(songs, pg_dsn) -> tuple[list, list]:
    """The tables in PostgreSQL after a run without a failure."""
    with postgres_server.database(pg_dsn) as url:
        midiopt.run([songs], url)
        return tables(url)


@pytest.fixture(params=["sqlite", "sqlite by tuples", "postgres"])
def url_of_each_writer(request, tmp_path, monkeypatch):
    """The URL of an empty database, written in each of three ways; `by tuples` stands for an interpreter whose SQLite has no handle."""
    if request.param == "postgres":
        return request.getfixturevalue("pg_url")
    if request.param == "sqlite by tuples":
        monkeypatch.setattr(sqlite, "connect", lambda path, **options: (sqlite3.connect(path, **options), None))
    return f"sqlite:///{tmp_path}/facts.db"


@pytest.fixture
def sink(url_of_each_writer):
    with open_sink(url_of_each_writer) as sink:
        yield sink
