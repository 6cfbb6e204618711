"""What both databases share: the tables and their statements.

Every statement is generated from ``schema.py``, so a column added there appears in both databases.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from midiopt.errors import SinkError
from midiopt.kinds import ENUM, HASH8, HASH16
from midiopt.schema import (
    ANALYSED,
    ANALYSES,
    ANALYZER_VERSION,
    FILES,
    LIBRARY_COLUMNS,
    LIBRARY_TRACKS_COLUMNS,
    MEMBER_SEPARATOR,
    MEMBERS_END,
    OK,
    OPENED,
    PRODUCT,
    SETTLED,
    STATUSES,
    TRACKS,
    Column,
    Table,
)
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.words import DIVISION, postgres_words_array

ANALYSIS_ID = "analysis_id"  # the column of `files` and `tracks` that refers to `analyses`
UNKNOWN_ID = -1  # of an analysis, where it is to be looked up; as in row_keys.pyx
REFERENCE = "REFERENCES analyses (id)"


def column_names(table: Table) -> str:
    """The column names as SQL."""
    return ", ".join(column.name for column in table)


def column_definitions(table: Table, dialect: Dialect, constraints: dict[str, str], old: Collection[str] = ()) -> str:
    """The column definitions as SQL, with the constraints of some. Enumerations that cannot be null get a CHECK.

    The columns named in `old` may be null: they are, in rows of an older schema, until the file is analysed again.
    A CHECK is a chain of OR: for an IN of three or more values SQLite builds a table for every row, and two
    such checks took 3.4 of 15 us for a row of each table.
    """
    return ", ".join(
        f"{c.name} {dialect.type_of(c.kind)}"
        + (f" {constraints[c.name]}" if c.name in constraints else "")
        + ("" if c.nullable or c.name in old else " NOT NULL")
        + (f" CHECK ({' OR '.join(f'{c.name} = {quoted(v)}' for v in c.values)})" if c.kind is ENUM and not c.nullable else "")
        for c in table.stored
    )


def upsert(table: Table, source: str, differs: str, more: str = "") -> str:
    """INSERT the rows of `source`; a stored row is replaced only if a column differs that is not volatile.

    Rows end with the column `more`, if any. A file that is written is no longer missing, and an analysis keeps its id.
    `differs` is the database's operator for "distinct", which treats two nulls as equal.
    """
    inserted = column_names(table) + (f", {more}" if more else "")
    others = [c.name for c in table.stored if c.name not in (table.key, "id")]
    facts = [c.name for c in table.stored if c.name not in (table.key, "id") and not c.volatile]
    return (
        f"INSERT INTO {table.name} ({inserted}) {source} ON CONFLICT ({table.key}) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in others)
        + f" WHERE ({', '.join(f'{table.name}.{name}' for name in facts)})"
        + f" {differs} ({', '.join(f'excluded.{name}' for name in facts)})"
    )


def quoted(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """The name of a table, column or schema as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _statuses(indices: tuple[int, ...]) -> str:
    return "(" + ", ".join(quoted(STATUSES[i]) for i in indices) + ")"


TABLES = (ANALYSES, FILES)  # in the order of writing: no file before its analysis
TRACK_NAMES = ", ".join(column.name for column in TRACKS.stored[1:])  # without ANALYSIS_ID
REFERENCE_OF_TRACKS = f"{REFERENCE} ON DELETE CASCADE"
KEY_OF_TRACKS = f"PRIMARY KEY ({ANALYSIS_ID}, track)"


def _within_4_percent(bpm: str) -> str:
    """Within 4 % of the tempo in the file name, or of half or twice that tempo."""
    return "(" + " OR ".join(f"{bpm} / f.name_bpm BETWEEN {0.96 * k:g} AND {1.04 * k:g}" for k in (1, 2, 0.5)) + ")"


