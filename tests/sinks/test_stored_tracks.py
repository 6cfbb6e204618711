"""The contract of a database (sinks/base.py) about tracks: the same tests over SQLite, in both ways of writing it, and PostgreSQL."""

from __future__ import annotations

from array import array
from itertools import chain

import psycopg
import pytest

from midiopt.errors import SinkError
from midiopt.kinds import ENUM, SET
from midiopt.schema import ANALYZER_VERSION, LIBRARY_TRACKS_COLUMNS, MAIN_PARTS, ROLES, TRACKS
from midiopt.sinks import open_sink
from midiopt.sinks.base import Sink
from midiopt.sinks.postgres_writes import BatchEncoder, copy_and_insert, create_staging_tables, distinct
from tests.helpers.batches import HASH, analysis_row, file_row, make_batch, query, records, stored, track_row, write
from tests.helpers.extremes import highest, lowest, null

OTHER = bytes(16 * [7])
COUNT = "SELECT count(*) FROM tracks"


@pytest.fixture
def url(url_of_each_writer: str) -> str:
    return url_of_each_writer


def tracks_of(content_hash: bytes, count: int, **facts):
    return [track_row(content_hash=content_hash, track=i, **facts) for i in range(count)]


def write_song(sink: Sink, count: int, content_hash: bytes = HASH, path: str = "/a.mid", **facts) -> None:
    """A file with so many tracks."""
    files, analyses = [file_row(path=path, content_hash=content_hash)], [analysis_row(content_hash=content_hash)]
    write(sink, make_batch(files, analyses, tracks_of(content_hash, count, **facts)))


def test_extremes_and_nulls_are_read_back(sink, url):
    rows = [{c.name: end(c) for c in TRACKS} | {"content_hash": HASH, "track": i} for i, end in enumerate((lowest, highest, null))]
    rows += [track_row(content_hash=OTHER, track=i, role=role) for i, role in enumerate(ROLES)]
    rows += [track_row(content_hash=OTHER, track=len(ROLES) + i, main_part=part) for i, part in enumerate(MAIN_PARTS)]
    batch = make_batch([], [analysis_row(content_hash=digest) for digest in (HASH, OTHER)], rows)
    write(sink, batch)
    assert stored(url, "tracks") == records(batch, "tracks")


def test_tracks_refer_to_their_analyses(sink, url):
    write_song(sink, 2, content_hash=OTHER, path="/other.mid")
    write_song(sink, 3)
    counts = "SELECT a.content_hash, count(*) FROM analyses a JOIN tracks ON analysis_id = a.id GROUP BY 1 ORDER BY 2"
    assert query(url, counts) == [(OTHER, 2), (HASH, 3)]


def test_writing_twice_changes_nothing(sink, url):
    for _ in range(2):
        write_song(sink, 3)
    assert stored(url, "tracks") == records(make_batch([], [], tracks_of(HASH, 3)), "tracks")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_tracks_of_a_content_are_replaced(sink, url, count):
    """All of them, also where there were more, beside a content that is new."""
    write_song(sink, 2, content_hash=OTHER, path="/other.mid")
    write_song(sink, 3, note_count=1)
    new = bytes(16 * [9])
    files = [file_row(path="/a.mid"), file_row(path="/new.mid", content_hash=new)]
    analyses = [analysis_row(), analysis_row(content_hash=new)]
    write(sink, make_batch(files, analyses, [*tracks_of(HASH, count, note_count=2), *tracks_of(new, 1)]))
    tracks = [*tracks_of(OTHER, 2), *tracks_of(HASH, count, note_count=2), *tracks_of(new, 1)]
    assert stored(url, "tracks") == records(make_batch([], [], tracks), "tracks")


def test_a_batch_without_tracks_leaves_those_that_are_there(sink, url):
    write_song(sink, 3)
    write_song(sink, 0)
    assert query(url, COUNT) == [(3,)]


def test_the_last_row_with_a_key_is_stored(sink, url):
    """Two workers have analysed copies of a content."""
    twice = [*tracks_of(HASH, 2, note_count=1), *tracks_of(OTHER, 1), *tracks_of(HASH, 2, note_count=2)]
    write(sink, make_batch([], [analysis_row(), analysis_row(content_hash=OTHER), analysis_row()], twice))
    assert query(url, "SELECT note_count FROM tracks ORDER BY note_count") == [(2,), (2,), (7,)]


def test_a_batch_that_fails_stores_no_tracks(url):
    batch = make_batch([file_row()], [analysis_row()], tracks_of(HASH, 2))
    batch.tracks["role"][1] = 77
    with pytest.raises((SinkError, ValueError)), open_sink(url) as sink:
        write(sink, batch)
    assert query(url, COUNT) == query(url, "SELECT count(*) FROM analyses") == [(0,)]


def test_finalize_deletes_tracks_without_a_file(sink, url):
    write_song(sink, 3)
    write_song(sink, 2, content_hash=OTHER, path="/other.mid")
    sink.finalize()
    write(sink, make_batch([file_row(path="/a.mid", status="rejected", error="why")]))
    assert query(url, COUNT) == [(5,)]
    sink.finalize()
    assert [row["content_hash"] for row in stored(url, "tracks")] == [OTHER, OTHER]


