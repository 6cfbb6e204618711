"""The table `facets`: how many contents have each combination of role, meter and key, as the end of the last run has counted them.

To count a million contents by role takes PostgreSQL 180 ms in the index alone; the 1,600 rows of this table answer in 1 ms. One scan of
the index `analyses_role` fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from midiopt.kinds import INT64
from midiopt.schema import ANALYSES, Column, Table
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.sql import column_definitions, column_names

GROUPS = tuple(ANALYSES[name] for name in ("role", "time_signature", "key"))
FACETS = Table("facets", "", (*GROUPS, Column("contents", INT64, "number of contents, rows of `analyses`, at the end of the last run")))


def create_facets(dialect: Dialect) -> str:
    """The statement that makes the table."""
    return f"CREATE TABLE {FACETS.name} ({column_definitions(FACETS, dialect, {})})"


def fill_facets(execute: Callable[[str], Iterable[Any]], dialect: Dialect) -> None:
    """Count again, unless the table is one of the user."""
    columns = (
        f"SELECT name FROM pragma_table_info('{FACETS.name}')"
        if dialect.database == "sqlite"
        else "SELECT attname::text FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        f" AND attrelid = to_regclass(quote_ident(current_schema()) || '.{FACETS.name}')"
    )
    if {name for (name,) in execute(columns)} == {column.name for column in FACETS}:
        names = ", ".join(column.name for column in GROUPS)
        execute(f"DELETE FROM {FACETS.name}")
        execute(f"INSERT INTO {FACETS.name} ({column_names(FACETS)}) SELECT {names}, count(*) FROM analyses GROUP BY {names}")
