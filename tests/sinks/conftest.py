"""What the tests of databases share."""

from __future__ import annotations

import pytest

import midiopt
from benchmarks import postgres_server
from tests.helpers.processes import tables


@pytest.fixture(scope="session")
def without_failure(songs, pg_dsn) -> tuple[list, list]:
    """The tables in PostgreSQL after a run without a failure."""
    with postgres_server.database(pg_dsn) as url:
        midiopt.run([songs], url)
        return tables(url)