def test_the_database_knows_the_reference(sink, url):
    write_song(sink, 3)
    sink.finalize()
    if url.startswith("postgresql"):
        query(url, "UPDATE files SET analysis_id = NULL")
        query(url, "DELETE FROM analyses")
        assert query(url, COUNT) == [(0,)]
    else:
        [(_, _, table, column, to, _, on_delete, _)] = query(url, "PRAGMA foreign_key_list(tracks)")
        assert (table, column, to, on_delete) == ("analyses", "analysis_id", "id", "CASCADE")
        assert [name for _, name, *_, key in query(url, "PRAGMA table_info(tracks)") if key] == ["analysis_id", "track"]


def settled(sink, **options) -> set[str]:
    return {path for path, _, _, is_settled in chain(*sink.iter_files(**options)) if is_settled}


def test_files_without_tracks_are_not_settled_where_tracks_are_wanted(sink, url):
    old, without = bytes(16 * [3]), bytes(16 * [4])
    write_song(sink, 2)
    write_song(sink, 2, content_hash=old, path="/old.mid", analyzer_version=ANALYZER_VERSION - 1)
    write_song(sink, 0, content_hash=without, path="/without.mid")
    write(sink, make_batch([file_row(path="/rejected.mid", status="rejected", content_hash=OTHER)]))
    everything = {"/a.mid", "/old.mid", "/without.mid", "/rejected.mid"}
    assert settled(sink) == everything
    assert settled(sink, tracks=True) == {"/a.mid", "/rejected.mid"}
    assert settled(sink, keep_old=True, tracks=True) == {"/a.mid", "/old.mid", "/rejected.mid"}
    assert sorted(b"".join(sink.iter_content_hashes())) == sorted(HASH + old + without)
    assert list(sink.iter_content_hashes(tracks=True)) == [HASH]


def test_an_archive_is_settled_when_all_its_members_have_tracks(sink, url):
    archives = [file_row(path=path, status="opened", error=None, content_hash=None) for path in ("/a.zip", "/b.zip", "/empty.zip")]
    write(sink, make_batch(archives))
    write_song(sink, 1, path="/a.zip!/1.mid")
    write_song(sink, 1, path="/b.zip!/1.mid")
    write_song(sink, 0, path="/b.zip!/2.mid", content_hash=OTHER)
    assert settled(sink, tracks=True) == {"/a.zip", "/empty.zip", "/a.zip!/1.mid", "/b.zip!/1.mid"}
    write_song(sink, 1, path="/b.zip!/2.mid", content_hash=OTHER)
    assert "/b.zip" in settled(sink, tracks=True)


def test_the_view_has_the_tracks_of_every_file(sink, url):
    write_song(sink, 2)
    write_song(sink, 2, path="/copy.mid")
    write_song(sink, 2, path="/missing.mid")
    query(url, "UPDATE files SET missing_since = '2026-01-02T03:04:05.000000Z' WHERE path = '/missing.mid'")
    found = query(url, f"SELECT {', '.join(c.name for c in LIBRARY_TRACKS_COLUMNS)} FROM library_tracks ORDER BY path, track")
    rows = [dict(zip((c.name for c in LIBRARY_TRACKS_COLUMNS), row, strict=True)) for row in found]
    assert [(row["path"], row["track"]) for row in rows] == [("/a.mid", 0), ("/a.mid", 1), ("/copy.mid", 0), ("/copy.mid", 1)]
    assert rows[0]["notes_hash"] == HASH[:8].hex()
    assert len(query(url, "SELECT * FROM library_tracks")[0]) == len(rows[0])


def test_every_kind_of_a_track_is_one_that_the_contract_tests():
    assert {c.name for c in TRACKS if c.kind in (ENUM, SET)} == {"role", "main_part", "channels"}


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_two_writers_with_the_same_content(url):
    """The second batch brings the analysis of the first, without its tracks, and may be committed before or after it."""
    with open_sink(url) as sink:
        for i in range(40):
            digest = bytes([i + 1]) * 16
            sink.write(make_batch([file_row(path=f"/{i}", content_hash=digest)], [analysis_row(content_hash=digest)], tracks_of(digest, 3)))
            sink.write(make_batch([file_row(path=f"/copy/{i}", content_hash=digest)]))
        sink.flush()
        assert query(url, COUNT) == [(120,)]
        sink.finalize()
    assert query(url, "SELECT count(*) FROM library_tracks") == [(240,)]


def test_a_batch_whose_commit_was_not_confirmed_is_written_again(pg_url):
    """Its analyses are there by then, with the ids that it brings."""
    open_sink(pg_url).close()
    batch = distinct(make_batch([file_row()], [analysis_row()], tracks_of(HASH, 3)))
    encoded = BatchEncoder().encode(batch, array("q", [1]))
    with psycopg.connect(pg_url, autocommit=True) as connection:
        create_staging_tables(connection)
        for is_new in (True, True, False):
            copy_and_insert(connection, encoded, is_new)
    assert stored(pg_url, "tracks") == records(batch, "tracks")
