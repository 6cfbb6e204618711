"""The full-text index of SQLite: the words in the paths, the title and the track names of each content.

A row of the table is a content; the table keeps the words only, not the texts. A content that was new when it was indexed has its `id`
as rowid. Contents that get another path later, or the id of one that was deleted, are indexed once more under a rowid above EXTRA, from
which BITS give the id. What the index finds is a candidate: a search looks at the rows themselves, so a path that is gone, or that another
copy has, does no harm. What it has not seen yet are contents above `words_contents` in `meta`, and files analysed after the newest one it
knows; these are candidates, too.

Positions are not kept (detail=none), which halves the size. A million files take 18 MB.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass

from midiopt.schema import ANALYZER_VERSION
from midiopt.sinks.words import DIVISION, indexed_text

TABLE = "midiopt_words"
TRIGGER = f"{TABLE}_of_deleted"
BITS, EXTRA = 40, 1 << 62
STATE_KEY, CONTENTS_KEY = "words", "words_contents"  # in `meta`
FREE_EXTRAS, REBUILD_SHARE = 1000, 8  # the index is made anew when one content in so many is indexed twice, but for the first thousand
_CREATE = (
    "CREATE VIRTUAL TABLE {} USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = \"unicode61 remove_diacritics 2\")"
)
_GREATEST = "(SELECT coalesce(max(id), 0) FROM analyses)"
# A content that comes after the last one was deleted has its id.
_CREATE_TRIGGER = (
    f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON analyses BEGIN UPDATE meta SET value = {_GREATEST}"
    f" WHERE key = '{CONTENTS_KEY}' AND CAST(value AS INTEGER) > {_GREATEST}; END"
)


@dataclass
class WordsState:
    """What the index has seen."""

    version: int
    """Of the analyser: titles change with it."""
    division: int
    """DIVISION of texts into words."""
    greatest: int
    """The greatest rowid below EXTRA."""
    newest: str
    """The latest `analyzed_at` of a file in it."""
    run: int
    """The last run."""
    extras: int = 0
    """Number of rows above EXTRA."""
    generation: int = 0
    """Number of times that such rows were added."""


def words_state(rows: list[tuple[str]]) -> WordsState | None:
    """The state in the rows of ``SELECT value FROM meta WHERE key = STATE_KEY``; None of an index of words in another division."""
    try:
        state = WordsState(**json.loads(rows[0][0]))
    except (IndexError, TypeError, ValueError):
        return None
    return state if state.division == DIVISION else None


def has_fts5(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite was compiled with full-text search."""
    return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchall())


def build_words(connection: sqlite3.Connection, schema: str) -> None:
    """Make the index of all contents in another database of the connection, if this SQLite has full-text search."""
    if has_fts5(connection):
        _create_function(connection)
        connection.execute(_CREATE.format(f"{schema}.{TABLE}"))
        _insert(connection, 0, "analysis_id > 0", f"{schema}.{TABLE}")


def fill_words(connection: sqlite3.Connection, built: str | None = None) -> None:
    """Add what is new, within a transaction; everything if it is the first time, or if what is there no longer holds.

    `built` is the database in which build_words() has made the index, if it is the first time.
    """
    execute = connection.execute
    if not has_fts5(connection):
        return
    there = bool(execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchall())
    state = words_state(execute("SELECT value FROM meta WHERE key = ?", (STATE_KEY,)).fetchall())
    if there and not execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TRIGGER,)).fetchall():
        return  # the table is one of the user
    [(contents, newest, run)] = execute(
        "SELECT (SELECT max(id) FROM analyses), (SELECT max(analyzed_at) FROM files), (SELECT max(id) FROM runs)"
    )
    contents, newest, run = contents or 0, newest or "", run or 0
    _create_function(connection)
    if not there or state is None or not _holds(connection, state, contents):
        execute(f"DROP TABLE IF EXISTS main.{TABLE}")
        execute(f"DROP TRIGGER IF EXISTS {TRIGGER}")
        execute(_CREATE.format(TABLE))
        execute(_CREATE_TRIGGER)
        state = WordsState(ANALYZER_VERSION, DIVISION, 0, newest, run)
        if built:
            for table in (f"{TABLE}_data", f"{TABLE}_idx"):  # all that an index without contents consists of
                execute(f"DELETE FROM main.{table}")
                execute(f"INSERT INTO main.{table} SELECT * FROM {built}.{table}")
        else:
            _insert(connection, 0, "analysis_id > 0")
    else:
        [(seen,)] = execute("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", (CONTENTS_KEY,)).fetchall() or [(0,)]
        again = (
            f"analysis_id IN (SELECT id FROM analyses WHERE id > {seen} AND id <= {state.greatest} UNION SELECT analysis_id FROM files"
            f" WHERE analyzed_at > '{state.newest}' AND analysis_id <= {seen})"
        )
        _insert(connection, 0, f"analysis_id > {max(seen, state.greatest)}")
        extras = _insert(connection, EXTRA | (state.generation + 1) << BITS, again)
        state.extras += extras
        state.generation += extras > 0
        state.newest, state.run = max(newest, state.newest), run
    state.greatest = max(state.greatest, contents)
    execute("REPLACE INTO meta VALUES (?, ?), (?, ?)", (STATE_KEY, json.dumps(asdict(state)), CONTENTS_KEY, str(contents)))


def _holds(connection: sqlite3.Connection, state: WordsState, contents: int) -> bool:
    """Whether the index can be continued: with the same analyser, not too often repeated, and not before a clock was set back."""
    if state.version != ANALYZER_VERSION or state.extras > FREE_EXTRAS + contents // REBUILD_SHARE:
        return False
    before = "SELECT 1 FROM runs WHERE id > ? AND (started < ? OR ended < started)"
    return not connection.execute(before, (state.run, state.newest)).fetchall()


def _create_function(connection: sqlite3.Connection) -> None:
    connection.create_function("midiopt_indexed_text", 3, indexed_text, deterministic=True)


def _insert(connection: sqlite3.Connection, base: int, condition: str, table: str = TABLE) -> int:
    """Index the contents of the files that meet a condition; returns their number."""
    paths = f"SELECT analysis_id, group_concat(path, ' ') AS paths FROM files WHERE {condition} GROUP BY analysis_id"
    cursor = connection.execute(
        f"INSERT INTO {table} (rowid, words) SELECT {base} + id, midiopt_indexed_text(paths, title, track_names)"
        f" FROM ({paths}) CROSS JOIN analyses ON id = analysis_id"
    )
    return cursor.rowcount
