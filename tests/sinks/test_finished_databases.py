"""What a finished database asks of its surroundings: SQLite a file and nothing else, PostgreSQL a schema of its own."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import midiopt
from midiopt.errors import SinkError
from midiopt.library.queries import content_counts
from midiopt.library.snapshot import open_snapshot
from midiopt.sinks import open_sink, postgres_tables
from midiopt.sinks.urls import split_schema, with_schema, without_password
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write
from tests.helpers.databases import one_file_batch


def journal_mode(path) -> str:
    """From bytes 18 and 19 of the header (SQLite file format, 1.3.3): 2 is WAL."""
    return {1: "rollback", 2: "wal"}[path.read_bytes()[18]]


def test_sqlite_is_one_file_that_needs_no_log(tmp_path):
    path = tmp_path / "facts.db"
    for n in range(2):
        with open_sink(path) as sink:
            write(sink, one_file_batch(n + 1))
            assert journal_mode(path) == "wal"
        assert os.listdir(tmp_path) == ["facts.db"] and journal_mode(path) == "rollback"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM library").fetchall() == [(2,)]
    assert os.listdir(tmp_path) == ["facts.db"]


@pytest.mark.parametrize("page_bytes", [4096, 8192])
def test_the_log_is_bounded_in_bytes_whatever_the_size_of_a_page(tmp_path, page_bytes):
    """New databases have larger pages; those of older ones stay."""
    path = tmp_path / "facts.db"
    if page_bytes == 4096:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA page_size = 4096")
            connection.execute("CREATE TABLE other (a)")
    with open_sink(path) as sink:
        assert sink._connection.execute("PRAGMA page_size").fetchall() == [(page_bytes,)]
        assert sink._connection.execute("PRAGMA wal_autocheckpoint").fetchall() == [((64 << 20) // page_bytes,)]


def test_a_reader_at_the_end_of_the_run_keeps_its_snapshot(tmp_path):
    """The log stays as long as it is read; the next run leaves one file."""
    path = tmp_path / "facts.db"
    sink = open_sink(path)
    write(sink, one_file_batch(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM files").fetchall() == [(1,)]
        write(sink, one_file_batch(2))
        sink.close()
        assert journal_mode(path) == "wal"
        assert reader.execute("SELECT count(*) FROM files").fetchall() == [(1,)]
    open_sink(path).close()
    assert os.listdir(tmp_path) == ["facts.db"] and journal_mode(path) == "rollback"


def test_readers_and_the_run_go_on_side_by_side(tmp_path):
    path = tmp_path / "facts.db"
    with open_sink(path) as sink, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        for n in range(1, 4):
            write(sink, one_file_batch(n))
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM files").fetchall() == [(n,)]
            write(sink, one_file_batch(n + 10))
            reader.execute("COMMIT")
            sink.delete_files([f"/{n + 10}"])


def test_a_named_schema_is_created_and_used(pg_url):
    """Beside an application with tables of the same names, and without a view of them."""
    query(pg_url, "CREATE TABLE files (id int, name text)")
    query(pg_url, "CREATE VIEW library AS SELECT name FROM files")
    url = with_schema(pg_url, 'My "music"')
    with open_sink(url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
        sink.finalize()
    assert query(pg_url, """SELECT count(bpm) FROM "My ""music""\".library""") == [(1,)]
    assert query(pg_url, "SELECT count(*) FROM files") == [(0,)]
    with open_snapshot(url) as library:
        assert content_counts(library).analysed_files == 1
    with midiopt.Library(url) as library:
        [path] = [found.path for found in library.search("")]
        assert [found.path for found in library.search(f'"{Path(path).stem}" notes:0..')] == [path]
    with pytest.raises(SinkError, match="not made by midiopt"):
        open_sink(pg_url)


def test_a_schema_that_may_not_be_created_is_told(pg_url, pg_dsn):
    query(pg_dsn, "CREATE ROLE guest LOGIN")
    try:
        with pytest.raises(SinkError, match="no schema music, and guest may not create it"):
            open_sink(f"{pg_url}&user=guest&schema=music")
        query(pg_url, "CREATE SCHEMA music AUTHORIZATION guest")
        open_sink(f"{pg_url}&user=guest&schema=music").close()
        assert query(pg_url, "SELECT count(*) FROM music.library") == [(0,)]
    finally:
        query(pg_url, "DROP OWNED BY guest")
        query(pg_dsn, "DROP ROLE guest")


@pytest.mark.parametrize(
    "url", ["postgresql://me@host/name", "postgresql://host/name?port=5", "host=h dbname='my db'", "dbname=x options='-c a=b'"]
)
@pytest.mark.parametrize("name", ["music", "My music", "it's", 'a\\b"c', "ü&?="])
def test_a_schema_is_part_of_the_url(url, name):
    named = with_schema(url, name)
    plain, found = split_schema(named)
    assert (plain.strip(), found) == (url, name)
    assert "***" not in without_password(named)
    assert psycopg.conninfo.conninfo_to_dict(plain)


def test_only_postgres_has_schemas():
    with pytest.raises(SinkError, match="PostgreSQL"):
        with_schema("music.db", "mine")
    assert split_schema("postgresql://host/name?port=5") == ("postgresql://host/name?port=5", None)


@pytest.mark.parametrize("rows", [1, 2])
def test_postgresql_has_statistics_of_large_tables_after_the_first_run(pg_url, rows, monkeypatch):
    monkeypatch.setattr(postgres_tables, "LARGE_TABLE", rows)
    with open_sink(pg_url) as sink:
        write(sink, one_file_batch(1))
        sink.finalize()
    tables = query(pg_url, "SELECT DISTINCT tablename::text FROM pg_stats WHERE tablename IN ('analyses', 'files') ORDER BY 1")
    assert tables == ([("analyses",), ("files",)] if rows == 1 else [])
