"""The table `sketch_hashes` of SQLite: which contents have a hash in their sketch, where PostgreSQL has an index on the list `sketch`."""

from __future__ import annotations

import sqlite3

from midiopt.kinds import INT32, INT64
from midiopt.schema import Column
from midiopt.sinks.sql import REFERENCE

TABLE = "sketch_hashes"
COLUMNS = (
    Column("hash", INT32, "hash in a `sketch`"),
    Column("analysis_id", INT64, "`id` of a row in `analyses` that has it"),
)
CREATE = (
    f"CREATE TABLE {TABLE} (hash INTEGER NOT NULL, analysis_id INTEGER NOT NULL {REFERENCE}, PRIMARY KEY (hash, analysis_id)) WITHOUT ROWID"
)
# `meta` has the id up to which all contents are in the table. One that changes later, and all after it, are entered again; the id of one
# that is deleted may be given to another.
DONE_KEY = "sketched_id"
_DONE = f"key = '{DONE_KEY}' AND CAST(value AS INTEGER)"
_DELETE_OLD = f"DELETE FROM {TABLE} WHERE hash IN (SELECT value FROM json_each(old.sketch)) AND analysis_id = old.id"
_LAST = "(SELECT coalesce(max(id), 0) FROM analyses)"
TRIGGER = f"{TABLE}_of_deleted"
CREATE_TRIGGERS = (
    f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON analyses BEGIN {_DELETE_OLD}; UPDATE meta SET value = {_LAST} WHERE {_DONE} > {_LAST}; END",
    f"CREATE TRIGGER {TABLE}_of_changed AFTER UPDATE OF sketch ON analyses WHEN new.sketch IS NOT old.sketch BEGIN {_DELETE_OLD};"
    f" UPDATE meta SET value = new.id - 1 WHERE {_DONE} >= new.id; END",
)
IS_OURS = f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = '{TRIGGER}'"  # not a table of the user
SELECT_DONE = f"SELECT value FROM meta WHERE key = '{DONE_KEY}'"
_INSERT = (
    f"INSERT OR IGNORE INTO {TABLE} SELECT value, analyses.id FROM analyses, json_each(sketch)"
    " WHERE analyses.id > ? AND sketch IS NOT NULL ORDER BY 1, 2"
)


def fill_sketch_hashes(connection: sqlite3.Connection) -> None:
    """Add the contents that are new or have changed, within a transaction."""
    [(is_ours,)] = connection.execute(IS_OURS)
    if not is_ours:
        return
    [(last,)] = connection.execute(f"SELECT {_LAST}")
    done = next((int(value) for (value,) in connection.execute(SELECT_DONE)), 0)
    if done < last:
        connection.execute(_INSERT, (done,))
        connection.execute("REPLACE INTO meta VALUES (?, ?)", (DONE_KEY, str(last)))
