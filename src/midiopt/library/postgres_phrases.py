"""How PostgreSQL finds phrases: by its indexes of words and of pairs of words, whose statistics say which are frequent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from midiopt.library.search_conditions import Sql
from midiopt.sinks.index_sql import WORDS_INDEXES
from midiopt.sinks.words import postgres_index_keys

FIRST_RANGE, GROWTH = 4000, 8  # of ids in which a phrase is looked for, each in 3 ms and more
WHOLE = 4  # a part of all ids from which on the rest is looked for at once
LEAST = 0.5  # times as many ids as until then, so that the number of ranges is bounded
# Microseconds for a title or path with a phrase, if all are gathered; for a content whose files are looked at; and for an id between two of
# those, if the next ones are gathered.
GATHERED_US, LOOKED_AT_US, PASSED_US = 2, 15, 0.3
_CONTENTS = "SELECT id FROM analyses WHERE midiopt_phrases(title, track_names) @@ ?::tsquery"
IS_OF_PATH = "midiopt_phrases(f.path) @@ ?::tsquery"
_FILES = "SELECT analysis_id FROM files WHERE midiopt_phrases(path) @@ ?::tsquery AND analysis_id IS NOT NULL"


Rows = Callable[..., list[tuple[Any, ...]]]
"""Asks a query with `?` for each of its values."""


class PostgresPhrases:
    """The indexes of one database. A phrase of which more files than `max_files` have each word is not looked for: PostgreSQL would gather
    all of these before it gives the first."""

    def __init__(self, rows: Rows, max_files: int) -> None:
        self._rows = rows
        self._max_files = max_files

    @functools.cached_property
    def _counts(self) -> Counts:
        return Counts(self._rows)

    def usable(self, phrases: list[str]) -> list[str]:
        """Those of the phrases of a search by which its files are found: the rarest."""
        return [min(phrases, key=self._counts.files)] if any(map(self._is_rare, phrases)) else []

    def _is_rare(self, phrase: str) -> bool:
        return self._counts.files(phrase) <= self._max_files

    def source(self, phrase: str) -> Sql | None:
        """A query for the ids of the contents with a phrase, some of them twice; None for a frequent one."""
        return (f"SELECT id FROM ({_CONTENTS} UNION ALL {_FILES}) AS found", [tsquery(phrase)] * 2) if self._is_rare(phrase) else None

    def hint(self, phrase: str, of_files: bool) -> Sql | None:
        """A condition that follows from a phrase, of contents, or of files without one; None for a frequent phrase."""
        source = self.source(phrase)
        if source is None:
            return None
        return (IS_OF_PATH, source[1][:1]) if of_files else (f"a.id IN ({source[0]})", source[1])

    def is_sooner_gathered(self, phrase: str, files: int, contents: float, seen: float) -> bool:
        """Whether gathering all with a phrase gives so many files sooner than looking at one after another, if so many contents meet
        what is asked beside it, and as many as `seen` have to be looked at, as far as can be told."""
        having = self._counts.files(phrase) + 1
        looked_at = max(seen, files * self._counts.contents / (contents + 1))
        return GATHERED_US * having <= looked_at * (LOOKED_AT_US + PASSED_US * 2 * self._counts.contents / having)

    def chunks(self, phrases: list[str], first: int, more: Callable[[], float]) -> Iterator[list[int]]:
        """The ids, from `first` on and in order, by longer and longer ranges: not many more rows are looked at than fill a page.

        `more` says how many times as many ids as until now are needed, as far as can be told.
        """
        [phrase] = phrases
        [(last,)] = self._rows("SELECT max(id) FROM analyses")
        size, start = FIRST_RANGE, first
        while last is not None and first <= last:
            # The ids of a long range are gathered, too: of a quarter of all in the time of looking at 4,000 rows.
            end = first + size if size * WHOLE < last else last + 1
            bound = f" AND {{0}} < {end}" if end <= last else ""
            contents = f"{_CONTENTS} AND id >= {first}{bound.format('id')}"
            files = f"{_FILES} AND analysis_id >= {first}{bound.format('analysis_id')}"
            [(found,)] = self._rows(f"SELECT json_agg(id) FROM ({contents} UNION {files}) AS found", [tsquery(phrase)] * 2)
            if found:
                yield sorted(found)
            first = end
            size = int(max(FIRST_RANGE, min(max(more(), LEAST) * (first - start), size * GROWTH)))


def sources(of_contents: Sql, of_files: Sql) -> tuple[Sql, Sql]:
    """Queries for the ids of the contents that meet a condition, and of those with a file that meets one."""
    return (
        (f"SELECT a.id FROM analyses a WHERE {of_contents[0]}", of_contents[1]),
        (f"SELECT f.analysis_id FROM files f WHERE {of_files[0]}", of_files[1]),
    )


def source_with(phrase: str, of_contents: Sql, of_files: Sql) -> Sql:
    """A query for the ids of the contents with a phrase that meet both conditions: PostgreSQL combines the indexes."""
    (contents, of_content), (files, of_file) = sources(of_contents, of_files)
    is_asked = of_files[0] != "TRUE"
    sql = (
        f"SELECT id FROM ({contents} AND midiopt_phrases(a.title, a.track_names) @@ ?::tsquery{f' AND a.id IN ({files})' * is_asked}"
        f" UNION ALL {files} AND {IS_OF_PATH} AND f.analysis_id IN ({contents})) AS found"
    )
    return sql, [*of_content, tsquery(phrase), *of_file * is_asked, *of_file, tsquery(phrase), *of_content]


def tsquery(phrase: str) -> str:
    """What the indexes are asked for."""
    keys, begun = postgres_index_keys(phrase)
    return " & ".join([f"'{key}'" for key in keys] + [f"'{begun}':*"] * bool(begun))


class Counts:
    """About how many titles and paths have each of the most common words and pairs, as the statistics of PostgreSQL say."""

    def __init__(self, rows: Rows) -> None:
        query = (
            "SELECT tablename, most_common_elems::text::text[], most_common_elem_freqs, reltuples FROM pg_stats"
            " JOIN pg_class ON relname = tablename AND relnamespace = quote_ident(schemaname)::regnamespace"
            f" WHERE schemaname = current_schema() AND tablename IN {WORDS_INDEXES}"
        )
        self._counts: dict[str, float] = {}
        self.contents = 0.0
        """About how many contents there are; 0 before PostgreSQL has counted."""
        for index, words, shares, number in rows(query):
            self.contents = number if index == WORDS_INDEXES[0] else self.contents
            for word, share in zip(words or (), shares or (), strict=False):  # two shares more: the least and the greatest
                self._counts[word] = self._counts.get(word, 0) + share * max(number, 0)

    def files(self, phrase: str) -> float:
        """Of a phrase; 0 if it is none of the most common ones."""
        keys, begun = postgres_index_keys(phrase)
        expected = [self._counts.get(key, 0) for key in keys]
        if begun:
            expected.append(sum(number for key, number in self._counts.items() if key.startswith(begun) and " " not in key))
        return min(expected)
