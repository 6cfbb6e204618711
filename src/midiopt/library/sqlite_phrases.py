"""How SQLite finds phrases: by its full-text index of words, and by looking at what that has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from midiopt.library.postgres_phrases import Rows
from midiopt.library.search_conditions import Sql
from midiopt.sinks.sqlite_words import BITS, CONTENTS_KEY, EXTRA, STATE_KEY, TABLE, words_state
from midiopt.sinks.words import match_of

FIRST_CHUNK, GROWTH = 500, 3  # of ids
BEGUN_CHUNK = FIRST_CHUNK * GROWTH**3  # for words that begin so, which are gathered anew for each chunk


class SqlitePhrases:
    """The index of one database. Raises LookupError where it cannot be asked."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        found: dict[str, str] = dict(rows("SELECT key, value FROM meta WHERE key IN (?, ?)", [STATE_KEY, CONTENTS_KEY]))
        state = words_state([(found.get(STATE_KEY, ""),)])
        if state is None or not rows("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"):
            raise LookupError("no run has filled the index, or another midiopt has, or this SQLite is without FTS5")
        seen = int(found.get(CONTENTS_KEY, 0))
        newer = f"SELECT 1 FROM files WHERE analysis_id > {seen} LIMIT 1"
        latest = f"SELECT 1 FROM files WHERE analyzed_at > '{state.newest}' LIMIT 1"
        self._ids = f"SELECT rowid AS id FROM {TABLE} WHERE {TABLE} MATCH ? AND rowid < {EXTRA}"
        if state.extras or rows(newer) or rows(latest):
            self._ids += (
                f" UNION SELECT rowid & {(1 << BITS) - 1} FROM {TABLE} WHERE {TABLE} MATCH ? AND rowid >= {EXTRA}"
                f" UNION SELECT id FROM analyses WHERE id > {seen}"
                f" UNION SELECT analysis_id FROM files WHERE analyzed_at > '{state.newest}' AND analysis_id IS NOT NULL"
            )

    def usable(self, phrases: list[str]) -> list[str]:
        """Those of the phrases of a search by which its files are found: all or none."""
        return [] if match_of(phrases) is None else phrases

    def source(self, phrase: str) -> Sql | None:
        """A query for the ids of the contents that may have a phrase; None if the index does not know its words."""
        match = match_of([phrase])
        return None if match is None else (f"SELECT id FROM ({self._ids})", [match] * self._ids.count("?"))

    def chunks(self, phrases: list[str], first: int, more: Callable[[], float]) -> Iterator[list[int]]:
        """The ids, from `first` on and in order, of contents that may have all of these phrases, in longer and longer lists."""
        match = match_of(phrases) or ""
        size = BEGUN_CHUNK if "*" in match else FIRST_CHUNK
        while True:
            sql = f"SELECT id FROM ({self._ids}) WHERE id >= {first} ORDER BY id LIMIT {size}"
            found = [id_ for (id_,) in self._rows(sql, [match] * self._ids.count("?"))]
            if found:
                yield found
            if len(found) < size:
                return
            first = found[-1] + 1
            size *= GROWTH
