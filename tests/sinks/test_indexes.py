"""The indexes that the end of a run makes, and the table of programs in SQLite."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from midiopt.library.search_access import Access
from midiopt.library.search_query import parse_query
from midiopt.library.snapshot import open_snapshot
from midiopt.sinks import open_sink
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write
from tests.helpers.databases import lock_waiters, open_transaction, wait_until

HASHES = [bytes([n]) * 16 for n in range(1, 5)]
PROGRAMS = [[36, 40], [], [36], [0, 127]]
PAIRS = [(program, digest) for digest, programs in zip(HASHES, PROGRAMS, strict=True) for program in programs]
FOUND = "SELECT program, content_hash FROM analysis_programs JOIN analyses ON id = analysis_id ORDER BY content_hash, program"


@pytest.fixture
def sqlite(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/facts.db"


def put(sink, numbers) -> None:
    rows = [file_row(path=f"/{n}", content_hash=HASHES[n]) for n in numbers]
    write(sink, make_batch(rows, [analysis_row(content_hash=HASHES[n], programs=PROGRAMS[n]) for n in numbers]))


def test_programs_of_sqlite_follow_the_contents(sqlite):
    """Added by the end of each run, and deleted with the content, whose id a later one may get."""
    with open_sink(sqlite) as sink:
        put(sink, [0, 1])
        sink.finalize()
        assert query(sqlite, FOUND) == PAIRS[:2]
        put(sink, [2, 3])
        sink.finalize()
        assert query(sqlite, FOUND) == PAIRS
        write(sink, make_batch([file_row(path=f"/{n}", content_hash=None, status="crashed") for n in (2, 3)]))
        sink.finalize()
        assert query(sqlite, FOUND) == PAIRS[:2]
        put(sink, [3])
        sink.finalize()
        assert query(sqlite, FOUND) == PAIRS[:2] + PAIRS[3:]
        assert query(sqlite, "SELECT count(*) FROM analysis_programs") == [(4,)]


def test_programs_of_another_version_are_made_anew(sqlite):
    with open_sink(sqlite) as sink:
        put(sink, range(4))
        sink.finalize()
    query(sqlite, "UPDATE meta SET value = '1' WHERE key = 'programs_version'")
    query(sqlite, "UPDATE analyses SET programs = '[5]'")
    with open_sink(sqlite) as sink:
        sink.finalize()
    assert query(sqlite, FOUND) == [(5, digest) for digest in HASHES]


SEARCHES = {
    "SELECT path FROM library WHERE key = 'Am' AND bpm BETWEEN 118 AND 124": "analyses_key_bpm",
    "SELECT path FROM library WHERE bpm > 0 ORDER BY bpm DESC LIMIT 20": "analyses_bpm",
    "SELECT path FROM library WHERE note_count > 0 AND notes_hash = '0102030405060708'": "analyses_notes_hash",
    "SELECT path FROM library WHERE role = 'bass' AND time_signature = '3/4'": "analyses_role",
    "SELECT path FROM library WHERE note_count > 1000000": "analyses_note_count",
    "SELECT path FROM library WHERE duration_s > 3600": "analyses_duration_s",
    "SELECT path FROM library WHERE analyzed_at > '2030-01-01'": "files_analyzed_at",
    "SELECT path FROM library WHERE status = 'rejected'": "files_status",
    "SELECT path FROM files WHERE analysis_id = 7": "files_analysis_id",
    "SELECT role, count(*) FROM analyses GROUP BY role": "analyses_role",
}


@pytest.mark.parametrize("question", SEARCHES)
def test_sqlite_answers_with_an_index(sqlite, question):
    with open_sink(sqlite) as sink:
        sink.finalize()
    assert f"INDEX {SEARCHES[question]}" in str(query(sqlite, f"EXPLAIN QUERY PLAN {question}"))


def test_postgres_has_indexes_on_sets(pg_url):
    with open_sink(pg_url) as sink:
        sink.finalize()
    query(pg_url, "SET enable_seqscan = off")
    found = dict(query(pg_url, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    assert "USING gin (programs)" in found["analyses_programs"] and "USING gin (channels)" in found["analyses_channels"]
    assert "encode(notes_hash" in found["analyses_notes_hash"]


@pytest.mark.parametrize(
    ("database", "definitions", "carrying", "old"),
    [
        (
            "pg_url",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "INCLUDE (bpm_confidence",
            ["CREATE INDEX analyses_swing ON analyses (swing, id) WHERE swing IS NOT NULL", "CREATE INDEX files_words ON files (path)"],
        ),
        (
            "sqlite",
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1",
            "(swing, bpm_confidence",
            ["CREATE INDEX analyses_swing ON analyses (swing) WHERE swing IS NOT NULL"],
        ),
    ],
)
def test_indexes_of_an_earlier_midiopt_are_made_anew(request, database, definitions, carrying, old):
    """Those of one fact get the facts that they carry, and in PostgreSQL those of words without pairs give way to those with pairs."""
    url = request.getfixturevalue(database)
    with open_sink(url) as sink:
        sink.finalize()
    wanted = query(url, definitions)
    assert [columns for name, columns in wanted if name == "analyses_swing" and carrying in columns]
    for statement in ("DROP INDEX analyses_swing", *old):
        query(url, statement)
    with open_sink(url) as sink:
        sink.finalize()
    assert query(url, definitions) == wanted


@pytest.mark.parametrize(
    "terms", ["swing:1.5.. -has:drums", "has:drums performance:yes", "polyphony:1 confidence:.8..", "has:lyrics confidence:.8.."]
)
def test_sqlite_finds_two_terms_in_one_index(sqlite, terms):
    """The last source of ids compares the facts of both terms in the index of one."""
    with open_sink(sqlite) as sink:
        sink.finalize()
    with open_snapshot(sqlite) as library:
        *_, (sql, values) = Access(library)._sources(parse_query(terms))
        [*plan] = library.rows(f"EXPLAIN QUERY PLAN {sql}", values)
    assert len({*re.findall(r"\ba\.(\w+)", sql)} - {"id"}) >= 2, sql
    assert re.search("INDEX analyses_(swing|performance|polyphony|lyrics)", plan[0][3]), plan


def test_phrases_are_found_by_pairs_of_words_in_postgres(pg_url):
    """A pair is in the index, words that are in it apart do not make one, and a word of each side of a title's end does."""
    title = {"title": "Slap Waltz", "track_names": ["Moon River"]}
    with open_sink(pg_url) as sink:
        write(
            sink, make_batch([file_row(path="/a/Blue Night.mid", content_hash=HASHES[0])], [analysis_row(content_hash=HASHES[0], **title)])
        )
        sink.finalize()
    [(lexemes,)] = query(pg_url, "SELECT tsvector_to_array(midiopt_phrases(title, track_names)) FROM analyses")
    assert sorted(lexemes) == ["moon", "moon river", "river", "slap", "slap waltz", "waltz", "waltz moon"]
    assert query(pg_url, "SELECT tsvector_to_array(midiopt_phrases('Take 3 now then'))") == [(["3", "now", "now then", "take", "then"],)]
    assert query(pg_url, "SELECT tsvector_to_array(midiopt_phrases('')), tsvector_to_array(midiopt_phrases('Étude'))") == [([], ["etude"])]


def test_indexes_of_postgres_are_made_side_by_side(pg_url):
    """One connection waits for a table that another program holds, and is told of once; the other one goes on with the other table."""
    notices: list[str] = []

    def there() -> set[str]:
        names = {name for (name,) in query(pg_url, "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")}
        return names & {"files_phrases", "analyses_title", "files_status"}

    with open_sink(pg_url, notify=notices.append) as sink:
        put(sink, range(4))
        sink.finalize()  # which makes the keys of the tables as well
        query(pg_url, "DROP INDEX files_phrases, analyses_title, files_status")
        with ThreadPoolExecutor() as threads:
            with open_transaction(pg_url, "LOCK TABLE files IN ROW EXCLUSIVE MODE"):
                done = threads.submit(sink.finalize)
                wait_until(lambda: there() == {"analyses_title"} and lock_waiters(pg_url) == 2 and len(notices) == 1)
            assert done.result() == 0
    assert there() == {"files_phrases", "analyses_title", "files_status"}
    assert len(notices) == 1 and "has locked a table" in notices[0]