# Null where the notes give no answer: no tempo, no key, or not analysed.
NAME_AGREES = (
    "CASE WHEN f.name_bpm IS NOT NULL OR f.name_key IS NOT NULL OR f.name_meter IS NOT NULL THEN"
    f" (f.name_bpm IS NULL OR {_within_4_percent('a.bpm')} OR coalesce({_within_4_percent('a.bpm_onsets')}, FALSE))"
    " AND (f.name_key IS NULL OR f.name_key = a.key OR f.name_key = a.key_notes)"
    " AND (f.name_meter IS NULL OR coalesce(f.name_meter = a.time_signature, f.name_meter = a.meter_estimated)"
    " OR coalesce(f.name_meter = a.meter_estimated, FALSE)) END"
)

_OF_FILE = {c.name for c in (*FILES, *FILES.added)}
LIBRARY_ROWS = f"FROM files f LEFT JOIN analyses a ON a.id = f.{ANALYSIS_ID} WHERE f.missing_since IS NULL"


def stored_value(column: Column) -> str:
    """A column of `library` as the tables have it."""
    return NAME_AGREES if column.name == "name_agrees" else f"{'f' if column.name in _OF_FILE else 'a'}.{column.name}"


def create_view(dialect: Dialect) -> str:
    """The statement that makes the view `library`: no file that is missing, and hashes as lower-case hexadecimal text."""
    columns = [
        f"{dialect.hexadecimal(stored_value(c)) if c.kind in (HASH8, HASH16) else stored_value(c)} AS {c.name}" for c in LIBRARY_COLUMNS
    ]
    return f"CREATE VIEW library AS SELECT {', '.join(columns)} {LIBRARY_ROWS}"


LIBRARY_TRACKS_ROWS = f"FROM files f JOIN tracks t ON t.{ANALYSIS_ID} = f.{ANALYSIS_ID} WHERE f.missing_since IS NULL"


def stored_track_value(column: Column) -> str:
    """A column of `library_tracks` as the tables have it."""
    return f"{'f' if column.name == 'path' else 't'}.{column.name}"


def create_tracks_view(dialect: Dialect) -> str:
    """The statement that makes the view `library_tracks`: the tracks of each file of `library`."""
    columns = [
        f"{dialect.hexadecimal(stored_track_value(c)) if c.kind is HASH8 else stored_track_value(c)} AS {c.name}"
        for c in LIBRARY_TRACKS_COLUMNS
    ]
    return f"CREATE VIEW library_tracks AS SELECT {', '.join(columns)} {LIBRARY_TRACKS_ROWS}"


# What each one costs in seconds and bytes, and which questions it answers: docs/questions.md.
INDEXES = {
    "files_analysis_id": f"files ({ANALYSIS_ID}, missing_since)",  # what `library` needs of a file that is found by its facts
    "files_analyzed_at": "files (analyzed_at)",
    "files_size": "files (size_bytes)",
    "files_name_bpm": "files (name_bpm) WHERE name_bpm IS NOT NULL",  # few names have one
    "analyses_key_bpm": "analyses (key, bpm)",
    "analyses_bpm": "analyses (bpm)",
    "files_missing": "files (path) WHERE missing_since IS NOT NULL",
    "analyses_role": "analyses (role, time_signature, key)",
    "analyses_note_count": "analyses (note_count)",
    "analyses_duration_s": "analyses (duration_s)",
    "analyses_chords": "analyses (chord_progression)",
    "analyses_meter": "analyses (time_signature, meter_estimated)",
    "analyses_polyphony": "analyses (polyphony_max)",
    "analyses_swing": "analyses (swing) WHERE swing IS NOT NULL",
    "analyses_loop": "analyses (loop_bars) WHERE loop_bars IS NOT NULL",
}
# What the terms of a search compare, in the order of the contents: a search whose terms are all frequent reads this and not the
# rows, which are seven times as wide. First what has no index of its own: SQLite reads a row up to the last column that it needs.
SEARCHED = (
    *("bpm_confidence", "key_confidence", "drum_note_count", "is_performance", "lyric_count", "is_loop", "sustain_pedals", "pitch_bends"),
    *("sysex_count", "polyphony_max", "swing", "loop_bars", "issues", "note_count", "duration_s", "key", "bpm", "time_signature"),
    *("meter_estimated", "role", "programs"),
)
SEARCH_INDEX = "analyses_search"
# Facts that are yes or no, or mostly zero: the contents that have them, so that two such terms are compared by their ids.
FACT_INDEXES = {
    "analyses_performance": "analyses (id) WHERE is_performance",
    "analyses_lyrics": "analyses (id) WHERE lyric_count > 0",
    "analyses_drums": "analyses (id) WHERE drum_note_count > 0",
}
HASH_INDEXES = {"analyses_notes_hash": "analyses", "tracks_notes_hash": "tracks"}  # of notes_hash, as the views show it
SQLITE_INDEXES = {
    "files_status": f"files (status, path, {ANALYSIS_ID})",  # with its contents, of which a search makes a list
    "analyses_issues": "analyses (issues) WHERE issues <> 0",
    "analyses_title": "analyses (title)",  # a scan of all titles reads 30 instead of 500 bytes each
    SEARCH_INDEX: f"analyses (id, {', '.join(SEARCHED)})",
}
POSTGRES_INDEXES = {
    "files_status": f"files (status, path, {ANALYSIS_ID}) WHERE status <> {quoted(STATUSES[OK])}",
    "analyses_issues": "analyses (issues, id) WHERE issues <> 0",  # with the id, bits are tested in the index alone
    "analyses_title": "analyses (title, id)",
    "analyses_programs": "analyses USING gin (programs)",
    "analyses_channels": "analyses USING gin (channels)",
    "analyses_sketch": "analyses USING gin (sketch)",
    "files_phrases": "files USING gin (midiopt_phrases(path))",
    "analyses_phrases": "analyses USING gin (midiopt_phrases(title, track_names))",
}


