"""Files with similar music: those whose sketches share hashes, found through an index.

The score of two contents is the number of hashes that both sketches have, as a share of the longer one. docs/similar.md says what it means.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from midiopt.errors import MidioptError, SinkError, SourceError
from midiopt.library.differences import Compared, compared_rows, differences
from midiopt.library.queries import content_key
from midiopt.library.snapshot import Snapshot
from midiopt.sinks.sqlite_sketches import IS_OURS, SELECT_DONE, TABLE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.api.analysis import Analysis

MIN_SCORE = 0.1
MIN_SHARED = 2  # hashes: one alone may be chance
NEAR_SCORE = 0.5  # of near-duplicates,
NEAR_HASHES = 6  # which share so many, or all: of chord loops that share half, but fewer, 1 in 4 has the same progression
LIMIT = 20
FETCHED_CONTENTS = 500  # per query


@dataclass(frozen=True)
class Similar:
    """A file that is similar to another one."""

    path: str
    """As in the library."""
    score: float
    """From 0 to 1; 1 is the same music, as far as the sketch tells."""
    is_near: bool
    """Whether it is a near-duplicate."""
    differs: tuple[str, ...]
    """What differs: `same bytes`, `same notes`, `transposed by +2`, `faster by 3 %`, `1 track fewer` and so on, as far as it is known."""
    title: str | None
    """As in the library, like the following: docs/columns.md describes them."""
    bpm: float | None
    """In beats per minute."""
    key: str | None
    """Such as ``Bb`` or ``F#m``."""
    note_count: int
    """Number of notes."""
    analysis_id: int
    """Equal for files with the same bytes."""


class Match(NamedTuple):
    """How similar a content is."""

    score: float
    is_near: bool


@dataclass(frozen=True)
class Wanted:
    """The file that others are compared with."""

    sketch: list[int]
    facts: Compared
    path: str | None
    """In the library; None if it is not there."""


def similar(library: Snapshot, name: str, limit: int | None = LIMIT, min_score: float = MIN_SCORE) -> list[Similar]:
    """The files that are similar to a file or a path in the library, most similar first, without that path itself.

    Files that are missing are left out. Raises OSError or a MidioptError if it is neither in the library nor a MIDI file, or too short.
    """
    wanted = find_wanted(library, name)
    matches = similar_contents(library, wanted.sketch, min_score)
    ordered = sorted(matches, key=lambda number: (-matches[number].score, number))
    found: list[Similar] = []
    for at in range(0, len(ordered), FETCHED_CONTENTS):
        if limit is not None and len(found) >= limit:
            break
        part = ordered[at : at + FETCHED_CONTENTS]
        for file in sorted(compared_rows(library, part), key=lambda file: (-matches[file.analysis_id].score, file.analysis_id, file.path)):
            if file.path != wanted.path:
                facts = (file.title, file.bpm, file.key, file.note_count, file.analysis_id)
                match = matches[file.analysis_id]
                found.append(Similar(file.path, match.score, match.is_near, tuple(differences(wanted.facts, file)), *facts))
    return found[:limit]


def find_wanted(library: Snapshot, name: str) -> Wanted:
    """The sketch and the facts of a path in the library, or else of a file, which is read."""
    from midiopt.sources.paths import path_text

    stored = os.fsencode(name).decode(errors="backslashreplace")  # as a database writes bytes that are not UTF-8
    for path in dict.fromkeys((stored, path_text(os.path.abspath(os.fsencode(name))))):
        mark = library.dialect.placeholder
        query = f"SELECT a.id, a.sketch FROM files f JOIN analyses a ON a.id = f.analysis_id WHERE f.path = {mark}"
        for number, sketch in library.rows(query, [path]):
            facts = next(file for file in compared_rows(library, [number], missing=True) if file.path == path)
            return Wanted(_enough(decoded(sketch), name), facts, path)
    return _analysed(library, name)


