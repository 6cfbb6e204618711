"""The indexes that the end of a run makes, and the functions of PostgreSQL that those of words use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from midiopt.schema import OK, STATUSES
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.sql import ANALYSIS_ID, quoted
from midiopt.sinks.words import DIVISION, postgres_words_array

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


def prepare_indexes(execute: Callable[[str], Iterable[Any]], dialect: Dialect) -> None:
    """Drop the indexes of an older midiopt, and replace its functions, by a function that runs a statement."""
    for (name,) in list(execute(_OLD_INDEXES[dialect.database])):
        execute(f"DROP INDEX {name}")
    if dialect.database == "postgres":
        for name, statement in WORDS_FUNCTIONS.items():
            if list(execute(f"SELECT 1 WHERE NOT {words_function_exists(name)}")):
                execute(statement)