_DIVISION = f"/* division {DIVISION} */"


def _words_function(parameters: str, text: str) -> str:
    """A function of PostgreSQL for an index on the words of a text."""
    words = f"{_DIVISION} SELECT array_to_tsvector(({postgres_words_array(text)}))"
    return (
        f"CREATE OR REPLACE FUNCTION midiopt_phrases({parameters}) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ {words} $$"
    )


# PostgreSQL calls array_to_string() stable, since it might print times; of texts it is not.
NAMES = "(coalesce({0}, '') || ' ' || coalesce(array_to_string({1}, ' '), ''))"
WORDS_FUNCTIONS = {
    "midiopt_phrases(text)": _words_function("text", "$1"),
    "midiopt_phrases(text, text[])": _words_function("text, text[]", NAMES.format("$1", "$2")),
}
WORDS_INDEXES = ("analyses_phrases", "files_phrases")


def words_function_exists(name: str) -> str:
    """A condition: whether PostgreSQL has a function of WORDS_FUNCTIONS that divides texts into words as midiopt does now."""
    return f"EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure('{name}') AND strpos(prosrc, '{_DIVISION}') > 0)"


HAS_WORDS_FUNCTIONS = " AND ".join(map(words_function_exists, WORDS_FUNCTIONS))


# Facts without an index of their own, which indexes of a few contents carry along: what two frequent terms find together is then read from
# one index, in SQLite in 12 ms instead of 90, in PostgreSQL in 10 instead of 220. Its index of all facts by id takes 150 ms for that.
CARRIED = ("bpm_confidence", "key_confidence", "drum_note_count", "is_loop", "sustain_pedals", "pitch_bends", "sysex_count")
CARRYING = ("analyses_polyphony", "analyses_swing", "analyses_loop", "analyses_issues", "analyses_performance", "analyses_lyrics")
_NAMED = f"IN ({', '.join(map(quoted, CARRYING))})"
_OLD_INDEXES = {  # of words without pairs or in another division, and those that carry nothing
    "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'index' AND name {_NAMED} AND sql NOT LIKE '%{CARRIED[-1]}%'",
    "postgres": "SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = quote_ident(current_schema())::regnamespace"
    f" AND (relname IN ('files_words', 'analyses_words') OR relname {_NAMED} AND relnatts < {len(CARRIED)}"
    f" OR relname IN {WORDS_INDEXES} AND NOT ({HAS_WORDS_FUNCTIONS}))",
}


