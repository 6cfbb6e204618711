"""What is special about one database: URLs and files, connections and conflicts."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import numpy as np
import psycopg
import pytest

from midiopt.errors import MissingExtra, SinkError
from midiopt.sinks import open_sink, postgres_connections
from tests.helpers.batches import analysis_row, file_row, make_batch, query, sqlite_path, write
from tests.helpers.databases import break_connections, lock_waiters, one_file_batch, open_transaction, wait_until


@pytest.mark.parametrize("url", ["sqlite:///facts.db", "sqlite:///{folder}/facts.db", "facts.db", "{folder}/facts.db"])
def test_sqlite_urls(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    open_sink(url.format(folder=tmp_path)).close()
    assert os.listdir(tmp_path) == ["facts.db"]  # the write-ahead log is deleted on close
    open_sink(tmp_path / "facts.db").close()


def test_any_name_is_a_file_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("./:memory:", "./file:x?mode=memory", "a b%20c.db"):
        open_sink(name).close()
        assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "sqlite://facts.db", "sqlite:facts.db", "file:x?mode=memory", "", "missing/facts.db", ".", ":memory:"]
)
def test_invalid_urls_are_refused(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError):
        open_sink(url)
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_not_a_database_is_refused(tmp_path):
    (tmp_path / "song.mid").write_bytes(b"MThd" * 1000)
    with pytest.raises(SinkError, match="not a database"):
        open_sink(tmp_path / "song.mid")
    assert (tmp_path / "song.mid").read_bytes() == b"MThd" * 1000


def test_sqlite_searches_by_key_and_tempo_with_indexes(tmp_path):
    url = f"sqlite:///{tmp_path}/facts.db"
    with open_sink(url) as sink:
        sink.finalize()
    plan = str(query(url, "EXPLAIN QUERY PLAN SELECT path FROM library WHERE key = 'Am' AND bpm BETWEEN 118 AND 124"))
    assert "analyses_key_bpm (key=? AND bpm>? AND bpm<?)" in plan and "files_analysis_id (analysis_id=? AND missing_since=?)" in plan


def test_sqlite_stores_the_shortest_decimals(tmp_path):
    url = f"sqlite:///{tmp_path}/facts.db"
    with open_sink(url) as sink:
        write(sink, make_batch([], [analysis_row(bpm=93.33333, bpm_mean=120.1, pitch_classes=[0.25, 0.083333, 1, *[0] * 9])]))
    assert query(url, "SELECT bpm, bpm_mean, pitch_classes FROM analyses") == [(93.33333, 120.1, "[0.25,0.083333,1,0,0,0,0,0,0,0,0,0]")]
    assert sqlite_path(url) == f"{tmp_path}/facts.db"


def test_both_databases_return_the_same_floats(tmp_path, pg_url):
    x = np.random.default_rng(3).uniform(0, 300, 500).astype("f4") * np.float32(10) ** np.arange(-9, 16).repeat(20)
    rows = [analysis_row(content_hash=i.to_bytes(16), bpm=v, bpm_mean=v) for i, v in enumerate(x, 1)]
    answers = []
    for url in (f"sqlite:///{tmp_path}/facts.db", pg_url):
        with open_sink(url) as sink:
            write(sink, make_batch([], rows))
        answers.append(query(url, "SELECT bpm, bpm_mean FROM analyses ORDER BY content_hash"))
    assert answers[0] == answers[1] and len(answers[0]) == 500


def test_postgres_column_types(pg_url):
    open_sink(pg_url).close()
    types = dict(
        query(
            pg_url,
            "SELECT attname::text, format_type(atttypid, atttypmod) || coalesce(' ' || nullif(collname, 'default'), '')"
            " FROM pg_attribute LEFT JOIN pg_collation c ON c.oid = attcollation"
            " WHERE attrelid IN ('files'::regclass, 'analyses'::regclass) AND attnum > 0",
        )
    )
    expected = {
        "path": "text C", "mtime_ns": "bigint", "analyzed_at": "timestamp with time zone", "status": "text", "content_hash": "bytea",
        "format": "smallint", "event_count": "integer", "duration_s": "double precision", "bpm": "real", "pitch_classes": "real[]",
        "programs": "smallint[]", "track_names": "text[]", "notes_hash": "bytea", "key": "text",
    }  # fmt: skip
    assert {name: types[name] for name in expected} == expected


@pytest.mark.parametrize("column", ["status", "bpm_source"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_enumerations_are_checked(tmp_path, request, column, database):
    url = f"sqlite:///{tmp_path}/facts.db" if database == "sqlite" else request.getfixturevalue("pg_url")
    with open_sink(url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
    table = "files" if column == "status" else "analyses"
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        query(url, f"UPDATE {table} SET {column} = 'else'")


@pytest.mark.parametrize("code", ["40P01", "40001"])
@pytest.mark.parametrize("conflicts", [2, 100])
def test_postgres_retries_conflicts(pg_url, code, conflicts):
    """A trigger raises the conflict; a sequence counts the attempts, because a rollback does not reset it."""
    open_sink(pg_url).close()
    query(
        pg_url,
        f"""
        CREATE SEQUENCE attempts;
        CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('attempts') <= {conflicts} THEN RAISE 'in the way' USING ERRCODE = '{code}'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER conflict BEFORE INSERT ON files EXECUTE FUNCTION conflict()""",
    )
    given_up = pytest.raises(SinkError, match="in the way") if conflicts == 100 else contextlib.nullcontext()
    with given_up, open_sink(pg_url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
    assert query(pg_url, "SELECT last_value FROM attempts") == [(3 if conflicts == 2 else 5,)]
    assert query(pg_url, "SELECT count(*) FROM library") == [(1 if conflicts == 2 else 0,)]


@pytest.mark.parametrize("writers", [1, 3])
def test_postgres_commits_in_the_background(pg_url, writers):
    """Each writer has a batch, one more batch is queued, and the next call of write() waits."""
    with open_sink(pg_url, writers) as sink:
        with open_transaction(pg_url, "LOCK TABLE analyses IN SHARE MODE"):
            for n in range(1, writers + 2):
                sink.write(one_file_batch(n))
            one_more = threading.Thread(target=sink.write, args=[one_file_batch(writers + 2)])
            one_more.start()
            wait_until(lambda: lock_waiters(pg_url) == writers)
            one_more.join(0.2)
            assert one_more.is_alive()
            assert query(pg_url, "SELECT count(*) FROM library") == [(0,)]
        one_more.join()
        sink.flush()
        assert query(pg_url, "SELECT count(*), count(bpm) FROM library") == [(writers + 2, writers + 2)]


@pytest.mark.parametrize("breaks", [False, True])
def test_postgres_commits_no_file_before_its_analysis(pg_url, breaks):
    """The batch with the analysis is blocked, or its connection breaks; a batch with a copy of the file follows."""
    orphans = "SELECT count(*) FROM library WHERE status = 'ok' AND bpm IS NULL"
    with (
        open_sink(pg_url, writers=2) as sink,
        open_transaction(pg_url, "INSERT INTO files SELECT '/1', 0, 0, NULL, 'crashed', NULL, 1, now()"),
    ):
        sink.write(one_file_batch(1))
        wait_until(lambda: lock_waiters(pg_url) == 1)
        sink.write(make_batch([file_row(path="/2", content_hash=(1).to_bytes(16))]))
        wait_until(lambda: lock_waiters(pg_url) == 2 or query(pg_url, "SELECT count(*) FROM files") == [(1,)])
        assert query(pg_url, orphans) == [(0,)]
        if breaks:
            break_connections(pg_url, "wait_event = 'transactionid' AND query ~ '^(COPY|INSERT INTO) files'")
            wait_until(lambda: query(pg_url, "SELECT path FROM files") == [("/2",)])
            assert query(pg_url, orphans) == [(0,)]
    assert query(pg_url, orphans) == [(0,)]
    assert query(pg_url, "SELECT path FROM files ORDER BY 1") == [("/1",), ("/2",)]


@pytest.mark.parametrize(("warm", "connections"), [(True, 1), (False, 4)])
def test_postgres_connections_are_kept_unless_cold(pg_url, warm, connections):
    open_sink(pg_url).close()
    query(
        pg_url,
        """
        CREATE TABLE writers (pid int);
        CREATE FUNCTION record_pid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO writers SELECT pg_backend_pid(); RETURN NULL;
        END $$;
        CREATE TRIGGER record_pid AFTER INSERT ON files EXECUTE FUNCTION record_pid()""",
    )
    with open_sink(pg_url, writers=1, warm=warm) as sink:
        for n in range(1, 5):
            write(sink, one_file_batch(n))
    assert query(pg_url, "SELECT count(*), count(DISTINCT pid) FROM writers") == [(4, connections)]


def test_postgres_with_too_few_connections_is_refused(pg_url, pg_dsn, monkeypatch):
    monkeypatch.setattr(postgres_connections, "CONNECT_TIMEOUT", 2)
    query(pg_dsn, "CREATE ROLE narrow LOGIN CONNECTION LIMIT 2")
    try:
        query(pg_url, "GRANT CREATE ON SCHEMA public TO narrow")
        with pytest.raises(SinkError, match="fewer writers"):
            open_sink(f"{pg_url}&user=narrow", writers=4)
    finally:
        query(pg_url, "DROP OWNED BY narrow")
        query(pg_dsn, "DROP ROLE narrow")


def test_each_postgres_schema_is_a_database(pg_url):
    query(pg_url, "CREATE SCHEMA mine")
    with open_sink(pg_url), open_sink(f"{pg_url}&options=-csearch_path%3Dmine") as mine:
        write(mine, make_batch([file_row()], [analysis_row()]))
    assert query(pg_url, "SELECT (SELECT count(*) FROM library), (SELECT count(*) FROM mine.library)") == [(0, 1)]
    with pytest.raises(SinkError, match="no schema"):
        open_sink(f"{pg_url}&options=-csearch_path%3Dnowhere")


def test_postgres_must_have_the_encoding_utf8(pg_url):
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE midiopt_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(SinkError, match="LATIN1"):
                open_sink(f"{pg_url}&dbname=midiopt_latin")
        finally:
            connection.execute("DROP DATABASE midiopt_latin")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@localhost:1/name",
        "postgresql://me:s3cret@/name?host=/nonexistent",
        "postgres://me:ab@s3cret@localhost:1/name",
        "postgres://me:ab/s3cret@localhost:1/name",
        "postgres://me:s3cret#@localhost:1/name",
        "postgres://me:s3cret%@localhost:1/name",
        "postgres://localhost:s3cret/name?password=s3cret",
        "postgres://localhost:1/name?password=s3cret&nonsense=1",
    ],
)
def test_a_connection_error_shows_no_password(url):
    with pytest.raises(SinkError, match="cannot connect to PostgreSQL: ") as caught:
        open_sink(url)
    assert "s3cret" not in str(caught.value) and "\n" not in str(caught.value)
    assert "refused Is" not in str(caught.value), "the lines of an error are sentences"
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_missing_postgres_driver_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"midiopt\[postgres\]"):
        open_sink("postgresql://localhost/name")
