"""Databases of every older schema are upgraded when they are opened for writing, and lose nothing.

`schemas/` has the statements that the last commit with each schema executed. Tests without a number of their own take schema 6, the last
one that joined files to analyses by a hash of their content.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks import postgres_server
from midiopt.errors import SinkError
from midiopt.schema import ANALYSES, FILES, RUNS, SCHEMA_VERSION, TRACKS
from midiopt.sinks import open_sink, postgres_tables, sqlite_tables, upgrade_notice
from midiopt.sinks.sql import WIDE_ISSUES_VERSION
from tests.helpers.batches import NOW, analysis_row, file_row, make_batch, query, records, sqlite_path, stored, track_row, write

HASHES = [bytes([n]) * 16 for n in range(1, 4)]
FILE_ROWS = [
    file_row(path="/a", content_hash=HASHES[0]),
    file_row(path="/b", content_hash=HASHES[1], status="repaired", error="why"),
    file_row(path="/copy of a", content_hash=HASHES[0], analysis_us=None, name_key=None),
    file_row(path="/rejected", content_hash=HASHES[1], status="rejected", error="no longer read"),
    file_row(path="/unreadable", content_hash=None, status="unreadable", error="gone"),
]
ISSUES = 5 | 9 << 32  # repairs, and what is unusual
ANALYSIS_ROWS = [
    analysis_row(content_hash=HASHES[0], is_loop=False, issues=ISSUES),
    analysis_row(content_hash=HASHES[1], is_loop=None, title=None, notes_hash=None),
    analysis_row(content_hash=HASHES[2], track_names=["of no file", '"']),
]
TRACK_ROWS = [track_row(content_hash=HASHES[1]), track_row(content_hash=HASHES[1], track=1, name=None)]
RUN = {c.name: 5 for c in RUNS} | {
    "id": 1, "started": NOW, "ended": None, "outcome": "finished", "error": None, "version": "1", "build": "release",
    "sources": ["/a", "/b"], "options": "{}", "seconds": 1.5,
}  # fmt: skip
ROWS = {"analyses": ANALYSIS_ROWS, "files": FILE_ROWS, "tracks": TRACK_ROWS, "runs": [RUN]}
LINKS = "SELECT path, content_hash, bpm, title FROM library ORDER BY path"
SCHEMAS = Path(__file__).parent / "schemas"
RELEASE_BEFORE, FIRST_WITH_IDS = 6, 7
every_schema = pytest.mark.parametrize("old", range(1, SCHEMA_VERSION), indirect=True)


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


@pytest.fixture
def old(url: str, request) -> str:
    """The URL of a database of an older schema, that of the release before unless the test names one."""
    version = getattr(request, "param", RELEASE_BEFORE)
    script = (SCHEMAS / f"{version}_{'sqlite' if is_sqlite(url) else 'postgres'}.sql").read_text()
    meta = "INSERT INTO meta VALUES ('product', 'midiopt'), ('schema_version', '{}'), ('content_key', '{}')".format(version, "07" * 32)
    with contextlib.closing(sqlite3.connect(sqlite_path(url)) if is_sqlite(url) else psycopg.connect(url)) as connection:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(script)
        else:
            connection.execute(script.encode())
        connection.execute(meta)
        connection.commit()
    for table, columns in columns_of(url).items():
        for row in old_rows(table, version):
            names = [name for name in row if name in columns and not (table == "runs" and name == "id")]
            insert(url, f"INSERT INTO {table} ({', '.join(names)}) VALUES", [old_value(url, version, name, row[name]) for name in names])
    return url


def old_rows(table: str, version: int) -> list[dict[str, Any]]:
    """The rows of a table, from schema 7 on with the numbers of analyses."""
    numbers = {digest: n for n, digest in enumerate(HASHES, 1)} if version >= FIRST_WITH_IDS else {}
    of_analyses = {row["path"]: row["content_hash"] for row in FILE_ROWS if row["status"] in ("ok", "repaired")}
    rows = []
    for row in ROWS[table]:
        if numbers and table == "analyses":
            row = row | {"id": numbers[row["content_hash"]]}
        elif numbers and table in ("files", "tracks"):
            row = row | {"analysis_id": numbers.get(row["content_hash"] if table == "tracks" else of_analyses.get(row["path"]))}
        rows.append(row)
    return rows


def insert(url: str, statement: Any, values: list[Any]) -> None:
    """Insert one row."""
    with contextlib.closing(sqlite3.connect(sqlite_path(url)) if is_sqlite(url) else psycopg.connect(url)) as connection:
        connection.execute(f"{statement} ({', '.join(['?' if is_sqlite(url) else '%s'] * len(values))})", values)
        connection.commit()


def old_value(url: str, version: int, name: str, value: Any) -> Any:
    """As the commit with that schema wrote it."""
    if name == "issues" and version < WIDE_ISSUES_VERSION:
        return value & 0xFFFF | value >> 32 << 16
    if not is_sqlite(url):
        return value
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}" if version >= FIRST_WITH_IDS else f"{value:%Y-%m-%d %H:%M:%S.%f}"
    return json.dumps(value) if isinstance(value, list) else value


def columns_of(url: str) -> dict[str, set[str]]:
    """The columns of each table that a database has, in the order in which rows can be inserted."""
    found = {}
    for table in ROWS:
        of_sqlite = f"SELECT name FROM pragma_table_info('{table}')"
        of_postgres = f"SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"
        if columns := {name for (name,) in query(url, of_sqlite if is_sqlite(url) else of_postgres)}:
            found[table] = columns
    return found


def upgrade(url: str) -> None:
    open_sink(url).close()
    assert query(url, "SELECT value FROM meta WHERE key = 'schema_version'") == [(str(SCHEMA_VERSION),)]


@every_schema
def test_every_row_is_kept(old):
    """Columns that the older schema has not are null, until the file is analysed again."""
    columns = columns_of(old)
    before = {table: stored_columns(old, table, names) for table, names in columns.items()}
    upgrade(old)
    assert {"files", "analyses"} <= columns.keys()
    batch = make_batch(FILE_ROWS, ANALYSIS_ROWS, TRACK_ROWS if "tracks" in columns else ())
    for table in (FILES, ANALYSES, TRACKS):
        there = columns.get(table.name, set()) | {"content_hash"}
        expected = [{name: value if name in there else None for name, value in row.items()} for row in records(batch, table.name)]
        assert stored(old, table.name) == expected
    unchanged = {table: names - {"issues", "analyzed_at", "started"} for table, names in columns.items()}
    for table, names in unchanged.items():
        assert stored_columns(old, table, names) == [{name: row[name] for name in names} for row in before[table]]
    if "runs" in columns:
        [(started, ended, files)] = query(old, "SELECT started, ended, files FROM runs")
        assert (str(started)[:26].replace("T", " "), ended, files) == (str(NOW)[:26], None, 5)
    assert query(old, "SELECT value FROM meta WHERE key = 'content_key'") == [("07" * 32,)]


def stored_columns(url: str, table: str, names: set[str]) -> list[dict[str, Any]]:
    """The values of these columns as the database has them."""
    order = {"analyses": "content_hash", "files": "path", "tracks": "analysis_id, track", "runs": "id"}[table]
    listed = sorted(names)
    return [dict(zip(listed, row, strict=True)) for row in query(url, f"SELECT {', '.join(listed)} FROM {table} ORDER BY {order}")]


@pytest.fixture
def new(url: str, tmp_path: Path, request) -> Iterator[str]:
    """The URL of another database of the same kind, which is empty."""
    if is_sqlite(url):
        yield f"sqlite:///{tmp_path}/new.db"
        return
    with postgres_server.database(request.getfixturevalue("pg_dsn")) as database:
        yield database


@every_schema
def test_it_becomes_what_a_new_database_is(old, new):
    """The same tables, views and indexes with the same columns."""
    for url in (old, new):
        with open_sink(url) as sink:
            sink.finalize()
    assert relations(old) == relations(new)


def relations(url: str) -> set[tuple[Any, ...]]:
    """Tables, views and indexes, and the columns of all of them, with their types."""
    if is_sqlite(url):
        listed = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        columns = "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')"
    else:
        listed = "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%key'"
        columns = (
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public'"
        )
    return {*query(url, listed), *query(url, columns)}


@every_schema
def test_files_refer_to_their_analyses(old):
    upgrade(old)
    joined = "SELECT path, analyses.content_hash FROM files LEFT JOIN analyses ON id = analysis_id ORDER BY path"
    expected = [("/a", HASHES[0]), ("/b", HASHES[1]), ("/copy of a", HASHES[0]), ("/rejected", None), ("/unreadable", None)]
    assert query(old, joined) == expected
    a, b = HASHES[0].hex(), HASHES[1].hex()
    assert query(old, LINKS) == [
        ("/a", a, 0.5, "some text"),
        ("/b", b, 0.5, None),
        ("/copy of a", a, 0.5, "some text"),
        ("/rejected", b, None, None),
        ("/unreadable", None, None, None),
    ]


@every_schema
def test_the_next_run_goes_on(old):
    """What is as it was is not written again, a new content gets an id of its own, and the analysis without a file is deleted."""
    upgrade(old)
    before = query(old, "SELECT id, content_hash FROM analyses ORDER BY id")
    new = b"\x09" * 16
    with open_sink(old) as sink:
        write(sink, make_batch([*FILE_ROWS, file_row(path="/new", content_hash=new)], [*ANALYSIS_ROWS, analysis_row(content_hash=new)]))
        after = query(old, "SELECT id, content_hash FROM analyses ORDER BY id")
        assert after[:3] == before and [digest for _, digest in after[3:]] == [new]
        assert sink.finalize() == 1
    assert {digest for (digest,) in query(old, "SELECT content_hash FROM analyses")} == {HASHES[0], HASHES[1], new}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("old", [7, 8], indirect=True)
def test_tables_that_lack_columns_only_are_not_copied(old, url):
    pages = "SELECT name, rootpage FROM sqlite_master WHERE name IN ('files', 'analyses', 'tracks') ORDER BY name"
    query(url, "ALTER TABLE analyses ADD COLUMN rating INTEGER DEFAULT 3")
    before = query(url, pages)
    assert len(before) == 3
    upgrade(url)
    assert query(url, pages) == before
    assert query(url, "SELECT DISTINCT rating FROM analyses") == [(3,)]


def test_what_a_user_has_added_is_kept(old):
    """A column, an index, a trigger, and a view over `library`."""
    query(old, "ALTER TABLE analyses ADD COLUMN stars INTEGER DEFAULT 3")
    query(old, "UPDATE analyses SET stars = 5 WHERE bpm = 0.5 AND is_loop IS NULL")
    query(old, "CREATE INDEX of_mine ON files (size_bytes)")
    query(old, "CREATE VIEW mine AS SELECT path, bpm, content_hash FROM library WHERE bpm > 0")
    query(old, "CREATE VIEW of_tables AS SELECT path, analyzed_at, analysis_us FROM files")
    if is_sqlite(old):
        query(old, "CREATE TRIGGER watch AFTER DELETE ON files BEGIN INSERT INTO meta VALUES (old.path, ''); END")
    upgrade(old)
    assert query(old, "SELECT stars FROM analyses ORDER BY content_hash") == [(3,), (5,), (3,)]
    assert query(old, "SELECT path, bpm FROM mine ORDER BY path") == [("/a", 0.5), ("/b", 0.5), ("/copy of a", 0.5)]
    assert len(query(old, "SELECT * FROM of_tables")) == 5
    if is_sqlite(old):
        names = query(old, "SELECT name FROM sqlite_master WHERE name IN ('of_mine', 'watch') ORDER BY 1")
        assert names == [("of_mine",), ("watch",)]
    else:
        assert query(old, "SELECT indexname FROM pg_indexes WHERE indexname = 'of_mine'") == [("of_mine",)]
        assert query(old, "SELECT content_hash FROM mine ORDER BY path")[0] == (HASHES[0],)  # in the type that the view was made with


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("old", [FIRST_WITH_IDS], indirect=True)
def test_views_over_tracks_are_kept(old, url):
    query(url, "CREATE VIEW mine AS SELECT * FROM library_tracks")
    upgrade(url)
    expected = [("/b", 0, 7), ("/b", 1, 7)]
    for view in ("mine", "library_tracks"):
        assert query(url, f"SELECT path, track, note_count FROM {view} ORDER BY path, track") == expected


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_grants_on_the_view_hold_on(old, url):
    query(url, "CREATE ROLE upgrade_reader NOLOGIN")
    try:
        query(url, "GRANT SELECT ON library TO upgrade_reader WITH GRANT OPTION")
        query(url, "GRANT UPDATE (path) ON library TO PUBLIC")
        query(url, "CREATE VIEW mine AS SELECT * FROM library")
        upgrade(url)
        allowed = "SELECT has_table_privilege('upgrade_reader', 'library', 'SELECT WITH GRANT OPTION'),"
        assert query(url, f"{allowed} has_column_privilege('upgrade_reader', 'library', 'path', 'UPDATE')") == [(True, True)]
    finally:
        query(url, "DROP OWNED BY upgrade_reader")
        query(url, "DROP ROLE upgrade_reader")


def test_an_interrupted_upgrade_changes_nothing(old, monkeypatch):
    def fail(dialect: object) -> str:
        return "SELECT FROM nowhere WHERE"

    before = query(old, "SELECT * FROM files ORDER BY path"), query(old, "SELECT * FROM library ORDER BY path")
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_tables if is_sqlite(old) else postgres_tables, "create_view", fail)
        with pytest.raises(SinkError):
            open_sink(old)
    assert (query(old, "SELECT * FROM files ORDER BY path"), query(old, "SELECT * FROM library ORDER BY path")) == before
    upgrade(old)
    assert stored(old, "files") == records(make_batch(FILE_ROWS), "files")


def test_the_new_tables_have_types_and_keys(old):
    """As in a database that this release has made, where reflection finds the keys."""
    with open_sink(old) as sink:
        sink.finalize()
    if is_sqlite(old):
        types = {name: kind for _, name, kind, *_ in query(old, "PRAGMA table_info(analyses)")}
        keys = [name for _, name, _, _, _, key in query(old, "PRAGMA table_info(analyses)") if key]
        [(_, _, table, column, to, *_)] = query(old, "PRAGMA foreign_key_list(files)")
        assert (types["is_loop"], keys, (table, column, to)) == ("BOOLEAN", ["id"], ("analyses", "analysis_id", "id"))
    else:
        kinds = "SELECT contype::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('p', 'f') AND"
        found = query(old, f"{kinds} conrelid IN ('files'::regclass, 'analyses'::regclass)")
        assert {("p", "PRIMARY KEY (id)"), ("f", "FOREIGN KEY (analysis_id) REFERENCES analyses(id)")} <= set(found)


def test_times_have_a_zone(old):
    upgrade(old)
    if is_sqlite(old):
        assert query(old, "SELECT DISTINCT analyzed_at FROM library") == [("2024-02-29T23:59:59.999999Z",)]
        assert query(old, "SELECT datetime(started) FROM runs") == [("2024-02-29 23:59:59",)]


def test_the_upgrade_of_a_large_database_tells_how_far_it_is(old, monkeypatch):
    """A database of SQLite is copied in parts. Nothing is told while it takes no time."""
    if not is_sqlite(old):
        pytest.skip("PostgreSQL changes its tables in place")
    expected = {table: query(old, f"SELECT count(*) FROM {table}") for table in ("files", "analyses", "runs")}
    told: list[str] = []
    monkeypatch.setattr(upgrade_notice, "FIRST", 0.0)
    monkeypatch.setattr(upgrade_notice, "INTERVAL", 0.0)
    monkeypatch.setattr(sqlite_tables, "COPIED_ROWS", 2)
    open_sink(old, notify=told.append).close()
    assert {table: query(old, f"SELECT count(*) FROM {table}") for table in expected} == expected
    start = f"{sqlite_path(old)} is brought from schema {RELEASE_BEFORE} to {SCHEMA_VERSION}: "
    assert all(line.startswith(start) and line.endswith("seconds left") for line in told)
    shares = [int(line.removeprefix(start).partition("%")[0]) for line in told]
    assert len(shares) >= 5 and shares == sorted(shares) and shares[-1] == 100
    told.clear()
    open_sink(old, notify=told.append).close()
    assert told == []
