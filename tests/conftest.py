"""Fixtures that several test modules share."""

from __future__ import annotations

import pg_server
import pytest


@pytest.fixture(scope="session")
def pg_dsn():
    """The URL of a real PostgreSQL server; without one the tests fail, they are never skipped."""
    with pg_server.server() as url:
        yield url


@pytest.fixture
def pg_url(pg_dsn):
    """The URL of a fresh, empty database on that server."""
    with pg_server.database(pg_dsn) as url:
        yield url
