"""What the tests of databases share."""

from __future__ import annotations

import pytest

import midiopt
from benchmarks import postgres_server
from midiopt.sinks import open_sink
from tests.helpers.databases import WRITERS, url_of_writer
from tests.helpers.processes import tables


@pytest.fixture(scope="session")
def without_failure(songs, pg_dsn) -> tuple[list, list]:
    """The tables in PostgreSQL after a run without a failure."""
    with postgres_server.database(pg_dsn) as url:
        midiopt.run([songs], url)
        return tables(url)


@pytest.fixture(params=WRITERS)
def url_of_each_writer(request, tmp_path, monkeypatch):
    """The URL of an empty database, written in each of three ways; `by tuples` stands for an interpreter whose SQLite has no handle."""
    return url_of_writer(request.param, request, tmp_path, monkeypatch)


@pytest.fixture
def sink(url_of_each_writer):
    with open_sink(url_of_each_writer) as sink:
        yield sink
