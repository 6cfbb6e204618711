"""What a database says about itself: tables with the names of numbers, a view that names issues, and the meaning of every column.

A table of the user that has one of these names is left alone, and the database does without ours. Rows that are missing, because someone
has deleted them or an older midiopt did not know them, are added when a run opens the database; a name that someone has changed stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from midiopt.general_midi import DRUM_SOUNDS, PROGRAMS, program_family
from midiopt.kinds import INT16, TEXT
from midiopt.schema import (
    ALL_REPAIRS,
    ANALYSES,
    FILES,
    ISSUE_BITS,
    LIBRARY_COLUMNS,
    LIBRARY_TRACKS_COLUMNS,
    REPAIRS,
    RUNS,
    TRACKS,
    UNUSUAL,
    Column,
    Table,
)
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.facets import FACETS, create_facets
from midiopt.sinks.sql import column_definitions, quoted
from midiopt.sinks.sqlite_programs import COLUMNS, TABLE
from midiopt.sinks.sqlite_sketches import COLUMNS as SKETCH_COLUMNS
from midiopt.sinks.sqlite_sketches import TABLE as SKETCHES

PROGRAM_NAMES = Table(
    "programs",
    "number",
    (
        Column("number", INT16, "General MIDI program as in a file, from 0"),
        Column("name", TEXT, "name in the General MIDI 1 sound set"),
        Column("family", TEXT, "name of the eight programs to which it belongs"),
    ),
)
DRUM_SOUND_NAMES = Table(
    "drum_sounds",
    "pitch",
    (
        Column("pitch", INT16, "pitch on the drum channel", "MIDI pitch"),
        Column("name", TEXT, "name in the percussion key map of General MIDI 1"),
    ),
)
ISSUE_NAMES = Table(
    "issue_names",
    "bit",
    (
        Column("bit", INT16, "number of the bit in `issues`, from 0: a file has the issue if (issues >> bit) & 1 is 1"),
        Column("name", TEXT, "name of the issue"),
        Column("severity", TEXT, "`repaired`: the file is not valid; `unusual`: it is valid, but rarely so"),
        Column("meaning", TEXT, "what is so in the file"),
    ),
)
NAME_TABLES: dict[Table, list[tuple[object, ...]]] = {
    PROGRAM_NAMES: [(number, name, program_family(number)) for number, name in enumerate(PROGRAMS)],
    DRUM_SOUND_NAMES: list(DRUM_SOUNDS.items()),
    ISSUE_NAMES: [
        (bit.bit_length() - 1, name, "repaired" if bit <= ALL_REPAIRS else "unusual", (REPAIRS | UNUSUAL)[name])
        for name, bit in ISSUE_BITS.items()
    ],
}
CREATE_LIBRARY_ISSUES = (
    "CREATE VIEW library_issues AS SELECT f.path, n.name AS issue FROM analyses a JOIN issue_names n ON (a.issues >> n.bit) & 1 = 1"
    " JOIN files f ON f.analysis_id = a.id WHERE a.issues <> 0 AND f.missing_since IS NULL"
)
COLUMNS_OF_COLUMNS = ("table_name", "column_name", "type", "unit", "meaning")
META_COLUMNS = (Column("key", TEXT, "name of a fact about the database"), Column("value", TEXT, "its value"))
ISSUE_COLUMNS = (FILES["path"], Column("issue", TEXT, "name of an issue of the file; see `issue_names`"))

# Every table and view with its meaning and columns.
RELATIONS: dict[str, tuple[str, str, tuple[Column, ...]]] = {
    "files": ("TABLE", "one row per path", FILES.stored),
    "analyses": ("TABLE", "the facts of each distinct content; `analysis_id` in `files` refers to it", ANALYSES.stored),
    "tracks": ("TABLE", "the facts of each track, of contents that a run with --tracks has analysed", TRACKS.stored),
    "runs": ("TABLE", "one row per run of midiopt analyze", RUNS.stored),
    "meta": ("TABLE", "what midiopt must know about the database", META_COLUMNS),
    "programs": ("TABLE", "General MIDI programs", PROGRAM_NAMES.stored),
    "drum_sounds": ("TABLE", "sounds of the General MIDI drum channel", DRUM_SOUND_NAMES.stored),
    "issue_names": ("TABLE", "bits of the column `issues`", ISSUE_NAMES.stored),
    "facets": ("TABLE", "number of contents of each combination of role, meter and key", FACETS.columns),
    "library": ("VIEW", "every file that is not missing, with the facts of its content", LIBRARY_COLUMNS),
    "library_tracks": ("VIEW", "every track in `tracks` of every file that is not missing", LIBRARY_TRACKS_COLUMNS),
    "library_issues": ("VIEW", "every issue of every file that is not missing", ISSUE_COLUMNS),
}


def create_name_tables(execute: Callable[[str], Any], there: Collection[str], dialect: Dialect) -> set[str]:
    """Create the tables and the view that are not `there`, and fill the tables. Returns the names of what it has made."""
    made = set()
    for table, rows in NAME_TABLES.items():
        if table.name in there:
            continue
        made.add(table.name)
        execute(f"CREATE TABLE {table.name} ({column_definitions(table, dialect, {table.key: 'PRIMARY KEY'})})")
        execute(f"INSERT INTO {table.name} VALUES {_values(rows)}")
    if FACETS.name not in there:
        made.add(FACETS.name)
        execute(create_facets(dialect))
    if ISSUE_NAMES.name in made and "library_issues" not in there:
        made.add("library_issues")
        execute(CREATE_LIBRARY_ISSUES)
    return made


def fill_name_tables(execute: Callable[[str], Iterable[Any]], columns_of: Callable[[str], Collection[str]]) -> None:
    """Add the rows that the tables lack."""
    for table, rows in NAME_TABLES.items():
        if set(columns_of(table.name)) != {column.name for column in table.stored}:
            continue
        there = {key for (key,) in execute(f"SELECT {table.key} FROM {table.name}")}
        if missing := [row for row in rows if row[0] not in there]:
            execute(f"INSERT INTO {table.name} VALUES {_values(missing)}")


def create_columns_table(execute: Callable[[str], Any]) -> None:
    """SQLite has no comments, so a table has them; its rows without a column are about the table or view."""
    execute(
        "CREATE TABLE columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, type TEXT NOT NULL, unit TEXT NOT NULL,"
        " meaning TEXT NOT NULL, PRIMARY KEY (table_name, column_name)) WITHOUT ROWID"
    )
    fill_columns_table(execute, COLUMNS_OF_COLUMNS)


def fill_columns_table(execute: Callable[[str], Iterable[Any]], there: Collection[str]) -> None:
    """Let the table say what this midiopt knows, unless its columns, those `there`, are not ours."""
    if set(there) != set(COLUMNS_OF_COLUMNS):
        return
    own = {
        TABLE: ("TABLE", "the contents that play each program", COLUMNS),
        SKETCHES: ("TABLE", "the contents that have each hash in their sketch", SKETCH_COLUMNS),
    }
    rows: list[tuple[object, ...]] = [
        row
        for name, (kind, meaning, columns) in (RELATIONS | own).items()
        for row in ((name, "", kind.lower(), "", meaning), *((name, c.name, c.kind.label, c.unit, c.meaning) for c in columns))
    ]
    if {tuple(row) for row in execute(f"SELECT {', '.join(COLUMNS_OF_COLUMNS)} FROM columns")} != set(rows):
        execute("DELETE FROM columns")
        execute(f"INSERT INTO columns VALUES {_values(rows)}")


def comments(names: Collection[str]) -> Iterator[str]:
    """COMMENT on these tables and views and their columns, for PostgreSQL."""
    for name, (kind, meaning, columns) in RELATIONS.items():
        if name in names:
            yield f"COMMENT ON {kind} {name} IS {quoted(meaning)}"
            for column in columns:
                yield f"COMMENT ON COLUMN {name}.{column.name} IS {quoted(column.description)}"


def _values(rows: Iterable[Iterable[object]]) -> str:
    """Rows as SQL."""
    return ", ".join(f"({', '.join(quoted(v) if isinstance(v, str) else str(v) for v in row)})" for row in rows)
