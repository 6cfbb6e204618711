"""The rows of a search as SQL: where they come from, which of them come later than another, and in which order."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from midiopt.library.search_access import Access
from midiopt.library.search_conditions import Sql
from midiopt.library.search_query import Query
from midiopt.library.search_sorts import ARRIVAL, Sort
from midiopt.library.snapshot import Snapshot

PART = 40_000  # contents of the first part: 0.1 s
GROWTH = 3  # of each part by the one before

FILES_ONLY = "files f LEFT JOIN analyses a ON a.id = f.analysis_id"


@dataclass(frozen=True)
class Source:
    """Where rows come from: a FROM clause, and conditions on them."""

    tables: str
    where: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()


class SearchRows:
    """The files of one search in one order."""

    def __init__(self, library: Snapshot, access: Access, query: Query, by: Sort, is_descending: bool) -> None:
        self._library = library
        self._access = access
        self._by = by
        self._sqlite = access.is_sqlite
        self._condition, self._values = query.condition(library)
        self._cross = "CROSS JOIN" if self._sqlite else "JOIN"  # SQLite takes the tables of a CROSS JOIN in their order
        self._join = f" {self._cross} {access.files} ON f.analysis_id = a.id"
        self._query = query
        self._sign = "<" if is_descending else ">"
        self.direction = " DESC" if is_descending else ""

    @property
    def keys(self) -> dict[str, str]:
        """What files are sorted by, with the attributes of Found."""
        columns = {self._by.column: self._by.attribute}
        return columns | ({"a.id": "analysis_id"} if self._by.of_content else {}) | {"f.path": "path"}

    def window(self, size: int, after: Any) -> Source | None:
        """The next contents or files in the order, whatever they are."""
        column = self._by.column.partition(".")[2]
        value = None if after is None else self._stored(getattr(after, self._by.attribute))
        if self._by is ARRIVAL:
            if self.direction:
                return None
            first = value or self.rows("SELECT min(id) FROM analyses")[0][0] or 0
            return Source(self._access.contents + self._join, ("a.id BETWEEN ? AND ?",), (first, first + size))
        if not self._access.has_indexes:
            return None
        at = "" if value is None else f" AND {column} {self._sign}= ?"
        values: tuple[object, ...] = () if value is None else (value,)
        if self._by.of_content:
            if value is not None:
                at, values = f" AND ({column}, id) {self._sign}= (?, ?)", (value, after.analysis_id)
            order = f"ORDER BY {column}{self.direction}, id{self.direction}"
            next_ids = f"(SELECT id FROM analyses WHERE {column} IS NOT NULL{at} {order} LIMIT {size})"
            return Source(f"{next_ids} AS w {self._cross} {self._access.contents} ON a.id = w.id{self._join}", (), values)
        bound = f"SELECT {column} FROM files WHERE TRUE{at} ORDER BY {column}{self.direction} LIMIT 1 OFFSET {size}"
        last = self.rows(bound, values)
        if not last:
            return None
        return Source(FILES_ONLY, (f"{self._by.column} {'>' if self.direction else '<'}= ?",), last[0])

    def of_list(self, ids: list[int], of_files: bool = True) -> Source:
        """The files of these contents, or the contents alone."""
        join = self._join if of_files else ""
        if self._sqlite:
            return Source(f"json_each(?) AS w CROSS JOIN {self._access.contents} ON a.id = w.value{join}", (), (json.dumps(ids),))
        return Source(self._access.contents + join, ("a.id = ANY(?)",), (ids,))

    def whole(self) -> Source:
        """All files with an analysis."""
        hint, values = self._access.hints(self._query)
        return Source(self._access.contents + self._join, (hint,), tuple(values))

    def parts(self, first: int = 0) -> Iterator[Source]:
        """All files with an analysis in longer and longer parts: PostgreSQL would look at every row before it counts the first."""
        [(start, last)] = self.rows("SELECT min(id), max(id) FROM analyses WHERE id >= ?", (first,))
        size = PART
        while start is not None and start <= last:
            yield Source(self._access.contents + self._join, ("a.id BETWEEN ? AND ?",), (start, start + size - 1))
            start += size
            size *= GROWTH

    def after(self, after: Any) -> Sql:
        """The condition of the files that come after another."""
        if after is None:
            return (f"{self._by.column} IS NOT NULL" if self._by.nullable and self._by is not ARRIVAL else "TRUE"), []
        columns = self.keys
        values = [self._stored(getattr(after, attribute)) for attribute in columns.values()]
        return f"({', '.join(columns)}) {self._sign} ({', '.join('?' * len(columns))})", values

    def page(self, source: Source, later: Sql, limit: int, is_whole: bool = False) -> list[str]:
        """The paths of the first files in the order of the search; `later` is another condition."""
        return self.run(source, later, [f"{column}{self.direction}" for column in self.keys], limit, is_whole)

    def run(self, source: Source, later: Sql, order: list[str], limit: int, is_whole: bool = False) -> list[str]:
        """The paths of the first files in an order of columns. ``is_whole`` says that the source has all contents."""
        where, values = self.where(source)
        sql = f"FROM {source.tables} WHERE {where} AND {later[0]}"
        if is_whole and not self._sqlite:  # else PostgreSQL may walk through all contents in their order
            kept = ", ".join(f"{column} AS k{i}" for i, column in enumerate(self.keys))
            keys = ", ".join(f"k{i}{self.direction}" for i in range(len(self.keys)))
            sql = f"WITH found AS MATERIALIZED (SELECT f.path AS path, {kept} {sql}) SELECT path FROM found ORDER BY {keys} LIMIT ?"
        else:
            sql = f"SELECT f.path {sql} ORDER BY {', '.join(order)} LIMIT ?"
        return [path for (path,) in self.rows(sql, (*values, *later[1], limit))]

    def count(self, source: Source, limit: int) -> int:
        """The number of files, no more than ``limit`` of which are counted."""
        where, values = self.where(source)
        rows = f"SELECT 1 FROM {source.tables} WHERE {where} LIMIT ?"
        [(found,)] = self.rows(f"SELECT count(*) FROM ({rows}) AS found", (*values, limit))
        return int(found)

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query, whose places for values are question marks."""
        return self._library.page(sql.replace("?", self._library.dialect.placeholder), values)

    def sorted_ids(self, ids: list[int], after: Any) -> list[int]:
        """Those of the contents that meet what the search asks of contents, in the order of a fact, from that of another file on."""
        contents, values = self._access.of_content(self._query)
        listed = self.of_list(ids, of_files=False)
        column = self._by.column
        later = f"{column} IS NOT NULL"
        last: tuple[object, ...] = ()
        if after is not None:
            later, last = f"({column}, a.id) {self._sign}= (?, ?)", (self._stored(getattr(after, self._by.attribute)), after.analysis_id)
        where = " AND ".join([*listed.where, contents, later])
        sql = f"SELECT a.id FROM {listed.tables} WHERE {where} ORDER BY {column}{self.direction}, a.id{self.direction}"
        return [id_ for (id_,) in self.rows(sql, (*listed.values, *values, *last))]

    def where(self, source: Source) -> tuple[str, tuple[object, ...]]:
        """The conditions of the source and of the search, and the values of both."""
        return " AND ".join([*source.where, self._condition]), (*source.values, *self._values)

    def _stored(self, value: Any) -> Any:
        """A value in the form that the tables have."""
        if isinstance(value, dt.datetime) and self._sqlite:
            return f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return value
