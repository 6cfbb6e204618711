"""What Datasette shows beside the rows of a library: titles, meanings of columns, and questions to begin with."""

from __future__ import annotations

import os

from midiopt.library.snapshot import Snapshot
from midiopt.schema import Column
from midiopt.sinks.name_tables import RELATIONS
from midiopt.sinks.sqlite_words import TABLE as WORDS

FACETS = ("role", "key", "time_signature", "status")  # of the view, each of which has few values
MAX_FACET_FILES = 100_000  # in a larger database each facet takes the 200 ms that Datasette allows it, and shows nothing
# A sort of the view begins with every file, which takes SQLite more than the second that Datasette allows, unless a filter on the same
# column says that the files have facts: then the index of the column gives the first rows in 1 ms.
SORT_LARGE = ". To sort so many files, filter the column that you sort by, too: ?bpm__gt=0&_sort_desc=bpm"
PAGE_ROWS = 50
LABELS = {"files": "path", "analyses": "title"}  # what a reference to a row shows
QUERIES = {
    "slow_minor": (
        "Slow songs in a minor key",
        "SELECT title, bpm, key, path FROM library WHERE key LIKE '%m' AND bpm < 80 ORDER BY bpm LIMIT 100",
    ),
    "fastest": ("The fastest songs", "SELECT title, bpm, key, path FROM library WHERE bpm > 0 ORDER BY bpm DESC LIMIT 100"),
    "longest": (
        "The longest files",
        "SELECT title, duration_s, note_count, path FROM library WHERE duration_s > 0 ORDER BY duration_s DESC LIMIT 100",
    ),
    "drum_loops": ("Drum loops", "SELECT path, bpm, drum_pattern, loop_bars FROM library WHERE is_loop AND role = 'drums' LIMIT 100"),
    "missing": ("Files that are missing", "SELECT path, missing_since FROM files WHERE missing_since IS NOT NULL ORDER BY path LIMIT 1000"),
}


def metadata(library: Snapshot, database: str, version: str) -> dict[str, object]:
    """The content of metadata.json for the library in an SQLite database of this path, from which Datasette derives a name."""
    facets = FACETS if len(list(library.rows(f"SELECT 1 FROM files LIMIT {MAX_FACET_FILES + 1}"))) <= MAX_FACET_FILES else ()
    name, _ = os.path.splitext(os.path.basename(database))
    tables: dict[str, dict[str, object]] = {
        table: _table(table, meaning, columns, facets) for table, (_, meaning, columns) in RELATIONS.items()
    }
    tables[WORDS] = {"allow": False}  # SQLite cannot list its rows, which Datasette answers with an error
    queries = {query: {"title": title, "sql": sql} for query, (title, sql) in QUERIES.items()}
    about = f"MIDI files and their musical facts, found by midiopt {version}."
    return {"title": name, "description": about, "databases": {name: {"tables": tables, "queries": queries}}}


def _table(table: str, meaning: str, columns: tuple[Column, ...], facets: tuple[str, ...]) -> dict[str, object]:
    descriptions = {column.name: column.description for column in columns}
    facts: dict[str, object] = {"description": meaning, "size": PAGE_ROWS, "columns": descriptions}
    if table in LABELS:
        facts["label_column"] = LABELS[table]
    if table == "library":
        facts |= {"facets": list(facets)} if facets else {"description": meaning + SORT_LARGE}
    return facts
