"""What both databases share: the tables and their statements.

Every statement is generated from ``schema.py``, so a column added there appears in both databases.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from midiopt.errors import SinkError
from midiopt.kinds import ENUM
from midiopt.schema import (
    ANALYSED,
    ANALYSES,
    ANALYZER_VERSION,
    FILES,
    MEMBER_SEPARATOR,
    MEMBERS_END,
    OK,
    OPENED,
    PRODUCT,
    SETTLED,
    STATUSES,
    TRACKS,
    Table,
)
from midiopt.sinks.dialects import Dialect

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

# In `files`, of a row whose analysis_id is to be filled in.
SELECT_ANALYSIS_ID = (
    f"CASE WHEN status IN {_statuses(ANALYSED)} THEN (SELECT a.id FROM analyses a WHERE a.content_hash = files.content_hash) END"
)

PAGE_ROWS = 10_000
CONTENT_KEY_BYTES = 32
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
