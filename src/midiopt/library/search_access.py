"""How a database finds candidates for a search without looking at every row: by the indexes that it has.

Candidates are ids of contents. Each term is asked on its own; a search then looks at the rows of the term that has the fewest. What the
end of a run has not made, because the run was killed, is done without.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from midiopt.library import postgres_phrases
from midiopt.library.postgres_phrases import PostgresPhrases
from midiopt.library.search_conditions import HAS, Sql
from midiopt.library.search_query import All, Any, Item, Node, Query, node_sql
from midiopt.library.snapshot import Snapshot
from midiopt.library.sqlite_phrases import SqlitePhrases
from midiopt.sinks import sqlite_programs, sqlite_words
from midiopt.sinks.index_sql import CARRIED, CARRYING, HAS_WORDS_FUNCTIONS, SEARCH_INDEX, WORDS_INDEXES

MAX_IDS = {"sqlite": 60_000, "postgres": 40_000}  # candidates that are fetched as a list: 9 to 20 ms
RARE_IDS = 300  # candidates that are asked for first: 3 to 6 ms in PostgreSQL, which looks at the row of each
FEW_IDS = 2000  # candidates that are not worth another list: 8 ms
# So many ids are fetched in the time in which one row and its files are looked at.
IDS_PER_ROW = {"sqlite": 8, "postgres": 2}
EXPECTED = 1.25  # times as many ids as a list has, as the planner sees it, are not asked for
RARE = "like"  # a term that few files meet
INDEXED = {"key", "bpm", "meter", "role", "duration", "notes", "polyphony", "swing", "loop", "issue", "chords", "status", "missing", RARE}
# Conditions that have an index of their own.
PARTIAL = {"a.is_performance": "analyses_performance", HAS["lyrics"]: "analyses_lyrics", HAS["drums"]: "analyses_drums"}
_OF_FILE = re.compile(r"\bf\.")  # in a condition that is not about the content alone
_FACT = re.compile(r"\ba\.(\w+)")
CARRYING_FACTS = {"polyphony_max", "swing", "loop_bars", "issues", "is_performance", "lyric_count"}
_IN_INDEXES = {"id", *CARRYING_FACTS, *CARRIED}
_TABLES = (
    *("files_analysis_id", SEARCH_INDEX, sqlite_words.TABLE, sqlite_programs.TRIGGER, *WORDS_INDEXES),
    *PARTIAL.values(),
    *CARRYING,
)


class Access:
    """The indexes of one database."""

    def __init__(self, library: Snapshot) -> None:
        self._library = library
        self.is_sqlite = library.dialect.database == "sqlite"
        self._max_ids = MAX_IDS[library.dialect.database]
        self._ids_per_row = IDS_PER_ROW[library.dialect.database]
        names = ", ".join(f"'{name}'" for name in _TABLES)
        catalog = "sqlite_master" if self.is_sqlite else "pg_class"
        column = "name" if self.is_sqlite else "relname"
        where = "" if self.is_sqlite else " AND relnamespace = quote_ident(current_schema())::regnamespace"
        is_current = (
            f"sql LIKE '%{CARRIED[-1]}%'"
            if self.is_sqlite
            else f"CASE WHEN relname IN {WORDS_INDEXES} THEN {HAS_WORDS_FUNCTIONS} ELSE relnatts > {len(CARRIED)} END"
        )
        there = dict(self._rows(f"SELECT {column}, {is_current} FROM {catalog} WHERE {column} IN ({names}){where}"))
        self.has_indexes = "files_analysis_id" in there
        self.contents = f"analyses a INDEXED BY {SEARCH_INDEX}" if SEARCH_INDEX in there else "analyses a"
        """The source of contents for a scan in the order of their ids."""
        self.files = "files f INDEXED BY files_analysis_id" if self.is_sqlite and self.has_indexes else "files f"
        """The files of one content: SQLite would rather look for every file with a status."""
        self._carry = all(there.get(name) for name in CARRYING)
        self._has_programs = sqlite_programs.TRIGGER in there
        self._partial = {condition for condition, name in PARTIAL.items() if name in there}
        self.words: SqlitePhrases | PostgresPhrases | None = None
        """The index of words, if it can be asked."""
        if all(there.get(name) for name in WORDS_INDEXES):
            self.words = PostgresPhrases(self._rows, self._max_ids)
        elif sqlite_words.TABLE in there and self.has_indexes:
            with contextlib.suppress(LookupError):
                self.words = SqlitePhrases(self._rows)

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[typing.Any, ...]]:
        return self._library.page(sql.replace("?", self._library.dialect.placeholder), values)

    # --- one term at a time ---

    @staticmethod
    def is_rare(query: Query) -> bool:
        """Whether few files can meet the query, so that looking at the next ones is of no use."""
        return any(isinstance(part, Item) and part.name == RARE for part in query.root.parts)

    def few(self, query: Query) -> list[int] | None:
        """The ids, sorted, of the contents that meet the rarest condition of the query, if some condition is rare: each is asked for a few.

        So a frequent term beside a rare one costs no list of its own, which took PostgreSQL 100 ms in three of four slow pairs.
        """
        best: list[int] | None = None
        for part in query.root.parts:
            if source := self._source(part):
                found = self._ids(source, RARE_IDS if best is None else len(best))
                best = best if found is None else found
                if best == []:
                    break
        return best

    def rarest(self, query: Query) -> list[int] | None:
        """The ids, sorted, of the contents that meet the rarest conditions of the query, if they are few enough for a list."""
        few = self.few(query)
        return self.of_many(query) if few is None else few

    def of_many(self, query: Query, is_enough: Callable[[list[int]], bool] = lambda ids: False) -> list[int] | None:
        """The same where no condition is rare by itself. Where the ids of one condition are enough, no other one is asked.

        Looking at a row takes as long as fetching several ids, so a condition that more contents meet is of use, too.
        """
        best: list[int] | None = None
        for source in self._sources(query):
            if best is None or (len(best) > FEW_IDS and not is_enough(best)):
                found = self._ids(source, self._max_ids if best is None else min(self._ids_per_row * len(best), self._max_ids))
                if found is not None:
                    best = found if best is None else sorted(set(best).intersection(found))
        return best

    def with_words(self, query: Query, phrase: str, limit: int, expected: float) -> list[int] | None:
        """The ids, sorted, of the contents that may have a phrase and meet the rest of the query; None if looking at all that have it
        fills a page sooner: `expected` ones, as far as can be told.

        PostgreSQL combines the indexes of both: 45 ms instead of 110 for the last of 50 among 6,800 with the phrase.
        """
        if not isinstance(self.words, PostgresPhrases):
            return self.rarest(query)
        rest = replace(query, root=All(tuple(part for part in query.root.parts if not phrase_of(part))))
        few = self.few(rest)
        of_contents, of_files = self.of_content(rest), self._of_files(rest)
        if few is not None or of_contents[0] == of_files[0] == "TRUE":
            return few
        meet = min(self._expected(source) for source in postgres_phrases.sources(of_contents, of_files))
        if not self.words.is_sooner_gathered(phrase, limit, meet, expected):
            return None
        return self._ids(postgres_phrases.source_with(phrase, of_contents, of_files), self._max_ids)

    def _ids(self, source: Sql, most: int) -> list[int] | None:
        """The ids of a source, sorted; None if there are more."""
        sql, values = source
        is_cheap = self._is_of_one_index(sql) or "issues" in sql  # of bits no database knows how frequent they are
        gathers_all = "&&" in sql or "@@" in sql  # before it gives the first one
        if (most > FEW_IDS or gathers_all) and not is_cheap and self._expected(source) > EXPECTED * most:
            return None  # at once, instead of after 150 ms
        listed = "json_group_array" if self.is_sqlite else "json_agg"  # one text of all is read in a third of the time of so many rows
        [(found,)] = self._rows(f"SELECT {listed}(id) FROM ({sql} LIMIT {most + 1}) AS ids", values)
        found = json.loads(found) if self.is_sqlite else found or []
        return sorted(set(found)) if len(found) <= most else None

    def _expected(self, source: Sql) -> float:
        """About how many ids PostgreSQL expects of a source: it says so in 1 ms."""
        return self._library.expected_rows(source[0].replace("?", self._library.dialect.placeholder), source[1])

    def _sources(self, query: Query) -> Iterator[Sql]:
        """Of each condition; in PostgreSQL of all at once that are about the contents alone, in which it combines the indexes.

        It would rather walk along one index of a column with few values, such as `swing`: 470 ms instead of 60 for two such columns.
        """
        together: list[Sql] = []
        indexed = 0
        for part in query.root.parts:
            source = self._source(part)
            if self.is_sqlite and isinstance(part, Item):
                source = self._narrowed(source, query)
            condition = None if self.is_sqlite else self._of_content(part)
            if condition:
                together.append(condition)
                indexed += source is not None
            elif source:
                yield source
        if indexed:
            source = (
                f"SELECT a.id FROM analyses a WHERE {' AND '.join(sql for sql, _ in together)}",
                [value for _, values in together for value in values],
            )
            if len(together) == 1 or (indexed == 1 and self._is_of_one_index(source[0])):
                yield source
                return
            self._combine_indexes(True)
            yield source
            self._combine_indexes(False)

    def _narrowed(self, source: Sql | None, query: Query) -> Sql | None:
        """The same for fewer contents: with the conditions of the query on facts that its index in SQLite carries along."""
        if source and self._carry and not CARRYING_FACTS.isdisjoint(_FACT.findall(source[0])):
            for sql, values in filter(None, map(self._of_content, query.root.parts)):
                if {*_FACT.findall(sql)} <= {*CARRIED}:
                    source = f"{source[0]} AND {sql}", [*source[1], *values]
        return source

    def _is_of_one_index(self, sql: str) -> bool:
        """Whether PostgreSQL reads all that a query compares from one index, without a row."""
        facts = {*_FACT.findall(sql)}
        return self._carry and "id" in facts and facts <= _IN_INDEXES

    def of_content(self, query: Query) -> Sql:
        """What a query demands of the contents alone."""
        found = [condition for part in query.root.parts if (condition := self._of_content(part))]
        return all_of(found)

    def _of_files(self, query: Query) -> Sql:
        """What terms of a query demand of the files alone."""
        nodes = [part for part in query.root.parts if not (isinstance(part, Item) and part.name == "missing")]
        found = [condition for part in nodes if not _FACT.search((condition := node_sql(part, self._library.dialect))[0])]
        return all_of(found)

    def _of_content(self, part: Node) -> Sql | None:
        condition = node_sql(part, self._library.dialect)
        return None if _OF_FILE.search(condition[0]) else condition

    def _combine_indexes(self, is_on: bool) -> None:
        """Let PostgreSQL plan with nothing but combined indexes, or as it likes."""
        self._rows(f"SELECT set_config('enable_indexscan', '{'off' if is_on else 'on'}', TRUE)")

    def _source(self, node: Node) -> Sql | None:
        """A query for the ids of the contents that may meet a condition; None without an index."""
        if not self.has_indexes or not isinstance(node, Item | Any):
            return None
        if node == Any(()):
            return "SELECT id FROM analyses WHERE FALSE", []
        if isinstance(node, Any):
            parts = [source for part in node.parts if (source := self._source(part))]
            if len(parts) < len(node.parts):
                return None
            return " UNION ALL ".join(f"SELECT * FROM ({sql}) AS part" for sql, _ in parts), [
                value for _, values in parts for value in values
            ]
        condition = node.condition
        sql, values = condition.sql(self._library.dialect)
        if condition.phrase:
            return self.words.source(condition.phrase) if self.words else None
        if condition.programs:
            return self._programs_source(condition.programs) if self.is_sqlite else (f"SELECT a.id FROM analyses a WHERE {sql}", values)
        if sql in self._partial:
            index = f" INDEXED BY {PARTIAL[sql]}" if self.is_sqlite else ""
            return f"SELECT a.id FROM analyses a{index} WHERE {sql}", values
        if node.name not in INDEXED or sql.endswith("IS NULL") or sql.startswith(("a.is_loop", "NOT ")):
            return None
        if condition.of_content and node.name != "status":
            return f"SELECT a.id FROM analyses a WHERE {sql}", values
        index = f" INDEXED BY files_{node.name}" if self.is_sqlite else ""
        return f"SELECT f.analysis_id AS id FROM files f{index} WHERE {sql} AND f.analysis_id IS NOT NULL", values

    def _programs_source(self, programs: tuple[int, ...]) -> Sql | None:
        if not self._has_programs:
            return None
        table = sqlite_programs.TABLE
        return (
            f"SELECT analysis_id AS id FROM (SELECT analysis_id FROM {table} WHERE program IN ({', '.join(map(str, programs))})"
            f" UNION ALL SELECT id FROM analyses WHERE id > ({sqlite_programs.GREATEST}))",
            [],
        )

    # --- words ---

    def hints(self, query: Query, of_files: bool = False) -> Sql:
        """What PostgreSQL finds by its index of words: conditions that follow from the query; for files without an analysis, of paths."""
        if not isinstance(self.words, PostgresPhrases):
            return all_of([])
        hints = [self.words.hint(phrase, of_files) for phrase in filter(None, map(phrase_of, query.root.parts))]
        return all_of([hint for hint in hints if hint])

    def has_hints(self, query: Query) -> bool:
        """Whether there is such a condition."""
        return self.hints(query)[0] != "TRUE"

    def phrases(self, query: Query) -> list[str]:
        """Words that every file has that meets the query, by which an index finds the contents; see word_chunks()."""
        found = [*filter(None, map(phrase_of, query.root.parts))]
        return self.words.usable(found) if found and self.words else []

    def word_chunks(self, phrases: list[str], first: int, more: Callable[[], float] = lambda: math.inf) -> Iterator[list[int]]:
        """The ids, from `first` on, of contents that may have all of these phrases, in order, in longer and longer lists."""
        return self.words.chunks(phrases, first, more) if self.words else iter(())


def phrase_of(part: Node) -> str | None:
    """The phrase that a part of a query asks for, if it asks for words."""
    return part.condition.phrase if isinstance(part, Item) else None


def all_of(conditions: list[Sql]) -> Sql:
    """The condition that all of these hold."""
    return " AND ".join(["TRUE", *(sql for sql, _ in conditions)]), [value for _, values in conditions for value in values]
