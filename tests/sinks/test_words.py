"""The full-text index of SQLite: what a search finds after files were changed, moved, deleted or missed, and after a run was killed."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

from midiopt.library.search import find, parse_query
from midiopt.library.snapshot import open_snapshot
from midiopt.sinks import open_sink, sqlite_words
from midiopt.sinks.words import postgres_index_keys
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write

TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def database(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/facts.db"


def put(sink, path: str, content: int, title: str = "none", minute: int = 0, **facts) -> None:
    key = content.to_bytes(16)
    file = file_row(path=path, content_hash=key, analyzed_at=TIME + dt.timedelta(minutes=minute), **facts)
    write(sink, make_batch([file], [analysis_row(content_hash=key, title=title, track_names=["Slap Bass"])]))


def found(url: str, text: str) -> list[str]:
    with open_snapshot(url) as library:
        return sorted(file.path for file in find(library, parse_query(text)))


def rows(url: str) -> int:
    return query(url, f"SELECT count(*) FROM {sqlite_words.TABLE} WHERE {sqlite_words.TABLE} MATCH 'mid'")[0][0]


def test_words_of_paths_titles_and_tracks_are_found(database):
    with open_sink(database) as sink:
        put(sink, "/old/Étude.mid", 1, "Für Elise")
        put(sink, "/old/waltz.mid", 2)
        sink.finalize()
    for text in ("etude", "ELISE", "fur", '"slap bass" etude', "etu*", "-waltz"):
        assert found(database, text) == ["/old/Étude.mid"], text
    assert found(database, "slap") == ["/old/waltz.mid", "/old/Étude.mid"] and rows(database) == 2


def test_a_second_run_without_changes_adds_nothing(database):
    with open_sink(database) as sink:
        put(sink, "/a.mid", 1)
        sink.finalize()
    before = query(database, "SELECT count(*), sum(length(block)) FROM midiopt_words_data")
    with open_sink(database) as sink:
        sink.finalize()
    assert query(database, "SELECT count(*), sum(length(block)) FROM midiopt_words_data") == before


def test_moved_copied_and_deleted_files(database):
    """A content keeps its row; a new path of it is found by its own words only, and a path that is gone no more."""
    with open_sink(database) as sink:
        put(sink, "/old/waltz.mid", 1, "Moon")
        put(sink, "/old/other.mid", 2)
        sink.finalize()
        put(sink, "/new/polka.mid", 1, "Moon", minute=1)
        put(sink, "/new/third.mid", 3, minute=1)
        sink.finalize()
        assert found(database, "moon") == ["/new/polka.mid", "/old/waltz.mid"]
        assert found(database, "polka") == ["/new/polka.mid"] and found(database, "waltz") == ["/old/waltz.mid"]
        assert found(database, "new") == ["/new/polka.mid", "/new/third.mid"]
        sink.mark_missing(["/old/waltz.mid"], TIME)
        assert found(database, "waltz") == [] and found(database, "waltz missing:yes") == ["/old/waltz.mid"]
        sink.delete_files(["/old/waltz.mid", "/new/third.mid"])
        sink.finalize()
        assert found(database, "waltz or third") == [] and found(database, "moon") == ["/new/polka.mid"]
        put(sink, "/new/fourth.mid", 4, "Sun", minute=2)  # gets the id of the content that was the last one
        sink.finalize()
        assert found(database, "sun") == ["/new/fourth.mid"] and found(database, "third") == []
        assert query(database, "SELECT id FROM analyses ORDER BY id") == [(1,), (2,), (3,)]


def test_a_changed_file_is_found_by_its_new_title(database):
    with open_sink(database) as sink:
        put(sink, "/a.mid", 1, "Moon")
        sink.finalize()
        put(sink, "/a.mid", 2, "Sun", minute=1)
        sink.finalize()
    assert found(database, "moon") == [] and found(database, "sun") == ["/a.mid"]


@pytest.mark.parametrize("kill", ["before the first finish", "after it"])
def test_what_a_killed_run_has_written_is_found(database, kill):
    """Without an index, and beside one; the next run indexes it."""
    with open_sink(database) as sink:
        put(sink, "/old.mid", 1, "Moon")
        if kill == "after it":
            sink.finalize()
        put(sink, "/new.mid", 2, "Moon", minute=1)
        put(sink, "/polka.mid", 1, "Moon", minute=1)
    assert found(database, "moon") == ["/new.mid", "/old.mid", "/polka.mid"] and found(database, "new polka") == []
    assert found(database, "polka") == ["/polka.mid"]
    with open_sink(database) as sink:
        sink.finalize()
    assert found(database, "moon") == ["/new.mid", "/old.mid", "/polka.mid"] and rows(database) >= 2


def test_titles_of_another_version_are_indexed_anew(database):
    with open_sink(database) as sink:
        put(sink, "/a.mid", 1, "Moon")
        sink.finalize()
    query(database, "UPDATE meta SET value = replace(value, '\"version\": ', '\"version\": 9') WHERE key = 'words'")
    query(database, "UPDATE analyses SET title = 'Sun'")
    assert found(database, "sun") == []
    with open_sink(database) as sink:
        sink.finalize()
    assert found(database, "sun") == ["/a.mid"]


def test_a_clock_that_was_set_back(database):
    """Files that seem older than the newest one of the index are found after the next finish."""
    with open_sink(database) as sink:
        put(sink, "/a.mid", 1, minute=10)
        sink.finalize()
        sink.start_run({"started": TIME, "version": "1", "build": "", "sources": [], "options": "{}"})
        put(sink, "/polka.mid", 1, minute=1)
        sink.finalize()
    assert found(database, "polka") == ["/polka.mid"]


def test_an_index_of_many_moves_is_made_anew(database, monkeypatch):
    monkeypatch.setattr(sqlite_words, "FREE_EXTRAS", 1)
    with open_sink(database) as sink:
        put(sink, "/0.mid", 1)
        sink.finalize()
        for n in range(1, 4):
            put(sink, f"/{n}.mid", 1, minute=n)
            sink.finalize()
    assert rows(database) < 4 and found(database, "3") == ["/3.mid"] and found(database, "mid 1") == ["/1.mid"]


def test_sqlite_without_full_text_search(database, monkeypatch):
    monkeypatch.setattr(sqlite_words, "has_fts5", lambda connection: False)
    with open_sink(database) as sink:
        put(sink, "/old/Étude.mid", 1, "Für Elise")
        sink.finalize()
    assert query(database, "SELECT name FROM sqlite_master WHERE name LIKE 'midiopt_words%'") == []
    assert found(database, "etude elise") == ["/old/Étude.mid"] and found(database, "waltz") == []


def test_a_table_of_the_user_is_left_alone(database):
    with open_sink(database) as sink:
        put(sink, "/waltz.mid", 1)
    query(database, f"CREATE TABLE {sqlite_words.TABLE} (words TEXT)")
    with open_sink(database) as sink:
        sink.finalize()
    assert query(database, f"SELECT * FROM {sqlite_words.TABLE}") == [] and found(database, "waltz") == ["/waltz.mid"]


def test_other_programs_delete_and_check(database):
    """The trigger needs nothing of ours, and the file is sound."""
    with open_sink(database) as sink:
        put(sink, "/waltz.mid", 1)
        sink.finalize()
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        connection.execute("DELETE FROM files")
        connection.execute("DELETE FROM analyses")
        connection.commit()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert found(database, "waltz") == []


UNSPACED = {  # searches by what they find
    "ab": ("夜", "夜*"),
    "a": ("曲集", "夜 集", "集 夜"),
    "b": ("夜想*", "LOVE", "love夜", "がん"),
    "c": ("カンパネラ", "ラカン", "ラ・カ", "ﾊﾟ"),
    "d": ("노래", "노*", "𠮷"),
    "": ("集曲", '"夜 集"', "ハ", "かん", "노"),
    "cd": ("-夜",),
}


def is_indexed(url: str, word: str) -> bool:
    if url.startswith("postgresql"):
        return bool(query(url, f"SELECT 1 FROM files WHERE midiopt_phrases(path) @@ '{word}'"))
    return bool(query(url, f"SELECT 1 FROM {sqlite_words.TABLE} WHERE {sqlite_words.TABLE} MATCH '{word}'"))


def test_a_part_of_a_text_without_spaces_is_found(url):
    """Each character of Chinese and Japanese is a word, with its sound mark; Korean, which has spaces, is divided by them."""
    with open_sink(url) as sink:
        put(sink, "/a.mid", 1, "夜曲集")
        put(sink, "/b Love夜想曲がんばれ.mid", 2)
        put(sink, "/c.mid", 3, "ラ・カンパネラ")
        put(sink, "/d.mid", 4, "한국노래 노래𠮷野")
        sink.finalize()
    for names, texts in UNSPACED.items():
        assert [("".join(path[1] for path in found(url, text)), text) for text in texts] == [(names, text) for text in texts]
    assert is_indexed(url, "想") and not is_indexed(url, "夜想曲")


OLD_DIVISION = {
    "sqlite": [
        "UPDATE meta SET value = json_remove(value, '$.division') WHERE key = 'words'",
        f"INSERT INTO {sqlite_words.TABLE} ({sqlite_words.TABLE}) VALUES ('delete-all')",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION midiopt_phrases(text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$SELECT to_tsvector('simple', $1)$$",
        "REINDEX INDEX files_phrases",
    ],
}


def test_an_index_of_words_in_another_division_is_made_anew(url):
    """By the next run; until then files are found without it."""
    with open_sink(url) as sink:
        put(sink, "/夜曲.mid", 1)
        sink.finalize()
    for statement in OLD_DIVISION[url.partition(":")[0]]:
        query(url, statement)
    assert not is_indexed(url, "曲") and found(url, "曲") == ["/夜曲.mid"]
    with open_sink(url) as sink:
        sink.finalize()
    assert is_indexed(url, "曲") and found(url, "曲") == ["/夜曲.mid"]


@pytest.mark.parametrize(
    ("phrase", "keys", "begun"),
    [
        ("slap", ["slap"], ""),
        ("take the a train", ["take the", "the a", "a train"], ""),
        ("take 3 now then", ["now then", "take", "3"], ""),  # pairs with digits are not in the index
        ("slap the wal*", ["slap the"], "wal"),  # a word that begins so may have digits
        ("wal*", [], "wal"),
    ],
)
def test_what_postgres_has_of_a_phrase(phrase, keys, begun):
    assert postgres_index_keys(phrase) == (keys, begun)
