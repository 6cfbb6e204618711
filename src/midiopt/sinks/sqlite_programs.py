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
CREATE_TRIGGER = (
    f"CREATE TRIGGER {TABLE}_of_deleted AFTER DELETE ON analyses BEGIN"
    f" DELETE FROM {TABLE} WHERE program IN (SELECT value FROM json_each(old.programs)) AND analysis_id = old.id; END"
)
_VERSION_KEY = "programs_version"  # in `meta`: of the analyses from which the table was made
GREATEST = f"SELECT coalesce(max(n), 0) FROM (SELECT (SELECT max(analysis_id) FROM {TABLE} WHERE program = number) AS n FROM programs)"
_INSERT = f"INSERT INTO {TABLE} SELECT value, analyses.id FROM analyses, json_each(programs) WHERE analyses.id > ? ORDER BY 1, 2"


def fill_analysis_programs(connection: sqlite3.Connection) -> None:
    """Add the contents that are new, within a transaction; all of them if they were analysed by another version before."""
    execute = connection.execute
    if not list(execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"{TABLE}_of_deleted",))):
        return  # the table is one of the user
    version = list(execute("SELECT value FROM meta WHERE key = ?", (_VERSION_KEY,)))
    if version != [(str(ANALYZER_VERSION),)]:
        execute(f"DELETE FROM {TABLE}")
        execute("REPLACE INTO meta VALUES (?, ?)", (_VERSION_KEY, str(ANALYZER_VERSION)))
    [(greatest,)] = execute(GREATEST)
    execute(_INSERT, (greatest,))
