"""The tables of a PostgreSQL database: creating them, and bringing those of an older midiopt to the present schema.

An upgrade drops nothing that a user has made: see postgres_old_view.py.
"""

from __future__ import annotations

from psycopg.errors import DependentObjectsStillExist, ForeignKeyViolation

from midiopt.errors import SinkError
from midiopt.schema import ANALYSES, FILES, PRODUCT, RUNS, SCHEMA_VERSION, TRACKS
from midiopt.sinks.dialects import POSTGRES as DIALECT
from midiopt.sinks.name_tables import comments, create_name_tables, fill_name_tables
from midiopt.sinks.postgres_old_view import VIEWS, OldView
from midiopt.sinks.postgres_session import IN_SCHEMA, Connection
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
    upsert_meta,
)
from midiopt.sinks.versions import TABLE_NAMES
from midiopt.sinks.view_sql import create_tracks_view, create_view

FULL_NAMES = {"timestamptz": "timestamp with time zone", "float8": "double precision"}  # of types, as the catalog has them
# The ids of analyses are given by the run, which takes blocks of them: to draw and to look up each one would take the server
# 4 of 25 us per file. Their index, 2 us, and the foreign key are made at the end of the first run, like the other indexes.
ID_BLOCK = 1 << 16
LARGE_TABLE = 100_000  # rows
CONSTRAINTS = {
    FILES: {"path": 'COLLATE "C" PRIMARY KEY'},
    ANALYSES: {"content_hash": "UNIQUE"},
    TRACKS: {},
    RUNS: {"id": "PRIMARY KEY GENERATED ALWAYS AS IDENTITY"},
}


def create_tables(connection: Connection, version: int | None) -> None:
    """Create the tables, or upgrade those of an older schema, in one transaction. Raises SinkError when the database cannot be used."""
    [(encoding,)] = connection.execute("SHOW server_encoding").fetchall()
    if encoding != "UTF8":
        raise SinkError(f"the database has encoding {encoding}, which cannot store every path; create it with ENCODING 'UTF8'")
    execute = connection.execute
    with connection.transaction():
        if version is None:
            execute("CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)")
            execute("INSERT INTO meta VALUES ('product', %s)", (PRODUCT,))
        old_views = [] if version is None else [OldView.put_aside(connection, view, version) for view in VIEWS]
        for table in (*TABLES, TRACKS, RUNS):
            key = f", {KEY_OF_TRACKS}" if table is TRACKS else ""
            execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({column_definitions(table, DIALECT, CONSTRAINTS[table])}{key})")
        if version is not None:
            _upgrade(connection, version)
        execute(f"CREATE SEQUENCE IF NOT EXISTS analysis_ids INCREMENT BY {ID_BLOCK} OWNED BY analyses.id")
        execute("SELECT setval('analysis_ids', (SELECT max(id) FROM analyses))")
        execute(create_view(DIALECT))
        execute(create_tracks_view(DIALECT))
        there = {name for (name,) in execute(f"SELECT relname::text FROM pg_class WHERE {IN_SCHEMA}")}
        made = create_name_tables(execute, there, DIALECT)
        execute("; ".join(comments({*TABLE_NAMES, *made})))
        for old_view in old_views:
            old_view.read_new_tables(connection)
            old_view.restore_grants(connection)
        execute(upsert_meta(DIALECT), ("schema_version", str(SCHEMA_VERSION)))


def fill_names(connection: Connection) -> None:
    """Add what the tables of names lack."""
    with connection.transaction():
        fill_name_tables(connection.execute, lambda table: _types(connection, table).keys())


_CONSTRAINTS_THERE = """
    WITH tables AS (
        SELECT to_regclass(quote_ident(current_schema()) || '.analyses') AS analyses,
            to_regclass(quote_ident(current_schema()) || '.files') AS files,
            to_regclass(quote_ident(current_schema()) || '.tracks') AS tracks
    )
    SELECT coalesce(bool_or(contype = 'p' AND conrelid = analyses), FALSE),
        coalesce(bool_or(contype IN ('p', 'u') AND conrelid = analyses AND conkey = (
            SELECT ARRAY[attnum] FROM pg_attribute WHERE attrelid = analyses AND attname = 'id'
        )), FALSE),
        coalesce(bool_or(contype = 'f' AND conrelid = files AND confrelid = analyses), FALSE),
        coalesce(bool_or(contype = 'f' AND conrelid = tracks AND confrelid = analyses), FALSE)
    FROM pg_constraint, tables
"""