def _analysed(library: Snapshot, name: str) -> Wanted:
    from midiopt.rows.builder import content_hasher
    from midiopt.sources.content import read_content

    try:
        data = bytes(memoryview(read_content(name)))
        facts = _analyze(data)
    except OSError as problem:
        raise SourceError(f"{name}: it is not in the database and cannot be read: {problem.strerror or problem}") from problem
    except MidioptError as problem:
        raise SourceError(f"{name}: {problem}") from problem
    query = f"SELECT id FROM analyses WHERE content_hash = {library.dialect.placeholder}"
    copy = next((number for (number,) in library.rows(query, [content_hasher(content_key(library))(data)])), 0)
    return Wanted(_enough(facts.sketch, name), replace(Compared.of(facts, name), analysis_id=copy), None)


def analyze_file(name: str) -> Analysis:
    """The facts of the file that a user names. Raises OSError, or a MidioptError that says why there are none."""
    from midiopt.sources.content import read_content

    return _analyze(read_content(name))


def _analyze(data: Buffer) -> Analysis:
    from midiopt.api.one_file import analyze

    return analyze(memoryview(data))


def _enough(sketch: list[int] | None, name: str) -> list[int]:
    if not sketch:
        raise SourceError(f"{name}: it has too few notes to be compared")
    return sketch


def decoded(sketch: Any) -> list[int]:
    """The hashes of a sketch as either database has it; of none, an empty list. Raises SinkError as ``queries.python_value``."""
    try:
        found: list[int] = json.loads(sketch) if isinstance(sketch, str) else sketch or []
    except ValueError:
        raise SinkError(f"the database is damaged: sketch is {sketch!r} in a row") from None
    return found


def score_of(shared: int, one: int, other: int) -> float:
    """The score of two sketches with so many hashes in common, of so many each."""
    return shared / max(one, other)


def match_of(shared: int, one: int, other: int) -> Match:
    """The same, and whether that is near."""
    score = score_of(shared, one, other)
    return Match(score, score >= NEAR_SCORE and shared >= min(NEAR_HASHES, max(one, other)))


def similar_contents(library: Snapshot, sketch: Sequence[int], min_score: float) -> dict[int, Match]:
    """Each content that has at least `min_score`, by the number of its analysis."""
    at_least = max(MIN_SHARED, math.ceil(min_score * len(sketch) - 1e-9))
    counted = _counted_in_sqlite if library.dialect.database == "sqlite" else _counted_in_postgres
    matches = {number: match_of(shared, len(sketch), size) for number, shared, size in counted(library, sketch, at_least)}
    return {number: match for number, match in matches.items() if match.score >= min_score}


def _counted_in_sqlite(library: Snapshot, sketch: Sequence[int], at_least: int) -> list[tuple[int, int, int]]:
    """(analysis, shared hashes, hashes) through the index, and one by one of the contents that no finished run has entered there yet."""
    done = indexed_id(library)
    counts = (
        f"SELECT analysis_id, count(*) AS shared FROM {TABLE} WHERE hash IN ({', '.join('?' * len(sketch))})"
        " GROUP BY analysis_id HAVING count(*) >= ?"
    )
    query = f"SELECT id, shared, json_array_length(sketch) FROM ({counts}) JOIN analyses ON id = analysis_id WHERE id <= ?"
    found = [(number, shared, size) for number, shared, size in library.rows(query, [*sketch, at_least, done])] if done else []
    hashes = set(sketch)
    for number, text in library.rows("SELECT id, sketch FROM analyses WHERE id > ? AND sketch IS NOT NULL", [done]):
        other = decoded(text)
        shared = len(hashes.intersection(other))
        if shared >= at_least:
            found.append((number, shared, len(other)))
    return found


def indexed_id(library: Snapshot) -> int:
    """The number of the last analysis whose hashes are in the index of SQLite; 0 without an index."""
    [(is_ours,)] = library.rows(IS_OURS)
    return next((int(value) for (value,) in library.rows(SELECT_DONE)), 0) if is_ours else 0


def _counted_in_postgres(library: Snapshot, sketch: Sequence[int], at_least: int) -> list[tuple[int, int, int]]:
    counted = (
        "SELECT id, (SELECT count(*) FROM unnest(sketch) AS hash WHERE hash = ANY(%s::integer[])) AS shared, cardinality(sketch) AS size"
        " FROM analyses WHERE sketch && %s::integer[]"
    )
    values = [list(sketch), list(sketch), at_least]
    return [(number, shared, size) for number, shared, size in library.rows(f"SELECT * FROM ({counted}) AS c WHERE shared >= %s", values)]
