"""The end of a run: indexes, analyses that no file has any more, and the number of copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from midiopt.sinks.dialects import Dialect
from midiopt.sinks.index_sql import create_indexes, prepare_indexes
from midiopt.sinks.sql import ANALYSIS_ID

COUNT_CONTENTS = f"SELECT count({ANALYSIS_ID}), count(DISTINCT {ANALYSIS_ID}) FROM files"

# The missing files that were analysed, and the contents that no other file has.
COUNT_MISSING_CONTENTS = (
    "SELECT count(m.analysis_id), count(DISTINCT CASE WHEN NOT EXISTS"
    " (SELECT 1 FROM files f WHERE f.analysis_id = m.analysis_id AND f.missing_since IS NULL) THEN m.analysis_id END)"
    " FROM files m WHERE m.missing_since IS NOT NULL"
)

# Looking up the file of each analysis takes long, and after most runs no analysis lacks one: so both are counted first.
COUNT_ANALYSES = "SELECT count(*) FROM analyses"
_IS_ORPHAN = f"NOT EXISTS (SELECT 1 FROM files f WHERE f.{ANALYSIS_ID} = analyses.id)"
DELETE_ORPHANS = (
    f"DELETE FROM tracks WHERE {ANALYSIS_ID} IN (SELECT id FROM analyses WHERE {_IS_ORPHAN})",
    f"DELETE FROM analyses WHERE {_IS_ORPHAN}",
)


def finalize(execute: Callable[[str], Iterable[Any]], make_indexes: Callable[[list[str]], None], dialect: Dialect) -> int:
    """``Catalog.finalize``, by a function that runs a statement, and one that runs those of the indexes, of which none needs another."""
    prepare_indexes(execute, dialect)
    make_indexes(create_indexes(dialect))
    [(files, contents)] = execute(COUNT_CONTENTS)
    [(analyses,)] = execute(COUNT_ANALYSES)
    if analyses > contents:
        for statement in DELETE_ORPHANS:
            execute(statement)
    [(missing_files, missing_contents)] = execute(COUNT_MISSING_CONTENTS)
    duplicates: int = (files - missing_files) - (contents - missing_contents)
    return duplicates
