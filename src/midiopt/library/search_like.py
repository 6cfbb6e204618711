"""The term `like:` of a search: contents that are similar to a file on disk, or to a path in the library."""

from __future__ import annotations

import os

from midiopt.errors import MidioptError, QueryError
from midiopt.library.similar import MIN_SCORE, MIN_SHARED, analyze_file
from midiopt.library.snapshot import Snapshot
from midiopt.sinks.sqlite_sketches import TABLE
from midiopt.sources.paths import path_text

Sql = tuple[str, list[object]]


def like_path(value: str) -> tuple[Sql, Sql]:
    """Contents similar to that of a path in the library, as SQL of SQLite and of PostgreSQL; relative to the working folder, too."""
    paths: list[object] = [*_stored_paths(value)]
    source = "FROM files g JOIN analyses b ON b.id = g.analysis_id WHERE g.path IN (?, ?)"
    in_sqlite = f"(SELECT b.sketch {source} AND b.sketch IS NOT NULL LIMIT 1)"
    return _sqlite(in_sqlite, paths), _postgres(in_sqlite, paths)


def check_like_path(library: Snapshot, value: str, is_no_file: bool) -> None:
    """Raise QueryError unless the library has a sketch to compare with at this path: nothing would be found, as if nothing were similar."""
    source = "FROM files f LEFT JOIN analyses a ON a.id = f.analysis_id"
    query = f"SELECT a.sketch IS NOT NULL {source} WHERE f.path IN {library.dialect.values(2)}"
    found = [has_sketch for (has_sketch,) in library.page(query, _stored_paths(value))]
    if not found:
        raise QueryError(f"like: {value} is {'neither a file nor' if is_no_file else 'not'} a path in the library")
    if not any(found):
        raise QueryError(f"like: {value} has no analysis, or too few notes to be compared")


def _stored_paths(value: str) -> tuple[str, str]:
    try:
        as_named = os.fsencode(value)
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON may have it
        raise QueryError("the name of the file cannot be encoded") from None
    return as_named.decode(errors="backslashreplace"), path_text(os.path.abspath(as_named))


def like_file(value: str) -> tuple[Sql, Sql] | None:
    """Contents similar to a file on disk; None if there is none."""
    try:
        sketch = analyze_file(value).sketch
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise QueryError(f"like: {value}: {problem.strerror or problem}") from problem
    except MidioptError as problem:
        raise QueryError(f"like: {value}: {problem}") from problem
    if not sketch:
        raise QueryError(f"like: {value} has too few notes to be compared")
    return _sqlite("?", [str(sketch)]), _postgres("?::integer[]", [list(sketch)])


def _sqlite(sketch: str, values: list[object]) -> Sql:
    hashes = f"SELECT value FROM json_each({sketch})"
    longer = f"max(json_array_length(c.sketch), json_array_length({sketch}))"
    contents = (
        f"SELECT h.analysis_id FROM {TABLE} h JOIN analyses c ON c.id = h.analysis_id WHERE h.hash IN ({hashes})"
        f" GROUP BY h.analysis_id HAVING count(*) >= max({MIN_SHARED}, {MIN_SCORE} * {longer})"
    )
    return f"a.id IN ({contents})", values * 2


def _postgres(sketch: str, values: list[object]) -> Sql:
    shared = f"(SELECT count(*) FROM unnest(a.sketch) AS hash WHERE hash = ANY(({sketch})::integer[]))"
    longer = f"greatest(cardinality(a.sketch), cardinality({sketch}))"
    return f"a.sketch && {sketch} AND {shared} >= greatest({MIN_SHARED}, {MIN_SCORE} * {longer})", values * 3
