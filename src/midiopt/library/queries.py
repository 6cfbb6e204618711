"""Every SELECT that reads a finished database, with its rows as typed objects: named tuples, which cost a command less than dataclasses."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from midiopt.errors import SinkError
from midiopt.kinds import BOOL, TIME
from midiopt.library.snapshot import Snapshot
from midiopt.schema import RUNS, Column, Table
from midiopt.sinks import kept_status as kept_status_sql
from midiopt.sinks.finalize import COUNT_MISSING_CONTENTS
from midiopt.sinks.sql import SELECT_CONTENT_KEY, column_names, decoded_content_key
from midiopt.sources.file_state import FileState

PRESENT = "missing_since IS NULL"  # a file that no run has missed


class StatusCount(NamedTuple):
    """The number and size of the files with one status, and the first of them in the order of paths."""

    status: str
    files: int
    bytes: int
    first_path: str
    error: str | None


class ContentCounts(NamedTuple):
    """Number of contents of files that are there, and number of those files."""

    contents: int
    analysed_files: int


class MissingCounts(NamedTuple):
    """Number of files that are missing, and of those whose bytes another path has, which is there; the first of each, and where it is."""

    files: int
    found_elsewhere: int
    example: str | None
    moved_example: str | None
    moved_to: str | None


class IssueSet(NamedTuple):
    """The files with one value of `issues`, and the first of them in the order of paths."""

    bits: int
    files: int
    first_path: str


class FileTime(NamedTuple):
    """How long the analysis of a file took."""

    path: str
    seconds: float


class FileSize(NamedTuple):
    """The size of a file."""

    path: str
    bytes: int


class Run(NamedTuple):
    """A row of `runs`; schema.RUNS describes the fields."""

    id: int
    started: dt.datetime
    ended: dt.datetime | None
    outcome: str | None
    error: str | None
    version: str
    build: str
    sources: list[str]
    options: dict[str, object]
    files: int | None
    ok: int | None
    repaired: int | None
    rejected: int | None
    unreadable: int | None
    crashed: int | None
    opened: int | None
    skipped: int | None
    gone: int | None
    duplicates: int | None
    bytes: int | None
    seconds: float | None
    moved: int | None
    deleted: int | None


class SharedContent(NamedTuple):
    """A content that several files have."""

    content_hash: bytes
    files: int
    size_bytes: int
    """Size of one file."""


class ContentPath(NamedTuple):
    """A file that has some content, and its size and modification time at its analysis."""

    path: str
    state: FileState
    is_missing: bool


def content_key(library: Snapshot) -> bytes:
    """The key of the content hashes; empty in a database that no run with keys has written."""
    return decoded_content_key(list(library.rows(SELECT_CONTENT_KEY)))


def status_counts(library: Snapshot) -> list[StatusCount]:
    """One per status that occurs."""
    query = (
        "SELECT status, files, bytes, first_path, (SELECT error FROM files WHERE path = first_path) FROM"
        " (SELECT status, count(*) AS files, CAST(sum(size_bytes) AS bigint) AS bytes, min(path) AS first_path"
        f" FROM files WHERE {PRESENT} GROUP BY status) AS counts"
    )
    return [StatusCount(*row) for row in library.rows(query)]


def files_with_status(library: Snapshot, statuses: Sequence[str]) -> dict[str, int]:
    """The number of files with each of these statuses that occurs."""
    query = f"SELECT status, count(*) FROM files WHERE status IN {library.dialect.values(len(statuses))} AND {PRESENT} GROUP BY status"
    return dict(library.rows(query, statuses))


def kept_status(library: Snapshot) -> str | None:
    """The text that was kept after a run; sinks/kept_status.py writes it."""
    return next((value for (value,) in library.rows(kept_status_sql.SELECT)), None)


def database_bytes(library: Snapshot) -> int:
    """The size of all tables of midiopt with their indexes."""
    if library.dialect.database == "sqlite":
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        tables = ", ".join(f"'{table}'" for table in ("files", "analyses", "runs", "meta"))
        query = f"SELECT sum(pg_total_relation_size(to_regclass(name)))::bigint FROM unnest(ARRAY[{tables}]) AS name"
    [(size,)] = library.rows(query)
    return int(size)


def content_counts(library: Snapshot) -> ContentCounts:
    """Over the whole database. Analyses without a file are deleted by each finished run."""
    [(contents, files)] = library.rows("SELECT count(*), (SELECT count(analysis_id) FROM files) FROM analyses")
    [(missing_files, missing_contents)] = library.rows(COUNT_MISSING_CONTENTS)
    return ContentCounts(contents - missing_contents, files - missing_files)


def missing_counts(library: Snapshot) -> MissingCounts:
    """Over the whole database."""
    elsewhere = "SELECT min(f.path) FROM files f WHERE f.analysis_id = m.analysis_id AND f.missing_since IS NULL"
    query = f"SELECT count(*), count(place), min(path), min(CASE WHEN place IS NOT NULL THEN path END) FROM (SELECT m.path, ({elsewhere})"
    [(files, found, example, moved)] = library.rows(f"{query} AS place FROM files m WHERE m.missing_since IS NOT NULL) AS missing")
    where = f"SELECT ({elsewhere}) FROM files m WHERE m.path = {library.dialect.placeholder}"
    return MissingCounts(files, found, example, moved, next((place for (place,) in library.rows(where, [moved])), None) if found else None)


def issue_sets(library: Snapshot) -> Iterator[IssueSet]:
    """One per value of `issues`, the most frequent one first."""
    query = "SELECT issues, count(*), min(path) FROM library WHERE issues <> 0 GROUP BY issues ORDER BY 2 DESC, 1"
    return (IssueSet(*row) for row in library.rows(query))


def slowest_files(library: Snapshot, count: int) -> list[FileTime]:
    """The files whose analysis took longest, the slowest one first."""
    limit = library.dialect.placeholder
    query = f"SELECT path, analysis_us FROM files WHERE analysis_us IS NOT NULL AND {PRESENT} ORDER BY 2 DESC, 1 LIMIT {limit}"
    return [FileTime(path, us / 1e6) for path, us in library.rows(query, [count])]


def largest_files(library: Snapshot, count: int) -> list[FileSize]:
    """The largest files, the largest one first."""
    query = f"SELECT path, size_bytes FROM files WHERE {PRESENT} ORDER BY 2 DESC, 1 LIMIT {library.dialect.placeholder}"
    return [FileSize(*row) for row in library.rows(query, [count])]


def last_run(library: Snapshot) -> Run | None:
    """The latest row of `runs`."""
    return next(iter(latest_runs(library, 1)), None)


def latest_runs(library: Snapshot, count: int) -> list[Run]:
    """The latest rows of `runs`, the last one first."""
    query = f"SELECT {column_names(RUNS)} FROM runs ORDER BY id DESC LIMIT {library.dialect.placeholder}"
    rows = ({c.name: python_value(c, value) for c, value in zip(RUNS, row, strict=True)} for row in library.rows(query, [count]))
    return [Run(**facts | {"options": json.loads(facts["options"])}) for facts in rows]


def shared_contents(library: Snapshot, missing: bool = False) -> Iterator[SharedContent]:
    """Contents that several analysed files have, those that are missing included or not: most files first, then the largest."""
    query = (
        "SELECT analyses.content_hash, files, size_bytes FROM"
        " (SELECT analysis_id, count(*) AS files, max(size_bytes) AS size_bytes FROM files"
        f" WHERE analysis_id IS NOT NULL{'' if missing else f' AND {PRESENT}'} GROUP BY analysis_id HAVING count(*) > 1) AS shared"
        " JOIN analyses ON id = analysis_id"
        " ORDER BY 2 DESC, 3 DESC, 1"
    )
    return (SharedContent(*row) for row in library.rows(query))


def paths_by_content(library: Snapshot, hashes: Sequence[bytes], missing: bool = False) -> dict[bytes, list[ContentPath]]:
    """The analysed files with each of these contents, in the order of their paths; those that are missing included or not."""
    query = (
        "SELECT analyses.content_hash, path, size_bytes, mtime_ns, missing_since IS NOT NULL FROM analyses JOIN files ON analysis_id = id"
        f" WHERE analyses.content_hash IN {library.dialect.values(len(hashes))}{'' if missing else f' AND {PRESENT}'} ORDER BY path"
    )
    paths: dict[bytes, list[ContentPath]] = defaultdict(list)
    for content_hash, path, size, mtime_ns, is_missing in library.rows(query, hashes):
        paths[content_hash].append(ContentPath(path, FileState(size, mtime_ns), bool(is_missing)))
    return paths


def paths_with_status(library: Snapshot, statuses: Sequence[str], ordered: bool) -> Iterator[str]:
    """The paths of files with one of these statuses, in the order of their bytes if `ordered`."""
    listed = library.dialect.values(len(statuses))
    query = f"SELECT path FROM files WHERE status IN {listed} AND {PRESENT}{' ORDER BY path' if ordered else ''}"
    return (path for (path,) in library.rows(query, statuses))


def file_state(library: Snapshot, path: str) -> FileState | None:
    """Size and mtime of a file at its analysis; None if the database does not have it."""
    query = f"SELECT size_bytes, mtime_ns FROM files WHERE path = {library.dialect.placeholder}"
    return next((FileState(*row) for row in library.rows(query, [path])), None)


def rows_by_key(library: Snapshot, table: Table, keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """The rows of a table with these keys, by key, as dicts of Python objects."""
    query = f"SELECT {column_names(table)} FROM {table.name} WHERE {table.key} IN {library.dialect.values(len(keys))}"
    rows = ({c.name: python_value(c, value) for c, value in zip(table, row, strict=True)} for row in library.rows(query, keys))
    return {row[table.key]: row for row in rows}


def python_value(column: Column, value: Any) -> Any:
    """A value as either driver returns it, as the Python object that a row of a batch has: SQLite stores lists and times as text.

    Raises SinkError for a text that no run has written.
    """
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    try:
        if isinstance(value, str) and column.kind is TIME:
            return dt.datetime.fromisoformat(value)
        if isinstance(value, str) and column.kind.is_list:
            return json.loads(value)
    except ValueError:
        raise SinkError(f"the database is damaged: {column.name} is {value!r} in a row") from None
    return bool(value) if isinstance(value, int) and column.kind is BOOL else value
