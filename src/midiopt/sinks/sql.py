"""What both databases share: the tables and their statements.

Every statement is generated from ``schema.py``, so a column added there appears in both databases.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from midiopt.errors import SinkError
from midiopt.kinds import ENUM, Kind
from midiopt.schema import (
    ANALYSED,
    ANALYSES,
    ANALYZER_VERSION,
    FILES,
    OK,
    OPENED,
    PRODUCT,
    SCHEMA_VERSION,
    SETTLED,
    STATUSES,
    Table,
)


@dataclass(frozen=True)
class Dialect:
    """How a database's driver marks values in a statement, and what the database calls its types."""

    placeholder: str
    database: Literal["sqlite", "postgres"]

    def type_of(self, kind: Kind) -> str:
        """The type of a column of this kind."""
        return kind.sqlite if self.database == "sqlite" else kind.postgres

    def values(self, count: int) -> str:
        """Placeholders of a row, or of a list after IN."""
        return f"({', '.join([self.placeholder] * count)})"


def column_names(table: Table) -> str:
    """The column names as SQL."""
    return ", ".join(column.name for column in table)


def column_definitions(table: Table, dialect: Dialect, key: str) -> str:
    """The column definitions as SQL; `key` is appended to the key column. Enumerations that cannot be null get a CHECK.

    A CHECK is a chain of OR: for an IN of three or more values SQLite builds a table for every row, and two
    such checks took 3.4 of 15 us for a row of each table.
    """
    return ", ".join(
        f"{c.name} {dialect.type_of(c.kind)}"
        + (f" {key}" if c.name == table.key else "")
        + ("" if c.nullable else " NOT NULL")
        + (f" CHECK ({' OR '.join(f'{c.name} = {_quoted(v)}' for v in c.values)})" if c.kind is ENUM and not c.nullable else "")
        for c in table
    )


def upsert(table: Table, source: str, differs: str) -> str:
    """INSERT the rows of `source`; a stored row is replaced only if a column differs that is not volatile.

    `differs` is the database's operator for "distinct", which treats two nulls as equal.
    """
    others = [c.name for c in table if c.name != table.key]
    facts = [c.name for c in table if c.name != table.key and not c.volatile]
    return (
        f"INSERT INTO {table.name} ({column_names(table)}) {source} ON CONFLICT ({table.key}) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in others)
        + f" WHERE ({', '.join(f'{table.name}.{name}' for name in facts)})"
        + f" {differs} ({', '.join(f'excluded.{name}' for name in facts)})"
    )


def _quoted(value: str) -> str:
    return f"'{value}'"


def _statuses(indices: tuple[int, ...]) -> str:
    return "(" + ", ".join(_quoted(STATUSES[i]) for i in indices) + ")"


TABLES = (ANALYSES, FILES)  # in the order of writing: no file before its analysis


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

_FILE_COLUMNS = {c.name for c in FILES}
CREATE_VIEW = (
    f"CREATE VIEW library AS SELECT {', '.join(f'f.{c.name}' for c in FILES)}, "
    f"{', '.join(f'a.{c.name}' for c in ANALYSES if c.name not in _FILE_COLUMNS)}, {NAME_AGREES} AS name_agrees "
    f"FROM files f LEFT JOIN analyses a ON a.content_hash = f.content_hash AND f.status IN {_statuses(ANALYSED)}"
)

