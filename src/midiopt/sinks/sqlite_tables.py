"""The tables of an SQLite database: creating them, and bringing those of an older midiopt to the present schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection

from midiopt.kinds import TIME
from midiopt.schema import ANALYSES, FILES, PRODUCT, RUNS, SCHEMA_VERSION, TRACKS, Column, Table
from midiopt.sinks.dialects import SQLITE as DIALECT
from midiopt.sinks.name_tables import create_columns_table, create_name_tables, fill_columns_table, fill_name_tables
from midiopt.sinks.sql import (
    ANALYSIS_ID,
    KEY_OF_TRACKS,
    REFERENCE,
    REFERENCE_OF_TRACKS,
    SELECT_ANALYSIS_ID,
    TABLES,
    WIDE_ISSUES,
    WIDE_ISSUES_VERSION,
    column_definitions,
    quoted_name,
    upsert_meta,
)
from midiopt.sinks.sqlite_programs import CREATE as CREATE_PROGRAMS
from midiopt.sinks.sqlite_programs import CREATE_TRIGGER, TABLE
from midiopt.sinks.sqlite_sketches import CREATE as CREATE_SKETCHES
from midiopt.sinks.sqlite_sketches import CREATE_TRIGGERS as SKETCH_TRIGGERS
from midiopt.sinks.sqlite_sketches import TABLE as SKETCHES
from midiopt.sinks.view_sql import create_tracks_view, create_view

# WITHOUT ROWID stores each path once: 3.0 us and 152 bytes per row in walk order, against 3.5 us and 221 bytes with a rowid
# and a separate index. Content hashes come in random order: clustered on them, whole rows would be moved, while ids are rowids, which
# cost nothing.
CREATE = {
    FILES: ({"path": "PRIMARY KEY", ANALYSIS_ID: REFERENCE}, "WITHOUT ROWID"),
    ANALYSES: ({"id": "PRIMARY KEY", "content_hash": "UNIQUE"}, ""),
    TRACKS: ({ANALYSIS_ID: REFERENCE_OF_TRACKS}, "WITHOUT ROWID"),
    RUNS: ({"id": "PRIMARY KEY"}, ""),
}
COPIED_ROWS = 20_000  # at a time, in about a second
COPIED_BEFORE = 7  # the first schema version whose times and issues are written as they are now
VIEWS = ("library", "library_tracks")
OWN_INDEXES = ("files_content_hash", "analyses_key_bpm", "analyses_bpm")  # of older schemas; the end of the run makes the present ones


def create_tables(connection: sqlite3.Connection, version: int | None, copied: Callable[[int], None]) -> None:
    """Create the tables, or bring those of an older schema to the present one. Within a transaction, so that all is done or nothing.

    `copied` is told of rows that had to be copied, some thousand at a time.
    """
    execute = connection.execute
    if version is None:
        execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        execute("INSERT INTO meta VALUES ('product', ?)", (PRODUCT,))
    of_views = [statement for view in VIEWS for statement in _made_by_user(connection, view)]
    for view in VIEWS:
        execute(f"DROP VIEW IF EXISTS {view}")
    execute("PRAGMA legacy_alter_table = ON")  # else RENAME refuses while a user's view reads a table that is just being replaced
    for table in (*TABLES, TRACKS, RUNS):
        if list(execute(f"PRAGMA table_info({table.name})")):
            _upgrade_table(connection, table, version or 0, copied)
        else:
            execute(_create(table, table.name))
    execute("PRAGMA legacy_alter_table = OFF")
    execute(create_view(DIALECT))
    execute(create_tracks_view(DIALECT))
    there = {name for (name,) in execute("SELECT name FROM sqlite_master")}
    create_name_tables(execute, there, DIALECT)
    if "columns" not in there:
        create_columns_table(execute)
    if not {TABLE, "programs"} & there:
        execute(CREATE_PROGRAMS)
        execute(CREATE_TRIGGER)
    if SKETCHES not in there:
        for statement in (CREATE_SKETCHES, *SKETCH_TRIGGERS):
            execute(statement)
    for statement in of_views:
        execute(statement)
    fill_names(connection)
    execute(upsert_meta(DIALECT), ("schema_version", str(SCHEMA_VERSION)))


def fill_names(connection: sqlite3.Connection) -> None:
    """Add what the tables of names and of columns lack."""

    def columns_of(table: str) -> list[str]:
        return [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]

    fill_name_tables(connection.execute, columns_of)
    fill_columns_table(connection.execute, columns_of("columns"))


def _create(table: Table, name: str, old: frozenset[str] = frozenset(), more: str = "", columns: Collection[str] | None = None) -> str:
    """The statement that makes a table, of all its columns or of some."""
    constraints, options = CREATE[table]
    key = f", {KEY_OF_TRACKS}" if table is TRACKS else ""
    some = table if columns is None else Table(table.name, table.key, tuple(c for c in table.stored if c.name in columns))
    return f"CREATE TABLE {name} ({column_definitions(some, DIALECT, constraints, old)}{more}{key}) {options}"


def _can_stay(connection: sqlite3.Connection, table: Table, there: Collection[str], nullable: frozenset[str]) -> bool:
    """Whether the table is that of the present schema but for columns that it lacks, or that a user has added.

    Copying a table of a million rows takes minutes where its disk is busy, as the unique hashes come in random order.
    """
    [(sql,)] = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table.name,))
    found, wanted = (_parts(statement) for statement in (sql, _create(table, table.name, nullable, columns=there)))
    return wanted <= found and len(found) == len(wanted) + len([name for name in there if name not in {c.name for c in table.stored}])


def _parts(statement: str) -> set[str]:
    """The definitions in a CREATE TABLE, and its options."""
    definitions, _, options = statement.partition("(")[2].rpartition(")")
    return {*definitions.split(", "), options.strip()}


def _upgrade_table(connection: sqlite3.Connection, table: Table, version: int, copied: Callable[[int], None]) -> None:
    """Add the columns that a table lacks. Where more than that has changed, replace it by one of the present schema, as SQLite's manual
    says (ALTER TABLE, "Making Other Kinds Of Table Schema Changes").

    Columns, indexes and triggers that a user has added are kept.
    """
    execute = connection.execute
    there = {name: (kind, default, not_null) for _, name, kind, not_null, default, *_ in execute(f"PRAGMA table_info({table.name})")}
    names = {column.name for column in table.stored}
    own = {quoted_name(name): (kind, default) for name, (kind, default, _) in there.items() if name not in names}
    more = "".join(f", {name} {kind}" + (f" DEFAULT ({default})" if default else "") for name, (kind, default) in own.items())
    nullable = frozenset(name for name in names if name not in there or not there[name][2]) - {table.key, "id"}
    if version >= COPIED_BEFORE and _can_stay(connection, table, there.keys(), nullable):
        for column in table.stored:
            if column.name not in there:
                definition = column_definitions(Table(table.name, table.key, (column,)), DIALECT, {}, nullable)
                execute(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
        return
    kept = _made_by_user(connection, table.name)
    values = {column.name: _value(column, table, version) for column in table.stored if column.name in there}
    values |= {name: name for name in own}
    if table is ANALYSES:
        values["id"] = "rowid"
    if table is FILES:
        values[ANALYSIS_ID] = SELECT_ANALYSIS_ID
    execute(_create(table, f"new_{table.name}", nullable, more))
    _copy(connection, table, values, copied)
    execute(f"DROP TABLE {table.name}")
    execute(f"ALTER TABLE new_{table.name} RENAME TO {table.name}")
    for statement in kept:
        execute(statement)


def _copy(connection: sqlite3.Connection, table: Table, values: dict[str, str], copied: Callable[[int], None]) -> None:
    """Copy the rows into the new table, in parts: so a signal is handled between two, and the user told how far it is."""
    insert = f"INSERT INTO new_{table.name} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {table.name}"
    key = {FILES: "path", TRACKS: ANALYSIS_ID}.get(table, "rowid")
    last = f"SELECT max(k) FROM (SELECT {key} AS k FROM {table.name} WHERE {{}} ORDER BY {key} LIMIT {COPIED_ROWS})"
    part, limits = f"{key} <= ?", list(connection.execute(last.format("TRUE")).fetchone())
    while limits[-1] is not None:
        copied(connection.execute(f"{insert} WHERE {part}", limits).rowcount)
        part = f"{key} > ? AND {key} <= ?"
        limits = [limits[-1], *connection.execute(last.format(f"{key} > ?"), limits[-1:]).fetchone()]


def _value(column: Column, table: Table, version: int) -> str:
    """The value of a column that an older schema had, as the present one has it."""
    if column.kind is TIME:  # 2026-01-02 03:04:05.678901 until schema 6
        return f"rtrim(replace({column.name}, ' ', 'T'), 'Z') || 'Z'"
    if table is ANALYSES and column.name == "issues" and version < WIDE_ISSUES_VERSION:
        return WIDE_ISSUES
    return column.name


def _made_by_user(connection: sqlite3.Connection, table: str) -> list[str]:
    """The statements of the indexes and triggers of a table or view that midiopt did not make."""
    found = connection.execute(
        f"SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        f" AND name NOT IN {DIALECT.values(len(OWN_INDEXES))}",
        (table, *OWN_INDEXES),
    )
    return [statement for (statement,) in found]
