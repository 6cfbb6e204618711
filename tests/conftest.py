"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import midiopt
from benchmarks import postgres_server
from benchmarks import slow_disk as preloaded
from tests.helpers.processes import tables
from tests.helpers.songs import write_songs

PROJECT = Path(__file__).parent / "project"

# The examples are the same in every run, so that what passes here passes elsewhere: `pytest --hypothesis-profile=random` looks for others.
# Generating whole files is slow.
SLOW_DATA = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("fixed", deadline=None, derandomize=True, suppress_health_check=SLOW_DATA)
settings.register_profile("random", deadline=None, suppress_health_check=SLOW_DATA)
settings.load_profile("fixed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the project, some of which compile, begin first: one of two workers ended with 100 s of them, while the other one had none.

    A worker that has finished takes tests from the end of what the other one has (--dist worksteal), and never its first two.
    """
    items.sort(key=lambda item: PROJECT not in item.path.parents)


@pytest.fixture(scope="session")
def pg_dsn():
    """The URL of a real PostgreSQL server; without one the tests fail, they are never skipped, but under the sanitizers."""
    if midiopt.build_info()["mode"] == "sanitize":
        pytest.skip("a server does not start under the sanitizers")
    with postgres_server.server() as url:
        yield url


@pytest.fixture
def pg_url(pg_dsn):
    """The URL of a fresh, empty database on that server."""
    with postgres_server.database(pg_dsn) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: SQLite, then PostgreSQL."""
    return f"sqlite:///{tmp_path}/facts.db" if request.param == "sqlite" else request.getfixturevalue("pg_url")


@pytest.fixture(scope="session")
def songs(tmp_path_factory) -> Path:
    """A folder of 3,000 files, to be read only."""
    return write_songs(tmp_path_factory.mktemp("songs"), 3000)


@pytest.fixture(scope="session")
def expected(songs, tmp_path_factory) -> tuple[list, list]:
    """The tables of an undisturbed run over ``songs`` with one worker."""
    db = tmp_path_factory.mktemp("expected") / "songs.db"
    midiopt.run([songs], str(db), workers=1)
    files, analyses = tables(db)
    assert len(files) == len(analyses) == 3000
    return files, analyses


@pytest.fixture(scope="session")
def slow_disk(tmp_path_factory) -> Callable[..., dict[str, str]]:
    """``slow_disk(path, milliseconds)``: an environment in which open, read, stat and opendir below ``path`` take this much longer.

    A third argument names those of the calls that do, see benchmarks/slow_disk.py.
    """
    library = preloaded.compile_into(tmp_path_factory.mktemp("library"))
    return lambda path, milliseconds, *calls: preloaded.environment(library, path, milliseconds, dict(os.environ), *calls)
