"""The paths of the files on a page of a search, in the order of a column, and their number.

Three ways are tried. First the next contents in the order: a search that many files meet fills its page from these. Then the
candidates of the rarest term, if they are few. Else all contents, in SQLite by an index that has what terms compare. So the time is
bounded, whatever files a search finds and wherever they are.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

from midiopt.library.search_access import FEW_IDS, Access
from midiopt.library.search_conditions import Sql
from midiopt.library.search_query import Query
from midiopt.library.search_rows import FILES_ONLY, GROWTH, PART, SearchRows, Source
from midiopt.library.search_sorts import ARRIVAL, Sort
from midiopt.library.snapshot import Snapshot

WINDOWS = (2000, 20_000)  # contents that are looked at first: in 1 to 3 ms, then in 5 to 20
MAX_PARTS = 60_000  # contents that are looked at in parts: all of a million take 0.5 s at once, and 1.2 s in parts
FIRST_CHUNK = 500  # of candidates that are looked at in their order
MARGIN = 1.5  # of an estimate of how many contents fill a page
MAX_LOOKED_AT = {"sqlite": 2000, "postgres": 400}  # contents with the words, before rarer terms are asked: 20 ms


class _Looked:
    """What the contents that have been looked at, in the order of their ids from one on, have given for a page."""

    def __init__(self, after: Any) -> None:
        self.found: list[str] = []
        self.start = self.end = 0 if after is None else after.analysis_id or 0
        """The first content, and the next one."""

    def add(self, found: list[str], first: int, last: int) -> None:
        """More of them; or the same ones and more."""
        self.found = [*self.found, *found] if first >= self.end else found
        self.start = first if self.start == self.end else self.start
        self.end = last + 1

    def fills(self, limit: int, more: int) -> bool:
        """Whether so many more contents fill the page, as far as can be told."""
        seen = self.end - self.start
        return bool(self.found) and len(self.found) * (seen + more) >= limit * seen

    def is_enough(self, limit: int, ids: list[int]) -> bool:
        """Whether a page is full after a few of these contents, as far as can be told."""
        seen = bisect.bisect_left(ids, self.end) - bisect.bisect_left(ids, self.start)
        return bool(self.found) and len(self.found) * FEW_IDS >= limit * seen


def _no_list(query: Query) -> None:
    """Where a list has been asked for already, and was too long."""


class Pages:
    """One search in one order."""

    def __init__(self, library: Snapshot, query: Query, by: Sort = ARRIVAL, is_descending: bool = False) -> None:
        self._query = query
        self._by = by
        self._access = Access(library)
        self._sql = SearchRows(library, self._access, query, by, is_descending)
        self._sqlite = self._access.is_sqlite
        self._max_looked_at = MAX_LOOKED_AT[library.dialect.database]

    def paths(self, limit: int, after: Any = None) -> list[str]:
        """Of the first files, or those after another."""
        found: list[str] = []
        is_in_rest = self._by.nullable and after is not None and getattr(after, self._by.attribute) is None
        if not is_in_rest and not (self._by.of_content and self._query.needs_no_content):
            found = self._ordered(limit, after)
        rest = limit - len(found)
        if self._by.nullable and rest > 0 and not (self._by is ARRIVAL and self._query.needs_content):
            found += self._rest(rest, after if is_in_rest else None)
        return found

    def count(self, at_most: int | None) -> int:
        """The number of files."""
        limit = 1 << 60 if at_most is None else at_most
        found = 0
        for source in self._counted():
            found += self._sql.count(source, limit - found)
            if found == limit:
                break
        return found

    def columns(self, columns: str, at_most: int) -> list[tuple[Any, ...]]:
        """Columns of the files, as SQL, in no order; of no more files than `at_most`."""
        found: list[tuple[Any, ...]] = []
        for source in self._counted():
            where, values = self._sql.where(source)
            found += self._sql.rows(f"SELECT {columns} FROM {source.tables} WHERE {where} LIMIT ?", (*values, at_most - len(found)))
            if len(found) == at_most:
                break
        return found

    # --- the three ways ---

    def _ordered(self, limit: int, after: Any) -> list[str]:
        """The files whose value is not null."""
        is_arrival = self._by is ARRIVAL and not self._sql.direction
        phrases = self._access.phrases(self._query)
        if phrases and is_arrival:
            return self._by_words(phrases, limit, after)
        later = self._sql.after(after)
        looked = _Looked(after)
        ids: list[int] | None = None
        rarest: Callable[[Query], list[int] | None] = self._access.rarest
        sizes = WINDOWS[: 1 if self._access.has_hints(self._query) else 2]
        for size in sizes if not self._access.is_rare(self._query) else ():
            if size == WINDOWS[1]:
                if (ids := self._access.few(self._query)) is not None:
                    break
                rarest = functools.partial(self._access.of_many, is_enough=functools.partial(looked.is_enough, limit))
                if self._by.of_content and not is_arrival:  # a list takes less time than the next contents, whose ids are anywhere
                    if (ids := self._access.of_many(self._query)) is not None:
                        break
                    rarest = _no_list
            if window := self._sql.window(max(size, 4 * limit), after):
                found = self._sql.page(window, later, limit)
                if len(found) == limit:
                    return found
                if is_arrival:
                    looked.add(found, *window.values)
        if self._query.needs_content or self._by.of_content:
            if ids is None and not (is_arrival and not self._sqlite and looked.fills(limit, PART)):
                ids = rarest(self._query)
            if ids is not None and is_arrival:
                return self._of_ids(ids, limit, after, looked)
            if not self._sqlite and is_arrival:
                return self._of_parts(limit, after, looked)
            if ids is not None and self._by.of_content:
                return self._of_sorted(ids, limit, after)
            return self._sql.page(self._sql.whole() if ids is None else self._sql.of_list(ids), later, limit, is_whole=ids is None)
        return self._of_files(limit, later)

    def _of_files(self, limit: int, later: Sql) -> list[str]:
        """The files with an analysis or without, in an order of files."""
        ids = None if self._query.needs_no_content else self._access.rarest(self._query)
        if ids is None:
            return self._sql.page(Source(FILES_ONLY), later, limit)
        return self._of_list_or_without(ids, later, [f"{column}{self._sql.direction}" for column in self._sql.keys], limit)

    def _of_list_or_without(self, ids: list[int], later: Sql, order: list[str], limit: int, more: str = "TRUE") -> list[str]:
        """The files of these contents that meet one condition more, and those without an analysis.

        At a million files SQLite takes 3 s to look for a word in the paths of all.
        """
        listed = self._sql.of_list(ids)
        hint, values = self._access.hints(self._query, of_files=True)
        without = Source(FILES_ONLY, ("f.analysis_id IS NULL", hint), tuple(values))
        sources = (Source(listed.tables, (*listed.where, more), listed.values), without)
        paths = [path for source in sources for path in self._sql.run(source, later, order, limit)]
        found = Source(FILES_ONLY, (f"f.path IN ({', '.join('?' * len(paths))})",), tuple(paths))
        return self._sql.run(found, ("TRUE", []), order, limit) if paths else []

    def _by_words(self, phrases: list[str], limit: int, after: Any) -> list[str]:
        found: list[str] = []
        for size in WINDOWS if any(phrase.endswith("*") for phrase in phrases) else ():
            # Of words that begin so, all are gathered before the first: 150 ms where they are frequent.
            if (window := self._sql.window(size, after)) and (size == WINDOWS[0] or 2 * len(found) * size >= limit * WINDOWS[0]):
                found = self._sql.page(window, self._sql.after(after), limit)
                if len(found) == limit:
                    return found
        found = []
        seen, is_asked = 0, False

        def more() -> float:
            return MARGIN * (limit - len(found)) / len(found) if found else math.inf

        for ids in self._access.word_chunks(phrases, 0 if after is None else after.analysis_id, more):
            at = 0
            while at < len(ids):
                # No more than half as many again as fill the page, as far as can be told: looking at one takes ten times as long as its id.
                size = max(FIRST_CHUNK, 3 * (limit - len(found)) * seen // (2 * len(found))) if found else len(ids)
                part = ids[at : at + size]
                found += self._sql.page(self._sql.of_list(part), self._sql.after(after), limit - len(found))
                if len(found) == limit:
                    return found
                at += size
                seen += len(part)
                expected = (seen + 1) * (limit - len(found)) / (len(found) + 1)  # that fill the page, beyond those seen
                if not is_asked and expected > self._max_looked_at:
                    is_asked = True
                    if (ids_of_rarest := self._access.with_words(self._query, phrases[0], limit - len(found), expected)) is not None:
                        return self._of_ids(ids_of_rarest, limit, after)
        return found

    def _of_ids(self, ids: list[int], limit: int, after: Any, looked: _Looked | None = None) -> list[str]:
        """The files of sorted contents in the order of arrival: of the next contents, then of more and more, until the page is full."""
        looked = looked or _Looked(after)
        found, at, size = looked.found, bisect.bisect_left(ids, looked.end), FIRST_CHUNK
        while at < len(ids) and len(found) < limit:
            found += self._sql.page(self._sql.of_list(ids[at : at + size]), self._sql.after(after), limit - len(found))
            at += size
            size *= GROWTH
        return found

    def _of_sorted(self, ids: list[int], limit: int, after: Any) -> list[str]:
        """The files of contents in the order of a fact: first the contents are sorted, then files and words are looked at until the page
        is full. All 6,795 of a key took SQLite 61 ms, with words."""
        in_order = self._sql.sorted_ids(ids, after)
        found: list[str] = []
        at, size = 0, 4 * limit
        while at < len(in_order) and len(found) < limit:
            found += self._sql.page(self._sql.of_list(in_order[at : at + size]), self._sql.after(after), limit - len(found))
            at += size
            size *= GROWTH
        return found

    def _rest(self, limit: int, after: Any) -> list[str]:
        """The files without a value, by their paths."""
        later: Sql = ("TRUE", []) if after is None else ("f.path > ?", [after.path])
        tables = FILES_ONLY
        if self._query.needs_content:
            ids = self._access.rarest(self._query)
            source = self._sql.whole() if ids is None else self._sql.of_list(ids)
            tables, values, where = source.tables, source.values, (f"{self._by.column} IS NULL", *source.where)
        elif not (self._by is ARRIVAL or self._query.needs_no_content) and (ids := self._access.rarest(self._query)) is not None:
            return self._of_list_or_without(ids, later, ["f.path"], limit, f"{self._by.column} IS NULL")
        else:
            is_null = "f.analysis_id" if self._by is ARRIVAL else self._by.column
            hint, of_hint = self._access.hints(self._query, of_files=True) if self._by is ARRIVAL else ("TRUE", [])
            # PostgreSQL takes two conditions for independent: it would not see that every rejected file is without an analysis.
            null = "TRUE" if self._query.needs_no_content else f"{is_null} IS NULL"
            values, where = tuple(of_hint), (null, hint)
        return self._sql.run(Source(tables, where, values), later, ["f.path"], limit)

    def _counted(self) -> Iterator[Source]:
        """Where the files that meet the query are found, each in one source."""
        if not self._query.needs_no_content:
            phrases = self._access.phrases(self._query)
            if not (phrases and self._query.is_of_words) and (ids := self._access.rarest(self._query)) is not None:
                yield self._sql.of_list(ids)
            elif phrases:
                yield from map(self._sql.of_list, self._access.word_chunks(phrases, 0))
            elif self._sqlite:
                yield self._sql.whole()
            else:
                yield from self._sql.parts()
        if not self._query.needs_content:
            hint, values = self._access.hints(self._query, of_files=True)
            yield Source(FILES_ONLY, ("f.analysis_id IS NULL", hint), tuple(values))

    def _of_parts(self, limit: int, after: Any, looked: _Looked) -> list[str]:
        """The files in the order of arrival: of the next parts, or else of all contents, in which PostgreSQL may combine indexes."""
        for part in self._sql.parts(looked.end):
            start, end = part.values
            if start - looked.start >= MAX_PARTS and not looked.fills(limit, end - start):
                return self._sql.page(self._sql.whole(), self._sql.after(after), limit, is_whole=True)
            looked.add(self._sql.page(part, self._sql.after(after), limit - len(looked.found)), start, end)
            if len(looked.found) == limit:
                break
        return looked.found
