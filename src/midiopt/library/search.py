"""Searching a library: the files that a query finds, page by page, their number, and how they are distributed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from midiopt.errors import QueryError
from midiopt.library.queries import python_value
from midiopt.library.search_pages import Pages
from midiopt.library.search_query import Query, parse_query
from midiopt.library.search_rows import FILES_ONLY
from midiopt.library.search_sorts import ARRIVAL, SORTS, Sort
from midiopt.library.search_values import nearest
from midiopt.library.snapshot import Snapshot
from midiopt.schema import ANALYSES, FILES, issue_names

__all__ = ["FACETS", "SORTS", "Facet", "Found", "Query", "count", "facet", "find", "find_all", "parse_query"]

PAGE, MAX_PAGE = 50, 5000  # files
PATHS_PER_QUERY = 500


@dataclass(frozen=True)
class Found:
    """A file that a search has found; docs/columns.md describes the attributes. Those of its content are None without an analysis."""

    path: str
    status: str
    error: str | None
    size_bytes: int
    mtime_ns: int
    analyzed_at: dt.datetime
    analysis_id: int | None
    missing_since: dt.datetime | None
    content_hash: bytes | None
    name_bpm: float | None
    name_key: str | None
    title: str | None
    track_names: list[str] | None
    track_count: int | None
    bpm: float | None
    bpm_confidence: float | None
    key: str | None
    key_confidence: float | None
    time_signature: str | None
    meter_estimated: str | None
    duration_s: float | None
    note_count: int | None
    drum_note_count: int | None
    polyphony_max: int | None
    swing: float | None
    is_performance: bool | None
    role: str | None
    programs: list[int] | None
    primary_program: int | None
    chord_progression: str | None
    drum_pattern: str | None
    bar_count: int | None
    is_loop: bool | None
    loop_bars: int | None
    lyric_count: int | None
    notes_hash: bytes | None
    issues: int | None

    def facts(self) -> dict[str, object]:
        """The attributes by name, those that ``--json`` prints, as they are here; the issues by name."""
        return {name: getattr(self, name) for name in FACTS} | {"issues": self.issue_names}

    @property
    def meter(self) -> str | None:
        """The declared time signature, or the estimated meter where none is declared."""
        return self.time_signature or self.meter_estimated

    @property
    def issue_names(self) -> list[str]:
        """Names of the issues."""
        return issue_names(self.issues or 0)


FACTS = tuple(field.name for field in fields(Found))
_STORED = {column.name: column for table in (ANALYSES, FILES) for column in table.stored}
COLUMNS = [_STORED[field.name] for field in fields(Found)]
_SELECTED = ", ".join(f"{'f' if column in FILES.stored else 'a'}.{column.name}" for column in COLUMNS)


def sort_named(name: str) -> tuple[Sort, bool]:
    """The sort that a name means, with `-` before it the other way round. Raises QueryError for one that there is not."""
    if not isinstance(name, str):
        raise TypeError(f"a sort is a text, such as 'bpm' or '-notes', not {type(name).__name__}")
    found = SORTS.get(name.removeprefix("-"))
    if name and not found:
        raise QueryError(f"there is no sort {name!r}{nearest(name.removeprefix('-'), SORTS)}")
    return found or ARRIVAL, name.startswith("-")


def find(library: Snapshot, query: Query, sort: str = "", limit: int = PAGE, after: Found | None = None) -> list[Found]:
    """The first files that meet the query, or the first ones after the last one of another page of the same query and sort.

    `sort` is a name of SORTS, with `-` before it the greatest one first; without, files come in the order in which their contents were
    found. What has no value comes last.
    """
    by, is_descending = sort_named(sort)
    paths = Pages(library, query, by, is_descending).paths(limit, after)
    found: dict[str, Found] = {}
    for start in range(0, len(paths), PATHS_PER_QUERY):
        part = paths[start : start + PATHS_PER_QUERY]
        sql = f"SELECT {_SELECTED} FROM {FILES_ONLY} WHERE f.path IN {library.dialect.values(len(part))}"
        found |= {file.path: file for file in map(_found, library.page(sql, part))}
    return [found[path] for path in paths]


def found_at(library: Snapshot, path: str) -> Found | None:
    """The file at this path as a search finds it, for the page after it; None if there is none."""
    if "\0" in path:  # which PostgreSQL does not take
        return None
    sql = f"SELECT {_SELECTED} FROM files f LEFT JOIN analyses a ON a.id = f.analysis_id WHERE f.path = {library.dialect.placeholder}"
    return next(map(_found, library.page(sql, [path])), None)


def find_all(library: Snapshot, query: Query, sort: str = "", limit: int | None = None) -> Iterator[Found]:
    """All files that meet the query, or the first ones, page by page."""
    after, rest = None, limit
    while rest is None or rest > 0:
        page = find(library, query, sort, min(MAX_PAGE, rest or MAX_PAGE), after)
        yield from page
        if len(page) < min(MAX_PAGE, rest or MAX_PAGE):
            return
        after = page[-1]
        rest = None if rest is None else rest - len(page)


def csv_values(found: Found) -> list[object]:
    """The values in the order of FACTS, as text files have them: lists joined by spaces or bars, yes and no as true and false."""
    facts = found.facts()
    return [_plain(name, facts[name]) for name in FACTS]


def _plain(name: str, value: object) -> object:
    if isinstance(value, list):
        return ("|" if name == "track_names" else " ").join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return plain_value(value) if isinstance(value, bytes | dt.datetime) else value


def plain_value(value: object) -> str:
    """Bytes in hexadecimal, times as ISO 8601 in UTC."""
    if isinstance(value, bytes):
        return value.hex()
    assert isinstance(value, dt.datetime)
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _found(row: tuple[Any, ...]) -> Found:
    return Found(**{column.name: python_value(column, value) for column, value in zip(COLUMNS, row, strict=True)})


def count(library: Snapshot, query: Query, at_most: int | None = None) -> int:
    """The number of files that meet the query; with `at_most` no more than this are looked for."""
    return Pages(library, query).count(at_most)


@dataclass(frozen=True)
class Facet:
    """A value of a column, and the number of files that have it."""

    value: str | int
    files: int
    term: str
    """What finds them, added to the query."""


_METER = "coalesce(a.time_signature, a.meter_estimated)"
FACETS = {  # by term, the value in each database
    "key": ("a.key",) * 2,
    "bpm": ("CAST(a.bpm / 10 AS INTEGER) * 10", "floor(a.bpm / 10)::integer * 10"),
    "meter": (_METER,) * 2,
    "program": ("program.value", "program.value"),
    "role": ("a.role",) * 2,
    "status": ("f.status",) * 2,
}


def facet(library: Snapshot, query: Query, column: str, at_most: int | None = None) -> list[Facet]:
    """How many of the files that meet the query have each value of a column of FACETS, the most frequent one first.

    Tempos are grouped by tens. With `at_most`, only so many of the files are looked at.
    """
    if column not in FACETS:
        raise QueryError(f"there is no facet {column!r}{nearest(column, FACETS)}")
    condition, values = query.condition(library)
    value = FACETS[column][library.dialect.database == "postgres"]
    lists = {"sqlite": "json_each(programs) AS program", "postgres": "unnest(programs) AS program (value)"}
    kept = "a.programs AS programs" if column == "program" else f"{value} AS value"
    files = f"SELECT {kept} FROM files f LEFT JOIN analyses a ON a.id = f.analysis_id WHERE {condition}"
    if at_most is not None:
        files, values = f"{files} LIMIT {library.dialect.placeholder}", [*values, at_most]
    more = f", {lists[library.dialect.database]}" if column == "program" else ""
    name = "program.value" if column == "program" else "value"
    sql = f"SELECT {name}, count(*) FROM ({files}) AS found{more} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    return [Facet(value, number, facet_term(column, value)) for value, number in library.rows(sql, values)]


def facet_term(column: str, value: str | int) -> str:
    """The term that finds the files with a value of a facet."""
    return f"bpm:{value}..{int(value) + 10}" if column == "bpm" else f"{column}:{value}"