# Few, because each one costs every later run: files with the same content, a key (with a tempo range), a tempo range. The
# status makes the first one a covering index of COUNT_CONTENTS: over a million files SQLite takes 0.24 s instead of 3.0 s.
INDEXES = {
    "files_content_hash": "files (content_hash, status)",
    "analyses_key_bpm": "analyses (key, bpm)",
    "analyses_bpm": "analyses (bpm)",
}
CREATE_INDEXES = [f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" for name, columns in INDEXES.items()]

PAGE_ROWS = 10_000
CONTENT_KEY_BYTES = 32
COUNT_CONTENTS = f"SELECT count(*), count(DISTINCT content_hash) FROM files WHERE status IN {_statuses(ANALYSED)}"

# Looking up the file of each analysis takes long, and after most runs no analysis lacks one: so both are counted first.
COUNT_ANALYSES = "SELECT count(*) FROM analyses"
DELETE_ORPHANS = (
    "DELETE FROM analyses WHERE NOT EXISTS (SELECT 1 FROM files f"
    f" WHERE f.content_hash = analyses.content_hash AND f.status IN {_statuses(ANALYSED)})"
)

MARK_KILLED_RUNS = "UPDATE runs SET outcome = 'killed' WHERE outcome IS NULL"  # by the holder of the lock: no other run goes on

TABLE_NAMES = ("meta", "files", "analyses", "library", "runs")  # that midiopt uses in a database
SELECT_CONTENT_KEY = "SELECT value FROM meta WHERE key = 'content_key'"
RUNS_MIN_VERSION = 2  # the first schema version with the table `runs`
WIDE_ISSUES_VERSION = 6  # the first one with 64 issue bits: before, those of what is unusual began at bit 16, not 32
WIDE_ISSUES = "(issues & 65535) | ((issues >> 16) * 4294967296)"  # their new value


def select_files(keep_old: bool) -> str:
    """The query of ``Catalog.iter_files``. Its conditions are a chain of OR, as in column_definitions: 0.5 us less per row."""
    finished = " OR ".join(f"status = {_quoted(STATUSES[i])}" for i in SETTLED if i != OPENED)
    settled = f"({finished} OR status = {_quoted(STATUSES[OPENED])} AND error IS NULL)"
    settled += "" if keep_old else f" AND analyzer_version >= {ANALYZER_VERSION}"
    return f"SELECT path, size_bytes, mtime_ns, {settled} FROM files"


# Not of repaired files: a copy of one is analysed again, for the sentence that says what was repaired.
SELECT_CONTENT_HASHES = f"SELECT content_hash FROM files WHERE status = {_quoted(STATUSES[OK])} AND analyzer_version = {ANALYZER_VERSION}"


def select_paths(dialect: Dialect) -> str:
    """The query of ``Catalog.paths_between``, with two values."""
    value = dialect.placeholder
    return f"SELECT path FROM files WHERE path > {value} AND path < {value} ORDER BY path LIMIT {PAGE_ROWS}"


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


def finalize(execute: Callable[[str], Iterable[Any]]) -> int:
    """``Catalog.finalize``, by a function that runs a statement."""
    for statement in CREATE_INDEXES:
        execute(statement)
    [(files, contents)] = execute(COUNT_CONTENTS)
    [(analyses,)] = execute(COUNT_ANALYSES)
    if analyses > contents:
        execute(DELETE_ORPHANS)
    duplicates: int = files - contents
    return duplicates


def check_version(found: set[str], meta: dict[str, str]) -> int | None:
    """The schema version of the database; None if it has none of midiopt's tables.

    `found` has those of TABLE_NAMES that exist, `meta` the content of that table (empty if it is not midiopt's). Raises
    SinkError if another program made the tables, or a newer midiopt did.
    """
    if not found:
        return None
    version = meta.get("schema_version", "")
    if meta.get("product") != PRODUCT or not version.isdecimal():
        names = " and ".join(name for name in TABLE_NAMES if name in found)
        raise SinkError(f"the database already has {names}, not made by {PRODUCT}; choose another database")
    if int(version) > SCHEMA_VERSION:
        raise SinkError(f"the database was made by a newer {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); upgrade {PRODUCT}")
    if int(version) < RUNS_MIN_VERSION and "runs" in found:
        raise SinkError(f"the database already has runs, not made by {PRODUCT}; rename that table or choose another database")
    return int(version)


def require_current_schema(version: int | None) -> None:
    """Raise SinkError unless the tables have this schema: a reader does not upgrade them."""
    if version is None:
        raise SinkError(f"the database was not made by {PRODUCT}: it has none of its tables")
    if version < SCHEMA_VERSION:
        raise SinkError(f"the database was made by an older {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); analyze upgrades it")
