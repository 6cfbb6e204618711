"""The contract of a database (sinks/base.py): the same tests over SQLite, PostgreSQL and Parquet directories."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import json
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midiopt.errors import DatabaseBusy, SinkError
from midiopt.kinds import BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, SET, SHARES, SKETCH, TEXT, TEXTS, TIME
from midiopt.rows.batch import Batch
from midiopt.schema import ANALYSES, ANALYZER_VERSION, BPM_SOURCES, FILES, KEYS, LIBRARY_ONLY, STATUSES, Column, issue_names
from midiopt.sinks import open_sink
from midiopt.sources.paths import path_text
from tests.helpers.batches import HASH, NOW, analysis_row, file_row, make_batch, make_older, query, records, stored, write
from tests.helpers.databases import WRITERS, url_of_writer
from tests.helpers.extremes import INTEGERS, highest, lowest, null

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture(params=[*WRITERS, "parquet"])
def url(request, tmp_path, monkeypatch) -> str:
    """An empty database of each kind, written in each way."""
    if request.param == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        return f"parquet:{tmp_path}/facts"
    return url_of_writer(request.param, request, tmp_path, monkeypatch)


@pytest.fixture
def sql_url(url_of_each_writer: str) -> str:
    """Those with tables, which others may change."""
    return url_of_each_writer


@pytest.fixture
def sink(url):
    with open_sink(url) as sink:
        yield sink


def with_files(files: list[dict], analyses: list[dict]) -> dict[str, list[dict]]:
    """The rows, and a file for each analysis: in a Parquet directory there is no analysis without one."""
    paths = (f"/a path that no other row of these tests has/{row['content_hash'].hex()}" for row in analyses)
    own = [
        file_row(path=path, content_hash=row["content_hash"], analyzer_version=row["analyzer_version"])
        for path, row in zip(paths, analyses, strict=True)
    ]
    return {"files": [*files, *own], "analyses": analyses}


def content_hash(n: int) -> bytes:
    return n.to_bytes(16)


def extreme_rows() -> Batch:
    """Every column at its lowest, highest and null value, and every value of the enumerations."""
    files, analyses = ([{c.name: end(c) for c in columns} for end in (lowest, highest, null)] for columns in (FILES, ANALYSES))
    files[0]["path"], files[1]["path"], files[2]["path"] = "/", "/" + "\U0010ffff" * 499, "/null"
    analyses[2]["content_hash"] = content_hash(1 << 100)
    files += [file_row(path=f"/{status}", status=status) for status in STATUSES]
    analyses += [analysis_row(content_hash=content_hash(100 + i), key=k, key_notes=KEYS[-i], key_declared=k) for i, k in enumerate(KEYS)]
    analyses += [analysis_row(content_hash=content_hash(200 + i), bpm_source=s) for i, s in enumerate(BPM_SOURCES)]
    return make_batch(**with_files(files, analyses))


def test_extremes_and_nulls_are_read_back(sink, url):
    batch = extreme_rows()
    write(sink, batch)
    for table in ("files", "analyses"):
        assert stored(url, table) == records(batch, table)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
STRATEGIES = {
    TEXT: texts,
    TEXTS: st.lists(texts.filter(bool), max_size=5),
    FLOAT32: st.floats(width=32, allow_nan=False) | st.floats(0, 300, width=32),
    FLOAT64: st.floats(allow_nan=False),
    SHARES: st.lists(st.integers(0, 10**6).map(lambda n: n / 10**6), min_size=12, max_size=12),
    HASH16: st.binary(min_size=16, max_size=16).filter(any),
    HASH8: st.binary(min_size=8, max_size=8).filter(any),
    SKETCH: st.lists(st.integers(1, 2**24 - 1), min_size=1, max_size=32, unique_by=lambda hash_: hash_ >> 19).map(sorted),
    BOOL: st.booleans(),
    TIME: st.datetimes(timezones=st.just(dt.UTC)),
} | {kind: st.integers(kind.low, kind.high) for kind in INTEGERS}


def column_values(c: Column):
    if c.kind is ENUM:
        strategy = st.sampled_from(c.values)
    elif c.kind is SET:
        strategy = st.sets(st.integers(c.first, c.first + c.bits - 1)).map(sorted)
    else:
        strategy = STRATEGIES[c.kind]
    return st.none() | strategy if c.nullable else strategy


def table_rows(columns, key):
    return st.lists(st.fixed_dictionaries({c.name: column_values(c) for c in columns}), max_size=4, unique_by=lambda row: row[key])


def test_all_databases_return_the_rows_that_were_written(tmp_path, pg_url):
    parquet_url = f"parquet:{tmp_path}/facts"

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(files=table_rows(FILES, "path"), analyses=table_rows(ANALYSES, "content_hash"))
    def check(files, analyses):
        batch = make_batch(**with_files(files, analyses))
        for sink in databases.values():
            write(sink, batch)
        if HAS_PYARROW:  # whose rows can be read when it is closed
            with open_sink(parquet_url) as sink:
                write(sink, batch)
        for url in (*databases, *([parquet_url] if HAS_PYARROW else [])):
            for table, key in (("files", "path"), ("analyses", "content_hash")):
                expected = records(batch, table)
                written = {row[key] for row in expected}
                assert [row for row in stored(url, table) if row[key] in written] == expected

    with contextlib.ExitStack() as opened:
        databases = {url: opened.enter_context(open_sink(url)) for url in (f"sqlite:///{tmp_path}/facts.db", pg_url)}
        check()


def test_writing_twice_changes_nothing(sink, url):
    write(sink, make_batch([file_row()], [analysis_row()]))
    before = stored(url, "files"), stored(url, "analyses")
    write(sink, make_batch([file_row(analyzed_at=LATER, analysis_us=1)], [analysis_row()]))
    assert (stored(url, "files"), stored(url, "analyses")) == before


OTHER = {TEXT: "other", TEXTS: ["other"], SHARES: [0.0] * 12, HASH16: content_hash(5), HASH8: bytes(7) + b"\5", SET: [], SKETCH: [2**23]}


@pytest.mark.parametrize("was_null", [False, True])
def test_a_change_of_any_column_is_stored(sink, url, was_null):
    before, after = {}, {}
    for table, columns, key, make in (("files", FILES, "path", file_row), ("analyses", ANALYSES, "content_hash", analysis_row)):
        changed = [c for c in columns if c.name != key and not c.volatile and (c.nullable or not was_null)]
        keys = [{key: f"/{i:03}" if table == "files" else content_hash(900 + i)} for i in range(len(changed))]
        before[table] = [make(**k, **{c.name: None} if was_null else {}) for k, c in zip(keys, changed, strict=True)]
        after[table] = [
            make(**k, **{c.name: c.values[1] if c.values else OTHER.get(c.kind, 99)}) for k, c in zip(keys, changed, strict=True)
        ]
    for row in after["files"]:
        row["analyzed_at"] = LATER
    before, after = with_files(**before), with_files(**after)
    write(sink, make_batch(**before))
    write(sink, make_batch(**after))
    for table in ("files", "analyses"):
        assert stored(url, table) == records(make_batch(**after), table)


def test_the_last_row_with_a_key_is_stored(sink, url):
    files = [file_row(size_bytes=1), file_row(path="/else"), file_row(size_bytes=2)]
    write(sink, make_batch(files, [analysis_row(bpm=1.0), analysis_row(bpm=2.0)]))
    assert query(url, "SELECT path, size_bytes FROM files ORDER BY 1") == [("/else", 7), ("some text", 2)]
    assert query(url, "SELECT bpm FROM analyses") == [(2.0,)]


def test_paths_that_are_not_utf8_are_escaped(sink, url):
    paths = [path_text(p) for p in (b"/caf\xe9.mid", b"/nul\0.mid", b"/back\\slash.mid", "/日本/ü.mid".encode(), b"/" + b"\xff" * 3000)]
    title = "a\0b".replace("\0", "")
    batch = make_batch([file_row(path=path) for path in paths], [analysis_row(title=title)])
    write(sink, batch)
    assert stored(url, "files") == records(batch, "files")
    assert query(url, "SELECT title FROM analyses") == [("ab",)]


def test_an_empty_batch_stores_nothing(sink):
    write(sink, make_batch())
    assert sink.finalize() == 0 and list(sink.iter_files()) == list(sink.iter_content_hashes()) == []


def test_the_library_view_joins_analysed_files_only(sink, url):
    files = [file_row(path=f"/{i}", status=status) for i, status in enumerate(STATUSES)]
    write(sink, make_batch([*files, file_row(path="/9", status="unreadable", content_hash=None)], [analysis_row(bpm=120.0)]))
    bpm = [(f"/{i}", 120.0 if status in ("ok", "repaired") else None) for i, status in enumerate(STATUSES)]
    assert query(url, "SELECT path, bpm FROM library ORDER BY path") == [*bpm, ("/9", None)]
    names = [c.name for c in FILES] + [c.name for c in ANALYSES if c.name not in ("content_hash", "analyzer_version", "sketch")]
    names += [c.name for c in LIBRARY_ONLY]
    assert len(query(url, "SELECT * FROM library")[0]) == len(names)
    assert len(query(url, f"SELECT {', '.join(names)} FROM library")) == len(files) + 1


def test_finalize_counts_duplicates_of_analysed_files(sink):
    assert sink.finalize() == 0
    statuses = ["ok", "ok", "ok", "repaired", "rejected", "rejected", "crashed"]
    contents = [1, 1, 2, 2, 3, 3, 3]
    rows = enumerate(zip(statuses, contents, strict=True))
    files = [file_row(path=f"/{i}", status=status, content_hash=content_hash(n)) for i, (status, n) in rows]
    files.append(file_row(path="/x", status="unreadable", content_hash=None))
    write(sink, make_batch(files, [analysis_row(content_hash=content_hash(n)) for n in (1, 2)]))
    assert sink.finalize() == 2


def test_iter_files_returns_every_file_and_whether_it_is_settled(sink):
    files = [file_row(path=f"/{s}", status=s, size_bytes=2**40 + i, mtime_ns=-i) for i, s in enumerate(STATUSES)]
    others = [
        file_row(path=f"/{name}", analyzer_version=ANALYZER_VERSION + d, size_bytes=1, mtime_ns=1) for name, d in (("old", -1), ("z", 1))
    ]
    others.append(file_row(path="/kept", status="opened", error="3 of its members are gone"))
    write(sink, make_batch([*files, *others]))
    settled = {"/ok", "/repaired", "/rejected", "/opened", "/z"}
    assert {path for path, _, _, is_settled in chain(*sink.iter_files()) if is_settled} == settled
    assert {path for path, _, _, is_settled in chain(*sink.iter_files(keep_old=True)) if is_settled} == settled | {"/old"}
    rows = [(row["path"], row["size_bytes"], row["mtime_ns"]) for row in [*files, *others]]
    assert sorted(row[:3] for row in chain(*sink.iter_files())) == sorted(rows)
    assert list(sink.iter_content_hashes()) == ([HASH] if sink.shares_analyses else [])


def test_paths_are_in_the_order_of_their_bytes_and_can_be_deleted(sink, url):
    names = ["/a", "/a/b", "/a/b.mid", "/a/\U0001f3b9", "/a/é", "/a0", "/b"]
    write(sink, make_batch([file_row(path=name) for name in names]))
    below = sorted(names[1:5], key=str.encode)
    assert sink.paths_between("/a/", "/a0") == below
    assert sink.paths_between(below[1], "/a0") == below[2:]
    sink.delete_files(below[:3])
    assert [path for (path,) in query(url, "SELECT path FROM files ORDER BY 1")] == ["/a", below[3], "/a0", "/b"]


def missing_since(url) -> dict[str, object]:
    """As the database has it."""
    return dict(query(url, "SELECT path, missing_since FROM files WHERE missing_since IS NOT NULL"))


def test_missing_files_are_marked_and_cleared(sink, url):
    paths = [f"/a/{i}" for i in range(5)]
    write(sink, make_batch([file_row(path=path) for path in paths], [analysis_row()]))
    assert sink.last_missing() is None
    sink.mark_missing(paths[:2], NOW)
    assert sink.last_missing() == NOW
    sink.mark_missing([*paths[:3], "/nowhere"], LATER)
    marked = missing_since(url)
    assert list(marked) == paths[:3] and marked[paths[0]] == marked[paths[1]] != marked[paths[2]], "since the first time"
    assert [path for page in sink.missing_paths() for path in page] == paths[:3]
    assert (sink.paths_between("/a/", "/a0"), sink.paths_between("/a/", "/a0", missing=True)) == (paths[3:], paths[:3])
    assert sink.paths_between(paths[0], paths[2], missing=True) == [paths[1]]
    assert (sink.count_between("/a/", "/a0"), sink.count_between("/b/", "/b0")) == (5, 0)
    assert query(url, "SELECT count(*) FROM library") == [(2,)]
    sink.clear_missing([paths[0], "/nowhere"])
    assert list(missing_since(url)) == paths[1:3]
    write(sink, make_batch([file_row(path=paths[1])], [analysis_row()]))
    assert list(missing_since(url)) == [paths[2]], "a file that is written is there, though nothing else has changed"


def test_members_that_went_with_their_archive_come_back_with_it(sink, url):
    paths = ["/a.zip", *(f"/a.zip!/{i}" for i in range(3)), "/b.zip", "/b.zip!/0"]
    write(sink, make_batch([file_row(path=path) for path in paths], [analysis_row()]))
    sink.mark_missing(["/a.zip!/1"], NOW)
    sink.mark_missing(paths, LATER)
    sink.clear_missing_between("/a.zip!/", "/a.zip!0", "/a.zip")
    assert sorted(missing_since(url)) == ["/a.zip", "/a.zip!/1", "/b.zip", "/b.zip!/0"]


def test_moved_files_are_counted(sink, url):
    """Each new path counts for one file; one that was there when the last run finished, for none."""
    contents = {name: content_hash(i) for i, name in enumerate("abcd", 1)}
    earlier, run = NOW - dt.timedelta(days=1), {"version": "1", "build": "release", "sources": [], "options": "{}"}

    def of(path: str, when: dt.datetime) -> dict:
        return file_row(path=path, content_hash=contents[path[1]], analyzed_at=when)

    old = ["/a1", "/a2", "/b1", "/c1", "/d1"]
    rows = [*(of(path, earlier) for path in (*old, "/b2")), *(of(path, LATER) for path in ("/a3", "/c2", "/c3"))]
    write(sink, make_batch(rows, [analysis_row(content_hash=key) for key in contents.values()]))
    sink.mark_missing(old, LATER)
    sink.start_run({"started": earlier, **run})
    sink.end_run({"ended": NOW, "outcome": "finished"})
    assert sink.count_moved(LATER) == 2, "/a3 and one of /c2 and /c3"
    assert sink.count_moved(NOW) == 0, "that run has missed none"
    assert sink.finalize() == 1, "/c2 and /c3 share their bytes; what is missing is no duplicate"


def test_devices_of_folders_are_kept(sink):
    assert sink.devices() == {}
    for device in ("1 2", "3 4"):
        sink.store_device("/a/", device)
        sink.store_device("/50%/\\xff/", "5 6")
        assert sink.devices() == {"/a/": device, "/50%/\\xff/": "5 6"}


def test_one_run_writes_and_others_read(url):
    with open_sink(url) as sink:
        with pytest.raises(DatabaseBusy, match="another run"):
            open_sink(url)
        write(sink, make_batch([file_row()], [analysis_row()]))
        assert len(stored(url, "files")) == 1
    with pytest.raises(ZeroDivisionError), open_sink(url):
        raise ZeroDivisionError
    open_sink(url).close()


def test_only_finalize_creates_indexes(sql_url):
    def indexes():
        table = "pg_indexes" if sql_url.startswith("postgresql") else "sqlite_master"
        column = "indexname" if sql_url.startswith("postgresql") else "name"
        return query(sql_url, f"SELECT {column} FROM {table} WHERE {column} LIKE 'analyses_key_bpm'")

    open_sink(sql_url).close()
    assert indexes() == []
    for _ in range(2):
        sink = open_sink(sql_url)
        sink.finalize()
        sink.close()
        sink.close()
        assert len(indexes()) == 1


def test_finalize_deletes_analyses_without_a_file(sql_url):
    with open_sink(sql_url) as sink:
        files = [file_row(path="/a", content_hash=content_hash(1)), file_row(path="/b", content_hash=content_hash(2))]
        write(sink, make_batch(files, [analysis_row(content_hash=content_hash(n)) for n in (1, 2)]))
        write(sink, make_batch([file_row(path="/a", content_hash=content_hash(3))], [analysis_row(content_hash=content_hash(3))]))
        write(sink, make_batch([file_row(path="/b", status="rejected", error="why", content_hash=content_hash(2))]))
        assert query(sql_url, "SELECT count(*) FROM analyses") == [(3,)]
        sink.finalize()
        assert [row["content_hash"] for row in stored(sql_url, "analyses")] == [content_hash(3)]


def run_rows(url) -> list[tuple]:
    return query(url, "SELECT id, outcome, error, files, ended IS NULL FROM runs ORDER BY id")


def test_runs_are_recorded(url):
    facts = {"started": NOW, "version": "1", "build": "release", "sources": ["/a", "/b"], "options": "{}"}
    with open_sink(url) as sink:
        sink.start_run(facts)
        assert run_rows(url) == [(1, None, None, None, True)]
        sink.end_run({"ended": LATER, "outcome": "failed", "error": "why", "files": 7})
    open_sink(url).close()
    assert run_rows(url) == [(1, "failed", "why", 7, False)]
    for _ in range(2):
        with open_sink(url) as sink:
            sink.start_run(facts)
    assert run_rows(url)[1:] == [(2, "killed", None, None, True), (3, None, None, None, True)]
    [(started, sources)] = query(url, "SELECT started, sources FROM runs WHERE id = 1")
    assert str(started)[:26].replace("T", " ") == str(NOW)[:26] and (sources if isinstance(sources, list) else json.loads(sources)) == [
        "/a",
        "/b",
    ]


@pytest.mark.parametrize("name", ["runs", "tracks"])
def test_a_later_table_of_another_program_is_refused(sql_url, name):
    open_sink(sql_url).close()
    query(sql_url, "DROP TABLE runs")
    make_older(sql_url, 1)
    query(sql_url, f"CREATE TABLE {name} (path text)")
    with pytest.raises(SinkError, match=f"already has {name}"):
        open_sink(sql_url)
    query(sql_url, f"DROP TABLE {name}")
    open_sink(sql_url).close()
    assert run_rows(sql_url) == []


@pytest.mark.parametrize("name", ["files", "analyses", "library", "meta", "runs", "tracks", "library_tracks"])
def test_tables_of_another_program_are_left_alone(sql_url, name):
    query(sql_url, f"CREATE TABLE {name} (path text)")
    query(sql_url, f"INSERT INTO {name} VALUES ('precious')")
    for _ in range(2):
        with pytest.raises(SinkError, match=f"already has {name}, not made by midiopt"):
            open_sink(sql_url)
    assert query(sql_url, f"SELECT * FROM {name}") == [("precious",)]
    assert query(
        sql_url, "SELECT count(*) FROM " + ("pg_tables WHERE schemaname = 'public'" if "postgresql" in sql_url else "sqlite_master")
    ) == [(1,)]


def test_other_tables_may_be_in_the_database(sql_url):
    query(sql_url, "CREATE TABLE songs (path text)")
    open_sink(sql_url).close()
    assert query(sql_url, "SELECT count(*) FROM songs") == [(0,)]


def test_a_newer_schema_is_refused(sql_url):
    with open_sink(sql_url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
    before = stored(sql_url, "files"), stored(sql_url, "analyses")
    query(sql_url, "UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(SinkError, match="upgrade midiopt"):
        open_sink(sql_url)
    assert (stored(sql_url, "files"), stored(sql_url, "analyses")) == before


def test_an_older_schema_is_upgraded(sql_url):
    with open_sink(sql_url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
    query(sql_url, "DROP VIEW library")
    query(sql_url, "ALTER TABLE analyses DROP COLUMN sysex_count")
    query(sql_url, "ALTER TABLE files DROP COLUMN error")
    if sql_url.startswith("postgresql"):
        query(sql_url, "ALTER TABLE analyses ALTER COLUMN polyphony_max TYPE smallint")  # as in an early schema
    query(sql_url, "DROP TABLE runs")
    make_older(sql_url, 0)
    with open_sink(sql_url) as sink:
        assert query(sql_url, "SELECT sysex_count, error, bpm FROM library") == [(None, None, 0.5)]
        write(sink, make_batch([file_row(error="why")], [analysis_row(sysex_count=3, polyphony_max=100_000)]))
    assert query(sql_url, "SELECT sysex_count, polyphony_max, error FROM library") == [(3, 100_000, "why")]
    open_sink(sql_url).close()


def test_issues_of_an_older_schema_are_widened(sql_url):
    """Before version 6 they had 32 bits, the unusual ones from bit 16: the value stays the same set of names."""
    with open_sink(sql_url) as sink:
        write(sink, make_batch([file_row()], [analysis_row()]))
    make_older(sql_url, 5)
    if "postgresql" in sql_url:
        query(sql_url, "DROP VIEW library")
        query(sql_url, "ALTER TABLE analyses ALTER COLUMN issues TYPE integer USING 0")
    query(sql_url, f"UPDATE analyses SET issues = {1 << 15 | 1 | 1 << 16 | 1 << 23}")
    for _ in range(2):  # once only
        open_sink(sql_url).close()
        [(issues,)] = query(sql_url, "SELECT issues FROM library")
        assert issue_names(issues) == ["leading_junk", "lost_track", "rmid", "stuck_note"]
    with open_sink(sql_url) as sink:
        write(sink, make_batch([file_row(content_hash=bytes(15) + b"2")], [analysis_row(content_hash=bytes(15) + b"2", issues=2**52 + 1)]))
    assert query(sql_url, "SELECT max(issues) FROM analyses") == [(2**52 + 1,)]


def invalid_batch(column: str, value, more: bytes = b"") -> Batch:
    """A valid row of each table, and a row of `files` with a value that no database accepts."""
    batch = make_batch([file_row(path="/good"), file_row(path="/bad")], [analysis_row()])
    batch.files[column][1] = value
    batch.heap += more
    return batch


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(invalid_batch("status", 77), id="unknown status"),
        pytest.param(invalid_batch("path", (10**9, 5)), id="text outside the heap"),
        pytest.param(invalid_batch("path", (1000, 1), b"\xff" * 1000), id="not UTF-8"),
    ],
)
def test_a_batch_that_fails_stores_nothing(url, batch):
    with pytest.raises((SinkError, ValueError)), open_sink(url) as sink:
        write(sink, batch)
    assert stored(url, "files") == stored(url, "analyses") == []
    with open_sink(url) as sink:
        write(sink, make_batch([file_row(content_hash=HASH)], [analysis_row()]))
    assert len(stored(url, "files")) == 1