def create_indexes(dialect: Dialect) -> list[str]:
    """The statements that make the indexes, unless they are there.

    PostgreSQL's have the id of the content as SQLite's do: so ids come from the index alone, and in order where values are equal. A page
    in the order of `swing` took 369 ms, a list of 40,000 ids 150.
    """
    hashes = {name: f"{table} ({dialect.hexadecimal('notes_hash')})" for name, table in HASH_INDEXES.items()}
    if dialect.database == "sqlite":
        indexes = INDEXES | FACT_INDEXES | hashes | SQLITE_INDEXES
    else:
        with_ids = {name: columns.replace(")", ", id)", 1) for name, columns in INDEXES.items() if columns.startswith("analyses")}
        indexes = INDEXES | with_ids | FACT_INDEXES | hashes | POSTGRES_INDEXES
    carried = ", ".join(CARRIED)
    carrying = f", {carried})" if dialect.database == "sqlite" else f") INCLUDE ({carried})"
    indexes |= {name: indexes[name].replace(")", carrying, 1) for name in CARRYING}
    return [f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" for name, columns in indexes.items()]


# In `files`, of a row whose analysis_id is to be filled in.
SELECT_ANALYSIS_ID = (
    f"CASE WHEN status IN {_statuses(ANALYSED)} THEN (SELECT a.id FROM analyses a WHERE a.content_hash = files.content_hash) END"
)

PAGE_ROWS = 10_000
CONTENT_KEY_BYTES = 32
COUNT_CONTENTS = f"SELECT count({ANALYSIS_ID}), count(DISTINCT {ANALYSIS_ID}) FROM files"

# The missing files that were analysed, and the contents that no other file has.
COUNT_MISSING_CONTENTS = (
    "SELECT count(m.analysis_id), count(DISTINCT CASE WHEN NOT EXISTS"
    " (SELECT 1 FROM files f WHERE f.analysis_id = m.analysis_id AND f.missing_since IS NULL) THEN m.analysis_id END)"
    " FROM files m WHERE m.missing_since IS NOT NULL"
)

# Looking up the file of each analysis takes long, and after most runs no analysis lacks one: so both are counted first.
COUNT_ANALYSES = "SELECT count(*) FROM analyses"
_IS_ORPHAN = f"NOT EXISTS (SELECT 1 FROM files f WHERE f.{ANALYSIS_ID} = analyses.id)"
DELETE_ORPHANS = (
    f"DELETE FROM tracks WHERE {ANALYSIS_ID} IN (SELECT id FROM analyses WHERE {_IS_ORPHAN})",
    f"DELETE FROM analyses WHERE {_IS_ORPHAN}",
)

MARK_KILLED_RUNS = "UPDATE runs SET outcome = 'killed' WHERE outcome IS NULL"  # by the holder of the lock: no other run goes on

SELECT_CONTENT_KEY = "SELECT value FROM meta WHERE key = 'content_key'"
WIDE_ISSUES_VERSION = 6  # the first one with 64 issue bits: before, those of what is unusual began at bit 16, not 32
WIDE_ISSUES = "(issues & 65535) | ((issues >> 16) * 4294967296)"  # their new value
NARROW_ISSUES = "({0} & 65535 | ({0} >> 32 & 32767) << 16)"  # their old value, as far as it goes


def select_files(keep_old: bool, tracks: bool) -> str:
    """The query of ``Catalog.iter_files``. Its conditions are a chain of OR, as in column_definitions: 0.5 us less per row."""
    finished = " OR ".join(f"status = {quoted(STATUSES[i])}" for i in SETTLED if i != OPENED)
    settled = f"({finished} OR status = {quoted(STATUSES[OPENED])} AND error IS NULL)"
    settled += "" if keep_old else f" AND analyzer_version >= {ANALYZER_VERSION}"
    settled += f" AND NOT ({_lacks_tracks('files', keep_old)})" if tracks else ""
    if tracks:  # of an archive, those of its members
        members = f"m.path > files.path || '{MEMBER_SEPARATOR}' AND m.path < files.path || '{MEMBERS_END}'"
        lacking = f"EXISTS (SELECT 1 FROM files m WHERE {members} AND {_lacks_tracks('m', keep_old)})"
        settled += f" AND NOT (status = {quoted(STATUSES[OPENED])} AND {lacking})"
    return f"SELECT path, size_bytes, mtime_ns, {settled} FROM files"


def select_content_hashes(tracks: bool) -> str:
    """The query of ``Catalog.iter_content_hashes``. Not of repaired files: a copy of one is analysed again, for the sentence that says
    what was repaired."""
    query = f"SELECT content_hash FROM files WHERE status = {quoted(STATUSES[OK])} AND analyzer_version = {ANALYZER_VERSION}"
    return query + (f" AND NOT ({_lacks_tracks('files', keep_old=False)})" if tracks else "")


def _lacks_tracks(files: str, keep_old: bool) -> str:
    """Whether a file was analysed without its tracks: each content has at least one, and all are written with its analysis."""
    version = "" if keep_old else f" AND t.analyzer_version >= {ANALYZER_VERSION}"
    stored = f"EXISTS (SELECT 1 FROM tracks t WHERE t.{ANALYSIS_ID} = {files}.{ANALYSIS_ID} AND t.track = 0{version})"
    return f"{files}.{ANALYSIS_ID} IS NOT NULL AND NOT {stored}"


def upsert_meta(dialect: Dialect) -> str:
    """Set the value of a key in `meta`: both are values of the statement."""
    return f"INSERT INTO meta VALUES {dialect.values(2)} ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def content_key(execute: Callable[[str], Iterable[Any]]) -> bytes:
    """``Catalog.content_key``, by a function that runs a statement. An older database that has none gets one."""
    rows = list(execute(SELECT_CONTENT_KEY))
    if not rows:
        execute(f"INSERT INTO meta VALUES ('content_key', '{os.urandom(CONTENT_KEY_BYTES).hex()}') ON CONFLICT (key) DO NOTHING")
        rows = list(execute(SELECT_CONTENT_KEY))
    return decoded_content_key(rows)


def decoded_content_key(rows: list[Any]) -> bytes:
    """The key in the rows of SELECT_CONTENT_KEY; empty if there are none. Raises SinkError for anything that is no key."""
    for (text,) in rows:
        if re.fullmatch(f"[0-9a-f]{{{2 * CONTENT_KEY_BYTES}}}", str(text)):
            return bytes.fromhex(text)
        raise SinkError(f"the content_key in the table meta is not one that {PRODUCT} has made; restore it from a copy of the database")
    return b""


def insert_run(columns: Iterable[str], dialect: Dialect) -> str:
    """INSERT a row with these columns into `runs`."""
    names = list(columns)
    return f"INSERT INTO runs ({', '.join(names)}) VALUES {dialect.values(len(names))}"


def update_run(columns: Iterable[str], dialect: Dialect) -> str:
    """UPDATE these columns of the row of `runs` with the id that is the last value."""
    value = dialect.placeholder
    return f"UPDATE runs SET {', '.join(f'{name} = {value}' for name in columns)} WHERE id = {value}"


def finalize(execute: Callable[[str], Iterable[Any]], make_indexes: Callable[[list[str]], None], dialect: Dialect) -> int:
    """``Catalog.finalize``, by a function that runs a statement, and one that runs those of the indexes, of which none needs another."""
    for (name,) in list(execute(_OLD_INDEXES[dialect.database])):
        execute(f"DROP INDEX {name}")
    if dialect.database == "postgres":
        for name, statement in WORDS_FUNCTIONS.items():
            if list(execute(f"SELECT 1 WHERE NOT {words_function_exists(name)}")):
                execute(statement)
    make_indexes(create_indexes(dialect))
    [(files, contents)] = execute(COUNT_CONTENTS)
    [(analyses,)] = execute(COUNT_ANALYSES)
    if analyses > contents:
        for statement in DELETE_ORPHANS:
            execute(statement)
    [(missing_files, missing_contents)] = execute(COUNT_MISSING_CONTENTS)
    duplicates: int = (files - missing_files) - (contents - missing_contents)
    return duplicates
