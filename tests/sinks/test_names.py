"""What a database says about itself: names of numbers, and the meaning of every column."""

from __future__ import annotations

import pytest

from midiopt.schema import ANALYSES, FILES, ISSUE_BITS, LIBRARY_COLUMNS
from midiopt.sinks import open_sink
from midiopt.sinks.name_tables import RELATIONS
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write


def test_numbers_have_names(url):
    open_sink(url).close()
    assert query(url, "SELECT name, family FROM programs WHERE number = 36") == [("Slap Bass 1", "Bass")]
    assert query(url, "SELECT name FROM drum_sounds WHERE pitch = 36") == [("Bass Drum 1",)]
    assert query(url, "SELECT severity, meaning FROM issue_names WHERE name = 'no_notes'") == [("unusual", "no notes")]
    assert {name: 1 << bit for name, bit in query(url, "SELECT name, bit FROM issue_names")} == ISSUE_BITS


def test_issues_of_a_file_are_rows(url):
    every = sum(ISSUE_BITS.values())
    with open_sink(url) as sink:
        rows = [file_row(path="/all", content_hash=b"a" * 16), file_row(path="/none", content_hash=b"b" * 16)]
        write(sink, make_batch(rows, [analysis_row(content_hash=b"a" * 16, issues=every), analysis_row(content_hash=b"b" * 16, issues=0)]))
    assert sorted(query(url, "SELECT path, issue FROM library_issues")) == sorted(("/all", name) for name in ISSUE_BITS)


def meanings(url: str) -> dict[tuple[str, str], str]:
    """By table and column; the meaning of a table by itself has an empty column."""
    if url.startswith("sqlite"):
        return {(table, column): text for table, column, text in query(url, "SELECT table_name, column_name, meaning FROM columns")}
    columns = "SELECT relname::text, coalesce(attname::text, ''), description FROM pg_description JOIN pg_class c ON c.oid = objoid"
    found = query(
        url, f"{columns} LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND attnum > 0 WHERE relkind IN ('r', 'v')"
    )
    return {(table, column): text for table, column, text in found}


def test_every_column_has_its_meaning(url):
    open_sink(url).close()
    found = meanings(url)
    for name, (_, meaning, columns) in RELATIONS.items():
        assert found[name, ""] == meaning
        assert all(found[name, column.name].startswith(column.meaning) for column in columns)
    catalog = (
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name <> 'columns' AND m.type IN ('table', 'view')"
        if url.startswith("sqlite")
        else "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
    )
    assert set(query(url, catalog)) == {key for key in found if key[1]}
    assert {c.name for c in (*FILES.stored, *ANALYSES.stored)} <= {c.name for c in LIBRARY_COLUMNS} | {"id", "missing_since", "sketch"}


def test_names_that_are_missing_come_back(url):
    """Somebody has deleted some, or an older midiopt did not know them; a name that somebody has changed stays."""
    open_sink(url).close()
    before = {name: query(url, f"SELECT * FROM {name} ORDER BY 1") for name in ("programs", "drum_sounds", "issue_names")}
    query(url, "DELETE FROM programs")
    query(url, "DELETE FROM issue_names WHERE bit > 3")
    query(url, "UPDATE drum_sounds SET name = 'Grosse Trommel' WHERE pitch = 36")
    if url.startswith("sqlite"):
        query(url, "UPDATE columns SET meaning = 'of an older midiopt' WHERE column_name = 'bpm'")
        query(url, "DELETE FROM columns WHERE column_name = 'key'")
    open_sink(url).close()
    assert query(url, "SELECT name FROM drum_sounds WHERE pitch = 36") == [("Grosse Trommel",)]
    query(url, "UPDATE drum_sounds SET name = 'Bass Drum 1' WHERE pitch = 36")
    assert {name: query(url, f"SELECT * FROM {name} ORDER BY 1") for name in before} == before
    assert meanings(url)["library", "bpm"].startswith("best tempo estimate") and ("analyses", "key") in meanings(url)


def test_facets_count_the_contents(url):
    """As they are at the end of each run, those included whose facts are null."""
    facts = [("drums", None, None), ("bass", "3/4", "Am"), ("bass", "4/4", "Am"), (None, None, None), ("bass", "3/4", "Am")]
    for count in (3, 5):
        hashes = [bytes([n]) * 16 for n in range(1, count + 1)]
        rows = [
            analysis_row(content_hash=digest, role=role, time_signature=meter, key=key)
            for digest, (role, meter, key) in zip(hashes, facts, strict=False)
        ]
        with open_sink(url) as sink:
            write(sink, make_batch([file_row(path=f"/{n}", content_hash=digest) for n, digest in enumerate(hashes)], rows))
            sink.finalize()
        counted = query(url, "SELECT role, time_signature, key, count(*) FROM analyses GROUP BY 1, 2, 3")
        assert set(query(url, "SELECT role, time_signature, key, contents FROM facets")) == set(counted) and len(counted) == min(count, 4)


@pytest.mark.parametrize("name", ["programs", "issue_names", "library_issues", "columns", "facets"])
def test_a_table_of_the_user_with_such_a_name_stays(url, name):
    query(url, f"CREATE TABLE {name} (mine TEXT)")
    with open_sink(url) as sink:
        sink.finalize()
    assert query(url, f"SELECT mine FROM {name}") == []
    assert query(url, "SELECT count(*) FROM library") == [(0,)]
