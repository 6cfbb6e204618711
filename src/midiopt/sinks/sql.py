"""What both databases share: the tables, their statements and the rows of a batch that count.

Every statement is made from ``schema.py``, so a column added there appears in both databases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midiopt.errors import SinkError
from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, Batch
from midiopt.schema import (
    ANALYSED,
    ANALYSES,
    ANALYZER_VERSION,
    FILES,
    OK,
    OPENED,
    PRODUCT,
    RUNS,
    SCHEMA_VERSION,
    SETTLED,
    STATUSES,
    Column,
)

KINDS = (  # in the order of `Kind` in plan.pxd
    *("text", "texts", "int16", "int32", "int64", "float32", "float64"),
    *("floats", "hash16", "hash8", "enum", "bool", "set", "time"),
)


@dataclass(frozen=True)
class Table:
    name: str
    key: str  # the column that is unique
    columns: tuple[Column, ...]
    dtype: np.dtype | None = None  # of its rows in a batch

    @property
    def names(self) -> str:
        return ", ".join(c.name for c in self.columns)

    def plan(self) -> list[tuple]:
        """What an encoder needs of each column: index into KINDS, byte offset, bytes, first member, names."""
        fields = self.dtype and self.dtype.fields
        assert fields
        return [(KINDS.index(c.kind), fields[c.name][1], fields[c.name][0].itemsize, c.first, c.values) for c in self.columns]

    def definitions(self, types: dict[str, str], key: str) -> str:
        """The columns as SQL; `key` follows the key. Enumerations that cannot be null are checked.

        A check is a chain of OR: SQLite builds a table for an IN of three or more values, again for
        every row, and two such checks took 3.4 of 15 microseconds for a row of each table.
        """
        return ", ".join(
            f"{c.name} {types[c.kind]}"
            + (f" {key}" if c.name == self.key else "")
            + ("" if c.null else " NOT NULL")
            + (f" CHECK ({' OR '.join(f'{c.name} = {_text(v)}' for v in c.values)})" if c.kind == "enum" and not c.null else "")
            for c in self.columns
        )

    def upsert(self, source: str, differs: str) -> str:
        """INSERT the rows of `source`; a stored row is replaced only when more than what varies differs.

        `differs` is the operator of the database that compares two rows null for null.
        """
        others = [c.name for c in self.columns if c.name != self.key]
        facts = [c.name for c in self.columns if c.name != self.key and not c.varies]
        return (
            f"INSERT INTO {self.name} ({self.names}) {source} ON CONFLICT ({self.key}) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in others)
            + f" WHERE ({', '.join(f'{self.name}.{name}' for name in facts)})"
            + f" {differs} ({', '.join(f'excluded.{name}' for name in facts)})"
        )


def _text(value: str) -> str:
    return f"'{value}'"


def _statuses(indices: tuple[int, ...]) -> str:
    return "(" + ", ".join(_text(STATUSES[i]) for i in indices) + ")"


TABLES = (  # in the order they are written: no file before its analysis
    Table("analyses", "content_hash", ANALYSES, ANALYSES_DTYPE),
    Table("files", "path", FILES, FILES_DTYPE),
)

RECORDS = Table("runs", "id", RUNS)  # one row a run


def _near(bpm: str) -> str:
    """Within 4 % of the tempo in the name, or of half or twice that."""
    return "(" + " OR ".join(f"{bpm} / f.name_bpm BETWEEN {0.96 * k:g} AND {1.04 * k:g}" for k in (1, 2, 0.5)) + ")"


# Null where the notes do not answer: they have no tempo, or no key, or were not analysed.
NAME_AGREES = (
    "CASE WHEN f.name_bpm IS NOT NULL OR f.name_key IS NOT NULL OR f.name_meter IS NOT NULL THEN"
    f" (f.name_bpm IS NULL OR {_near('a.bpm')} OR coalesce({_near('a.bpm_onsets')}, FALSE))"
    " AND (f.name_key IS NULL OR f.name_key = a.key OR f.name_key = a.key_notes)"
    " AND (f.name_meter IS NULL OR coalesce(f.name_meter = a.time_signature, f.name_meter = a.meter_estimated)"
    " OR coalesce(f.name_meter = a.meter_estimated, FALSE)) END"
)

_seen = {c.name for c in FILES}
LIBRARY = (
    f"CREATE VIEW library AS SELECT {', '.join(f'f.{c.name}' for c in FILES)}, "
    f"{', '.join(f'a.{c.name}' for c in ANALYSES if c.name not in _seen)}, {NAME_AGREES} AS name_agrees "
    f"FROM files f LEFT JOIN analyses a ON a.content_hash = f.content_hash AND f.status IN {_statuses(ANALYSED)}"
)

# Few, because each costs every later run: who copies whom, a key (with a tempo range), a tempo range. With the status
# in it the first answers COUNT_CONTENTS alone: a million files take SQLite 0.24 s in place of 3.0.
INDEXES = {
    "files_content_hash": "files (content_hash, status)",
    "analyses_key_bpm": "analyses (key, bpm)",
    "analyses_bpm": "analyses (bpm)",
}
CREATE_INDEXES = [f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" for name, columns in INDEXES.items()]

PAGE = 10_000  # paths
PATHS = f"SELECT path FROM files WHERE path > ? AND path < ? ORDER BY path LIMIT {PAGE}"
COUNT_CONTENTS = f"SELECT count(*), count(DISTINCT content_hash) FROM files WHERE status IN {_statuses(ANALYSED)}"

# Looking for each analysis's file takes long, and most runs leave none without: counting both comes first.
COUNT_ANALYSES = "SELECT count(*) FROM analyses"
DELETE_ORPHANS = (
    "DELETE FROM analyses WHERE NOT EXISTS (SELECT 1 FROM files f"
    f" WHERE f.content_hash = analyses.content_hash AND f.status IN {_statuses(ANALYSED)})"
)

NEVER_ENDED = "UPDATE runs SET outcome = 'killed' WHERE outcome IS NULL"  # asked by who holds the lock: none of them goes on

OURS = ("meta", "files", "analyses", "library", "runs")  # the names midiopt takes in a database
RUNS_SINCE = 2  # the first schema with that table


def known(keep_old: bool) -> str:
    """The query of ``Sink.known``. Its conditions are a chain of OR, as in Table.definitions: 0.5 us a row less."""
    plain = " OR ".join(f"status = {_text(STATUSES[i])}" for i in SETTLED if i != OPENED)
    settled = f"({plain} OR status = {_text(STATUSES[OPENED])} AND error IS NULL)"
    settled += "" if keep_old else f" AND analyzer_version >= {ANALYZER_VERSION}"
    return f"SELECT path, size_bytes, mtime_ns, {settled} FROM files"


# A file that was repaired is analysed again, for its sentence.
CONTENTS = f"SELECT content_hash FROM files WHERE status = {_text(STATUSES[OK])} AND analyzer_version = {ANALYZER_VERSION}"


def check_version(found: set[str], meta: dict[str, str]) -> int | None:
    """The schema version of the database; None when nothing of ours is there yet.

    `found` is which of OURS exist, `meta` what the table of that name says (empty when it is not
    midiopt's). Raises SinkError when something else made them, or a newer midiopt did.
    """
    if not found:
        return None
    version = meta.get("schema_version", "")
    if meta.get("product") != PRODUCT or not version.isdecimal():
        names = " and ".join(name for name in OURS if name in found)
        raise SinkError(f"the database already has {names}, not made by {PRODUCT}; choose another database")
    if int(version) > SCHEMA_VERSION:
        raise SinkError(f"a newer {PRODUCT} made the database (its schema is {version}, not {SCHEMA_VERSION}); upgrade {PRODUCT}")
    if int(version) < RUNS_SINCE and "runs" in found:
        raise SinkError(f"the database already has runs, not made by {PRODUCT}; rename that table, or choose another database")
    return int(version)


def must_be_current(version: int | None) -> None:
    """For a reader, which changes nothing: SinkError unless the tables are those of this schema."""
    if version is None:
        raise SinkError(f"the database holds nothing of {PRODUCT}")
    if version < SCHEMA_VERSION:
        raise SinkError(f"an older {PRODUCT} made the database (its schema is {version}, not {SCHEMA_VERSION}); analyze upgrades it")


def rows_of(table: Table, batch: Batch) -> np.ndarray:
    """The rows of one table with unique keys: of rows with the same key the last one, in the given order."""
    rows = getattr(batch, table.name)
    field = rows[table.key]
    if field.dtype.names:  # a text
        heap = batch.heap
        keys = [heap[at : at + length] for at, length in field.tolist()]
    else:
        keys = _keys(field)
    last = {key: i for i, key in enumerate(keys)}
    return rows if len(last) == len(rows) else rows[sorted(last.values())]


def with_analyses(batch: Batch, others: list[Batch]) -> Batch:
    """`batch` with those rows of `others` that its files refer to and it does not carry itself.

    A worker sends the analysis of a content once. When batches are committed side by side, the one that
    has it may be the later, or never come: then no file may have been committed without it.
    """
    files = batch.files
    hashes = files["content_hash"][np.isin(files["status"], ANALYSED)]
    missing = set(_keys(hashes)).difference(_keys(batch.analyses["content_hash"])) if others else ()
    if not missing:
        return batch
    carried = [(other, [key in missing for key in _keys(other.analyses["content_hash"])]) for other in others]
    return Batch.concat([batch, *(Batch(files[:0], other.analyses[rows], other.heap) for other, rows in carried if any(rows))])


def _keys(hashes: np.ndarray) -> list[bytes]:
    return np.ascontiguousarray(hashes).view("V16").ravel().tolist()
