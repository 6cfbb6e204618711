"""The table `analysis_programs` of SQLite: which contents play a program, where PostgreSQL has an index on the list `programs`."""

from __future__ import annotations

import sqlite3

from midiopt.kinds import INT16, INT64
from midiopt.schema import ANALYZER_VERSION, Column
from midiopt.sinks.sql import REFERENCE

TABLE = "analysis_programs"
COLUMNS = (
    Column("program", INT16, "General MIDI program, from 0"),
    Column("analysis_id", INT64, "`id` of a row in `analyses` that has it"),
)
CREATE = (
    f"CREATE TABLE {TABLE} (program INTEGER NOT NULL, analysis_id INTEGER NOT NULL {REFERENCE}, PRIMARY KEY (program, analysis_id))"
    " WITHOUT ROWID"
)
# With a list of its programs, the rows of a content that is deleted are found without a search.
TRIGGER = f"{TABLE}_of_deleted"
CREATE_TRIGGER = (
    f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON analyses BEGIN"
    f" DELETE FROM {TABLE} WHERE program IN (SELECT value FROM json_each(old.programs)) AND analysis_id = old.id; END"
)
_VERSION_KEY = "programs_version"  # in `meta`: of the analyses from which the table was made
GREATEST = f"SELECT coalesce(max(n), 0) FROM (SELECT (SELECT max(analysis_id) FROM {TABLE} WHERE program = number) AS n FROM programs)"
_INSERT = "INSERT INTO {} SELECT value, analyses.id FROM analyses, json_each(programs) WHERE analyses.id > ? ORDER BY 1, 2"


def build_programs(connection: sqlite3.Connection, schema: str) -> None:
    """Make the table of all contents in another database of the connection."""
    connection.execute(CREATE.replace(TABLE, f"{schema}.{TABLE}", 1))
    connection.execute(_INSERT.format(f"{schema}.{TABLE}"), (0,))


def fill_analysis_programs(connection: sqlite3.Connection, built: str | None = None) -> None:
    """Add the contents that are new, within a transaction; all of them if they were analysed by another version before.

    `built` is the database in which build_programs() has made the table, if the one to be filled is empty.
    """
    execute = connection.execute
    if not list(execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TRIGGER,))):
        return  # the table is one of the user
    version = list(execute("SELECT value FROM meta WHERE key = ?", (_VERSION_KEY,)))
    if version != [(str(ANALYZER_VERSION),)]:
        execute(f"DELETE FROM {TABLE}")
        execute("REPLACE INTO meta VALUES (?, ?)", (_VERSION_KEY, str(ANALYZER_VERSION)))
    if built:
        execute(f"INSERT INTO main.{TABLE} SELECT * FROM {built}.{TABLE}")  # records are copied as they are: 0.08 s instead of 0.30
        return
    [(greatest,)] = execute(GREATEST)
    execute(_INSERT.format(TABLE), (greatest,))