def next_ids(connection: Connection) -> range:
    """A block of ids that no analysis has had, even if another run has taken over the lock meanwhile."""
    [(first,)] = connection.execute("SELECT nextval('analysis_ids')").fetchall()
    return range(first, first + ID_BLOCK)


def add_constraints(connection: Connection) -> None:
    """Make `id` the key of `analyses`, and `analysis_id` in `files` and `tracks` refer to it, unless that is so."""
    [(has_primary_key, is_id_unique, *have_reference)] = connection.execute(_CONSTRAINTS_THERE).fetchall()
    if not is_id_unique:  # a primary key of an older schema, to which a user's table refers, stays
        connection.execute(f"ALTER TABLE analyses ADD {'UNIQUE' if has_primary_key else 'PRIMARY KEY'} (id)")
    is_lost = f"{ANALYSIS_ID} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM analyses WHERE id = {ANALYSIS_ID})"
    references = (
        (FILES, REFERENCE, f"UPDATE files SET {ANALYSIS_ID} = NULL WHERE {is_lost}"),
        (TRACKS, REFERENCE_OF_TRACKS, f"DELETE FROM tracks WHERE {is_lost}"),
    )
    for has_reference, (table, reference, mend) in zip(have_reference, references, strict=True):
        if not has_reference:
            add_reference = f"ALTER TABLE {table.name} ADD FOREIGN KEY ({ANALYSIS_ID}) {reference}"
            try:
                connection.execute(add_reference)
            except ForeignKeyViolation:  # someone has deleted rows of `analyses`
                connection.execute(mend)
                connection.execute(add_reference)


def add_statistics(connection: Connection) -> None:
    """Let the planner know what is in large tables, unless it does: a search of a million files took 23 s instead of 1.3.

    It takes a second or two, whatever the size. The server's own ANALYZE comes up to a minute later; small tables wait for it.
    """
    unknown = (
        f"SELECT relname::text FROM pg_class WHERE {IN_SCHEMA} AND relname = ANY(%s) AND reltuples >= %s AND NOT EXISTS"
        " (SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = relname)"
    )
    for (name,) in connection.execute(unknown, ([table.name for table in TABLES], LARGE_TABLE)).fetchall():
        connection.execute(f"ANALYZE {name}")


def _upgrade(connection: Connection, version: int) -> None:
    execute = connection.execute
    is_keyed_by_hash = "id" not in _types(connection, "analyses")
    for table in (*TABLES, TRACKS, RUNS):
        types = _types(connection, table.name)
        for column in table.stored:
            kind = FULL_NAMES.get(column.kind.postgres, column.kind.postgres)
            if column.name not in types:  # new ones are null until the file is analysed again
                identity = " NOT NULL GENERATED ALWAYS AS IDENTITY" if column.name == "id" else ""
                execute(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}{identity}")
            elif types[column.name] != kind:
                using = f" USING {WIDE_ISSUES}" if column.name == "issues" and version < WIDE_ISSUES_VERSION else ""
                execute(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} TYPE {kind}{using}")
    if is_keyed_by_hash:
        execute("ALTER TABLE analyses ALTER COLUMN id DROP IDENTITY")
        try:
            with connection.transaction():
                execute("ALTER TABLE analyses DROP CONSTRAINT analyses_pkey")
                execute("ALTER TABLE analyses ADD UNIQUE (content_hash)")
        except DependentObjectsStillExist:  # a user's table refers to the content hashes
            pass
        execute(f"UPDATE files SET {ANALYSIS_ID} = {SELECT_ANALYSIS_ID}")
    execute("DROP INDEX IF EXISTS files_content_hash")


def _types(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table and their types."""
    return dict(
        connection.execute(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
            " AND attrelid = to_regclass(quote_ident(current_schema()) || '.' || %s)",
            [table],
        ).fetchall()
    )
